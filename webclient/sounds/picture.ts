import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { decode, spectrogram } from "./spectrum";

const [COLUMNS, WIDTH, HEIGHT] = [8, 240, 130];
const SECONDS = 5;

/** Draws the spectrograms of all sounds into one picture: 5 s wide, 50 Hz to 15 kHz high, loud is bright. */
export async function draw(folder: string, [target = "spectrograms.png"]: readonly string[] = []) {
  const files = readdirSync(folder).filter((file) => file.endsWith(".mp3"));
  const cells: string[] = [];
  for (const [n, file] of files.entries()) {
    const { wave, rate } = await decode(join(folder, file));
    const [x, y] = [(n % COLUMNS) * WIDTH, Math.floor(n / COLUMNS) * HEIGHT];
    const label = `${basename(file, ".mp3")} ${(wave.length / rate).toFixed(1)} s`;
    cells.push(
      `<g transform="translate(${x} ${y})"><path fill="#000" d="M1 1h${WIDTH - 2}v${HEIGHT - 2}H1z"/>${shades(wave, rate)}`,
      `<text x="6" y="15" font-family="DejaVu Sans" font-size="12" fill="#fff">${label}</text></g>`,
    );
  }
  const height = Math.ceil(files.length / COLUMNS) * HEIGHT;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${COLUMNS * WIDTH}" height="${height}">${cells.join("")}</svg>`;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, new Resvg(svg, { font: { loadSystemFonts: true } }).render().asPng());
}

function shades(wave: Float64Array, rate: number): string {
  const columns = 118;
  const rows = 54;
  const moments = spectrogram(wave, Math.round((SECONDS * rate) / columns));
  const squares: string[] = [];
  for (const [column, moment] of moments.slice(0, columns).entries()) {
    for (let row = 0; row < rows; row++) {
      const from = Math.floor((50 * 300 ** (row / rows) * 2048) / rate);
      const to = Math.max(from + 1, Math.floor((50 * 300 ** ((row + 1) / rows) * 2048) / rate));
      const power = Math.max(...moment.slice(from, to));
      const light = Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 25) / 60));
      if (light < 0.08) continue;
      const colour = `hsl(${Math.round(280 - 230 * light)} 90% ${Math.round(light * 65)}%)`;
      squares.push(`<path fill="${colour}" d="M${2 + column * 2} ${HEIGHT - 4 - row * 2}h2v2h-2z"/>`);
    }
  }
  return squares.join("");
}
