import { createServer, request as ask, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page, Worker } from "@playwright/test";
import { expect, Person, test } from "./people";
import { atHome } from "./push-service";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

/** Waits until the service worker of a page does its work, and answers it. */
async function workerOf(page: Page): Promise<Worker> {
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active!.state === "activated") return;
    await new Promise((done) => active!.addEventListener("statechange", done, { once: true }));
  });
  return page.context().serviceWorkers()[0]!;
}

test("Chromium finds nothing that keeps it from installing Campfire", async () => {
  const token = await server.setUp();
  await atHome(async (context) => {
    const { page } = await Person.atHome(context, server, token);
    await page.goto(server.url);
    await workerOf(page);
    const devtools = await context.newCDPSession(page);
    const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
    expect(installabilityErrors).toEqual([]);
    const { url, errors, data } = await devtools.send("Page.getAppManifest");
    expect([url, errors]).toEqual([`${server.url}/webmanifest`, []]);
    type Picture = { src: string; sizes: string };
    const manifest = JSON.parse(data!) as { display: string; icons: Picture[]; screenshots: Picture[] };
    expect(manifest.display).toBe("standalone");
    expect(manifest.screenshots).toHaveLength(3);
    for (const { src, sizes } of [...manifest.icons, ...manifest.screenshots]) {
      const size = await page.evaluate(async (src) => {
        const bitmap = await createImageBitmap(await (await fetch(src)).blob());
        return `${bitmap.width}x${bitmap.height}`;
      }, src);
      expect(size, src).toBe(sizes);
    }
  });
});

test("The browser's offer to install is kept, and taken from one's profile", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, await server.setUp());
  await ada.visit("/users/me/profile");
  const button = ada.page.getByRole("button", { name: "Install now" });
  await expect(ada.page.getByLabel("Name")).toBeVisible();
  await expect(button).toHaveCount(0);
  // Chromium offers it by an event that no tool can cause.
  const offered = await ada.page.evaluate(() => {
    const event = new Event("beforeinstallprompt", { cancelable: true });
    Object.assign(event, {
      prompt: () => {
        document.title = "installing";
        return Promise.resolve({ outcome: "accepted" });
      },
    });
    return !window.dispatchEvent(event);
  });
  expect(offered, "the browser's own banner is held back").toBe(true);
  await ada.page.getByText("Install Campfire as an app").click();
  await button.click();
  await expect(ada.page).toHaveTitle("installing");
  await expect(button).toHaveCount(0);
});

test("Hashed files are kept, and nothing else", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, await server.setUp());
  await ada.visit("/");
  await expect(ada.composer).toBeVisible();
  await workerOf(ada.page);
  await ada.page.reload(); // now through the worker
  await ada.write("Hello");
  await expect(ada.message("Hello")).toBeVisible();
  const kept = await ada.page.evaluate(async () => {
    const paths: string[] = [];
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) paths.push(new URL(url).pathname);
    }
    return paths;
  });
  expect(kept.filter((path) => !/^\/assets\/[\w.-]+-[\w-]{8}\.(js|css)$/.test(path))).toEqual([]);
  const used = await ada.page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => new URL(entry.name).pathname.startsWith("/assets/"))
      .map((entry) => [new URL(entry.name).pathname, (entry as PerformanceResourceTiming).workerStart > 0]),
  );
  expect(used.length).toBeGreaterThan(3);
  for (const [path, byWorker] of used)
    expect([kept.includes(path as string), byWorker]).toEqual([true, true]);
});

test("Without a server there is a page that says so, until it is back", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, await server.setUp());
  ada.expectRefusal(/./); // the server will be gone
  await ada.visit("/");
  await expect(ada.composer).toBeVisible();
  const path = new URL(ada.page.url()).pathname;
  await workerOf(ada.page);
  await server.kill();
  await ada.page.reload();
  await expect(ada.page.getByRole("heading", { name: "Campfire cannot be reached" })).toBeVisible();
  await expect(ada.page).toHaveTitle("Campfire cannot be reached");
  await server.launch();
  await ada.page.getByRole("link", { name: "Try again now" }).click();
  await expect(ada.composer).toBeVisible();
  expect(new URL(ada.page.url()).pathname).toBe(path);
});

/**
 * What stands in for the browser's push service: a way to deliver to a page's worker, by the DevTools protocol. It
 * waits until what was delivered is shown: Chromium forgets a notification that is on its way to the screen whenever
 * someone asks which ones stand there.
 */
async function deliveryTo(ada: Person): Promise<(data: object | string) => Promise<void>> {
  const worker = await workerOf(ada.page);
  const devtools = await ada.context.newCDPSession(ada.page);
  const registered = new Promise<string>((done) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const own = registrations.find(({ scopeURL }) => scopeURL === `${server.url}/`);
      if (own) done(own.registrationId);
    });
  });
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registered;
  // Where no desktop keeps notifications, Chromium takes them away after 25 seconds; not those that ask to stay.
  await worker.evaluate(`{
    const show = registration.showNotification.bind(registration);
    registration.showNotification = (title, options) => {
      const shown = show(title, { ...options, requireInteraction: true });
      shown.then(self.tellShown, self.tellShown);
      return shown;
    };
  }`);
  return async (data) => {
    await worker.evaluate("void (self.shown = new Promise((done) => (self.tellShown = done)))");
    await devtools.send("ServiceWorker.deliverPushMessage", {
      origin: server.url,
      registrationId,
      data: typeof data === "string" ? data : JSON.stringify(data),
    });
    await worker.evaluate("self.shown");
  };
}

/** The notifications that stand on someone's screen. */
function notifications(ada: Person): Promise<[string, string, string, unknown][]> {
  return ada.page.evaluate(async () => {
    const notes = await (await navigator.serviceWorker.ready).getNotifications();
    return notes.map(({ title, body, icon, data }) => [title, body, new URL(icon).pathname, data as unknown]);
  });
}

test("A push is shown, and its press leads to the message", async ({ browser }) => {
  const token = await server.setUp();
  const room = await server.room(token);
  const message = await server.post(token, room, { text: "Look here" });
  const ada = await Person.arrive(browser, server, token);
  await ada.context.grantPermissions(["notifications"], { origin: server.url });
  await ada.visit("/users/me/profile");
  const push = await deliveryTo(ada);
  const titles = async () => (await notifications(ada)).map(([title]) => title).sort();
  const path = `/rooms/${room}/@${message}`;
  const options = { icon: "/icons/icon-192.png", tag: `room-${room}`, data: { path, badge: 3 } };
  await push({ title: "All Talk", options: { ...options, body: "Ben: Hello" } });
  expect((await notifications(ada)).map(([, body]) => body)).toEqual(["Ben: Hello"]);
  await push({ title: "All Talk", options: { ...options, body: "Ben: Look here" } });
  expect(await notifications(ada)).toEqual([["All Talk", "Ben: Look here", "/icons/icon-192.png", { path }]]);
  await push("not from us"); // whatever comes, the browser wants to see something shown
  expect(await titles()).toEqual(["All Talk", "Campfire"]);

  // No tool presses a notification, so the worker hears of the press with the notification that is there.
  const worker = await workerOf(ada.page);
  await worker.evaluate(`self.registration.getNotifications({ tag: "room-${room}" }).then(([notification]) => {
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
  })`);
  await expect(ada.page).toHaveURL(server.url + path);
  await expect(ada.message("Look here")).toHaveAttribute("data-highlighted", "");
  await expect.poll(titles).toEqual(["Campfire"]);
  expect(ada.context.pages()).toHaveLength(1);
});

test("A notification goes when its room is read, wherever that is", async ({ browser }) => {
  const token = await server.setUp();
  const benToken = await server.join(token, "Ben Franklin");
  const engines = await server.makeRoom(token, "Engines");
  const kettles = await server.makeRoom(token, "Kettles");
  const ada = await Person.arrive(browser, server, token);
  await ada.context.grantPermissions(["notifications"], { origin: server.url });
  await ada.visit("/");
  const push = await deliveryTo(ada);
  for (const [title, room] of [
    ["Engines", engines],
    ["Kettles", kettles],
  ]) {
    await server.post(benToken, room!, { text: "Steam!" });
    await push({
      title,
      options: { body: "Ben: Steam!", tag: `room-${room}`, data: { path: "/", badge: 1 } },
    });
  }
  const titles = async () => (await notifications(ada)).map(([title]) => title).sort();
  expect(await titles()).toEqual(["Engines", "Kettles"]);
  const elsewhere = await Person.arrive(browser, server, token);
  await elsewhere.visit(`/rooms/${engines}`);
  await expect(elsewhere.message("Steam!")).toBeVisible();
  await expect.poll(titles).toEqual(["Kettles"]);
});

test("A new version waits until someone loads it", async ({ browser }) => {
  const token = await server.setUp();
  const front = await Front.before(server);
  try {
    const ada = await Person.arrive(browser, server);
    await ada.context.addCookies([{ name: "session_token", value: token, url: front.url }]);
    await ada.page.goto(front.url);
    await expect(ada.composer).toBeVisible();
    await workerOf(ada.page);
    await ada.page.reload();
    await expect(ada.composer).toBeVisible();
    const prompt = ada.page.getByTestId("new-version");
    await expect(prompt).toHaveCount(0);

    front.version = "the next one";
    await ada.page.reload();
    await expect(prompt).toContainText("A new version of Campfire is here.");
    const loaded = await ada.page.evaluate(() => performance.timeOrigin);
    await ada.write("Written before the new version is loaded");
    await ada.page.getByRole("button", { name: "Load it" }).click();
    await expect
      .poll(() => ada.page.evaluate(() => performance.timeOrigin).catch(() => loaded))
      .not.toBe(loaded);
    await expect(ada.message("Written before the new version is loaded")).toBeVisible();
    await expect(prompt).toHaveCount(0);
    const script = await ada.page.evaluate(async () => (await fetch("/service-worker.js")).text());
    expect(script).toContain("the next one");
    await ada.leave(); // before the server it came by
  } finally {
    await front.stop();
  }
});

/** Stands before a server as a proxy would, with a service worker that is of another version whenever we say so. */
class Front {
  version = "";

  private constructor(
    private readonly http: HttpServer,
    readonly url: string,
  ) {}

  static async before(server: Server): Promise<Front> {
    const http = createServer((req, res) => {
      const headers = { ...req.headers, "accept-encoding": "identity" };
      const onward = ask(server.url + req.url, { method: req.method!, headers }, (answer) => {
        const kept = { ...answer.headers };
        delete kept["content-length"];
        res.writeHead(answer.statusCode!, kept);
        if (req.url === "/service-worker.js") res.write(`// ${front.version}\n`);
        answer.pipe(res);
        res.flushHeaders();
      });
      onward.on("error", () => res.destroy());
      res.on("close", () => onward.destroy());
      req.pipe(onward);
    });
    await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
    const front = new Front(http, `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    return front;
  }

  async stop() {
    this.http.closeAllConnections();
    await new Promise((done) => this.http.close(done));
  }
}
