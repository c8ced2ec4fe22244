import {
  body,
  chorus,
  drive,
  echo,
  fading,
  fadedOut,
  filter,
  full,
  glide,
  held,
  line,
  noise,
  pulse,
  reverb,
  shaped,
  sine,
  Tape,
  together,
  tone,
  vibrato,
  type Wave,
} from "../dsp";
import { kick, tick } from "../drums";
import { bell, cheering, chime, mountains, radio } from "../instruments";
import { hz } from "../notes";
import { say } from "../voice";

const falling = (from: number, to: number, duration: number) =>
  glide([0, from], [duration * 0.25, from * 1.05], [duration, to]);

/** People who say things in no language, laugh, shout, sing and yodel. */
export const voices: Record<string, () => Wave> = {
  ballmer: () => {
    const tape = new Tape(4.6);
    for (let n = 0; n < 5; n++) {
      const at = n * 0.86;
      const lift = 1 + n * 0.05;
      const shout = (seed: number, size: number, pitch: number) =>
        full(
          say("d50 o190 _30 b50 a330 _40", {
            pitch: falling(pitch * lift, pitch * lift * 0.72, 0.6),
            size,
            rough: 0.09,
            press: 0.95,
            breath: 0.35,
            seed,
          }),
        );
      tape.put(at, drive(shout(1, 1.02, 265), 2.2), 0.9);
      for (const [k, [size, pitch]] of [
        [0.95, 205],
        [1.06, 170],
        [0.85, 290],
        [0.9, 240],
      ].entries()) {
        if (n > 0) tape.put(at + 0.015 * k, shout(k + 5, size!, pitch!), 0.3);
      }
      tape.put(at, kick(0.3, 55), 0.7).put(at + 0.27, kick(0.3, 55), 0.5);
    }
    tape.put(0.8, full(cheering(3.8, 17, 8)), 0.22);
    return fadedOut(reverb(tape.wave, 0.22, 0.84, 0), 0.3);
  },

  bezos: () => {
    const tape = new Tape(1.6);
    const bark = (pitch: number, ms: number, seed: number) =>
      full(
        say(`h55 a${ms} h30`, {
          pitch: glide([0, pitch * 1.25], [0.06, pitch * 1.3], [ms / 1000 + 0.1, pitch * 0.8]),
          press: 0.85,
          rough: 0.05,
          breath: 0.3,
          size: 0.97,
          seed,
        }),
      );
    const laughs: [at: number, pitch: number, ms: number, level: number][] = [
      [0, 235, 150, 1],
      [0.27, 265, 120, 1],
      [0.48, 240, 105, 0.9],
      [0.68, 215, 100, 0.75],
      [0.87, 195, 95, 0.6],
      [1.06, 170, 95, 0.45],
    ];
    laughs.forEach(([at, pitch, ms, level], n) => tape.put(at, bark(pitch, ms, n + 2), level));
    return fadedOut(reverb(drive(tape.wave, 1.4), 0.14, 0.65, 0), 0.2);
  },

  bueller: () => {
    const tape = new Tape(4.6);
    const call = () =>
      full(
        say("d60 a190 l60 er170 _40 m60 uh110 n240", {
          pitch: 104,
          press: 0.28,
          rough: 0.006,
          breath: 0.03,
          slur: 0.03,
        }),
      );
    const classroom = filter("low", noise(4.6, 30, 0.006), 500);
    return together(reverb(tape.put(0.05, call()).put(3.05, call()).wave, 0.2, 0.7, 0), classroom);
  },

  butts: () => {
    const tape = new Tape(1.35);
    const raspberry = (from: number, to: number, duration: number, seed: number) => {
      const flap = (t: number) => glide([0, from], [duration, to])(t) * (1 + 0.1 * Math.sin(t * 61 + seed));
      const lips = together(tone(pulse(0.22), flap, duration), shaped(noise(duration, seed), 0.5));
      const flutter = tone(pulse(0.45), flap, duration, 0.5).map((x) => 0.55 + x);
      const cheeks = body(
        lips.map((x, i) => x * flutter[i]!),
        0.2,
        [310, 3, 0.9],
        [720, 4, 0.6],
        [1900, 2, 0.25],
      );
      return shaped(filter("low", cheeks, 3000), held(duration, 0.02, 0.06));
    };
    return tape.put(0, raspberry(98, 112, 0.34, 3)).put(0.42, raspberry(86, 38, 0.82, 8)).wave;
  },

  dadgummit: () => {
    const mutter = say("g50 r70 uh130 d45 b45 r60 o130 m60 b40 uh90 d40 r80 uh260 m160", {
      pitch: (t) => glide([0, 150], [0.25, 132], [0.5, 120], [1.3, 68])(t) * (1 + 0.03 * Math.sin(t * 29)),
      size: 1.1,
      rough: 0.07,
      press: 0.4,
      breath: 0.15,
      slur: 0.03,
    });
    return reverb(full(mutter), 0.1, 0.5, 0.2);
  },

  donotwant: () => {
    const duration = 4;
    const fall = glide([0, 185], [0.5, 215], [1.4, 190], [duration, 62]);
    const cry = [1, 1.5, 0.502].map((ratio, n) =>
      say("_20 n110 u300 o500 a1500 o1000 u570", {
        pitch: (t) => fall(t) * ratio,
        slur: 0.12,
        rough: 0,
        press: 0.75,
        breath: 0.15,
        size: 1.18,
        seed: n,
      }),
    );
    const machine = full(together(...cry)).map(
      (x, i) => x * (0.72 + 0.28 * Math.sign(Math.sin((2 * Math.PI * 47 * i) / 44_100))),
    );
    const helmet = chorus(filter("low", body(machine, 0.6, [420, 3, 0.6], [1600, 3, 0.5]), 3800), 0.004, 0.5);
    const breath = filter("band", noise(0.5, 44, held(0.5, 0.2, 0.2)), 1100, 2);
    return fadedOut(
      echo(together(shaped(helmet, held(duration, 0.15, 0.9)), shaped(breath, 0.15)), 0.28, 0.45, 0.85, 2200),
      0.5,
    );
  },

  glados: () => {
    const words: [text: string, note: string][] = [
      ["d30 i90", "a3"],
      ["l35 o80", "c#4"],
      ["n35 a110", "g#3"],
      ["_60 t40 u80", "e4"],
      ["v40 e90", "b3"],
      ["s80 i190 n70", "g#3"],
    ];
    const tape = new Tape(1.75);
    let at = 0.02;
    for (const [text, note] of words) {
      const spoken = say(text, {
        pitch: hz(note),
        size: 0.84,
        rough: 0,
        breath: 0.015,
        press: 0.55,
        slur: 0.005,
      });
      tape.put(at, spoken);
      at += spoken.length / 44_100;
    }
    const shell = echo(full(tape.wave), 0.0083, 0.55, 0, 9000);
    return fadedOut(reverb(chorus(filter("high", shell, 260), 0.001, 0.4), 0.12, 0.7, 0), 0.2);
  },

  gogogo: () => {
    const tape = new Tape(1.75);
    const calls: [at: number, text: string, pitch: number][] = [
      [0.12, "d40 o170 _20", 225],
      [0.5, "d40 o165 _20", 240],
      [0.86, "d40 o330 u60", 268],
    ];
    for (const [at, text, pitch] of calls)
      tape.put(
        at,
        full(say(text, { pitch: falling(pitch, pitch * 0.78, 0.32), press: 0.9, rough: 0.05, breath: 0.2 })),
      );
    const sent = radio(tape.wave, 12);
    const squelch = (duration: number, seed: number) =>
      filter("band", noise(duration, seed, held(duration, 0.003, 0.01)), 2000, 0.6);
    return new Tape(1.75)
      .put(0, squelch(0.09, 3), 0.7)
      .put(0, sent, 0.8)
      .put(1.42, squelch(0.16, 4), 0.8)
      .put(1.44, tone(sine, 1850, 0.07, held(0.07)), 0.2).wave;
  },

  guarantee: () => {
    const tape = new Tape(2.3);
    const promise = say("b45 a110 r70 d40 o130 l60 n50 i110 _30 m60 a320 r140", {
      pitch: (t) => glide([0, 112], [0.3, 126], [0.6, 105], [1.2, 74])(t) * (1 + 0.02 * Math.sin(t * 41)),
      size: 1.12,
      rough: 0.08,
      press: 0.5,
      breath: 0.2,
    });
    tape.put(0, body(full(promise), 0.9, [180, 2, 0.3]));
    const drawer = filter(
      "band",
      noise(0.16, 9, line([0, 0.2], [0.1, 0.9], [0.11, 0], [0.16, 0])),
      1700,
      1.2,
    );
    tape
      .put(1.2, tick(2500), 0.8)
      .put(1.24, drawer, 0.6)
      .put(1.36, tone(sine, 120, 0.1, fading(0.03)), 0.7);
    tape.put(1.36, bell(hz("e7"), 0.9, 0.28), 1.1).put(1.4, bell(hz("b6"), 0.85, 0.2), 0.4);
    return fadedOut(reverb(tape.wave, 0.1, 0.6, 0), 0.15);
  },

  heygirl: () => {
    const croon = say("m110 e330 y160 _70 l80 u220 ue330", {
      pitch: vibrato(
        glide([0, 128], [0.2, 152], [0.55, 118], [0.7, 120], [0.95, 138], [1.3, 92]),
        4.6,
        0.012,
        0.3,
      ),
      press: 0.22,
      breath: 0.14,
      slur: 0.05,
      size: 1.03,
    });
    const tape = new Tape(2.4).put(0.1, full(croon), 0.9);
    for (let n = 0; n < 12; n++)
      tape.put(
        1.15 + n * 0.045,
        chime(hz("e6") * 2 ** ([0, 3, 5, 7, 10, 12, 15, 17, 19, 22, 24, 27][n]! / 12), 0.6),
        0.1,
      );
    return fadedOut(reverb(tape.wave, 0.3, 0.82, 0), 0.3);
  },

  inconceivable: () => {
    const phrase = say("a90 n50 th120 o100 b45 l50 e130 n50 th130 i90 _20 g45 a90 th110 i300 n60", {
      pitch: glide([0, 165], [0.3, 190], [0.6, 215], [0.9, 270], [1.15, 395], [1.45, 330]),
      size: 0.9,
      press: 0.6,
      breath: 0.08,
      rough: 0.02,
    });
    const lisp = filter("band", noise(phrase.length / 44_100, 13, 0.05), 5200, 1.5);
    return reverb(together(full(phrase), shaped(lisp, held(1.4, 0.1, 0.1))), 0.12, 0.6, 0.15);
  },

  live: () => {
    const rage = say("d40 u70 _20 d40 u70 g45 o90 _20 r50 ae420 _10 t60", {
      pitch: (t) => glide([0, 230], [0.35, 270], [0.5, 350], [0.9, 300])(t) * (1 + 0.02 * Math.sin(t * 53)),
      press: 0.98,
      rough: 0.12,
      breath: 0.4,
    });
    const tape = new Tape(1.6).put(0, drive(full(rage), 7), 0.7);
    const fist = together(
      tone(sine, glide([0, 150], [0.1, 60]), 0.25, fading(0.06)),
      filter("low", noise(0.15, 2, fading(0.025)), 900),
    );
    tape.put(1.0, fist, 1.2).put(1.03, filter("high", noise(0.25, 6, fading(0.06)), 3500), 0.3);
    return fadedOut(reverb(filter("high", tape.wave, 140), 0.1, 0.6, 0), 0.2);
  },

  noooo: () => {
    const fall = glide([0, 250], [0.4, 330], [1.5, 300], [4.2, 118]);
    const cry = [1, 1.006, 0.5].map((off, n) =>
      say("n180 o600 uh1100 o1700 u620", {
        pitch: vibrato((t) => fall(t) * off, 5.4, 0.025, 0.5),
        press: 0.85,
        breath: 0.12,
        rough: 0.025,
        slur: 0.08,
        seed: n,
      }),
    );
    const anguish = shaped(
      full(together(cry[0]!, shaped(cry[1]!, 0.7), shaped(cry[2]!, 0.35))),
      held(4.2, 0.05, 1),
    );
    return fadedOut(reverb(anguish, 0.38, 0.9, 0.6), 0.6);
  },

  ohmy: () => {
    const exclamation = say("o620 u120 _90 m150 uh330 i380", {
      pitch: glide([0, 78], [0.35, 118], [0.75, 70], [0.95, 84], [1.2, 96], [1.7, 58]),
      size: 1.16,
      press: 0.38,
      breath: 0.07,
      slur: 0.07,
    });
    return reverb(full(exclamation), 0.2, 0.78, 0.4);
  },

  story: () => {
    const tape = new Tape(4.5);
    const warm = { size: 1.08, press: 0.26, breath: 0.08, slur: 0.035 };
    const opening = say("uh90 n60 d40 e110 n50 th70 a120 t50 w60 o170 z60 _60 m60 uh110 l60 o260", {
      ...warm,
      pitch: glide([0, 112], [0.4, 126], [0.8, 108], [1.0, 118], [1.4, 88]),
    });
    const close = say("g45 uh110 d45 e90 y70 _20 n60 a230 v70", {
      ...warm,
      pitch: glide([0, 108], [0.2, 116], [0.7, 72]),
    });
    tape.put(0.05, full(opening)).put(2.15, full(close), 0.95);
    const page = filter(
      "band",
      noise(
        0.55,
        19,
        (t) =>
          line([0, 0], [0.12, 0.5], [0.3, 0.9], [0.36, 0.15], [0.55, 0])(t) * (0.7 + 0.3 * Math.sin(t * 190)),
      ),
      glide([0, 1800], [0.3, 4800], [0.55, 3000]),
      0.8,
    );
    tape
      .put(3.2, page, 0.7)
      .put(3.85, filter("low", noise(0.2, 5, fading(0.03)), 420), 1.2)
      .put(3.85, tone(sine, 74, 0.25, fading(0.06)), 0.8);
    const crackle = filter(
      "band",
      noise(4.5, 8).map((x) => (Math.abs(x) > 0.9985 ? x : 0)),
      1600,
      0.8,
    );
    return together(reverb(filter("low", tape.wave, 4500), 0.12, 0.6, 0), shaped(crackle, 0.5));
  },

  totes: () => {
    const tape = new Tape(4.5);
    const chirp = (text: string, pitch: ReturnType<typeof glide>) =>
      full(say(text, { pitch, size: 0.72, press: 0.55, breath: 0.1 }));
    tape.put(0, chirp("t40 o150 t50", glide([0, 330], [0.2, 420])));
    tape.put(0.92, chirp("y60 ae190", glide([0, 480], [0.12, 400], [0.25, 310])));
    tape.put(1.85, chirp("b40 u90 b40 i130", glide([0, 300], [0.14, 330], [0.3, 520])));
    tape.put(2.8, chirp("k50 w50 a210", glide([0, 260], [0.15, 520], [0.3, 380])));
    tape.put(3.72, chirp("f70 i90 n50 o230", glide([0, 420], [0.15, 560], [0.44, 270])));
    return fadedOut(reverb(tape.wave, 0.14, 0.65, 0), 0.15);
  },

  trololo: () => {
    const tape = new Tape(4.9);
    const tune = "e4 g4 c5*1 b4 g4 a4*1 f4 a4 d5*.75 c5*.25 b4 a4 g4*1.5 -";
    const vowels = ["a", "o", "a", "o", "a", "o", "a", "e"];
    let at = 0.05;
    for (const [n, word] of tune.split(" ").entries()) {
      const [note, beats = ".5"] = word.split("*");
      const duration = (Number(beats) * 60) / 124;
      if (note !== "-") {
        const pitch = vibrato(glide([0, hz(note!) * 0.47], [0.05, hz(note!) / 2]), 5.6, 0.02, 0.08);
        const sung = say(`l45 ${vowels[n % 8]}${Math.round(duration * 1000 - 55)} _10`, {
          pitch,
          size: 1.05,
          press: 0.55,
          breath: 0.03,
          rough: 0.004,
        });
        tape.put(at, shaped(sung, held(duration, 0.02, 0.05)));
      }
      at += duration;
    }
    const singer = full(tape.wave);
    const oompah = new Tape(4.9);
    ["c3", "g2", "f2", "c3", "f2", "d3", "g2", "g2", "c3", "c3"].forEach((root, n) => {
      oompah.put(0.05 + n * 0.484, tone(sine, hz(root), 0.25, fading(0.12)), 0.6);
      for (const third of [2, 2.52, 3])
        oompah.put(0.29 + n * 0.484, tone(pulse(0.2), hz(root) * third, 0.12, fading(0.04)), 0.07);
    });
    return fadedOut(
      reverb(together(singer, shaped(filter("low", oompah.wave, 2500), 0.6)), 0.2, 0.8, 0),
      0.25,
    );
  },

  yodel: () => {
    const tape = new Tape(3.9);
    const chest = { size: 0.95, press: 0.62, breath: 0.03 };
    const head = { size: 0.86, press: 0.35, breath: 0.1 };
    const tune: [low: string, vowel: string, ms: number, high: string, ms2: number][] = [
      ["g3", "o", 210, "e4", 190],
      ["c4", "o", 150, "g4", 170],
      ["d4", "o", 150, "b4", 170],
      ["g4", "a", 120, "e5", 620],
      ["c4", "o", 150, "a4", 160],
      ["b3", "o", 140, "g4", 150],
      ["g3", "o", 150, "c5", 780],
    ];
    let at = 0.05;
    for (const [low, vowel, ms, high, ms2] of tune) {
      const flip = ms / 1000;
      const pitch = vibrato((t: number) => (t < flip ? hz(low) : hz(high)), 5.8, 0.014, 0.3);
      const first = say(`y40 ${vowel}${ms - 40}`, { ...chest, pitch, slur: 0.012 });
      const second = say(
        `l25 u${Math.min(90, ms2 - 60)} ${ms2 > 300 ? "i" : "u"}${ms2 - 25 - Math.min(90, ms2 - 60)}`,
        { ...head, pitch: (t) => pitch(t + flip), slur: 0.012 },
      );
      tape.put(at, shaped(full(first), held(flip + 0.01, 0.02, 0.012)), 0.9);
      tape.put(at + flip, shaped(full(second), held(ms2 / 1000, 0.008, 0.05)), 0.85);
      at += flip + ms2 / 1000;
    }
    return fadedOut(mountains(reverb(tape.wave, 0.2, 0.85, 0)), 0.6);
  },
};
