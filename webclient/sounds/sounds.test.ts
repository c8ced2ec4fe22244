// @vitest-environment node
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { soundAskedFor } from "../src/messages/sounds";
import { loudness, TARGET_LUFS } from "./loudness";
import { render } from "./render";
import { scores } from "./sounds";
import { decode, fingerprint, likeness } from "./spectrum";

const folder = join(import.meta.dirname, "../public/sounds");
const server = readFileSync(join(import.meta.dirname, "../../server/richtext.go"), "utf8");
const registered = [...server.matchAll(/^\t"(\w+)":\s+\{(.+)\},$/gm)].map(([, name, shows]) => ({
  name: name!,
  shows: shows!,
}));
const names = registered.map(({ name }) => name).sort();
const sounds = await Promise.all(
  names.map(async (name) => {
    const file = join(folder, `${name}.mp3`);
    return {
      name,
      bytes: statSync(file).size,
      header: readFileSync(file).subarray(0, 4),
      ...(await decode(file)),
    };
  }),
);

describe("the sounds", () => {
  it("are 59, each with a score, a file, a registration and a command", () => {
    expect(names).toHaveLength(59);
    expect([...scores.keys()].sort()).toEqual(names);
    const files = readdirSync(folder).filter((file) => file.endsWith(".mp3"));
    expect(files.map((file) => basename(file, ".mp3")).sort()).toEqual(names);
    expect(names.map((name) => soundAskedFor(`/play ${name}`))).toEqual(names);
  });

  it("have a picture of the registered size wherever one is shown", () => {
    const pictures = registered.filter(({ shows }) => shows.startsWith("width"));
    expect(pictures).toHaveLength(15);
    for (const { name, shows } of pictures) {
      const [, width, height] = /width: (\d+), height: (\d+)/.exec(shows)!;
      const picture = readFileSync(join(folder, `${name}.svg`), "utf8");
      expect(picture).toContain(`width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`);
    }
    const drawn = readdirSync(folder).filter((file) => file.endsWith(".svg"));
    expect(drawn.sort()).toEqual(pictures.map(({ name }) => `${name}.svg`).sort());
  });

  it.each(sounds)(
    "$name is mono, short, small and as loud as the others",
    ({ wave, rate, bytes, header }) => {
      const duration = wave.length / rate;
      expect(header[3]! >> 6, "channel mode").toBe(3);
      expect(duration).toBeGreaterThan(0.4);
      expect(duration).toBeLessThanOrEqual(5);
      expect(bytes).toBeLessThanOrEqual(15_000 * Math.max(duration, 0.5));
      expect(Math.abs(loudness(wave) - TARGET_LUFS)).toBeLessThan(1);
      expect(wave.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBeLessThan(0.95);
    },
  );

  it("are no two alike", () => {
    const prints = sounds.map(({ name, wave }) => ({ name, print: fingerprint(wave) }));
    const pairs = prints.flatMap((a, i) =>
      prints.slice(i + 1).map((b) => ({ pair: `${a.name} ${b.name}`, likeness: likeness(a.print, b.print) })),
    );
    expect(pairs.filter(({ likeness }) => likeness > 0.95)).toEqual([]);
    const tada = sounds.find(({ name }) => name === "tada")!.wave;
    const quieter = fingerprint(tada.map((sample) => sample * 0.8));
    expect(likeness(fingerprint(tada), quieter), "a copy, quieter").toBeGreaterThan(0.99);
  });

  it.each(["crickets", "honk", "mario_coin", "dadgummit", "rimshot", "wups"])(
    "%s is what its score renders to, byte for byte",
    async (name) => {
      expect(Buffer.compare(await render(name), readFileSync(join(folder, `${name}.mp3`)))).toBe(0);
    },
  );
});
