import { expect, Person, test } from "./people";
import { emailOf, password, Server } from "./server";

let server: Server;
let token: string;
test.beforeEach(async () => {
  server = await Server.start();
  token = await server.setUp();
});
test.afterEach(() => server.stop());

test("12 273 280 281 282 283 315 335 an administrator renames the account and hands out the link to join", async ({
  browser,
}) => {
  const ada = await Person.arrive(browser, server, token);
  const { page } = ada;
  await ada.visit("/account/edit");
  await expect(page.getByRole("link", { name: "Chat bots" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Custom styles" })).toBeVisible();
  await expect(page.getByText(/^Campfire \S+$/)).toBeVisible();
  const name = page.getByRole("textbox", { name: "Account name" });
  await expect(name).toBeFocused();
  await name.fill("Analytical Engines");
  await name.press("Enter");
  const flash = page.getByTestId("flash");
  await expect(flash.getByRole("alert")).toHaveText("Saved.");
  const circle = flash.locator(".flash__inner");
  await expect(circle).toHaveCSS("border-radius", "50%");
  await expect(circle).toHaveCSS("background-color", "oklch(0.6559 0.234 142.49)");
  await expect(flash).toHaveCount(0, { timeout: 4000 });

  const link = page.getByRole("textbox", { name: "The link to join" });
  const before = await link.inputValue();
  expect(before).toMatch(/\/join\/\w{4}-\w{4}-\w{4}$/);
  await page.getByRole("button", { name: "Copy the link to join" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(before);

  const scan = page.getByRole("button", { name: "Show the link to join as a QR code" });
  const lightbox = page.getByTestId("lightbox");
  await scan.click();
  const code = lightbox.getByRole("img", { name: "QR code of the link to join" });
  await expect(code).toBeVisible();
  const encoded = (await code.getAttribute("src"))!.replace("/qr_code/", "");
  expect(Buffer.from(encoded, "base64url").toString()).toBe(before);
  await expect.poll(() => code.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await page.keyboard.press("Escape");
  await expect(lightbox).toHaveCount(0);
  await expect(scan).toBeFocused();
  await page.keyboard.press("Enter");
  await lightbox.getByRole("button", { name: "Close" }).click();
  await expect(lightbox).toHaveCount(0);
  await expect(scan).toBeFocused();

  await page.getByRole("button", { name: "Make another link to join" }).click();
  await expect(link).not.toHaveValue(before);
  await expect(link).toHaveValue(/\/join\/\w{4}-\w{4}-\w{4}$/);

  const guest = await Person.arrive(browser, server);
  await guest.visit("/session/new");
  await expect(guest.page.getByRole("heading", { name: "Analytical Engines" })).toBeVisible();
});

test("275 276 277 278 279 282 an administrator gives roles and removes people; members only look", async ({
  browser,
}) => {
  const benToken = await server.join(token, "Ben Okri");
  const cleoToken = await server.join(token, "Cleo Ray");
  const paul = await server.join(token, "Paul");
  await server.ask("BotService", "CreateBot", { name: "Robo" }, token);
  await server.ask("UserService", "BanUser", { userId: await server.idOf(paul) }, token);
  const room = await server.room(token);
  await server.post(cleoToken, room, { text: "I was here" });
  const ada = await Person.arrive(browser, server, token);
  const ben = await Person.arrive(browser, server, benToken);
  const { page } = ada;
  await ada.visit("/account/edit");
  const administrators = page.getByRole("list", { name: "Administrators" }).locator(".membership-item__name");
  const members = page.getByRole("list", { name: "Members" }).locator(".membership-item__name");
  await expect(administrators).toHaveText(["Ada Lovelace"]);
  await expect(members).toHaveText(["Ben Okri", "Cleo Ray", "Paul"]);
  const row = (name: string) => page.getByRole("listitem").filter({ hasText: name });
  await expect(row("Ada Lovelace").getByRole("link", { name: "My profile" })).toBeVisible();
  await expect(row("Ada Lovelace").getByRole("button", { name: /Remove/ })).toHaveCount(0);
  await expect(row("Ada Lovelace").getByRole("checkbox")).toBeDisabled();
  await expect(row("Paul").locator(".avatar--banned")).toBeVisible();
  await expect(row("Paul").locator("button, input")).toHaveCount(0);

  const crown = page.getByRole("checkbox", { name: /Ben Okri, Role:/ });
  await expect(crown).toHaveAccessibleName("Ben Okri, Role: Member");
  await crown.check({ force: true });
  await expect(administrators).toHaveText(["Ada Lovelace", "Ben Okri"]);
  await expect(crown).toHaveAccessibleName("Ben Okri, Role: Administrator");
  await ben.visit("/account/edit");
  await expect(ben.page.getByRole("link", { name: "Chat bots" })).toBeVisible();
  await crown.uncheck({ force: true });
  await expect(administrators).toHaveText(["Ada Lovelace"]);
  await expect(ben.page.getByRole("link", { name: "Chat bots" })).toHaveCount(0);

  await ben.page.reload();
  const seen = ben.page.getByTestId("people");
  await expect(seen.locator(".membership-item__name")).toHaveText(["Ada Lovelace", "Ben Okri", "Cleo Ray"]);
  await expect(seen.locator("button, input")).toHaveCount(0);
  await expect(seen.getByRole("link", { name: "My profile" })).toHaveCount(1);

  const cleo = await Person.arrive(browser, server, cleoToken);
  await cleo.visit("/");
  await expect(cleo.message("I was here")).toBeVisible();
  cleo.expectRefusal(/401/);
  await page.getByRole("button", { name: "Remove Cleo Ray" }).click();
  await expect(page.getByRole("dialog")).toContainText("Take Cleo Ray off this account permanently?");
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(members).toHaveText(["Ben Okri", "Paul"]);
  await expect(cleo.page).toHaveURL(/\/session\/new$/);
  await ada.visit(`/rooms/${room}`);
  await expect(ada.message("I was here")).toBeVisible();
});

test("15 293 294 295 296 custom styles apply to everyone, after all others, and go again", async ({
  browser,
}) => {
  const benToken = await server.join(token, "Ben Okri");
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit("/account/custom_styles/edit");
  await expect(ben.page.getByRole("heading", { name: "Only administrators may see this." })).toBeAttached();
  await ben.visit("/");
  await expect(ben.page.getByTestId("room-title")).toBeVisible();

  const ada = await Person.arrive(browser, server, token);
  const guest = await Person.arrive(browser, server);
  await guest.visit("/session/new");
  await ada.visit("/account/custom_styles/edit");
  const css = ada.page.getByRole("textbox", { name: "Custom CSS" });
  await expect(css).toBeFocused();
  await css.fill("body { background-color: rgb(1, 2, 3) }");
  await css.press("Control+Enter");
  await expect(ada.page.getByRole("alert")).toHaveText(/Saved/);
  for (const person of [ada, ben])
    await expect(person.page.locator("body")).toHaveCSS("background-color", "rgb(1, 2, 3)");
  await guest.page.reload();
  await expect(guest.page.locator("body")).toHaveCSS("background-color", "rgb(1, 2, 3)");
  const last = await guest.page.evaluate(() => [...document.styleSheets].at(-1)?.href);
  expect(last).toContain("/custom.css");

  await css.fill("");
  await ada.page.getByRole("button", { name: "Save" }).click();
  await expect(ben.page.locator("body")).toHaveCSS("background-color", "oklch(1 0 0)");
  await expect(ben.page.locator("link[href^='/custom.css']")).toHaveCount(1);
});

test("284 285 286 288 289 290 291 292 334 bots are made, changed, given new keys and deleted", async ({
  browser,
}) => {
  const benToken = await server.join(token, "Ben Okri");
  const ben = await Person.arrive(browser, server, benToken);
  for (const path of ["/account/bots", "/account/bots/new", "/account/bots/1/edit"]) {
    await ben.visit(path);
    await expect(ben.page.getByRole("heading", { name: "Only administrators may see this." })).toBeAttached();
  }

  const roomId = await server.room(token);
  const closed = await server.makeRoom(token, "Design", []);
  const ada = await Person.arrive(browser, server, token);
  const { page } = ada;
  await ada.visit("/account/bots");
  await expect(page.getByTestId("bot")).toHaveCount(0);
  await page.getByRole("link", { name: "Add a chat bot" }).click();
  const name = page.getByRole("textbox", { name: "Name the bot" });
  const webhook = page.getByRole("textbox", { name: "Webhook URL" });
  await expect(name).toBeFocused();
  const invalid = (field: typeof name) => field.evaluate((input: HTMLInputElement) => !input.validity.valid);
  await page.getByRole("button", { name: "Save" }).click();
  expect(await invalid(name)).toBe(true);
  await name.fill("Robo");
  await webhook.fill("not an address");
  await page.getByRole("button", { name: "Save" }).click();
  expect(await invalid(webhook)).toBe(true);
  await webhook.fill("http://127.0.0.1:9/hook");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/account\/bots$/);

  const card = page.getByTestId("bot").filter({ hasText: "Robo" });
  const key = await card.getByLabel("Key of Robo").inputValue();
  expect(key).toMatch(/^\d+-\S+$/);
  const line = (what: string) => card.getByRole("textbox", { name: what });
  await expect(card.getByRole("group")).toHaveCount(1); // Design is closed to it
  await expect(line("Posts a message to All Talk")).toHaveValue(
    `curl -d 'Hello!' ${server.url}/rooms/${roomId}/${key}/messages`,
  );
  await expect(line("Posts a file to All Talk")).toHaveValue(
    `curl -F "attachment=@/path/to/file" ${server.url}/rooms/${roomId}/${key}/messages`,
  );
  await expect(card.getByText("Coming in v2.0")).toHaveCount(1);
  await card.getByRole("button", { name: "Copy: Posts a message to All Talk" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    await line("Posts a message to All Talk").inputValue(),
  );

  await test.step("a closed room shows on its card once it is a member", async () => {
    await ada.visit(`/rooms/closeds/${closed}/edit`);
    await page.getByRole("switch", { name: "Robo has access" }).check({ force: true });
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByTestId("room-title")).toHaveText("Design");
    await ada.visit("/account/bots");
    await expect(card.getByRole("group").locator("legend")).toHaveText(["All Talk", "Design"]);
    await expect(card.getByLabel("Key of Robo")).toHaveCount(0); // told once
  });

  await test.step("a new key ends the old one", async () => {
    const works = async (botKey: string) =>
      (await server.call("SessionService", "GetCurrentUser", {}, botKey)).status === 200;
    expect(await works(key)).toBe(true);
    await card.getByRole("link", { name: "Edit Robo" }).click();
    await page.getByRole("button", { name: "New key" }).click();
    await expect(page.getByRole("dialog")).toContainText("The old one stops working at once.");
    await page.getByRole("dialog").getByRole("button", { name: "New key" }).click();
    const next = await card.getByLabel("Key of Robo").inputValue();
    expect(next).not.toBe(key);
    expect(await works(key)).toBe(false);
    expect(await works(next)).toBe(true);
  });

  await test.step("its name and webhook change", async () => {
    await card.getByRole("link", { name: "Edit Robo" }).click();
    await expect(webhook).toHaveValue("http://127.0.0.1:9/hook");
    await name.fill("Robina");
    await webhook.fill("");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("link", { name: "Edit Robina" }).click();
    await expect(name).toHaveValue("Robina");
    await expect(webhook).toHaveValue("");
  });

  await test.step("and it is deleted, after a question", async () => {
    await page.getByRole("button", { name: "Delete bot" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(page).toHaveURL(/\/account\/bots$/);
    await expect(page.getByRole("heading", { name: "Chat bots" })).toBeVisible();
    await expect(page.getByTestId("bot")).toHaveCount(0);
  });
});

test("287 the line on a bot’s card posts into the room, live", async ({ browser }) => {
  const roomId = await server.room(token);
  const { botKey } = await server.ask<{ botKey: string }>("BotService", "CreateBot", { name: "Robo" }, token);
  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/${roomId}`);
  await expect(ada.composer).toBeVisible();
  const answer = await fetch(`${server.url}/rooms/${roomId}/${botKey}/messages`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" }, // as curl -d says it
    body: "Hello!",
  });
  expect(answer.status).toBe(201);
  await expect(ada.message("Hello!")).toBeVisible();
  await expect(ada.message("Hello!").getByTestId("message-author")).toHaveText("Robo");
});

test("332 336 pictures are shown whole and come in v2.0", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, token);
  const { page } = ada;
  const notice = page.getByTestId("notice-v2");
  const places = [
    ["/account/edit", "Choose the logo", /Coming in v2.0.*Custom logos available in v2.0/],
    ["/users/me/profile", "Choose your picture", /Coming in v2.0/],
    ["/account/bots/new", "Choose the bot’s picture", /Coming in v2.0/],
  ] as const;
  for (const [path, name, says] of places) {
    await ada.visit(path);
    const camera = page.getByRole("button", { name });
    await camera.click();
    await expect(notice).toHaveText(says);
    await expect(notice).toHaveRole("status");
    await expect(camera).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(notice).toHaveCount(0);
  }
  await page.getByRole("button", { name: "The bot’s picture", exact: true }).click();
  await expect(notice).toBeVisible();
  await page.getByRole("textbox", { name: "Name the bot" }).fill("Robo");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByTestId("bot")).toBeVisible();

  const { joinCode } = await server.ask<{ joinCode: string }>("AccountService", "GetJoinCode", {}, token);
  const ben = await Person.arrive(browser, server);
  await ben.visit(`/join/${joinCode}`);
  await ben.page.getByRole("button", { name: "Choose your picture" }).click();
  await expect(ben.page.getByTestId("notice-v2")).toHaveText(/Coming in v2.0/);
  await ben.introduce("Ben Okri", emailOf("Ben Okri"), password, "Join");
  await expect(ben.page.getByTestId("room-title")).toBeVisible();
});

test("what others change of people and of the link to join is seen at once", async ({ browser }) => {
  const benToken = await server.join(token, "Ben Okri");
  const ben = await server.idOf(benToken);
  await server.ask("UserService", "SetUserRole", { userId: ben, role: "USER_ROLE_ADMINISTRATOR" }, token);
  const ada = await Person.arrive(browser, server, token);
  await ada.visit("/account/edit");
  const names = (list: string) =>
    ada.page.getByRole("list", { name: list }).locator(".membership-item__name");
  await expect(names("Administrators")).toHaveText(["Ada Lovelace", "Ben Okri"]);
  await server.ask("UserService", "UpdateProfile", { name: "Abe Okri", bio: "Builds kettles." }, benToken);
  await expect(names("Administrators")).toHaveText(["Abe Okri", "Ada Lovelace"]);
  const cleo = await server.join(token, "Cleo Ray");
  await expect(names("Members")).toHaveText(["Cleo Ray"]);
  await server.ask("UserService", "DeactivateUser", { userId: await server.idOf(cleo) }, benToken);
  await expect(names("Members")).toHaveCount(0);

  const link = ada.page.getByRole("textbox", { name: "The link to join" });
  const { joinCode } = await server.ask<{ joinCode: string }>(
    "AccountService",
    "ResetJoinCode",
    {},
    benToken,
  );
  await expect(link).toHaveValue(`${server.url}/join/${joinCode}`);

  await ada.visit(`/users/${ben}`);
  await expect(ada.page.getByText("Builds kettles.")).toBeVisible();
  await server.ask("UserService", "UpdateProfile", { name: "Ben Okri", bio: "Built kettles." }, benToken);
  await expect(ada.page.getByRole("heading", { name: "Ben Okri" })).toBeVisible();
  await expect(ada.page.getByText("Built kettles.")).toBeVisible();
  await expect(ada.page.getByRole("link", { name: "ben.okri@example.com" })).toBeVisible();
});
