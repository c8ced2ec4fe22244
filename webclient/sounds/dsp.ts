/** Samples a second. */
export const RATE = 44_100;

/** A piece of mono sound. */
export type Wave = Float64Array;

/** Something that changes with time, in seconds. */
export type Curve = (t: number) => number;

/** A constant, or something that changes. */
export type Amount = number | Curve;

const curveOf = (amount: Amount): Curve => (typeof amount === "number" ? () => amount : amount);

/** Silence of this length. */
export function silence(duration: number): Wave {
  return new Float64Array(Math.round(duration * RATE));
}

/** Numbers from 0 to 1 that are the same in every run. */
export function random(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Point = readonly [t: number, value: number];

function between(points: readonly Point[], blend: (a: number, b: number, share: number) => number): Curve {
  return (t) => {
    const after = points.findIndex(([at]) => at > t);
    if (after === 0) return points[0]![1];
    if (after < 0) return points[points.length - 1]![1];
    const [from, a] = points[after - 1]!;
    const [to, b] = points[after]!;
    return blend(a, b, (t - from) / (to - from));
  };
}

/** Straight lines from point to point. */
export const line = (...points: Point[]) => between(points, (a, b, share) => a + (b - a) * share);

/** From point to point by equal ratios, as pitch is heard. */
export const glide = (...points: Point[]) => between(points, (a, b, share) => a * (b / a) ** share);

/** Struck and fading: what is left after `decay` seconds is about a third. */
export function fading(decay: number, attack = 0.002): Curve {
  return (t) => (t < attack ? t / attack : Math.exp(-(t - attack) / decay));
}

/** Held for a time between a rise and a fall. */
export function held(duration: number, attack = 0.02, release = 0.05): Curve {
  return (t) => Math.max(0, Math.min(1, t / attack, (duration - t) / release));
}

/** A pitch that trembles, from a moment on. */
export function vibrato(pitch: Amount, rate = 5.5, depth = 0.012, from = 0.15): Curve {
  const base = curveOf(pitch);
  return (t) =>
    base(t) * (1 + depth * Math.min(1, Math.max(0, (t - from) / 0.25)) * Math.sin(2 * Math.PI * rate * t));
}

/** One period of an oscillator; `step` is how much of it a sample takes. */
export type Shape = (phase: number, step: number) => number;

export const sine: Shape = (phase) => Math.sin(2 * Math.PI * phase);
export const triangle: Shape = (phase) => 4 * Math.abs(phase - 0.5) - 1;
export const saw: Shape = (phase, step) => 2 * phase - 1 - smoothing(phase, step);
export const square: Shape = (phase, step) => pulse(0.5)(phase, step);

/** A rectangle that is up for a share of its period. */
export function pulse(width: number): Shape {
  return (phase, step) =>
    (phase < width ? 1 : -1) + smoothing(phase, step) - smoothing((phase + 1 - width) % 1, step);
}

// Rounds the corner of a jump, which would otherwise sound at frequencies that are not there (PolyBLEP).
function smoothing(phase: number, step: number): number {
  if (phase < step) {
    const x = phase / step;
    return 2 * x - x * x - 1;
  }
  if (phase > 1 - step) {
    const x = (phase - 1) / step;
    return x * x + 2 * x + 1;
  }
  return 0;
}

/** An oscillator. */
export function tone(shape: Shape, pitch: Amount, duration: number, level: Amount = 1, phase = 0): Wave {
  const hz = curveOf(pitch);
  const loud = curveOf(level);
  const wave = silence(duration);
  for (let i = 0; i < wave.length; i++) {
    const step = hz(i / RATE) / RATE;
    wave[i] = shape(phase, step) * loud(i / RATE);
    phase = (phase + step) % 1;
  }
  return wave;
}

/** A sine whose phase another sine bends: bells at odd ratios, reeds and metal at whole ones. */
export function fm(pitch: Amount, ratio: number, index: Amount, duration: number, level: Amount = 1): Wave {
  const hz = curveOf(pitch);
  const bend = curveOf(index);
  const loud = curveOf(level);
  const wave = silence(duration);
  let phase = 0;
  for (let i = 0; i < wave.length; i++) {
    const t = i / RATE;
    phase += hz(t) / RATE;
    wave[i] = loud(t) * Math.sin(2 * Math.PI * phase + bend(t) * Math.sin(2 * Math.PI * phase * ratio));
  }
  return wave;
}

/** White noise. */
export function noise(duration: number, seed: number, level: Amount = 1): Wave {
  const next = random(seed);
  const loud = curveOf(level);
  return silence(duration).map((_, i) => (next() * 2 - 1) * loud(i / RATE));
}

/** The same sound, louder and softer along a curve. */
export function shaped(wave: Wave, level: Amount): Wave {
  const loud = curveOf(level);
  return wave.map((sample, i) => sample * loud(i / RATE));
}

/** Several sounds at once. */
export function together(...waves: Wave[]): Wave {
  const sum = new Float64Array(Math.max(...waves.map((wave) => wave.length)));
  for (const wave of waves) for (let i = 0; i < wave.length; i++) sum[i]! += wave[i]!;
  return sum;
}

/** A length of tape, on which sounds are put down where they belong. What runs over its end is cut. */
export class Tape {
  readonly wave: Wave;

  constructor(duration: number) {
    this.wave = silence(duration);
  }

  put(at: number, wave: Wave, level = 1): this {
    const start = Math.round(at * RATE);
    const end = Math.min(wave.length, this.wave.length - start);
    for (let i = Math.max(0, -start); i < end; i++) this.wave[start + i]! += wave[i]! * level;
    return this;
  }
}

type Kind = "low" | "high" | "band";

/** A state-variable filter whose cutoff may move. */
export function filter(kind: Kind, wave: Wave, cutoff: Amount, q = 0.7): Wave {
  const hz = curveOf(cutoff);
  const moves = typeof cutoff !== "number";
  const out = new Float64Array(wave.length);
  let [low, band, g] = [0, 0, 0];
  for (let i = 0; i < wave.length; i++) {
    if (i === 0 || (moves && i % 16 === 0)) {
      g = Math.tan((Math.PI * Math.min(20_000, Math.max(10, hz(i / RATE)))) / RATE);
    }
    const high = (wave[i]! - (1 / q + g) * band - low) / (1 + g / q + g * g);
    const b = g * high + band;
    const l = g * b + low;
    band = g * high + b;
    low = g * b + l;
    out[i] = kind === "low" ? l : kind === "band" ? b / q : high;
  }
  return out;
}

/** A body that rings at some frequencies: each [hz, q, level] is added to the dry sound. */
export function body(wave: Wave, dry: number, ...resonances: [hz: number, q: number, level: number][]): Wave {
  const rings = resonances.map(([hz, q, level]) => shaped(filter("band", wave, hz, q), level));
  return together(shaped(wave, dry), ...rings);
}

/** Bent by an overdriven stage: rounder, then harsher. */
export function drive(wave: Wave, amount: number): Wave {
  const scale = 1 / Math.tanh(Math.min(amount, 3));
  return wave.map((sample) => Math.tanh(sample * amount) * scale);
}

/** Heard again and again, each time softer and duller. */
export function echo(wave: Wave, delay: number, feedback: number, tail: number, dull = 4000): Wave {
  const tape = new Tape(wave.length / RATE + tail).put(0, wave);
  let again = wave;
  for (let n = 1; n * delay < tape.wave.length / RATE && feedback ** n > 0.01; n++) {
    again = filter("low", again, dull);
    tape.put(n * delay, again, feedback ** n);
  }
  return tape.wave;
}

/** A room around a sound: combs in parallel, all-passes in a row. */
export function reverb(wave: Wave, wet = 0.25, room = 0.8, tail = 0.6): Wave {
  const dry = new Tape(wave.length / RATE + tail).put(0, wave).wave;
  const hall = new Float64Array(dry.length);
  for (const delay of [1557, 1617, 1491, 1422, 1277, 1356, 1188, 1116]) {
    const line = new Float64Array(delay);
    let dull = 0;
    for (let i = 0; i < dry.length; i++) {
      const heard = line[i % delay]!;
      dull = heard * 0.75 + dull * 0.25;
      line[i % delay] = dry[i]! + dull * room;
      hall[i]! += heard / 8;
    }
  }
  for (const delay of [556, 441, 341, 225]) {
    const line = new Float64Array(delay);
    for (let i = 0; i < hall.length; i++) {
      const heard = line[i % delay]!;
      const input = hall[i]!;
      line[i % delay] = input + heard * 0.5;
      hall[i] = heard - input * 0.5;
    }
  }
  return dry.map((sample, i) => sample * (1 - wet) + hall[i]! * wet * 2);
}

/** One player become three, none of them quite in tune. */
export function chorus(wave: Wave, depth = 0.003, rate = 0.8): Wave {
  const voice = (phase: number) =>
    wave.map((_, i) => {
      const t = i / RATE;
      return sampleAt(wave, i - RATE * (0.012 + depth * Math.sin(2 * Math.PI * (rate * t + phase))));
    });
  return together(shaped(wave, 0.6), shaped(voice(0), 0.4), shaped(voice(0.4), 0.4));
}

/** A wave between its samples. */
export function sampleAt(wave: Wave, position: number): number {
  const i = Math.floor(position);
  const a = wave[i] ?? 0;
  return a + ((wave[i + 1] ?? 0) - a) * (position - i);
}

/** The same wave at its loudest just 1. */
export function full(wave: Wave): Wave {
  const peak = wave.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-9);
  return shaped(wave, 1 / peak);
}

/** Ends softly within the last moments. */
export function fadedOut(wave: Wave, duration = 0.15): Wave {
  const end = wave.length / RATE;
  return shaped(wave, (t) => Math.min(1, (end - t) / duration));
}
