import { defineConfig, type Project } from "@playwright/test";
import { args, path, shellPath } from "./e2e/chromium";

const project = (
  name: string,
  executablePath: string,
  files: Pick<Project, "testMatch" | "testIgnore">,
): Project => ({ name, ...files, use: { launchOptions: { executablePath, args } } });

const notifying = "app.spec.ts";
const measuring = "speed.spec.ts";

export default defineConfig({
  testDir: "e2e",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  fullyParallel: true, // each test has a server of its own
  workers: 2,
  retries: 2, // on a machine that is busy with other things; the report names those that needed it
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: {
    locale: "en-US",
    timezoneId: "UTC",
    viewport: { width: 1280, height: 800 },
    permissions: ["clipboard-read", "clipboard-write"],
    trace: process.env.TRACE ? "retain-on-failure" : "off",
  },
  projects: process.env.SCREENSHOT
    ? [project("pictures", path, { testMatch: "screenshot.ts" })]
    : [
        project("shell", shellPath, { testMatch: "*.spec.ts", testIgnore: [notifying, measuring] }),
        project("chromium", path, { testMatch: notifying }),
        project("speed", shellPath, { testMatch: measuring }), // last, when others leave it the processors
      ],
});
