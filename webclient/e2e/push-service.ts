import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "@playwright/test";
import { args, path } from "./chromium";

const noNetwork = "--disable-background-networking"; // nor, with it, push

/**
 * Stands in for the servers of Chromium's maker, as far as a browser asks them when a page subscribes: it lets browsers
 * check in and gives out endpoints, each once. It delivers nothing.
 */
export class PushService {
  private readonly http: HttpServer;
  private given = 0;

  private constructor() {
    this.http = createServer((req, res) => {
      req.resume();
      req.on("end", () => res.end(req.url === "/checkin" ? checkedIn() : `token=${++this.given}-endpoint`));
    });
  }

  static async start(): Promise<PushService> {
    const service = new PushService();
    await new Promise<void>((done) => service.http.listen(0, "127.0.0.1", done));
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  async stop() {
    this.http.closeAllConnections();
    await new Promise((done) => this.http.close(done));
  }
}

/** A browser of someone's own: only such may subscribe, and install; others forget everything. */
export async function atHome(run: (context: BrowserContext) => Promise<void>) {
  const home = mkdtempSync(join(tmpdir(), "campfire-browser-"));
  const service = await PushService.start();
  const context = await chromium.launchPersistentContext(home, {
    executablePath: path,
    locale: "en-US",
    timezoneId: "UTC",
    viewport: { width: 1280, height: 800 },
    ignoreDefaultArgs: [noNetwork],
    args: [
      ...args.filter((arg) => arg !== noNetwork),
      `--gcm-checkin-url=${service.url}/checkin`,
      `--gcm-registration-url=${service.url}/register`,
      `--gcm-mcs-endpoint=${service.url.replace("http", "https")}`,
    ],
  });
  await context.clearPermissions(); // to those of a browser that has never been asked
  try {
    await run(context);
  } finally {
    await context.close();
    await service.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** The answer to a browser that checks in: all is well, and its number and secret. */
function checkedIn(): Buffer {
  const fixed64 = (field: number, value: number) => {
    const bytes = Buffer.alloc(9);
    bytes[0] = (field << 3) | 1;
    bytes.writeBigUInt64LE(BigInt(value), 1);
    return bytes;
  };
  return Buffer.concat([Buffer.from([1 << 3, 1]), fixed64(7, 4711), fixed64(8, 1147)]);
}
