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
  reverb,
  saw,
  shaped,
  Tape,
  together,
  tone,
  vibrato,
  type Wave,
} from "../dsp";
import { crash, kick, rim, tom } from "../drums";
import { applause, brass, cheering, chime, choir, orchestra, strings } from "../instruments";
import { hz, play } from "../notes";

const chord = (notes: string) => notes.split(" ").map(hz);

/** Short music that says one thing. */
export const stings: Record<string, () => Wave> = {
  deeper: () => {
    const duration = 3.1;
    const fall = (base: number) => glide([0, base * 1.02], [0.3, base], [duration, base * 0.94]);
    const low = [54, 54.5, 53.4, 108.6, 81].map((base) => tone(saw, fall(base), duration, 0.35));
    const blast = filter("low", together(...low), (t) => 140 + 2600 * fading(0.75, 0.06)(t), 1.2);
    const horn = body(drive(blast, 3), 0.8, [240, 2, 0.5], [620, 2, 0.4]);
    const hit = together(kick(0.9, 36), shaped(filter("low", noise(0.5, 2, fading(0.1)), 500), 0.8));
    return fadedOut(reverb(together(shaped(horn, fading(1.1, 0.04)), hit), 0.35, 0.88, 0.6), 0.8);
  },

  drama: () => {
    const tape = new Tape(2.1);
    tape.put(0, orchestra(chord("d4 f4 ab4 b4"), 0.28)).put(0.34, orchestra(chord("c4 eb4 f#4 a4"), 0.28));
    tape
      .put(0.68, orchestra(chord("g3 bb3 db4 e4"), 1.0))
      .put(0.68, tom(62, 1.1), 1.2)
      .put(0.68, crash(1, 5), 0.3);
    for (let n = 0; n < 14; n++) tape.put(0.7 + n * 0.06, tom(60, 0.3), 0.45 * (1 - n / 16));
    return fadedOut(reverb(tape.wave, 0.3, 0.85, 0), 0.5);
  },

  greyjoy: () => {
    const duration = 2.7;
    const swell = line([0, 0], [0.35, 0.75], [1.2, 1], [2.1, 0.85], [duration, 0]);
    const lips = (base: number) => (t: number) =>
      base * (1 - 0.09 * fading(0.14)(t)) * (1 + 0.008 * Math.sin(t * 23) - 0.02 * Math.max(0, t - 2.2));
    const horns = [98, 103.5, 147.8].map((base) => tone(saw, lips(base), duration, 0.5));
    const tube = filter("low", drive(together(...horns), 1.6), (t) => 220 + 900 * swell(t), 1.3);
    const breath = filter("band", noise(duration, 12, 0.12), 900, 0.8);
    return fadedOut(
      reverb(shaped(together(body(tube, 0.8, [330, 4, 0.7], [740, 4, 0.4]), breath), swell), 0.4, 0.9, 0.5),
      0.5,
    );
  },

  horror: () => {
    const duration = 4.8;
    const cluster = ["e6", "f6", "f#6", "b5"].map((note, n) =>
      shaped(
        filter("high", tone(saw, vibrato(hz(note), 9 + n, 0.01, 0), duration, 0.14), 700),
        (t) =>
          (0.55 + 0.45 * Math.sin(2 * Math.PI * (11 + n * 0.7) * t)) *
          line([0, 0.15], [2.4, 0.9], [2.5, 0.3], [4, 1], [duration, 0])(t),
      ),
    );
    const tape = new Tape(duration).put(0, filter("low", together(...cluster), 6500));
    const drone = [41, 43.5, 61.7].map((base) => tone(saw, base, duration, 0.3));
    tape.put(0, shaped(filter("low", together(...drone), 170), held(duration, 0.6, 0.6)), 0.7);
    for (const at of [2.42, 3.62]) {
      tape.put(at, orchestra(chord(at < 3 ? "c3 f#3 b3 f4" : "c#3 g3 c4 f#4"), 0.5), 0.9);
      tape.put(at, tom(55, 0.8), 1.1).put(at, filter("high", noise(0.3, 66, fading(0.05)), 3000), 0.35);
    }
    return fadedOut(reverb(tape.wave, 0.3, 0.87, 0), 0.5);
  },

  rimshot: () => {
    const tape = new Tape(2.1);
    tape.put(0.02, tom(165), 1).put(0.2, tom(112), 1.1);
    tape.put(0.47, rim(), 1.2).put(0.47, kick(0.25), 0.8).put(0.475, crash(1.6, 7), 0.55);
    return fadedOut(reverb(tape.wave, 0.12, 0.65, 0), 0.3);
  },

  tada: () => {
    const tape = new Tape(2.3);
    const section = (notes: string, duration: number) =>
      together(
        ...chord(notes).map((f) => brass(f, duration, 1.1)),
        ...chord(notes).map((f) => shaped(strings(f * 2, duration, 0.02, 4500), 0.35)),
      );
    tape.put(0, section("f3 c4 f4 a4", 0.16)).put(0.2, section("g3 d4 bb4 f4", 1.35));
    tape.put(0.2, crash(1.5, 3), 0.35).put(0.2, kick(0.4), 0.9).put(0, tom(130, 0.2), 0.5);
    for (let n = 0; n < 8; n++)
      tape.put(0.3 + n * 0.07, chime(hz("bb5") * 2 ** ([0, 4, 7, 12, 16, 19, 24, 28][n]! / 12), 0.5), 0.15);
    return fadedOut(reverb(tape.wave, 0.28, 0.82, 0), 0.4);
  },

  trombone: () => {
    const tape = new Tape(4.1);
    const muted = (f: number, duration: number) => {
      const wah = (t: number) => 500 + 1500 * Math.abs(Math.sin(Math.PI * Math.min(1, t / 0.3)));
      return filter("low", brass(f, duration, 0.9, 1), wah, 1.8);
    };
    for (const [n, note] of ["d4", "c#4", "c4"].entries()) tape.put(n * 0.6, muted(hz(note), 0.5));
    const duration = 2.1;
    const wobble = (t: number) =>
      hz("b3") *
      (1 + 0.035 * Math.min(1, t) * Math.sin(2 * Math.PI * 4.6 * t) - 0.035 * Math.max(0, t - 1.3));
    const last = body(
      filter(
        "low",
        tone(saw, wobble, duration, 0.9),
        (t) => 650 + 700 * (0.5 + 0.5 * Math.sin(2 * Math.PI * 4.6 * t)),
        1.5,
      ),
      0.3,
      [1200, 4, 1],
      [2600, 3, 0.5],
    );
    tape.put(1.8, shaped(last, held(duration, 0.05, 0.5)));
    return reverb(tape.wave, 0.18, 0.75, 0);
  },

  yay: () => {
    const tape = new Tape(1.5);
    play(tape, { bpm: 300, legato: 1.2 }, "c5*.35 e5*.35 g5*.35 c6*3", (f, d) =>
      together(brass(f, d, 1.2), shaped(chime(f * 2, d), 0.5)),
    );
    tape.put(0.2, choir(hz("g4"), 0.8, "e", 0.75), 0.5).put(0.2, choir(hz("e5"), 0.8, "e", 0.7), 0.5);
    tape.put(0.25, full(cheering(1.1, 8, 8)), 0.4).put(0.25, full(applause(1.2, 9, 55)), 0.6);
    return fadedOut(reverb(tape.wave, 0.15, 0.7, 0), 0.35);
  },

  yeah: () => {
    const tape = new Tape(4.7);
    const strum = (f: number, duration: number, gain: number) => {
      const strings = [1, 1.498, 2, 2.52].map((ratio) =>
        tone(saw, f * ratio * (1 + ratio * 0.0006), duration, 0.2),
      );
      const amplified = drive(together(...strings), 5);
      return shaped(
        filter("low", filter("low", amplified, 3800), 4600),
        (t) => gain * fading(duration * 0.5, 0.004)(t),
      );
    };
    tape
      .put(0.02, strum(hz("e2"), 4.6, 0.7))
      .put(0.02, kick(0.3), 1)
      .put(0.02, crash(2.2, 4), 0.4);
    const pitch = glide([0, 330], [0.25, 560], [0.9, 620], [2.3, 600], [3.4, 300]);
    const throat = (off: number, phase: number) =>
      tone(saw, (t) => pitch(t) * off * (1 + 0.015 * Math.sin(2 * Math.PI * 6.5 * t)), 3.5, 0.5, phase);
    const scream = body(
      drive(together(throat(1, 0), throat(1.004, 0.4), filter("band", noise(3.5, 20, 0.5), 2400, 0.7)), 3),
      0.15,
      [820, 5, 1],
      [1700, 6, 0.9],
      [2900, 6, 0.7],
    );
    tape.put(0.5, shaped(full(scream), line([0, 0], [0.2, 0.7], [1, 1], [2.6, 0.8], [3.5, 0])), 0.9);
    return fadedOut(echo(reverb(tape.wave, 0.2, 0.82, 0), 0.36, 0.25, 0), 0.7);
  },
};
