import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useInstalled } from "../installed";
import { Help } from "./help";

const webkit = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5";
const blink = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0";
const agents = {
  "Chrome on Windows": `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${blink} Safari/537.36`,
  "Edge on Windows": `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${blink} Safari/537.36 Edg/140.0.0.0`,
  "Firefox on Linux": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  "Firefox on Android": "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
  "Safari on macOS": `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Safari/605.1.15`,
  "Safari on iOS": `Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${webkit} Mobile/15E148 Safari/604.1`,
} as const;

let app = false;
beforeEach(() => {
  app = false;
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("matchMedia", () => ({ matches: app }));
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  useInstalled.setState({ offer: undefined });
});

/** Opens the help in a browser, and answers the titles of its sections, those that are open with a star. */
function sectionsIn(browser: keyof typeof agents): string[] {
  vi.spyOn(navigator, "userAgent", "get").mockReturnValue(agents[browser]);
  render(<Help onClose={() => {}} />);
  return [...document.querySelectorAll("details")].map(
    (section) => section.querySelector("summary")!.textContent + (section.open ? "*" : ""),
  );
}

const install = "Install Campfire as an app";

test.each([
  ["Chrome on Windows", ["Browser settings*"]],
  ["Firefox on Linux", ["Browser settings*"]],
  ["Edge on Windows", ["Browser settings", install]],
  ["Firefox on Android", ["Browser settings", install]],
  ["Safari on macOS", ["Browser settings", install]],
  ["Safari on iOS", [`${install}*`]],
] as const)(
  "233 the help for %s has what concerns it, and one section alone is open",
  (browser, sections) => {
    expect(sectionsIn(browser)).toEqual(sections);
  },
);

test.each([
  ["Edge on Windows", ["Browser settings", "System settings"]],
  ["Safari on iOS", ["System settings*"]],
] as const)("once installed, %s is told of the system’s settings instead", (browser, sections) => {
  app = true;
  expect(sectionsIn(browser)).toEqual(sections);
});

test("where the address is not safe, that is what is said", () => {
  vi.stubGlobal("isSecureContext", false);
  expect(sectionsIn("Safari on macOS")).toEqual([]);
  expect(screen.getByText(/begins with https/)).toBeTruthy();
});
