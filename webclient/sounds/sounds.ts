import type { Wave } from "./dsp";
import { bands } from "./scores/bands";
import { devices } from "./scores/devices";
import { rock } from "./scores/rock";
import { stings } from "./scores/stings";
import { voices } from "./scores/voices";

/** All sounds by the name that /play knows them by. */
export const scores: ReadonlyMap<string, () => Wave> = new Map(
  Object.entries({ ...bands, ...devices, ...rock, ...stings, ...voices }).sort(([a], [b]) =>
    a < b ? -1 : 1,
  ),
);
