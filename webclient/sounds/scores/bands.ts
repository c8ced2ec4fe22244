import {
  body,
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
  saw,
  shaped,
  sine,
  Tape,
  together,
  tone,
  triangle,
  vibrato,
  type Wave,
} from "../dsp";
import { clap, cowbell, crash, hat, kick, rim, snare, tom } from "../drums";
import {
  bell,
  brass,
  calliope,
  chime,
  chip,
  choir,
  fiddle,
  pluck,
  saxophone,
  slapBass,
  strings,
  synthBass,
  tuba,
} from "../instruments";
import { hz, play, strike } from "../notes";
import { say } from "../voice";

/** A fairground, a barn, a comedy, a bar, an ice palace, a console: bands of all kinds but rock. */
export const bands: Record<string, () => Wave> = {
  clowntown: () => {
    const tape = new Tape(4.9);
    const waltz = { bpm: 190 };
    play(
      tape,
      { ...waltz, level: 0.8, legato: 0.85 },
      "e5 f5 f#5*1 g5*1 e5 c5 eb5*1 e5*1 g5 a5 ab5*1 g5*1 f5 d5 c#5*1 d5*1 b5 a5 g#5*1 a5 b5 c6*1.5",
      calliope,
    );
    play(tape, { ...waltz, level: 0.9, legato: 0.6 }, "c3*1 -*2 g2*1 -*2 d3*1 -*2 g2*1 -*2 c3*1 c3*1", tuba);
    play(
      tape,
      { ...waltz, level: 0.22, legato: 0.5 },
      "-*1 e4+g4+c5*1 e4+g4+c5*1 -*1 e4+g4+c5*1 e4+g4+c5*1 -*1 f4+a4+d5*1 f4+a4+d5*1 -*1 f4+g4+b4*1 f4+g4+b4*1 -*1 e4+g4+c5*1",
      calliope,
    );
    strike(tape, { ...waltz, beats: 1, level: 0.25 }, "x--x--x--x--x-", crash(0.5));
    strike(tape, { ...waltz, beats: 1, level: 0.4 }, "-xx-xx-xx-xx-x", rim());
    return fadedOut(reverb(tape.wave, 0.14, 0.7, 0), 0.4);
  },

  cottoneyejoe: () => {
    const tape = new Tape(4.9);
    const reel = { bpm: 150 };
    play(
      tape,
      { ...reel, level: 0.7, legato: 0.95 },
      "d5*.25 e5*.25 f#5*.25 a5*.25 b5 a5*.25 f#5*.25 e5*.25 f#5*.25 d5*.25 b4*.25 a4 b4*.25 d5*.25 e5 e5*.25 g5*.25 f#5*.25 e5*.25 d5*.25 b4*.25 " +
        "a4*.25 b4*.25 d5*.25 f#5*.25 a5 b5*.25 a5*.25 f#5*.25 d5*.25 e5*.25 c#5*.25 d5*1",
      fiddle,
    );
    play(tape, { ...reel, level: 0.22 }, "d4+a4*2 d4+a4*2 e4+b4*2 a3+e4*2 d4+a4*2 d4+a4*2", fiddle);
    play(
      tape,
      { ...reel, level: 0.8, legato: 0.7 },
      "d3 - a2 - d3 - a2 - e3 - b2 - a2 - e3 - d3 - a2 - d3 - a2 -",
      slapBass,
    );
    play(
      tape,
      { ...reel, level: 0.3 },
      "- d4+f#4+a4 - d4+f#4+a4 - d4+f#4+a4 - d4+f#4+a4 - e4+g4+b4 - e4+g4+b4 - a4+c#5+e5 - a4+c#5+e5 - d4+f#4+a4 - d4+f#4+a4 - d4+f#4+a4 - d4+f#4+a4",
      (f, d) => pluck(f, d, 0.8, 0.985),
    );
    strike(tape, { ...reel, level: 0.9 }, "x---x---x---x---x---x---x---x---x---x---x---x---", kick(0.2, 60));
    strike(tape, { ...reel, level: 0.5 }, "--xo--xo--xo--xo--xo--xo--xo--xo--xo--xo--xo--xo", snare(3, 0.14));
    return fadedOut(reverb(tape.wave, 0.1, 0.6, 0), 0.25);
  },

  curb: () => {
    const tape = new Tape(4.9);
    const shuffle = { bpm: 112, swing: 0.14 };
    play(
      tape,
      { ...shuffle, level: 1, legato: 0.7 },
      "f2 - c2 - f2 - a2*.5 g2*.5 c2 - g2 - c2 e2 f2*1",
      tuba,
    );
    play(
      tape,
      { ...shuffle, level: 0.5, legato: 0.7 },
      "- a3+c4+f4 - a3+c4+f4 - a3+c4+f4 - - - g3+bb3+e4 - g3+bb3+e4 - - a3+c4+f4*1",
      (f, d) => pluck(f, d, 0.35, 0.982),
    );
    play(
      tape,
      { ...shuffle, level: 0.75, legato: 0.8 },
      "-*1 c5*.25 - f5*.25 e5*.5 eb5*.5 d5*.75 - a4*.5 bb4*.25 b4*.25 c5*.5 g4*.75 - e5*.25 c5 f5*1",
      (f, d) => together(pluck(f, d + 0.2, 0.55, 0.99), shaped(pluck(f * 2.003, d, 0.4, 0.98), 0.25)),
    );
    strike(tape, { bpm: 112, level: 0.22 }, "--x---x---x---x---x---x---x---x---", hat(0.03));
    strike(tape, { bpm: 112, beats: 1, level: 0.3 }, "-x-x-x-x-", rim());
    return fadedOut(reverb(tape.wave, 0.14, 0.65, 0), 0.3);
  },

  sax: () => {
    const tape = new Tape(4.9);
    const slow = { bpm: 84 };
    play(
      tape,
      { ...slow, at: 0.1, level: 1, legato: 1.02 },
      "e4*.25 g4*.25 a4*.25 c5*1 b4*.25 bb4*.25 a4*.75 g4*.25 e4*.25 eb4*.25 d4*.5 f4*.25 a4*.25 e5*1.4",
      saxophone,
    );
    play(
      tape,
      { ...slow, at: 0.1, level: 0.16 },
      "-*.75 a3+c4+e4+g4*2 d3+f4+c4+e4*2 e3+g#3+d4+c5*2",
      (f, d) => strings(f, d, 0.25, 1500),
    );
    play(tape, { ...slow, at: 0.1, level: 0.7 }, "-*.75 a2*1 e2*1 d2*1 a2*1 e2*1.8", slapBass);
    strike(tape, { ...slow, at: 0.1 + 0.536, beats: 0.5, level: 0.13 }, "o-x-o-x-o-x-", hat(0.06));
    return fadedOut(reverb(tape.wave, 0.3, 0.86, 0), 0.7);
  },

  letitgo: () => {
    const tape = new Tape(4.9);
    const ice = { bpm: 140 };
    play(tape, { ...ice, level: 0.32 }, "g3+d4+b4*4 e3+b3+g4*2 c4+g4+e5*2 d3+a3+f#4+d5*3.4", (f, d) =>
      strings(f, d + 0.3, 0.22, 3200),
    );
    play(
      tape,
      { ...ice, level: 0.5 },
      "g4 b4 d5 g5 a5 b5 d6*1 e5 g5 b5*.5 e6*.5 c5 e5 g5 c6 d5*.25 f#5*.25 a5*.25 d6*.25 f#6*.5 a6*1.6",
      (f, d) => together(bell(f, d + 1, 0.4), shaped(chime(f * 2, d + 0.6), 0.35)),
    );
    play(tape, { ...ice, level: 0.28 }, "-*3 d5*1 e5*1.5 d5*.5 e5*1.5 f#5*.5 a5*3.2", (f, d) =>
      choir(f, d, "a", 0.8),
    );
    tape.put(2.7, filter("high", noise(2.1, 12, line([0, 0], [1, 0.14], [2.1, 0])), 6500));
    return fadedOut(reverb(tape.wave, 0.38, 0.9, 0), 0.8);
  },

  maybe: () => {
    const tape = new Tape(4.9);
    const disco = { bpm: 122 };
    play(
      tape,
      { ...disco, level: 0.5, legato: 0.6 },
      "a4+c5+f5 - a4+c5+f5*.25 - g4+c5+e5*.5 -*.75 f4+a4+d5 - f4+a4+d5*.25 - g4+bb4+d5*.5 -*.75 a4+c5+f5 c5+f5+a5 -",
      (f, d) => shaped(together(strings(f, d + 0.1, 0.01, 5000), strings(f * 2, d + 0.1, 0.01, 6000)), 1),
    );
    play(
      tape,
      { ...disco, level: 0.5 },
      "-*1.5 c6*.25 a5*.25 g5*.25 a5*.25 -*2.25 bb5*.25 a5*.25 f5 g5 -*1 c6*.25 d6*.25 f6*1",
      (f, d) => together(chime(f, d + 0.2), shaped(chip(f, d, 0.5), 0.15)),
    );
    play(
      tape,
      { ...disco, level: 0.5, legato: 0.8 },
      "f2 f3 f2 f3 c2 c3 c2 c3 d2 d3 d2 d3 bb1 bb2 c2 c3 f2 f3 f2 f3",
      (f, d) => synthBass(f, d, 1400),
    );
    strike(tape, { ...disco, beats: 1, level: 1 }, "xxxxxxxxxx", kick(0.25, 50));
    strike(tape, { ...disco, beats: 0.5, level: 0.22 }, "-x-x-x-x-x-x-x-x-x-x", hat(0.05));
    strike(tape, { ...disco, beats: 1, level: 0.6 }, "-x-x-x-x-x", clap());
    return fadedOut(reverb(tape.wave, 0.14, 0.72, 0), 0.3);
  },

  nyan: () => {
    const tape = new Tape(4.85);
    const loop = { bpm: 168 };
    const tune =
      "g5*.25 a5*.25 e5*.25 g5*.25 c6*.5 a5*.25 g5*.25 e5*.25 d5*.25 e5*.25 g5*.25 d5*.5 c5*.5 f5*.25 g5*.25 a5*.25 f5*.25 d6*.5 c6*.25 a5*.25 b5*.25 g5*.25 a5*.25 b5*.25 c6*.5 g5*.5";
    const bass =
      "c3*.25 c4*.25 e3*.25 c4*.25 c3*.25 c4*.25 g3*.25 c4*.25 a2*.25 a3*.25 c3*.25 a3*.25 g2*.25 g3*.25 b2*.25 g3*.25 f2*.25 f3*.25 a2*.25 f3*.25 d3*.25 d4*.25 f3*.25 d4*.25 g2*.25 g3*.25 b2*.25 g3*.25 c3*.25 c4*.25 g2*.25 g3*.25";
    for (const at of [0, 8 * (60 / 168)]) {
      play(tape, { ...loop, at, level: 0.7, legato: 0.9 }, tune, (f, d) => chip(f, d, at ? 0.5 : 0.25));
      play(tape, { ...loop, at, level: 0.6, legato: 0.85 }, bass, (f, d) =>
        shaped(tone(triangle, f, d, 0.8), held(d, 0.003, 0.01)),
      );
    }
    const crunch = (duration: number, rate: number) => {
      const raw = noise(duration, rate);
      return raw.map((_, i) => raw[Math.floor(i / rate) * rate]! * fading(0.025)(i / 44_100));
    };
    strike(
      tape,
      { ...loop, level: 0.16 },
      "x-xxx-x-x-xxx-x-x-xxx-x-x-xxx-xxx-xxx-x-x-xxx-x-x-xx",
      crunch(0.08, 4),
    );
    return fadedOut(tape.wave, 0.08);
  },

  what: () => {
    const tape = new Tape(4.8);
    const funk = { bpm: 106 };
    play(
      tape,
      { ...funk, level: 1, legato: 0.8 },
      "e2*.25 -*.25 e2*.25 e3*.25 -*.25 d3*.25 e2*.25 g2*.25 a2*.25 -*.25 a2*.25 a3*.25 -*.25 g3*.25 b2*.25 d3*.25 e2*.25 -*.25 e2*.25 e3*.25 -*.25 d3*.25 b2*.25 g2*.25 e2*1",
      slapBass,
    );
    play(
      tape,
      { ...funk, level: 0.4, legato: 0.8 },
      "-*1.75 g4+b4+d5+f#5*.25 -*.25 g4+b4+d5+e5*.5 -*1.25 a4+c#5+e5+g5*.25 a4+c#5+e5+g5*.5 -*.25 g4+b4+d5+f#5*.25 -*.75 g4+b4+e5+g5*1.2",
      brass,
    );
    const scat = (text: string, note: string, size: number) =>
      full(
        say(text, {
          pitch: vibrato(glide([0, hz(note) * 0.94], [0.06, hz(note)]), 5.5, 0.012, 0.12),
          size,
          press: 0.6,
          breath: 0.05,
        }),
      );
    const sung: [at: number, text: string, note: string][] = [
      [2.27, "d30 u110 b30 a120", "e4"],
      [2.6, "d30 u90", "g4"],
      [2.75, "w40 i150 _10", "a4"],
      [3.0, "d30 a110", "b4"],
      [3.15, "b30 a400 p40", "g4"],
    ];
    for (const [at, text, note] of sung)
      tape.put(at, scat(text, note, 0.95), 0.75).put(at + 0.01, scat(text, note, 0.82), 0.35);
    strike(tape, { ...funk, level: 1 }, "x-----x-x-x-----x-----x-x---x-----", kick(0.25, 52));
    strike(tape, { ...funk, level: 0.8 }, "----x--o----x--o----x--o----x---", snare());
    strike(tape, { ...funk, level: 0.2 }, "xoxoxoxoxoxoxoxoxoxoxoxoxoxoxoxo", hat(0.025));
    return fadedOut(reverb(tape.wave, 0.14, 0.68, 0), 0.5);
  },

  ohyeah: () => {
    const tape = new Tape(3.5);
    const strut = { bpm: 118 };
    const low = (text: string, from: number, to: number) => {
      const pitch = glide([0, from], [0.25, from * 1.04], [0.8, to]);
      const man = [1, 0.5].map((ratio) =>
        say(text, { pitch: (t) => pitch(t) * ratio, size: 1.38, press: 0.5, breath: 0.05, slur: 0.05 }),
      );
      return drive(full(together(...man)), 1.6);
    };
    tape.put(0.52, low("o700 u100", 72, 58), 1.0).put(1.53, low("b50 a250 u330 m120", 84, 56), 1.0);
    strike(tape, { ...strut, level: 0.45 }, "x--x--x-x-x-x---x--x--x-x-x-", cowbell());
    strike(tape, { ...strut, level: 0.8 }, "x-----x-x---x---x-----x-x---", kick(0.28, 46));
    strike(tape, { ...strut, level: 0.7 }, "----x-------x-------x-------", clap());
    play(
      tape,
      { ...strut, level: 0.5 },
      "c2*.25 -*.5 c2*.25 -*.5 eb2*.25 -*.25 c2*.25 -*.5 bb1*.25 -*.75 c2*.25 -*.5 c2*.25 -*.5 f2*.25 -*.25 c2*1",
      (f, d) => synthBass(f, d, 900),
    );
    strike(tape, { ...strut, at: 0, level: 0.35 }, "--------------xx----", tom(230, 0.25));
    return fadedOut(reverb(tape.wave, 0.12, 0.7, 0), 0.3);
  },

  flawless: () => {
    const tape = new Tape(4.7);
    const trap = { bpm: 138 };
    const boom = (f: number, d: number) =>
      drive(tone(sine, glide([0, f * 3], [0.04, f], [d, f * 0.98]), d, fading(d * 0.5, 0.003)), 2.2);
    play(tape, { ...trap, level: 0.4 }, "f1*2.5 f1*.5 ab1*1 eb1*2.5 eb1*.5 db1*1 f1*2.7", boom);
    strike(
      tape,
      { ...trap, beats: 1, level: 0.8 },
      "--x---x---x",
      together(clap(), shaped(snare(9, 0.2), 0.6)),
    );
    strike(tape, { ...trap, level: 0.22 }, "x-x-x-x-x-xxx-x-x-x-x-x-xxxxx-x-x-x-x-x-x-x", hat(0.022));
    for (let n = 0; n < 8; n++) tape.put(2.17 + n * 0.0543, hat(0.018), 0.12 + n * 0.015);
    play(
      tape,
      { ...trap, at: 0.02, level: 0.5 },
      "ab4*.5 -*.5 c5*.25 ab4*.75 -*2 eb5*.5 -*.25 c5*.25 db5*1 -*2 ab4*.5 c5*.5 f5*1.6",
      (f, d) => choir(f, d + 0.05, "a", 0.78),
    );
    play(tape, { ...trap, level: 0.12 }, "f4+ab4+c5*4 eb4+g4+bb4*2.5 db4+f4+ab4*1.5 f4+ab4+c5*2.7", (f, d) =>
      filter("low", strings(f, d, 0.3, 1200), 900),
    );
    return fadedOut(reverb(tape.wave, 0.2, 0.82, 0), 0.5);
  },

  whoomp: () => {
    const tape = new Tape(4.7);
    const party = { bpm: 126 };
    const shout = (text: string, pitch: number, seed: number) => {
      const crowd = [0.85, 0.95, 1.02, 1.1].map((size, n) =>
        full(
          say(text, {
            pitch: glide([0, pitch * (1.5 - size * 0.5)], [0.1, pitch * 1.1], [0.5, pitch * 0.8]),
            size,
            press: 0.9,
            rough: 0.06,
            breath: 0.3,
            seed: seed + n,
          }),
        ),
      );
      return new Tape(0.9).put(0, crowd[0]!).put(0.012, crowd[1]!).put(0.02, crowd[2]!).put(0.006, crowd[3]!)
        .wave;
    };
    for (const bar of [0, 1]) {
      const at = bar * 1.905;
      tape.put(at, full(shout("b40 u240 p60", 230, bar)), 0.8);
      tape.put(at + 0.95, full(shout("d40 a140 d30 e170", 260, bar + 9)), 0.8);
    }
    tape.put(3.81, full(shout("h40 o500", 280, 20)), 0.85);
    strike(tape, { ...party, level: 1 }, "x--x--x---x-x---x--x--x---x-x--xx--x--x-", kick(0.24, 54));
    strike(tape, { ...party, level: 0.7 }, "----x--o-o--x--o----x--o-o--x-oo----x-oo", snare(15, 0.18));
    strike(tape, { ...party, level: 0.2 }, "x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x-", hat(0.04));
    play(
      tape,
      { ...party, level: 0.6, legato: 0.7 },
      "a1 -*.25 a1*.25 c2 a1 -*.5 g1*.5 e1*.5 g1*.5 a1 -*.25 a1*.25 c2 d2 -*.5 c2*.5 a1*.5 g1*.5 a1*1.5",
      (f, d) => synthBass(f, d, 1100),
    );
    return fadedOut(reverb(tape.wave, 0.12, 0.7, 0), 0.3);
  },

  pushit: () => {
    const tape = new Tape(4.7);
    const hiphop = { bpm: 128 };
    const riff = (f: number, d: number) => {
      const two = together(
        tone(saw, f, d, 0.5),
        tone(saw, f * 1.007, d, 0.5),
        tone(pulse(0.3), f / 2, d, 0.3),
      );
      return shaped(
        filter("low", two, (t) => 500 + 4500 * fading(0.12, 0.01)(t), 1.6),
        held(d, 0.008, 0.03),
      );
    };
    play(
      tape,
      { ...hiphop, level: 0.7, legato: 0.8 },
      "d4*.5 -*.25 d4*.25 f4*.5 g4*.25 ab4*.75 g4*.5 f4*1 -*.5 c4*.5 d4*.5 -*.25 d4*.25 f4*.5 c5*.25 bb4*.75 g4*.5 d4*1.5",
      riff,
    );
    strike(tape, { ...hiphop, level: 0.8 }, "x--x--x-x-x---x-x--x--x-x-x---x-x---x---", kick(0.32, 44));
    strike(
      tape,
      { ...hiphop, level: 0.75 },
      "----x-------x-------x-------x-xxx---x---",
      together(clap(4), shaped(snare(5), 0.5)),
    );
    strike(tape, { ...hiphop, level: 0.18 }, "xxoxxxoxxxoxxxoxxxoxxxoxxxoxxxoxxxox", hat(0.02));
    strike(tape, { ...hiphop, level: 0.25 }, "------x---x-----------x---x---x-", cowbell());
    tape.put(1.87, full(say("h110 a60 h160", { pitch: 200, breath: 0.7, press: 0.2, size: 0.85 })), 0.35);
    return fadedOut(reverb(tape.wave, 0.1, 0.65, 0), 0.3);
  },

  sexyback: () => {
    const tape = new Tape(4.75);
    const funk = { bpm: 116 };
    const gritty = (f: number, d: number) => {
      const raw = together(
        tone(saw, f, d, 0.6),
        tone(saw, f * 1.012, d, 0.5),
        tone(pulse(0.2), f * 2, d, 0.25),
      );
      return shaped(
        filter(
          "low",
          drive(
            filter("low", raw, (t) => 300 + 2600 * fading(0.1)(t), 3),
            6,
          ),
          3600,
        ),
        held(d, 0.004, 0.015),
      );
    };
    play(
      tape,
      { ...funk, level: 0.6, legato: 0.75 },
      "g1*.25 g1*.25 -*.25 g2*.25 g1*.25 -*.25 bb1*.25 c2*.25 g1*.25 g1*.25 -*.25 f2*.25 g1*.25 d2*.25 c2*.25 bb1*.25 g1*.25 g1*.25 -*.25 g2*.25 g1*.25 -*.25 bb1*.25 c2*.25 eb2*.25 eb2*.25 -*.25 d2*.25 -*.25 c2*.25 bb1*.25 f1*.25 g1*1",
      gritty,
    );
    strike(tape, { ...funk, beats: 1, level: 0.75 }, "xxxxxxxxx", kick(0.26, 50));
    strike(tape, { ...funk, level: 0.8 }, "----x-------x--x----x-------x-xx----", clap(8));
    strike(tape, { ...funk, level: 0.16 }, "--x---x---x---x---x---x---x---x---x-", hat(0.07));
    play(
      tape,
      { ...funk, level: 0.25, legato: 0.5 },
      "-*3.5 d6*.25 f6*.25 -*3 g6*.25 f6*.25 d6*.25 c6*.25 g5*.5",
      (f, d) => echo(chip(f, d, 0.12), 0.19, 0.4, 0.3),
    );
    return fadedOut(tape.wave, 0.2);
  },

  rollout: () => {
    const tape = new Tape(4.8);
    const bounce = { bpm: 98, swing: 0.08 };
    const engine = glide([0, 34], [0.18, 36], [0.55, 118], [0.75, 70], [1.15, 165], [1.6, 60]);
    const cylinders = tone(saw, (t) => engine(t) * (1 + 0.05 * Math.sin(t * 97)), 1.6, 0.8);
    const exhaust = body(
      drive(together(cylinders, shaped(filter("low", noise(1.6, 7, 0.8), 700), 0.8)), 2.5),
      0.3,
      [95, 2, 0.9],
      [240, 2, 0.7],
      [600, 2, 0.4],
    );
    tape.put(0, shaped(filter("low", exhaust, 2600), held(1.6, 0.05, 0.4)), 0.65);
    const at = 1.22;
    play(
      tape,
      { ...bounce, at, level: 0.5, legato: 0.85 },
      "c2*.75 c2*.25 eb2*.5 f2*.5 c2*.75 bb1*.25 g1*.5 bb1*.5 c2*.75 c2*.25 eb2*.5 c2*.5",
      (f, d) => synthBass(f, d, 700),
    );
    play(
      tape,
      { ...bounce, at, level: 0.6, legato: 0.7 },
      "-*.5 g4+c5+eb5*.5 -*.25 g4+c5+eb5*.25 -*.5 bb4+eb5+g5*.5 -*1 f4+bb4+d5*.5 -*.5 g4+c5+eb5*.5 -*.25 g4+c5+eb5*.75",
      brass,
    );
    strike(tape, { ...bounce, at, level: 0.75 }, "x--x----x-x-----x--x----", kick(0.3, 46));
    strike(tape, { ...bounce, at, level: 0.8 }, "----x-------x-------x---", clap(2));
    strike(tape, { ...bounce, at, level: 0.18 }, "x-xxx-x-x-xxx-x-x-xxx-x-", hat(0.03));
    return fadedOut(reverb(tape.wave, 0.1, 0.65, 0), 0.4);
  },
};
