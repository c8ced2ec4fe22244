import { fadedOut, full, reverb, shaped, Tape, together, type Wave } from "../dsp";
import { clap, crash, hat, kick, rim, snare, tom } from "../drums";
import { brass, cheering, choir, guitar, lead, slapBass, strings, synthBass } from "../instruments";
import { play, strike } from "../notes";

/** Rock, loud and from the stage. */
export const rock: Record<string, () => Wave> = {
  dangerzone: () => {
    const tape = new Tape(4.8);
    const fast = { bpm: 156 };
    play(
      tape,
      { ...fast, level: 0.5, legato: 0.8 },
      "a1 a1 a2 a1 a1 g2 a1 e2 f1 f1 f2 f1 g1 g1 g2 b1 a1 a1 a2 a1 a1 a1*1",
      (f, d) => synthBass(f, d, 2600),
    );
    play(tape, { ...fast, level: 0.45 }, "a2*1.5 a2*.5 -*.5 c3*1 d3*.5 f2*2 g2*2 a2*3", (f, d) =>
      guitar(f, d),
    );
    play(tape, { ...fast, at: 1.54, level: 0.35 }, "a4 c5 e5*1 f5*.5 e5*.5 d5*.5 b4*.5 e5*2.6", lead);
    strike(tape, { ...fast, beats: 0.5, level: 1 }, "x--xx---x--xx---x--xx---", kick(0.22, 55));
    strike(
      tape,
      { ...fast, beats: 0.5, level: 1 },
      "--x---x---x---x---x---xx",
      together(snare(6, 0.3), shaped(clap(7), 0.5)),
    );
    strike(tape, { ...fast, beats: 0.5, level: 0.16 }, "xxxxxxxxxxxxxxxxxxxxxxxx", hat(0.03));
    return fadedOut(reverb(tape.wave, 0.18, 0.78, 0), 0.6);
  },

  danielsan: () => {
    const tape = new Tape(4.9);
    const proud = { bpm: 116 };
    play(tape, { ...proud, level: 0.5 }, "d2*1 d2*.5 e2*.5 g2*1 g2*.5 a2*.5 b2*1 c3*.5 e3*.5 d3*3", (f, d) =>
      guitar(f, d),
    );
    play(
      tape,
      { ...proud, level: 0.4 },
      "d4+f#4*1 -*.5 e4+g4*.5 g4+b4*1 -*.5 a4+c#5*.5 b4+d5*1 c5+e5*.5 e5+g5*.5 f#5+a5+d5*3",
      (f, d) => together(brass(f, d, 1.2), shaped(strings(f * 2, d, 0.02, 5000), 0.4)),
    );
    strike(tape, { ...proud, level: 1.1 }, "x---x-x-x---x-x-x---x-x-x---", kick(0.28, 52));
    strike(tape, { ...proud, level: 0.9 }, "----x-------x-------xxxxx---", snare(2, 0.3));
    tape.put(3.1, crash(1.7), 0.4).put(2.4, full(cheering(2.5, 5, 12)), 0.5);
    return fadedOut(reverb(tape.wave, 0.22, 0.82, 0), 0.6);
  },

  loggins: () => {
    const tape = new Tape(4.85);
    const drivingOn = { bpm: 172 };
    play(
      tape,
      { ...drivingOn, level: 0.4, legato: 0.6 },
      "g2 - g2 g2 - g2*1 - c3 c3 - d3*1 - c3 - g2 g2 - bb2*1 c3*.5 d3 - f3 - g3*3",
      (f, d) => guitar(f, d, [1, 1.498, 2, 2.52], 4),
    );
    play(
      tape,
      { ...drivingOn, level: 0.65, legato: 0.85 },
      "g2 g2 b2 d3 e3 d3 b2 g2 c2 c2 e2 g2 a2 g2 d2 f#2 g2 g2 b2 d3 f2 a2 c3 a2 d2 d2 f#2 a2 g2*1",
      slapBass,
    );
    play(
      tape,
      { ...drivingOn, level: 0.25, legato: 0.9 },
      "-*2 b4+d5*.5 c5+e5*.5 d5+g5*1 c5+e5*1.5 b4+d5*.5 a4+c5*1 -*1 g4+b4*.5 b4+d5*.5 c5+f5*1 a4+d5*.5 b4+d5+g5*3",
      (f, d) => choir(f, d, "e", 0.86),
    );
    strike(tape, { ...drivingOn, beats: 0.5, level: 1 }, "x-x-x-x-x-x-x-x-x-x-x-x-x---", kick(0.2, 56));
    strike(tape, { ...drivingOn, beats: 0.5, level: 0.8 }, "-x-x-x-x-x-x-x-x-x-x-xxxx---", snare(8, 0.2));
    strike(tape, { ...drivingOn, beats: 0.5, level: 0.22 }, "xxxxxxxxxxxxxxxxxxxxxxxxxx", rim());
    tape.put(0, crash(1.2), 0.3).put(4.18, crash(1.2), 0.3);
    return fadedOut(reverb(tape.wave, 0.14, 0.72, 0), 0.45);
  },

  rumble: () => {
    const tape = new Tape(4.9);
    const arena = { bpm: 92 };
    const wide = (f: number, d: number) =>
      together(guitar(f, d, [1, 1.498, 2], 9), shaped(guitar(f * 1.004, d, [1, 2, 3], 7), 0.5));
    play(
      tape,
      { ...arena, level: 0.55, legato: 0.97 },
      "e2*1.5 g2*.25 a2*.25 b2*1 d2*1 c2*1 d2*.5 b1*.5 e2*1.6",
      wide,
    );
    play(
      tape,
      { ...arena, at: 1.3, level: 0.4 },
      "e5*.5 d5*.25 b4*.25 a4*.5 b4*.5 g4*.75 a4*.25 b4*.5 d5*.5 e5*1.6",
      lead,
    );
    play(tape, { ...arena, level: 0.2 }, "e3+b3*2 b2+f#3*1 d3+a3*1 c3+g3*1 d3+a3*1 e3+b3*1.5", brass);
    strike(
      tape,
      { ...arena, level: 1.3 },
      "x--x--x-x--x--x-x--x--x-x---",
      together(kick(0.5, 42), shaped(tom(75, 0.6), 0.7)),
    );
    strike(
      tape,
      { ...arena, level: 1 },
      "----x-------x-------x-xxx---",
      together(snare(12, 0.45), shaped(clap(3), 0.6)),
    );
    tape.put(0, crash(1.8), 0.35).put(3.91, crash(1), 0.35);
    const crowd = full(cheering(4.9, 31, 12));
    return fadedOut(reverb(together(tape.wave, shaped(crowd, 0.25)), 0.26, 0.86, 0), 0.6);
  },
};
