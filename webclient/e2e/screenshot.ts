import { createECDH, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { Person } from "./people";
import { atHome } from "./push-service";
import { Server } from "./server";

// Not a test: makes the pictures of the README and of the manifest, and of every screen in webclient/screens for looking at.

const docs = resolve(import.meta.dirname, "../../docs");
const offers = resolve(import.meta.dirname, "../public/screenshots");
const screens = resolve(import.meta.dirname, "../screens");

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

test("the pictures for the README and for the offer to install", async () => {
  const { ada, roomId } = await furnish();
  await atHome(async (context) => {
    await context.grantPermissions(["notifications"], { origin: server.url });
    const { page } = await Person.atHome(context, server, ada);
    await page.goto(`${server.url}/rooms/${roomId}`);
    await settled(page);
    await page.getByTestId("nav").getByTestId("bell").click();
    await page.getByRole("button", { name: "Notifications: only when mentioned" }).waitFor();
    const shoot = async (path: string) => {
      await page.reload(); // what was new is read
      await settled(page);
      mkdirSync(dirname(path), { recursive: true });
      await page.screenshot({ path });
    };
    await shoot(`${docs}/screenshot.png`);
    await page.emulateMedia({ colorScheme: "dark" });
    await shoot(`${docs}/screenshot-dark.png`);
    await page.emulateMedia({ colorScheme: "light" });
    await shoot(`${offers}/wide.png`);
    await page.setViewportSize({ width: 390, height: 844 });
    await shoot(`${offers}/narrow.png`);
    await page.getByTestId("drawer-toggle").click();
    await page.waitForTimeout(500);
    await page.screenshot({ path: `${offers}/narrow-rooms.png` });
  });
});

const looks = [
  { name: "wide", width: 1280, height: 800 },
  { name: "narrow", width: 390, height: 844 },
];

for (const colorScheme of ["light", "dark"] as const) {
  for (const { name, width, height } of looks) {
    test(`every screen, ${name} and ${colorScheme}`, async ({ browser }) => {
      test.setTimeout(240_000);
      const dir = `${screens}/${name}-${colorScheme}`;
      mkdirSync(dir, { recursive: true });
      const narrow = width < 800;
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme,
        hasTouch: narrow,
        isMobile: narrow,
      });
      const page = await context.newPage();
      const shoot = async (as: string) => {
        await page.waitForTimeout(350);
        await page.screenshot({ path: `${dir}/${as}.png` });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, `${as} scrolls sideways`).toBeLessThanOrEqual(0);
      };
      const visit = async (path: string) => {
        await page.goto(server.url + path);
        await page.locator("#main-content").waitFor();
      };

      await visit("/");
      await shoot("first-run");
      const { ada, tokens, roomId, closed, ping, joinCode, first, id, botId } = await furnish();
      await visit("/session/new");
      await shoot("sign-in");
      await visit(`/join/${joinCode}`);
      await shoot("join");
      await context.addCookies([{ name: "session_token", value: ada, url: server.url }]);
      const room = async (id: string) => {
        await page.goto(`${server.url}/rooms/${id}`);
        await settled(page);
      };
      await room(first);
      await shoot("welcome");
      await room(roomId);
      await shoot("room");
      await page.getByTestId("nav").getByTestId("bell").click();
      await page.getByTestId("notifications-help").waitFor();
      await shoot("notifications-help");
      await page.keyboard.press("Escape");
      const message = page.getByTestId("message").filter({ hasText: "quiet weekend" });
      if (!narrow) await message.hover();
      await message.getByRole("button", { name: "Message options" }).click();
      await shoot("options");
      await message.getByRole("button", { name: "New boost" }).click();
      await shoot("new-boost");
      await page.keyboard.press("Escape");
      const own = page.getByTestId("message").filter({ hasText: "lighthouse" });
      if (!narrow) await own.hover();
      await own.getByRole("button", { name: "Message options" }).click();
      await own.getByRole("button", { name: "Edit" }).click();
      await shoot("edit");
      await page.getByRole("button", { name: "Delete message" }).click();
      await shoot("delete");
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Close editor and discard" }).click();
      if (!narrow) {
        await message.hover();
        await message.getByRole("button", { name: "Message options" }).click();
        await message.getByRole("button", { name: "Reply" }).click();
        await page.getByRole("button", { name: "Formatting" }).click();
        await shoot("reply");
      } else {
        await page.getByTestId("drawer-toggle").click();
        await shoot("drawer");
        await page.getByTestId("drawer-toggle").click();
      }
      await page.getByRole("button", { name: "Attach files" }).click();
      await shoot("notice");
      await page.route("**/PostMessage", (route) =>
        route.fulfill({ status: 400, json: { code: "invalid_argument", message: "this will not do" } }),
      );
      await room(roomId);
      const composer = page.getByRole("textbox", { name: "Write a message" });
      await composer.click();
      await composer.pressSequentially("This one does not get through");
      await page.getByRole("button", { name: "Send message" }).click();
      await shoot("failed");
      await page.getByRole("button", { name: "Discard" }).click();
      if (narrow) await page.getByTestId("drawer-toggle").click();
      await page.getByRole("button", { name: "New Ping" }).click();
      await page.getByRole("combobox", { name: "People to ping" }).pressSequentially("o");
      await page
        .getByRole("option")
        .first()
        .waitFor({ timeout: 3000 })
        .catch(() => undefined);
      await page.keyboard.press("Enter");
      await page.getByRole("combobox", { name: "People to ping" }).pressSequentially("m");
      await page.waitForTimeout(500);
      await shoot("new-ping");
      await room(ping);
      await shoot("ping");
      const whole = async (as: string) => {
        await page.waitForTimeout(350);
        await page.screenshot({ path: `${dir}/${as}.png`, fullPage: true });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, `${as} scrolls sideways`).toBeLessThanOrEqual(0);
      };
      await visit("/rooms/opens/new");
      await page.getByText("Grace Hopper", { exact: true }).waitFor();
      await shoot("new-open-room");
      await visit("/rooms/closeds/new");
      await page.getByText("Grace Hopper", { exact: true }).waitFor();
      await shoot("new-closed-room");
      await visit(`/rooms/closeds/${closed}/edit`);
      await page.getByText("Grace Hopper", { exact: true }).waitFor();
      await whole("room-settings");
      await visit(`/rooms/directs/${ping}/edit`);
      await page.getByText("Grace Hopper", { exact: true }).waitFor();
      await shoot("ping-settings");
      await visit("/searches?q=Tuesday");
      await page.getByTestId("message").first().waitFor();
      await shoot("search");
      await visit("/searches");
      await page.getByTestId("recents").first().waitFor({ state: "attached" });
      await shoot("search-empty");
      await visit("/users/me/profile");
      await page.getByTestId("sessions").waitFor();
      await page.getByTestId("my-rooms").waitFor();
      await whole("profile");
      await visit("/users/me/push_subscriptions");
      await page.getByText("None yet").waitFor();
      await shoot("devices-none");
      await page.getByRole("button", { name: "Go back" }).waitFor();
      const keys = { p256dhKey: p256dh, authKey: randomBytes(16).toString("base64url") };
      for (const n of [1, 2])
        await server.ask(
          "PushService",
          "RegisterPushSubscription",
          { endpoint: `https://push.example.com/send/${n}-cZ3kXq7vFhw:APA91bHPRgkF3JUikC4EN`, ...keys },
          ada,
        );
      await visit("/users/me/push_subscriptions");
      await page.getByTestId("device").first().waitFor();
      await shoot("devices");
      await visit(`/users/${id("Grace")}`);
      await page.getByTestId("transfer").waitFor();
      await whole("person");
      await visit(`/users/${id("Paul")}`);
      await page.getByRole("heading", { name: "Paul" }).waitFor();
      await whole("person-banned");
      await visit(`/users/${botId}`);
      await page.getByRole("heading", { name: "Robo" }).waitFor();
      await shoot("person-bot");
      await visit("/account/edit");
      await page.getByRole("link", { name: "Grace Hopper" }).waitFor();
      await whole("account");
      await page.getByRole("button", { name: "Translate" }).first().click();
      await page.getByTestId("translations").waitFor();
      await shoot("translations");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Show the link to join as a QR code" }).click();
      await page.getByTestId("lightbox").waitFor();
      await shoot("qr");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Remove Grace Hopper" }).click();
      await shoot("confirm");
      await page.keyboard.press("Escape");
      await visit("/account/bots");
      await page.getByTestId("bot").first().waitFor();
      await whole("bots");
      await visit("/account/bots/new");
      await page.getByRole("textbox", { name: "Name the bot" }).fill("Lamp");
      await shoot("new-bot");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByLabel("Key of Lamp").waitFor();
      await whole("bots-key");
      await visit(`/account/bots/${botId}/edit`);
      await page.getByRole("button", { name: "New key" }).waitFor();
      await shoot("edit-bot");
      await visit("/account/custom_styles/edit");
      await page.getByRole("textbox", { name: "Custom CSS" }).waitFor();
      await shoot("custom-styles");
      await visit("/nowhere");
      await shoot("not-found");
      await context.clearCookies();
      await visit("/session/transfers/stale");
      await page.getByText("no longer valid").first().waitFor();
      await shoot("transfer-stale");
      await context.addCookies([{ name: "session_token", value: tokens["Ruth"]!, url: server.url }]);
      await visit("/account/edit");
      await page.getByRole("link", { name: "Grace Hopper" }).waitFor();
      await shoot("account-member");
      await visit(`/rooms/closeds/${closed}/edit`);
      await page.getByText("Grace Hopper", { exact: true }).waitFor();
      await shoot("room-settings-member");
      await visit("/account/bots");
      await shoot("forbidden");
      await context.close();
      const old = await browser.newContext({
        viewport: { width, height },
        colorScheme,
        userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:114.0) Gecko/20100101 Firefox/114.0",
      });
      const oldPage = await old.newPage();
      await oldPage.goto(server.url);
      await oldPage.getByRole("heading").waitFor();
      await oldPage.screenshot({ path: `${dir}/too-old.png` });
      await old.close();
    });
  }
}

// A point of the curve, as a browser's key would be.
const p256dh = createECDH("prime256v1").generateKeys("base64url");

async function settled(page: Page) {
  await page.getByTestId("message").first().waitFor();
  await page.locator("trix-editor[data-ready]").waitFor();
  await page.waitForTimeout(400);
  await page.mouse.move(5, 400);
}

/** Makes an account that looks lived in. */
async function furnish() {
  const ada = await server.setUp("Ada Lovelace");
  const tokens: Record<string, string> = { Ada: ada };
  for (const name of [
    "Grace Hopper",
    "Omar Haddad",
    "Mei Lin Chen",
    "Ruth",
    "Paul",
    "Tomás Ortega",
    "Ingrid Nyberg",
  ]) {
    tokens[name.split(" ")[0]!] = await server.join(ada, name);
  }
  const make = async (name: string, token = ada) => {
    const request = { kind: "ROOM_KIND_OPEN", name };
    const { room } = await server.ask<{ room: { id: string } }>("RoomService", "CreateRoom", request, token);
    return room.id;
  };
  const roomId = await make("Launch week");
  const others: string[] = [];
  for (const name of ["Design", "Book club", "Kitchen table", "Support", "Infrastructure"])
    others.push(await make(name));
  const first = await server.room(ada, "All Talk");
  const say = (who: string, html: string, room = roomId) => server.post(tokens[who]!, room, { html });
  const boost = async (who: string, messageId: string, content: string) => {
    await server.ask("MessageService", "AddBoost", { messageId, content }, tokens[who]);
  };

  await say("Grace", "Morning! 👋", first);
  await say("Omar", "Hello everyone, glad to be here.", first);
  await say("Ada", "Make yourselves at home.", first);

  await say("Grace", "Morning all. The release notes are ready for a last look:");
  await say(
    "Grace",
    "<ul><li>Streams pick up where they left off</li><li>Search in every room you are in</li><li>One file to back up</li></ul>",
  );
  await say("Tomás", "Reading them now. The part about backups is <strong>so</strong> much clearer.");
  const tuesday = await say("Omar", "So it is Tuesday, then? I would love a quiet weekend before it.");
  await boost("Mei", tuesday, "👍");
  await boost("Ada", tuesday, "Please, yes");
  await say("Ada", "Tuesday it is. I have drawn us a lighthouse for the front page.");
  const done = await say(
    "Ada",
    "Build is green, <em>all</em> of it: <pre>ok  campfire/store   4.1s\nok  campfire/server  6.8s</pre>",
  );
  await boost("Tomás", done, "🎉");
  await boost("Grace", done, "🔥");
  await boost("Ingrid", done, "👏");
  await say("Mei", "🚀");
  await say("Ingrid", "I will bring cinnamon buns on Tuesday. No discussion.");

  const users = await server.ask<{ users: { id: string; name: string }[] }>(
    "UserService",
    "ListUsers",
    {},
    ada,
  );
  const id = (name: string) => users.users.find((u) => u.name.startsWith(name))!.id;
  const open = async (token: string, ...userIds: string[]) => {
    const { room } = await server.ask<{ room: { id: string } }>(
      "RoomService",
      "OpenDirectRoom",
      { userIds },
      token,
    );
    return room.id;
  };
  const ping = await open(ada, id("Grace"));
  await say("Grace", "Do you have a minute after lunch?", ping);
  await say("Ada", "Always.", ping);
  const trio = await open(tokens["Mei"]!, id("Ada"), id("Tomás"));
  await say("Mei", "Three of us could do it.", trio);
  await say("Omar", "Who has the printer?", others[1]);
  const { room } = await server.ask<{ room: { id: string } }>(
    "RoomService",
    "CreateRoom",
    { kind: "ROOM_KIND_CLOSED", name: "Surprise party", memberIds: [id("Grace"), id("Ruth")] },
    ada,
  );
  await open(ada, id("Mei"), id("Omar"), id("Ruth"), id("Ingrid"));
  const { bot } = await server.ask<{ bot: { user: { id: string } } }>(
    "BotService",
    "CreateBot",
    { name: "Robo" },
    ada,
  );
  await server.ask("UserService", "BanUser", { userId: id("Paul") }, ada);
  const bio = "Finds bugs, sometimes actual ones.";
  await server.ask("UserService", "UpdateProfile", { bio }, tokens["Grace"]);
  for (const query of ["lighthouse", "cinnamon buns", "release"])
    await server.ask("SearchService", "SearchMessages", { query, remember: true }, ada);
  const { joinCode } = await server.ask<{ joinCode: string }>("AccountService", "GetJoinCode", {}, ada);
  return { ada, tokens, roomId, closed: room.id, ping, joinCode, first, id, botId: bot.user.id };
}
