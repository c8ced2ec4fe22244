import type { BrowserContext, Page } from "@playwright/test";
import { expect, Person, test } from "./people";
import { atHome } from "./push-service";
import { emailOf, password, type Server } from "./server";

interface Device {
  readonly id: string;
  readonly endpoint: string;
  readonly userAgent: string;
}

const bellOf = ({ page }: Person) => page.getByTestId("nav").getByTestId("bell");
const off = "Notifications: not on this device yet";
const mentions = "Notifications: only when mentioned";

/** The devices the server notifies for someone. */
async function devices(server: Server, token: string): Promise<readonly Device[]> {
  const answer = await server.ask<{ subscriptions?: Device[] }>(
    "PushService",
    "ListPushSubscriptions",
    {},
    token,
  );
  return answer.subscriptions ?? [];
}

/** The endpoint this browser is subscribed with. */
const endpoint = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    return (await registration?.pushManager.getSubscription())?.endpoint;
  });

/** No tool presses "Allow" in the browser's own question: it is answered where the page asks it. */
async function willAllow(context: BrowserContext, server: Server) {
  await context.exposeFunction("allow", () =>
    context.grantPermissions(["notifications"], { origin: server.url }),
  );
  await context.addInitScript(() => {
    Notification.requestPermission = async () => {
      await (window as unknown as { allow(): Promise<void> }).allow();
      return Notification.permission;
    };
  });
}

/** Someone at home who has been asked and has agreed, with their room open. */
async function subscribed(context: BrowserContext, server: Server, token: string): Promise<Person> {
  await context.grantPermissions(["notifications"], { origin: server.url });
  const ada = await Person.atHome(context, server, token);
  await ada.visit("/");
  await bellOf(ada).click();
  await expect(bellOf(ada)).toHaveAccessibleName(mentions);
  return ada;
}

test("229 230 231 the bell has a device notified once its owner agrees", async ({ server }) => {
  const token = await server.setUp();
  await atHome(async (context) => {
    await willAllow(context, server);
    const ada = await Person.atHome(context, server, token);
    await ada.visit("/");
    await expect(bellOf(ada)).toHaveAccessibleName(off);
    await expect(bellOf(ada)).toHaveClass(/btn--pulsing/);
    expect(await ada.page.evaluate(() => Notification.permission)).toBe("default");
    await bellOf(ada).click();
    await expect(bellOf(ada)).toHaveAccessibleName(mentions);
    await expect(bellOf(ada)).not.toHaveClass(/btn--pulsing/);
    await expect(bellOf(ada)).toBeFocused();
    const [device, ...others] = await devices(server, token);
    expect(others).toEqual([]);
    expect(device!.endpoint).toBe(await endpoint(ada.page));
    expect(device!.userAgent).toContain("Chrome");

    await ada.page.reload();
    await expect(bellOf(ada)).toHaveAccessibleName(mentions);
    await expect(bellOf(ada)).not.toHaveClass(/btn--pulsing/);
    expect(await devices(server, token)).toEqual([device]);
  });
});

test("234 235 236 on a device that is notified the bell says how much one hears of a room", async ({
  server,
}) => {
  const token = await server.setUp();
  const ben = await server.idOf(await server.join(token, "Ben Franklin"));
  const ping = await server.ping(token, ben);
  await atHome(async (context) => {
    const ada = await subscribed(context, server, token);
    const bell = bellOf(ada);
    const seen = new Set<string>();
    for (const level of [/only when mentioned$/, /every message$/, /: off$/, /hidden from the sidebar$/]) {
      await expect(bell).toHaveAccessibleName(level);
      await expect(bell).toHaveRole("button");
      seen.add(await bell.innerHTML());
      await bell.click();
    }
    expect(seen.size).toBe(4);
    await expect(bell).toHaveAccessibleName(/only when mentioned$/);

    await ada.visit(`/rooms/${ping}`);
    for (const level of [/every message$/, /: off$/, /every message$/]) {
      await expect(bell).toHaveAccessibleName(level);
      await bell.click();
    }
  });
});

test("232 233 where notifications are denied the bell explains what to change", async ({
  browser,
  server,
}) => {
  const ada = await Person.arrive(browser, server, await server.setUp());
  await ada.visit("/");
  await expect(bellOf(ada)).toHaveAccessibleName(off);
  const help = ada.page.getByRole("dialog", { name: "Notifications are blocked" });
  const sections = help.locator("details");
  await bellOf(ada).click();
  await expect(help.getByRole("button", { name: "Close" })).toBeFocused();
  await expect(sections).toHaveCount(1);
  await expect(sections).toHaveAttribute("open", "");
  await expect(sections.locator("summary")).toHaveText("Browser settings");
  await expect(help.getByText("beside the address")).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await expect(help).toHaveCount(0);
  await expect(bellOf(ada)).toBeFocused();

  // Once the browser offers to install Campfire there are two, and which is wanted is for Ada to say.
  await ada.page.evaluate(() => {
    window.dispatchEvent(new Event("beforeinstallprompt", { cancelable: true }));
  });
  await bellOf(ada).click();
  await expect(sections.locator("summary")).toHaveText(["Browser settings", "Install Campfire as an app"]);
  await expect(help.locator("details[open]")).toHaveCount(0);
  await sections.last().locator("summary").click();
  await expect(help.getByRole("button", { name: "Install now" })).toBeVisible();
  await help.getByRole("button", { name: "Close" }).click();
  await expect(help).toHaveCount(0);
  await expect(bellOf(ada)).toBeFocused();
});

test("a subscription the server refuses is dropped", async ({ server }) => {
  const token = await server.setUp();
  await atHome(async (context) => {
    await context.grantPermissions(["notifications"], { origin: server.url });
    const ada = await Person.atHome(context, server, token);
    ada.expectRefusal(/400/);
    await ada.visit("/");
    await ada.page.route("**/RegisterPushSubscription", (route) =>
      route.fulfill({ status: 400, json: { code: "invalid_argument", message: "endpoint is not public" } }),
    );
    await bellOf(ada).click();
    await expect(ada.page.getByTestId("flash")).toContainText("Endpoint is not public.");
    await expect(bellOf(ada)).toHaveAccessibleName(off);
    expect(await endpoint(ada.page)).toBeUndefined();
    await ada.page.unroute("**/RegisterPushSubscription");
    await bellOf(ada).click();
    await expect(bellOf(ada)).toHaveAccessibleName(mentions);
  });
});

test("242 logging out ends the device’s notifications", async ({ server }) => {
  const token = await server.setUp();
  const other = await signIn(server, "Ada Lovelace");
  await atHome(async (context) => {
    const ada = await subscribed(context, server, token);
    expect(await devices(server, other)).toHaveLength(1);
    await ada.visit("/users/me/profile");
    await ada.page.getByRole("button", { name: "Log out" }).click();
    await expect(ada.page).toHaveURL(/session\/new$/);
    expect(await devices(server, other)).toEqual([]);
    expect(await endpoint(ada.page)).toBeUndefined();
  });
});

test("a device whose session ends, or that another takes over, tells nobody’s messages", async ({
  server,
}) => {
  const token = await server.setUp();
  const benToken = await server.join(token, "Ben Franklin");
  await atHome(async (context) => {
    const ada = await subscribed(context, server, token);
    await context.addCookies([{ name: "session_token", value: benToken, url: server.url }]);
    await ada.page.reload();
    await expect(bellOf(ada)).toHaveAccessibleName(off);
    expect(await endpoint(ada.page)).toBeUndefined();
    await bellOf(ada).click();
    await expect(bellOf(ada)).toHaveAccessibleName(mentions);
    expect(await devices(server, benToken)).toHaveLength(1);

    ada.expectRefusal(/401/);
    await server.ask("SessionService", "SignOut", {}, benToken);
    await expect(ada.page).toHaveURL(/session\/new$/);
    await expect.poll(() => endpoint(ada.page)).toBeUndefined();
  });
});

test("what the browser lost is subscribed anew; what was taken off the list is not", async ({ server }) => {
  const token = await server.setUp();
  await atHome(async (context) => {
    const ada = await subscribed(context, server, token);
    const before = await endpoint(ada.page);
    await ada.page.evaluate(async () => {
      const { pushManager } = await navigator.serviceWorker.ready;
      await (await pushManager.getSubscription())!.unsubscribe();
    });
    await ada.page.reload();
    await expect(bellOf(ada)).toHaveAccessibleName(mentions);
    const after = await endpoint(ada.page);
    expect(after).not.toBe(before);
    const known = await devices(server, token);
    expect(known.map((d) => d.endpoint)).toContain(after);

    for (const { id } of known)
      await server.ask("PushService", "RemovePushSubscription", { subscriptionId: id }, token);
    await ada.page.reload();
    await expect(bellOf(ada)).toHaveAccessibleName(off);
    expect(await endpoint(ada.page)).toBeUndefined();
  });
});

test("a subscription the browser replaces by itself is made known", async ({ server }) => {
  const token = await server.setUp();
  await atHome(async (context) => {
    const ada = await subscribed(context, server, token);
    const [before] = await devices(server, token);
    await ada.page.evaluate(async () => {
      const { pushManager } = await navigator.serviceWorker.ready;
      await (await pushManager.getSubscription())!.unsubscribe();
    });
    const [worker] = context.serviceWorkers();
    await worker!.evaluate(`self.dispatchEvent(new ExtendableEvent("pushsubscriptionchange"))`);
    await expect.poll(async () => (await devices(server, token)).length).toBe(2);
    const [now] = await devices(server, token);
    expect(now!.endpoint).not.toBe(before!.endpoint);
    expect(now!.endpoint).toBe(await endpoint(ada.page));
    await ada.page.reload();
    await expect(bellOf(ada)).toHaveAccessibleName(mentions);
  });
});

test("243 the page of one’s devices tries them and takes them off", async ({ server }) => {
  const token = await server.setUp();
  await atHome(async (context) => {
    const ada = await subscribed(context, server, token);
    await ada.visit("/users/me/profile");
    await ada.page.getByRole("link", { name: "Devices with notifications" }).click();
    const device = ada.page.getByTestId("device");
    await expect(device).toContainText(/Chrome \d+ on Linux/);
    await expect(device).toContainText((await endpoint(ada.page))!);
    // There is no way to a push service from here, and that is said.
    ada.expectRefusal(/503/);
    await device.getByRole("button", { name: /^Send test notification to Chrome/ }).click();
    await expect(ada.page.getByTestId("flash")).toContainText("did not take it", { timeout: 15_000 });
    await device.getByRole("button", { name: /^Delete Chrome/ }).click();
    await ada.page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await expect(device).toHaveCount(0);
    await expect(ada.page.getByText("None yet")).toBeVisible();
    expect(await devices(server, token)).toEqual([]);
    expect(await endpoint(ada.page)).toBeUndefined();
    await ada.visit("/");
    await expect(bellOf(ada)).toHaveAccessibleName(off);
  });
});

async function signIn(server: Server, name: string): Promise<string> {
  const who = { emailAddress: emailOf(name), password };
  const { sessionToken } = await server.ask<{ sessionToken: string }>("SessionService", "SignIn", who);
  return sessionToken;
}
