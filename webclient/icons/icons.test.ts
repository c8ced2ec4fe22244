// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { draw } from "./icons";

const folder = join(import.meta.dirname, "../public");

it("The icons are the logo, byte for byte as it is drawn", () => {
  const files = draw(readFileSync(join(folder, "favicon.svg"), "utf8"));
  expect(readdirSync(join(folder, "icons")).sort()).toEqual([...files.keys()].sort());
  for (const [name, png] of files) {
    expect(Buffer.compare(png, readFileSync(join(folder, "icons", name))), name).toBe(0);
    const size = Number(/\d+/.exec(name)?.[0] ?? 180);
    const view = new DataView(png.buffer, png.byteOffset);
    expect([view.getUint32(16), view.getUint32(20)], name).toEqual([size, size]);
  }
});
