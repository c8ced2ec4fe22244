import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";

/** The icons by their file's name: how large, how much of it the logo takes, and what is behind it. */
const icons: Readonly<Record<string, { size: number; share: number; ground?: string }>> = {
  "icon-192.png": { size: 192, share: 0.92 },
  "icon-512.png": { size: 512, share: 0.92 },
  // Systems cut their own shape out of this one: all that counts is in the middle.
  "maskable-512.png": { size: 512, share: 0.74, ground: "#fff" },
  "apple-touch-icon.png": { size: 180, share: 0.74, ground: "#fff" },
};

/** The files of all icons, drawn from the logo. */
export function draw(logo: string): Map<string, Uint8Array> {
  const drawing = /<svg[^>]*>(.*)<\/svg>/s.exec(logo)?.[1];
  if (!drawing) throw new Error("the logo is no SVG");
  const files = new Map<string, Uint8Array>();
  for (const [name, { size, share, ground }] of Object.entries(icons)) {
    const margin = (48 * (1 - share)) / 2;
    const paper = ground ? `<path fill="${ground}" d="M0 0h48v48H0z"/>` : "";
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">${paper}` +
      `<g transform="translate(${margin} ${margin}) scale(${share})">${drawing}</g></svg>`;
    files.set(name, new Resvg(svg, { fitTo: { mode: "width", value: size } }).render().asPng());
  }
  return files;
}

/** Draws the icons of the installed app, from the logo in `favicon.svg`. */
export function drawAll(publicFolder: string) {
  mkdirSync(join(publicFolder, "icons"), { recursive: true });
  const logo = readFileSync(join(publicFolder, "favicon.svg"), "utf8");
  for (const [name, png] of draw(logo)) writeFileSync(join(publicFolder, "icons", name), png);
}
