import { expect, test } from "vitest";
import { isTooOld } from "./browser";

const mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const chrome = (version: number) =>
  `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`;
const firefox = (version: number) =>
  `Mozilla/5.0 (X11; Linux x86_64; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;

test.each([
  ["Safari 17.1", `${mac} Version/17.1 Safari/605.1.15`],
  ["Safari 16.10", `${mac} Version/16.10 Safari/605.1.15`],
  ["Safari on a phone", `${mac} Version/17.1 Mobile/15E148 Safari/604.1`],
  ["Chrome 119", chrome(119)],
  ["Firefox 120", firefox(120)],
  ["Opera 103", `${chrome(117)} OPR/103.0.0.0`],
  ["Internet Explorer", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"],
])("34 %s is too old", (_, userAgent) => {
  expect(isTooOld(userAgent)).toBe(true);
});

test.each([
  ["Safari 17.2", `${mac} Version/17.2 Safari/605.1.15`],
  ["Safari 17.10", `${mac} Version/17.10 Safari/605.1.15`],
  ["Safari 18.0", `${mac} Version/18.0.1 Mobile/15E148 Safari/604.1`],
  ["Chrome 120", chrome(120)],
  ["Firefox 121", firefox(121)],
  ["Opera 104", `${chrome(118)} OPR/104.0.0.0`],
  ["an old Edge, which is not named", `${chrome(100)} Edg/100.0.0.0`],
  ["something unknown", "curl/8.0"],
  ["nothing", ""],
])("34 35 %s is let through", (_, userAgent) => {
  expect(isTooOld(userAgent)).toBe(false);
});
