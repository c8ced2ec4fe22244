import { RATE, type Wave } from "./dsp";

/** How loud every sound is, in LUFS (ITU-R BS.1770), and what its peaks stay under. */
export const TARGET_LUFS = -18;
const CEILING = 10 ** (-1.5 / 20);

/** The loudness of a sound in LUFS: K-weighted blocks of 400 ms, the quiet ones left out. */
export function loudness(wave: Wave): number {
  const weighted = biquad(biquad(wave, SHELF), HIGH_PASS);
  const block = Math.min(weighted.length, Math.round(0.4 * RATE));
  const powers: number[] = [];
  for (let start = 0; start + block <= weighted.length; start += Math.round(block / 4)) {
    let sum = 0;
    for (let i = start; i < start + block; i++) sum += weighted[i]! ** 2;
    powers.push(sum / block);
  }
  const audible = powers.filter((power) => lufs(power) > -70);
  const relative = lufs(mean(audible)) - 10;
  return lufs(mean(audible.filter((power) => lufs(power) > relative)));
}

/** The same sound at the loudness of all others, its peaks held down where they would not fit. */
export function levelled(wave: Wave): Wave {
  let out = withoutRumble(wave);
  for (let n = 0; n < 4; n++) {
    const gain = 10 ** ((TARGET_LUFS - loudness(out)) / 20);
    out = limited(out.map((sample) => sample * gain));
  }
  return out;
}

const lufs = (power: number) => -0.691 + 10 * Math.log10(Math.max(power, 1e-12));
const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

type Coefficients = readonly [b0: number, b1: number, b2: number, a1: number, a2: number];

// The standard gives its two filters for 48 kHz; these are the same curves at our rate.
const SHELF = shelf(1681.974450955533, 3.999843853973347, 0.7071752369554196);
const HIGH_PASS = highPass(38.13547087602444, 0.5003270373238773);

function shelf(hz: number, decibels: number, q: number): Coefficients {
  const k = Math.tan((Math.PI * hz) / RATE);
  const high = 10 ** (decibels / 20);
  const band = high ** 0.4996667741545416;
  const a0 = 1 + k / q + k * k;
  return [
    (high + (band * k) / q + k * k) / a0,
    (2 * (k * k - high)) / a0,
    (high - (band * k) / q + k * k) / a0,
    (2 * (k * k - 1)) / a0,
    (1 - k / q + k * k) / a0,
  ];
}

function highPass(hz: number, q: number): Coefficients {
  const k = Math.tan((Math.PI * hz) / RATE);
  const a0 = 1 + k / q + k * k;
  return [1, -2, 1, (2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0];
}

function biquad(wave: Wave, [b0, b1, b2, a1, a2]: Coefficients): Wave {
  const out = new Float64Array(wave.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let i = 0; i < wave.length; i++) {
    const x = wave[i]!;
    const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    out[i] = y;
  }
  return out;
}

function withoutRumble(wave: Wave): Wave {
  const [b0, b1, b2, a1, a2] = highPass(28, 0.707);
  return biquad(wave, [b0, b1, b2, a1, a2]);
}

/** Looks 3 ms ahead for peaks and turns down before them, back up over 80 ms. */
function limited(wave: Wave): Wave {
  const ahead = Math.round(0.003 * RATE);
  const back = 1 - Math.exp(-1 / (0.08 * RATE));
  const needed = wave.map((sample) => Math.min(1, CEILING / Math.max(Math.abs(sample), 1e-9)));
  const out = new Float64Array(wave.length);
  const candidates: number[] = []; // where the least of the next moments may be, the least first
  let [gain, head] = [1, 0];
  for (let i = -ahead; i < wave.length; i++) {
    const coming = i + ahead;
    if (coming < wave.length) {
      while (candidates.length > head && needed[candidates.at(-1)!]! >= needed[coming]!) candidates.pop();
      candidates.push(coming);
    }
    if (i < 0) continue;
    if (candidates[head]! < i) head++;
    const least = needed[candidates[head]!]!;
    gain = least < gain ? gain + (least - gain) * 0.06 : gain + (least - gain) * back;
    out[i] = wave[i]! * Math.min(gain, needed[i]!);
  }
  return out;
}
