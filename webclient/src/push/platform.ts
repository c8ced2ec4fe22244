export type Browser = "chrome" | "edge" | "firefox" | "opera" | "safari" | "other";
export type System = "windows" | "macos" | "linux" | "chromeos" | "android" | "ios" | "other";

/** Where Campfire runs, as far as it matters for finding one's way through settings. */
export interface Platform {
  readonly browser: Browser;
  readonly system: System;
}

const browsers: readonly (readonly [Browser, RegExp])[] = [
  ["edge", /Edg(?:A|iOS)?\//],
  ["opera", /OPR\/|OPT\//],
  ["firefox", /Firefox\/|FxiOS\//],
  ["other", /SamsungBrowser\//],
  ["chrome", /Chrome\/|CriOS\//],
  ["safari", /Version\/.*Safari\//],
];

const systems: readonly (readonly [System, RegExp])[] = [
  ["android", /Android/],
  ["ios", /iPhone|iPad|iPod/],
  ["windows", /Windows/],
  ["macos", /Macintosh/],
  ["chromeos", /CrOS/],
  ["linux", /Linux|X11/],
];

/** Reads a User-Agent header. An iPad says it is a Macintosh, but those have no touch screens. */
export function platformOf(userAgent: string, touchPoints = 0): Platform {
  const first = <T>(table: readonly (readonly [T, RegExp])[]) =>
    table.find(([, pattern]) => pattern.test(userAgent))?.[0];
  const system = first(systems) ?? "other";
  return {
    browser: first(browsers) ?? "other",
    system: system === "macos" && touchPoints > 1 ? "ios" : system,
  };
}
