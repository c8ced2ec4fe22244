import { expect, test } from "vitest";
import { platformOf } from "./platform";

const mozilla = "Mozilla/5.0";
const webkit = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const blink = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0";

test.each([
  [`${mozilla} (Windows NT 10.0; Win64; x64) ${blink} Safari/537.36`, "chrome", "windows"],
  [`${mozilla} (Windows NT 10.0; Win64; x64) ${blink} Safari/537.36 Edg/140.0.0.0`, "edge", "windows"],
  [`${mozilla} (X11; CrOS x86_64 14541.0.0) ${blink} Safari/537.36`, "chrome", "chromeos"],
  [`${mozilla} (X11; Linux x86_64) ${blink} Safari/537.36 OPR/120.0.0.0`, "opera", "linux"],
  [`${mozilla} (Linux; Android 10; K) ${blink} Mobile Safari/537.36`, "chrome", "android"],
  [`${mozilla} (Linux; Android 10; K) ${blink} Mobile Safari/537.36 EdgA/140.0.0.0`, "edge", "android"],
  [`${mozilla} (Linux; Android 10; K) SamsungBrowser/28.0 ${blink} Mobile Safari/537.36`, "other", "android"],
  [`${mozilla} (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0`, "firefox", "android"],
  [`${mozilla} (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0`, "firefox", "macos"],
  [
    `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/18.5 Safari/605.1.15`,
    "safari",
    "macos",
  ],
  [
    `${mozilla} (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${webkit} Version/18.5 Mobile/15E148 Safari/604.1`,
    "safari",
    "ios",
  ],
  [
    `${mozilla} (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${webkit} CriOS/140.0.0.0 Mobile/15E148 Safari/604.1`,
    "chrome",
    "ios",
  ],
])("%s is %s on %s", (userAgent, browser, system) => {
  expect(platformOf(userAgent)).toEqual({ browser, system });
});

test("an iPad that says it is a Macintosh is known by its touch screen", () => {
  const ipad = `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/18.5 Safari/605.1.15`;
  expect(platformOf(ipad, 5).system).toBe("ios");
});
