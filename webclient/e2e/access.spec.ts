import { createECDH, randomBytes } from "node:crypto";
import AxeBuilder from "@axe-core/playwright";
import { type Page } from "@playwright/test";
import { expect, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

async function check(page: Page, screen: string) {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa"]).analyze();
  const found = violations.map(
    (v) => `${screen}: ${v.id} ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`,
  );
  expect(found).toEqual([]);
}

/** Checks a screen by day, and by night what the night changes: the contrast. */
async function checkBoth(page: Page, screen: string) {
  await check(page, screen);
  await page.emulateMedia({ colorScheme: "dark" });
  const { violations } = await new AxeBuilder({ page }).withRules(["color-contrast"]).analyze();
  const found = violations.flatMap((v) => v.nodes.map((n) => n.target.join(" ")));
  expect(found, `contrast of ${screen} in the dark`).toEqual([]);
  await page.emulateMedia({ colorScheme: "light" });
}

test("318 no part of a room has violations of WCAG A or AA, in either scheme", async ({ browser }) => {
  test.setTimeout(120_000);
  const still = { reducedMotion: "reduce", colorScheme: "light" } as const;
  const stranger = await Person.arrive(browser, server, undefined, still);
  await stranger.visit("/first_run");
  await expect(stranger.page.getByLabel("Name")).toBeVisible();
  await checkBoth(stranger.page, "first run");

  const token = await server.setUp();
  const ben = await server.join(token, "Ben Okri");
  const roomId = await server.room(token);
  const { joinCode } = await server.ask<{ joinCode: string }>("AccountService", "GetJoinCode", {}, token);
  const html =
    "<div>Hello <b>you</b>, see <a href='https://example.com'>this</a></div><blockquote>so</blockquote>";
  const messageId = await server.post(ben, roomId, { html });
  await server.ask("MessageService", "AddBoost", { messageId, content: "👍" }, token);
  await server.post(token, roomId, { text: "And mine" });

  await stranger.visit("/session/new");
  await expect(stranger.page.getByRole("button", { name: "Go" })).toBeVisible();
  await checkBoth(stranger.page, "sign-in");
  await stranger.visit(`/join/${joinCode}`);
  await expect(stranger.page.getByRole("button", { name: "Join" })).toBeVisible();
  await checkBoth(stranger.page, "join");

  const ada = await Person.arrive(browser, server, token, still);
  await ada.visit(`/rooms/${roomId}`);
  await expect(ada.message("And mine")).toBeVisible();
  await expect(ada.composer).toHaveAttribute("data-ready", "");
  await checkBoth(ada.page, "room");
  await ada.options("Hello");
  await checkBoth(ada.page, "message options");
  await ada.page.keyboard.press("Escape");
  await (await ada.options("And mine")).getByRole("button", { name: "Edit" }).click();
  await expect(ada.page.getByRole("textbox", { name: "Edit message" })).toBeFocused();
  await checkBoth(ada.page, "editing");
  await ada.page.keyboard.press("Escape");
  await ada.page.getByRole("button", { name: "Formatting" }).click();
  await checkBoth(ada.page, "formatting");
  await ada.page.getByRole("button", { name: "New Ping" }).click();
  await ada.page.getByRole("combobox", { name: "People to ping" }).fill("b");
  await expect(ada.page.getByRole("option")).toBeVisible();
  await checkBoth(ada.page, "new ping");
  await ada.page.keyboard.press("Escape");
  await ada.page.getByTestId("nav").getByTestId("bell").click();
  await expect(ada.page.getByRole("dialog", { name: "Notifications are blocked" })).toBeVisible();
  await checkBoth(ada.page, "help with notifications");
  await ada.visit("/nowhere");
  await checkBoth(ada.page, "not found");
});

test("318 nor has any other screen, in either scheme", async ({ browser }) => {
  test.setTimeout(300_000); // there are many of them: a slow machine takes three minutes
  const token = await server.setUp();
  const benId = await server.idOf(await server.join(token, "Ben Okri"));
  const cleoId = await server.idOf(await server.join(token, "Cleo Ray"));
  const roomId = await server.room(token);
  const closed = await server.makeRoom(token, "Design", [benId]);
  const ping = await server.ping(token, benId);
  await server.post(token, roomId, { text: "light the lamp" });
  const { bot } = await server.ask<{ bot: { user: { id: string } } }>(
    "BotService",
    "CreateBot",
    { name: "Robo" },
    token,
  );
  await server.ask("UserService", "BanUser", { userId: cleoId }, token);
  const keys = {
    p256dhKey: createECDH("prime256v1").generateKeys("base64url"),
    authKey: randomBytes(16).toString("base64url"),
  };
  const device = { endpoint: "https://push.example.com/1", ...keys };
  await server.ask("PushService", "RegisterPushSubscription", device, token);
  // Each with something that is there once all of it is.
  const screens = [
    ["/rooms/closeds/new", ".panel__list .avatar img"],
    [`/rooms/closeds/${closed}/edit`, ".panel__list .avatar img"],
    [`/rooms/directs/${ping}/edit`, ".directs--edit img"],
    ["/searches?q=lamp", "[data-testid=message]"],
    ["/searches", "#sidebar [data-testid=recents] a"],
    ["/users/me/profile", "[data-testid=sessions]"],
    ["/users/me/push_subscriptions", "[data-testid=device]"],
    [`/users/${benId}`, "[data-testid=transfer]"],
    [`/users/${cleoId}`, ".btn--negative"],
    ["/account/bots", "[data-testid=bot] .bot__room"],
    [`/account/bots/${bot.user.id}/edit`, ".btn--negative"],
    ["/account/custom_styles/edit", "textarea"],
    ["/account/edit", "[data-testid=people] img"],
  ] as const;
  const ada = await Person.arrive(browser, server, token, { reducedMotion: "reduce", colorScheme: "light" });
  const { page } = ada;
  for (const [path, sign] of screens) {
    await ada.visit(path);
    await expect(page.locator(sign).first()).toBeVisible();
    await checkBoth(page, path);
  }
  // The last of them is still there.
  await page.getByRole("button", { name: "Translate" }).click();
  await expect(page.getByTestId("translations")).toBeVisible();
  await checkBoth(page, "translations");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "QR code" }).click();
  await expect(page.getByTestId("lightbox")).toBeVisible();
  await checkBoth(page, "lightbox");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Remove Ben Okri" }).click();
  await checkBoth(page, "a question");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Choose the logo" }).click();
  await checkBoth(page, "a notice");

  const stranger = await Person.arrive(browser, server, undefined, { reducedMotion: "reduce" });
  stranger.expectRefusal(/400.*ClaimTransfer/);
  await stranger.visit("/session/transfers/stale");
  await expect(stranger.page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await checkBoth(stranger.page, "a stale sign-in link");
  const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:114.0) Gecko/20100101 Firefox/114.0";
  const old = await Person.arrive(browser, server, undefined, { reducedMotion: "reduce", userAgent });
  await old.visit("/");
  await expect(old.page.getByRole("heading")).toBeVisible();
  await checkBoth(old.page, "an old browser");
});

test("319 everything in a room can be reached and used by keyboard", async ({ browser }) => {
  const token = await server.setUp();
  const roomId = await server.room(token);
  await server.post(token, roomId, { text: "press my keys" });
  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/${roomId}`);
  await expect(ada.message("press my keys")).toBeVisible();
  await expect(ada.composer).toBeFocused();

  await ada.page.keyboard.press("ArrowUp");
  await expect(ada.page.getByRole("textbox", { name: "Edit message" })).toBeFocused();
  await ada.page.keyboard.press("End");
  await ada.page.keyboard.type("!");
  await ada.page.keyboard.press("Control+Enter");
  await expect(ada.message("press my keys!")).toBeVisible();
  await expect(ada.composer).toBeFocused();
  const options = ada.page.getByRole("button", { name: "Message options" });
  await ada.page.keyboard.press("Shift+Tab");
  await expect(ada.page.getByRole("link", { name: "Search" })).toBeFocused();
  await ada.page.keyboard.press("Shift+Tab");
  await expect(options).toBeFocused();
  await ada.page.keyboard.press("Enter");
  await ada.page.keyboard.press("Tab");
  await expect(ada.page.getByRole("button", { name: "Thumbs up" })).toBeFocused();
  await ada.page.keyboard.press("Escape");
  await expect(options).toBeFocused();
  await expect(ada.page.getByTestId("message-menu")).toHaveCount(0);

  await ada.page.reload();
  await expect(ada.composer).toBeFocused();
  const skip = ada.page.getByRole("link", { name: "Skip to main content" });
  expect(
    await ada.page.evaluate(() => document.querySelector("a, button, input, [tabindex]")?.textContent),
  ).toBe(await skip.textContent());
  await skip.focus();
  await expect(skip).toBeInViewport();
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.locator("#main-content")).toBeFocused();
});
