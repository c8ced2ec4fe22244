/** The system's Chromium. */
export const path = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Chromium without windows, if there is one: pages have all in it but notifications, for a quarter less of the processors. */
export const shellPath = process.env.CHROMIUM_SHELL || path;

/** What it does without: first what Playwright has it do without, which this list replaces. */
const disabledFeatures = [
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
  "AimEnabled",
  "PreconnectToSearch",
  // The pages behind the address bar, 400 scripts of them: each window would load them, unseen, for two seconds of CPU.
  "WebUIOmniboxPopup",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxFullPopup",
];

/** What either is started with. */
export const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--disable-features=${disabledFeatures.join(",")}`,
];
