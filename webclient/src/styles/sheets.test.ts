import { expect, test } from "vitest";

test("317 there is a sheet for each of the 26 things that look", () => {
  const sheets = Object.keys(import.meta.glob("./*.css")).map((path) => path.replace("./", ""));
  const places = ["boosts", "composer", "messages", "nav", "sidebar", "signup"];
  const parts = ["autocomplete", "avatars", "buttons", "flash", "inputs", "lightbox", "panels", "spinner"];
  const ground = [
    ...["_reset", "actiontext", "animation", "base", "code", "colorize"],
    ...["colors", "embeds", "filters", "layout", "separators", "utilities"],
  ];
  expect(sheets.sort()).toEqual([...ground, ...parts, ...places].map((name) => `${name}.css`).sort());
});
