import { createMp3Encoder } from "wasm-media-encoders";
import { RATE, type Wave } from "./dsp";

const KILOBITS = 80;

/** Writes a sound as MP3, mono, the same bytes for the same sound. */
export async function mp3(wave: Wave): Promise<Uint8Array> {
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate: RATE, channels: 1, bitrate: KILOBITS });
  const parts = [encoder.encode([Float32Array.from(wave)]).slice(), encoder.finalize().slice()];
  return Buffer.concat(parts);
}
