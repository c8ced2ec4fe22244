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
  random,
  reverb,
  saw,
  shaped,
  sine,
  square,
  Tape,
  together,
  tone,
  vibrato,
  type Wave,
} from "../dsp";
import { tick } from "../drums";
import { bell, chime, chip, slide, strings } from "../instruments";
import { hz, play } from "../notes";
import { say } from "../voice";

const two = (a: number, b: number, duration: number) =>
  shaped(together(tone(sine, a, duration, 0.5), tone(sine, b, duration, 0.5)), held(duration, 0.004, 0.004));

/** Things that ring, beep, drone and chirp. */
export const devices: Record<string, () => Wave> = {
  "56k": () => {
    const tape = new Tape(4.9).put(0, two(350, 440, 0.5));
    const keys: [number, number][] = [
      [697, 1336],
      [852, 1209],
      [770, 1477],
      [941, 1336],
      [697, 1477],
      [852, 1336],
      [770, 1209],
    ];
    keys.forEach(([low, high], n) => tape.put(0.58 + n * 0.1, two(low, high, 0.065)));
    tape.put(1.4, tone(sine, 2100, 0.45, held(0.45)), 0.7);
    const bits = random(56);
    const bit = [...Array(400).keys()].map(() => bits() > 0.5);
    const told = (zero: number, one: number) => (t: number) => (bit[Math.floor(t * 300)] ? one : zero);
    tape.put(1.95, tone(sine, told(1070, 1270), 0.5, held(0.5)), 0.5);
    tape.put(2.05, tone(sine, told(2225, 2025), 0.5, held(0.5)), 0.5);
    for (const at of [2.62, 2.86]) {
      tape.put(at, tone(sine, glide([0, 2600], [0.18, 620]), 0.2, fading(0.09)), 0.8);
      tape.put(at, tone(sine, 1375, 0.2, held(0.2)), 0.3);
    }
    const line4k = (duration: number, seed: number) =>
      filter("high", filter("low", noise(duration, seed), 3300, 0.9), 420, 0.9);
    tape.put(
      3.12,
      shaped(line4k(0.5, 3), (t) => (Math.floor(t * 24) % 2 ? 0.9 : 0.35)),
    );
    tape.put(3.66, tone(sine, 1800, 0.16, held(0.16)), 0.6).put(3.66, tone(sine, 600, 0.16, held(0.16)), 0.5);
    tape.put(3.86, shaped(line4k(1.04, 4), line([0, 0.5], [0.3, 0.9], [0.9, 0.8], [1.04, 0])));
    return filter("high", filter("low", tape.wave, 3600), 250);
  },

  bell: () => reverb(bell(hz("f5"), 1.7, 0.6), 0.15, 0.75, 0.1),

  honk: () => {
    const duration = 0.48;
    const pitch = (base: number) => (t: number) =>
      base * (1 - 0.05 * fading(0.025)(t) - 0.03 * Math.max(0, t - 0.42));
    const trumpets = [392, 494].map((base) => tone(square, pitch(base), duration, 0.5));
    const grille = body(drive(together(...trumpets), 1.5), 0.5, [900, 2, 0.6], [2200, 2.5, 0.6]);
    return shaped(filter("low", grille, 5000), held(duration, 0.012, 0.05));
  },

  horn: () => {
    const tape = new Tape(2.6);
    for (const [at, duration] of [
      [0, 0.17],
      [0.26, 0.17],
      [0.52, 0.17],
      [0.82, 1.15],
    ] as const) {
      const pitch = (off: number) =>
        glide([0, 395 * off], [0.03, 440 * off], [duration * 0.8, 436 * off], [duration, 400 * off]);
      const blast = [1, 1.26, 1.498, 2.01].map((off) => tone(saw, pitch(off), duration, 0.3));
      tape.put(
        at,
        shaped(
          body(drive(together(...blast), 2.5), 0.5, [1300, 1.5, 0.6], [3100, 2, 0.4]),
          held(duration, 0.008, 0.03),
        ),
      );
    }
    return fadedOut(echo(tape.wave, 0.27, 0.45, 1.6, 2600), 0.6);
  },

  vuvuzela: () => {
    const duration = 4.1;
    const next = random(230);
    const stand = [...Array(9).keys()].map((n) => {
      const base = 233 * (1 + (next() - 0.5) * 0.035);
      const start = n === 0 ? 0 : next() * 0.7;
      const lips = (t: number) =>
        base * (1 - 0.06 * fading(0.08)(Math.max(0, t - start))) * (1 + 0.004 * Math.sin(t * (31 + n)));
      const reed = tone(
        saw,
        lips,
        duration,
        line([start, 0], [start + 0.12, 1], [duration - 0.3 - next() * 0.5, 1], [duration, 0]),
      );
      return shaped(filter("low", drive(reed, 2.5), 2600), n === 0 ? 0.9 : 0.35);
    });
    return reverb(body(together(...stand), 0.5, [470, 3, 0.6], [930, 3, 0.5], [1400, 3, 0.3]), 0.2, 0.8, 0.2);
  },

  crickets: () => {
    const tape = new Tape(2.4);
    const insect = (base: number, pulses: number) => {
      const song = new Tape(pulses * 0.019 + 0.02);
      for (let n = 0; n < pulses; n++) {
        const wing = tone(
          sine,
          glide([0, base * 1.02], [0.014, base * 0.985]),
          0.014,
          held(0.014, 0.004, 0.006),
        );
        song.put(n * 0.019, wing, 0.5 + (0.5 * n) / pulses);
      }
      return song.wave;
    };
    for (let n = 0; n < 5; n++) tape.put(0.06 + n * 0.46, insect(4550, 8));
    for (let n = 0; n < 4; n++) tape.put(0.27 + n * 0.53, insect(4120, 6), 0.45);
    for (let n = 0; n < 11; n++) tape.put(n * 0.21, insect(5050, 3), 0.2);
    const night = filter(
      "low",
      noise(2.4, 9, (t) => 0.012 * held(2.4, 0.4, 0.4)(t)),
      900,
    );
    return fadedOut(together(reverb(tape.wave, 0.12, 0.6, 0), night), 0.1);
  },

  incoming: () => {
    const tape = new Tape(0.75);
    const drop = (base: number) => tone(sine, glide([0, base * 0.9], [0.04, base]), 0.5, fading(0.11, 0.006));
    tape
      .put(0, drop(hz("e5")))
      .put(0.11, drop(hz("c#6")), 0.8)
      .put(0.11, drop(hz("c#7")), 0.12);
    return reverb(tape.wave, 0.2, 0.6, 0);
  },

  mario_coin: () => {
    const tape = new Tape(0.95);
    tape
      .put(0, chip(hz("f5"), 0.075, 0.5))
      .put(0.075, shaped(tone(square, hz("d6"), 0.85, 0.5), fading(0.24)));
    return tape.put(0.075, shaped(tone(square, hz("d7"), 0.4, 0.12), fading(0.08))).wave;
  },

  secret: () => {
    const tape = new Tape(1.9);
    play(
      tape,
      { bpm: 138, legato: 2.2 },
      "c5*.25 f#5*.25 b4*.25 f5*.25 bb5*.25 e5*.25 a5*.25 eb6*1",
      (f, d) => together(chime(f, d + 0.3), shaped(chip(f, d * 0.4, 0.12), 0.2)),
    );
    return fadedOut(echo(tape.wave, 0.16, 0.35, 0, 3500), 0.2);
  },

  unix: () => {
    const tape = new Tape(3.6);
    const next = random(1969);
    for (let at = 0.02; at < 1.35; at += 0.06 + next() * 0.09) {
      tape.put(at, tick(1500 + next() * 1800, Math.floor(next() * 99)), 0.6 + next() * 0.4);
      tape.put(at, tone(sine, 190 + next() * 60, 0.04, fading(0.008)), 0.6);
    }
    tape.put(1.42, tick(900, 5), 1.2).put(1.43, tone(sine, 140, 0.06, fading(0.015)));
    for (const [n, note] of ["a5", "a5", "e6"].entries())
      tape.put(1.62 + n * 0.14, chip(hz(note), 0.09, 0.5), 0.5);
    const gasp = say("h170 a60 _60 o160 w90 a330", {
      pitch: glide([0, 260], [0.25, 300], [0.5, 380], [0.75, 560], [0.9, 480]),
      size: 0.72,
      breath: 0.25,
      press: 0.6,
    });
    return reverb(tape.put(2.2, full(gasp)).wave, 0.1, 0.6, 0);
  },

  makeitso: () => {
    const tape = new Tape(1.05);
    const order = say("d40 a90 n50 k60 e120 r90", {
      pitch: glide([0, 150], [0.2, 128], [0.45, 92]),
      size: 1.04,
      press: 0.65,
    });
    tape.put(0, reverb(full(order), 0.12, 0.5, 0.2));
    for (const [n, note] of ["g6", "c7", "b6"].entries())
      tape.put(0.6 + n * 0.07, tone(sine, hz(note), 0.06, held(0.06, 0.004, 0.01)), 0.3);
    return tape.put(0.81, tone(sine, vibrato(hz("e7"), 22, 0.03, 0), 0.2, fading(0.08)), 0.25).wave;
  },

  tmyk: () => {
    const tape = new Tape(3.2);
    play(tape, { bpm: 150, legato: 1.6 }, "d5*.75 a4*.75 b4*.75 f#5*3.5", (f, d) =>
      together(
        chime(f, d + 0.5),
        shaped(strings(f, d, 0.04, 3500), 0.5),
        shaped(strings(f / 2, d, 0.04), 0.3),
      ),
    );
    const star = filter(
      "band",
      noise(1.9, 77, line([0, 0], [0.9, 0.9], [1.9, 0])),
      glide([0, 700], [1, 7500], [1.9, 3000]),
      4,
    );
    tape.put(0.4, star, 0.9);
    for (let n = 0; n < 9; n++)
      tape.put(1.35 + n * 0.07, tone(sine, 5200 - n * 310, 0.3, fading(0.06)), 0.12);
    return fadedOut(reverb(tape.wave, 0.3, 0.84, 0), 0.4);
  },

  wups: () => {
    const tape = new Tape(0.85).put(0, slide(1450, 330, 0.5));
    const thud = together(
      tone(sine, glide([0, 190], [0.1, 70]), 0.2, fading(0.06)),
      filter("low", noise(0.1, 4, fading(0.02)), 700),
    );
    return tape.put(0.54, thud, 1.1).put(0.56, shaped(bell(830, 0.28, 0.05), 0.35)).wave;
  },

  greatjob: () => {
    const tape = new Tape(1.05);
    tape.put(0, slide(700, 1320, 0.13), 0.5).put(0.2, slide(1050, 1760, 0.16), 0.5);
    for (const [n, note] of ["c6", "g6"].entries()) tape.put(0.13 + n * 0.22, chime(hz(note), 0.6));
    tape.put(0.36, together(chime(hz("e6"), 0.55), chime(hz("c7"), 0.5)), 0.6);
    return fadedOut(chorus(tape.wave), 0.2);
  },
};
