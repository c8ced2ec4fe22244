import { readFileSync } from "node:fs";
import FFT from "fft.js";
import { MPEGDecoder } from "mpg123-decoder";
import type { Wave } from "./dsp";

const SIZE = 2048;
const fft = new FFT(SIZE);
const hann = Float64Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));

/** What a player makes of a file: its samples, at what rate, in how many channels. */
export async function decode(file: string): Promise<{ wave: Wave; rate: number; channels: number }> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const { channelData, sampleRate, errors } = decoder.decode(readFileSync(file));
    if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
    return { wave: Float64Array.from(channelData[0]!), rate: sampleRate, channels: channelData.length };
  } finally {
    decoder.free();
  }
}

/** The power at each frequency, from 0 Hz to half the rate, in steps of the rate / 2048, at each moment. */
export function spectrogram(wave: Wave, hop = SIZE / 2): Float64Array[] {
  const moments: Float64Array[] = [];
  const out = fft.createComplexArray();
  for (let start = 0; start < wave.length; start += hop) {
    const frame = Array.from(hann, (weight, i) => weight * (wave[start + i] ?? 0));
    fft.realTransform(out, frame);
    moments.push(Float64Array.from({ length: SIZE / 2 }, (_, k) => out[2 * k]! ** 2 + out[2 * k + 1]! ** 2));
  }
  return moments;
}

/** A sound as 24 bands, a sixth of its time each way: what an ear would tell two sounds apart by. */
export function fingerprint(wave: Wave, parts = 12, bands = 24): Float64Array {
  const moments = spectrogram(wave);
  const print = new Float64Array(parts * bands);
  for (const [m, moment] of moments.entries()) {
    const part = Math.min(parts - 1, Math.floor((m / moments.length) * parts));
    for (let k = 3; k < moment.length; k++) {
      const band = Math.min(bands - 1, Math.floor((Math.log2(k / 3) / Math.log2(moment.length / 3)) * bands));
      print[part * bands + band]! += moment[k]!;
    }
  }
  const loud = print.map((power) => Math.log10(power + 1e-3));
  const middle = loud.reduce((sum, value) => sum + value, 0) / loud.length;
  const centred = loud.map((value) => value - middle);
  const length = Math.hypot(...centred);
  return centred.map((value) => value / length);
}

/** From 1 for the same sound down to -1. */
export function likeness(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
