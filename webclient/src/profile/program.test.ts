import { expect, test } from "vitest";
import { programOf } from "./program";

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 on Linux"],
  [
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
    "Edge 130 on Windows",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
    "Safari 18.0 on iPhone",
  ],
  ["grpcurl/1.9.4", "grpcurl/1.9.4"],
  ["", "a program that gives no name"],
])("%s reads %s", (userAgent, words) => {
  expect(programOf(userAgent)).toBe(words);
});
