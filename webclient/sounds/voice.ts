import { type Amount, type Curve, random, RATE, type Wave } from "./dsp";

/** What the mouth does for one sound of speech. */
interface Mouth {
  /** Where the vocal tract rings, in Hz. */
  readonly formants: readonly [number, number, number];
  /** How loud the voice, the breath and the hiss are. */
  readonly voice: number;
  readonly breath?: number;
  readonly hiss?: number;
  /** Where the hiss lies, in Hz. */
  readonly bright?: number;
  /** A closure that opens with a burst. */
  readonly stop?: boolean;
}

// Formants of a grown man; `size` makes larger and smaller people of him.
const mouths: Record<string, Mouth> = {
  a: { formants: [740, 1150, 2500], voice: 1 },
  ae: { formants: [670, 1720, 2450], voice: 1 },
  e: { formants: [500, 1850, 2500], voice: 1 },
  i: { formants: [290, 2250, 3000], voice: 0.9 },
  o: { formants: [470, 820, 2450], voice: 1 },
  u: { formants: [310, 780, 2250], voice: 0.9 },
  uh: { formants: [600, 1190, 2400], voice: 1 },
  er: { formants: [480, 1320, 1700], voice: 1 },
  ue: { formants: [300, 1700, 2200], voice: 0.9 },
  m: { formants: [260, 1050, 2200], voice: 0.45 },
  n: { formants: [260, 1450, 2400], voice: 0.45 },
  l: { formants: [360, 1150, 2700], voice: 0.7 },
  r: { formants: [350, 1150, 1500], voice: 0.7 },
  w: { formants: [300, 650, 2200], voice: 0.7 },
  y: { formants: [270, 2150, 2950], voice: 0.7 },
  v: { formants: [320, 1200, 2300], voice: 0.5, hiss: 0.08, bright: 5500 },
  z: { formants: [300, 1700, 2500], voice: 0.4, hiss: 0.25, bright: 6500 },
  h: { formants: [600, 1300, 2500], voice: 0, breath: 1 },
  s: { formants: [320, 1700, 2600], voice: 0, hiss: 0.5, bright: 6800 },
  sh: { formants: [320, 1800, 2500], voice: 0, hiss: 0.6, bright: 3000 },
  th: { formants: [320, 1400, 2500], voice: 0, hiss: 0.3, bright: 8000 },
  f: { formants: [320, 1200, 2300], voice: 0, hiss: 0.22, bright: 7500 },
  b: { formants: [250, 700, 2100], voice: 0.15, hiss: 0.4, bright: 900, stop: true },
  d: { formants: [250, 1700, 2600], voice: 0.15, hiss: 0.5, bright: 3500, stop: true },
  g: { formants: [250, 1900, 2200], voice: 0.15, hiss: 0.5, bright: 2000, stop: true },
  p: { formants: [320, 800, 2200], voice: 0, hiss: 0.7, bright: 1100, stop: true },
  t: { formants: [320, 1750, 2600], voice: 0, hiss: 0.9, bright: 4500, stop: true },
  k: { formants: [320, 1900, 2300], voice: 0, hiss: 0.9, bright: 2300, stop: true },
  _: { formants: [450, 1300, 2450], voice: 0 },
};

export interface Manner {
  readonly pitch: Amount;
  /** How large the speaker is: 1 is a man, 0.85 a woman, 0.7 a child. */
  readonly size?: number;
  /** How much breath is in the voice, how rough it is. */
  readonly breath?: number;
  readonly rough?: number;
  /** How hard the voice is pressed: 0.3 is a murmur, 0.8 a shout. */
  readonly press?: number;
  /** How quickly the mouth moves, in seconds; nothing for a machine. */
  readonly slur?: number;
  readonly level?: Curve;
  readonly seed?: number;
}

interface Moment {
  readonly mouth: Mouth;
  readonly share: number;
}

/**
 * Speaks or sings: sounds of speech in a row, each with its length in milliseconds, as in "h60 a140 _100".
 * A voice source and noise go through resonators in a row, after D. H. Klatt's synthesiser.
 */
export function say(text: string, manner: Manner): Wave {
  const { size = 1, breath = 0.04, rough = 0.01, press = 0.5, slur = 0.018, seed = 7, level } = manner;
  const pitch = typeof manner.pitch === "number" ? () => manner.pitch as number : manner.pitch;
  const score = text.trim().split(/\s+/).map(soundOf);
  const out = new Float64Array(Math.round((score.reduce((sum, s) => sum + s.ms, 0) / 1000) * RATE));
  const next = random(seed);
  const tract = [...Array(5).keys()].map(() => new Resonator());
  const hissing = new Resonator();
  const lag = slur > 0 ? 1 - Math.exp(-64 / (slur * RATE)) : 1;
  const lagOfLevel = Math.max(lag, 0.12);
  const first = score[0]!.mouth;
  const now = {
    f: [...first.formants] as number[],
    voice: 0,
    breath: 0,
    hiss: 0,
    bright: first.bright ?? 3000,
  };
  let [phase, shimmer, tilt, last] = [0, 1, 0, 0];

  for (let i = 0; i < out.length; i++) {
    const t = i / RATE;
    if (i % 64 === 0) {
      const { mouth, share } = momentAt(score, t * 1000);
      const open = mouth.stop ? (share > 0.6 ? 1 : 0) : 1;
      now.f.forEach((value, k) => (now.f[k] = value + (mouth.formants[k]! - value) * lag));
      now.voice += (mouth.voice - now.voice) * lagOfLevel;
      now.breath += ((mouth.breath ?? 0) - now.breath) * lagOfLevel;
      now.hiss += ((mouth.hiss ?? 0) * open - now.hiss) * (mouth.stop ? 0.7 : lagOfLevel);
      now.bright = mouth.bright ?? now.bright;
      const widths = [60 + press * 40, 80, 120];
      for (let k = 0; k < 3; k++) tract[k]!.tune(now.f[k]! / size, widths[k]!);
      tract[3]!.tune(3400 / size, 220);
      tract[4]!.tune(4400 / size, 300);
      hissing.tune(now.bright, now.bright * 0.35);
    }
    phase += (pitch(t) * shimmer) / RATE;
    if (phase >= 1) {
      phase -= 1;
      shimmer = 1 + rough * (next() * 2 - 1) * 2;
    }
    const white = next() * 2 - 1;
    const source = glottis(phase, 0.75 - press * 0.35) * now.voice;
    const air = white * (now.breath * 0.12 + breath * now.voice * (phase < 0.5 ? 0.6 : 0.15));
    tilt += (source + air - tilt) * (0.35 + press * 0.5);
    const radiated = tilt - last;
    last = tilt;
    let sample = tilt * 0.17 + radiated * 14; // almost the slope alone: lips radiate little of what is low
    for (const resonator of tract) sample = resonator.ring(sample);
    out[i] = (sample + hissing.ring(white) * now.hiss * 0.32) * (level?.(t) ?? 1);
  }
  return out;
}

function soundOf(word: string) {
  const [, name, ms] = /^(\D+)(\d+)$/.exec(word) ?? [];
  const mouth = mouths[name ?? ""];
  if (!mouth) throw new Error(`not a sound of speech: ${word}`);
  return { mouth, ms: Number(ms) };
}

function momentAt(score: readonly { mouth: Mouth; ms: number }[], ms: number): Moment {
  let start = 0;
  for (const { mouth, ms: length } of score) {
    if (ms < start + length) return { mouth, share: (ms - start) / length };
    start += length;
  }
  return { mouth: mouths._!, share: 0 };
}

/** One opening of the vocal folds: they part slowly, close quickly, and rest. */
function glottis(phase: number, open: number): number {
  const closing = open * 0.72;
  if (phase < closing) return 0.5 - 0.5 * Math.cos((Math.PI * phase) / closing);
  if (phase < open) return Math.cos((Math.PI / 2) * ((phase - closing) / (open - closing)));
  return 0;
}

/** A two-pole resonator with as much at 0 Hz as it is given. */
class Resonator {
  private a = 1;
  private b = 0;
  private c = 0;
  private before = 0;
  private last = 0;

  tune(hz: number, width: number) {
    const r = Math.exp((-Math.PI * width) / RATE);
    this.c = -r * r;
    this.b = 2 * r * Math.cos((2 * Math.PI * Math.min(hz, 18_000)) / RATE);
    this.a = 1 - this.b - this.c;
  }

  ring(input: number): number {
    const output = this.a * input + this.b * this.last + this.c * this.before;
    this.before = this.last;
    this.last = output;
    return output;
  }
}
