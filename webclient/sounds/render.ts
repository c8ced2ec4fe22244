import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mp3 } from "./encode";
import { levelled } from "./loudness";
import { scores } from "./sounds";

/** The bytes of a sound's file. */
export async function render(name: string): Promise<Uint8Array> {
  const score = scores.get(name);
  if (!score) throw new Error(`no score for ${name}`);
  return mp3(levelled(score()));
}

/** Writes the files of all sounds, or of some. */
export async function renderAll(folder: string, only: readonly string[] = []) {
  mkdirSync(folder, { recursive: true });
  for (const name of scores.keys()) {
    if (only.length === 0 || only.includes(name))
      writeFileSync(join(folder, `${name}.mp3`), await render(name));
  }
}
