import { type Tape, type Wave } from "./dsp";

const steps: Record<string, number> = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 };

/** The frequency of a note: "a4" is 440 Hz, "c#5" and "eb3" are near it. */
export function hz(note: string): number {
  const [, name, sign, octave] = /^([a-g])(#|b)?(-?\d)$/.exec(note) ?? [];
  if (!name) throw new Error(`not a note: ${note}`);
  const semitone = steps[name]! + (sign === "#" ? 1 : sign === "b" ? -1 : 0) + 12 * (Number(octave) + 1);
  return 440 * 2 ** ((semitone - 69) / 12);
}

/** Plays one note of some frequency for some seconds. */
export type Instrument = (hz: number, duration: number, index: number) => Wave;

interface Part {
  readonly bpm: number;
  /** Where on the tape it starts, in seconds. */
  readonly at?: number;
  readonly level?: number;
  /** The share of its time that a note sounds. */
  readonly legato?: number;
  /** How much of a beat every second half beat comes late. */
  readonly swing?: number;
}

/**
 * Puts a part onto a tape. Its notes stand in a row, each with its length in beats after a star, a half beat
 * without one; "+" joins the notes of a chord, "-" is a rest: "c4*1 e4 g4 c4+e4+g4*2 -*1".
 */
export function play(tape: Tape, part: Part, score: string, instrument: Instrument): Tape {
  const { bpm, at = 0, level = 1, legato = 1, swing = 0 } = part;
  let beat = 0;
  for (const [index, word] of score.trim().split(/\s+/).entries()) {
    const [notes, length = ".5"] = word.split("*");
    const beats = Number(length);
    const late = beat % 1 === 0.5 ? swing : 0;
    if (notes !== "-") {
      for (const note of notes!.split("+")) {
        tape.put(
          at + ((beat + late) * 60) / bpm,
          instrument(hz(note), (beats * legato * 60) / bpm, index),
          level,
        );
      }
    }
    beat += beats;
  }
  return tape;
}

/** Puts strokes onto a tape: "x" strikes, "o" strikes softly, "-" does not; each takes `beats`. */
export function strike(tape: Tape, part: Part & { beats?: number }, pattern: string, stroke: Wave): Tape {
  const { bpm, at = 0, level = 1, beats = 0.25 } = part;
  for (const [index, sign] of [...pattern.replaceAll(" ", "")].entries()) {
    if (sign === "-") continue;
    tape.put(at + (index * beats * 60) / bpm, stroke, sign === "o" ? level * 0.5 : level);
  }
  return tape;
}
