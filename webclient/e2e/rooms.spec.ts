import { type Locator } from "@playwright/test";
import { expect, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
let token: string;
let benToken: string;
test.beforeEach(async () => {
  server = await Server.start();
  token = await server.setUp();
  benToken = await server.join(token, "Ben Okri");
});
test.afterEach(() => server.stop());

/** The entries of someone's sidebar. */
function rooms(person: Person): Locator {
  return person.page.getByTestId("room-link");
}

function title(person: Person): Locator {
  return person.page.getByTestId("room-title");
}

test("185 190 210 211 212 216 217 a new room is for everyone or for whom one chooses", async ({
  browser,
}) => {
  await server.join(token, "Cleo Ray");
  await server.ask("BotService", "CreateBot", { name: "Robo" }, token);
  const ada = await Person.arrive(browser, server, token);
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit("/");
  await expect(rooms(ben)).toHaveText(["All Talk"]);
  await ada.visit("/");
  await ada.page.getByTestId("new-room").click();
  const { page } = ada;
  const name = page.getByLabel("Room name");
  const everyone = page.getByRole("switch", { name: "Everyone has access" });
  await expect(name).toBeFocused();
  await expect(name).toHaveValue("New room");
  await expect(everyone).toBeChecked();
  const people = page.getByTestId("people");
  await expect(people.getByText("has access", { exact: true })).toHaveCount(4);
  await expect(people.locator(".membership-item__name")).toHaveText([
    "Everyone",
    "Ada Lovelace",
    "Ben Okri",
    "Cleo Ray",
    "Robo",
  ]);

  await name.fill("  ");
  await page.getByRole("button", { name: "Save" }).click();
  expect(await name.evaluate((field: HTMLInputElement) => field.validity.valid)).toBe(false);
  await name.fill("Engines");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(title(ada)).toHaveText("Engines");
  await expect(rooms(ben)).toHaveText(["All Talk", "Engines"]);

  await page.getByTestId("new-room").click();
  await name.fill("bellows");
  await everyone.click();
  await expect(page).toHaveURL(/closeds\/new$/);
  await expect(name).toHaveValue("bellows");
  await expect(page.getByRole("switch", { name: "Ada Lovelace has access" })).toHaveCount(0);
  await expect(page.getByRole("switch", { name: "Ben Okri has access" })).not.toBeChecked();
  await everyone.click();
  await everyone.click();
  await page.getByTestId("nav").getByRole("button", { name: "Go back" }).click();
  await expect(title(ada)).toHaveText("Engines");

  await page.getByTestId("new-room").click();
  await everyone.click();
  await name.fill("Secrets");
  await page.getByRole("switch", { name: "Cleo Ray has access" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(title(ada)).toHaveText("Secrets");
  const members = await server.ask<{ members: { name: string }[] }>(
    "RoomService",
    "ListMembers",
    { roomId: page.url().split("/").at(-1) },
    token,
  );
  expect(members.members.map((u) => u.name)).toEqual(["Ada Lovelace", "Cleo Ray"]);
  await expect(rooms(ada)).toHaveText(["All Talk", "Engines", "Secrets"]);
  await expect(rooms(ben)).toHaveText(["All Talk", "Engines"]);
});

test("186 187 218 221 222 224 who may change a room renames, closes, opens and deletes it", async ({
  browser,
}) => {
  const id = await server.makeRoom(benToken, "Engines");
  const ben = await Person.arrive(browser, server, benToken); // who made it
  const ada = await Person.arrive(browser, server, token); // who is an administrator
  await ben.visit("/");
  await server.post(token, id, { text: "ping" });
  const engines = rooms(ben).filter({ hasText: "Engines" });
  await expect(engines).toHaveAttribute("data-unread", "");

  await test.step("renaming keeps the unread mark", async () => {
    await ada.visit(`/rooms/${id}`);
    await ada.page.getByTestId("room-settings").click();
    await expect(ada.page.getByRole("heading", { name: "Settings of Engines" })).toBeAttached();
    await ada.page.getByLabel("Room name").fill("a first room");
    await ada.page.getByRole("button", { name: "Save" }).click();
    await expect(title(ada)).toHaveText("a first room");
    await expect(rooms(ben)).toHaveText([/^a first room/, "All Talk"]);
    await expect(rooms(ben).first()).toHaveAttribute("data-unread", "");
  });

  await test.step("closing it takes out who is not chosen, at once", async () => {
    await ben.page.getByTestId("room-link").first().click();
    await expect(ben.message("ping")).toBeVisible();
    await ada.page.getByTestId("room-settings").click();
    const everyone = ada.page.getByRole("switch", { name: "Everyone has access" });
    await everyone.click();
    await expect(everyone).not.toBeChecked();
    await ada.page.getByRole("switch", { name: "Ben Okri has access" }).click();
    await ada.page.getByRole("button", { name: "Save" }).click();
    await expect(title(ada)).toHaveText("a first room");
    ben.expectRefusal(/404/); // he is shown out
    await expect(title(ben)).toHaveText("All Talk");
    await expect(ben.page.getByRole("alert")).toHaveText(/gone or you don’t have access/);
    await expect(rooms(ben)).toHaveText(["All Talk"]);
    await ada.write("without ben");
    await expect(ada.message("without ben")).toBeVisible();
    await expect(ben.page.getByText("without ben")).toHaveCount(0);
    await expect(rooms(ben)).toHaveText(["All Talk"]);
  });

  await test.step("opening it lets everyone in", async () => {
    await ada.page.getByTestId("room-settings").click();
    await ada.page.getByRole("switch", { name: "Everyone has access" }).click();
    await ada.page.getByRole("button", { name: "Save" }).click();
    await expect(rooms(ben)).toHaveText([/^a first room/, "All Talk"]);
  });

  await test.step("its maker deletes it, after a question", async () => {
    await ben.visit(`/rooms/opens/${id}/edit`);
    await ben.page.getByRole("button", { name: "Delete a first room" }).click();
    await ben.page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await expect(ben.page.getByRole("button", { name: "Delete a first room" })).toBeFocused();
    await ben.page.keyboard.press("Enter");
    await expect(ben.page.getByRole("dialog")).toContainText("There is no undo.");
    ada.expectRefusal(/404/); // she was looking at it
    await ben.page.keyboard.press("Enter");
    await expect(title(ben)).toHaveText("All Talk");
    await expect(rooms(ben)).toHaveText(["All Talk"]);
    await expect(rooms(ada)).toHaveText(["All Talk"]);
  });
});

test("219 220 223 others see a room’s people without controls, and one may leave", async ({ browser }) => {
  const ben = await Person.arrive(browser, server, benToken);
  const ada = await Person.arrive(browser, server, token);
  await server.join(token, "Cleo Ray");
  const closed = await server.makeRoom(token, "Design", [await server.idOf(benToken)]);
  await ben.visit(`/rooms/closeds/${closed}/edit`);
  await expect(ben.page.getByRole("heading", { name: "Design" })).toBeVisible();
  await expect(ben.page.locator(".membership-item__name")).toHaveText(["Ada Lovelace", "Ben Okri"]);
  await expect(ben.page.getByRole("main").locator("input, button, a, select")).toHaveCount(0);
  await ben.visit(`/rooms/opens/${await server.room(token, "All Talk")}/edit`);
  await expect(ben.page.getByRole("heading", { name: "All Talk" })).toBeVisible();
  await expect(ben.page.locator(".membership-item__name")).toHaveText([
    "Everyone",
    "Ada Lovelace",
    "Ben Okri",
    "Cleo Ray",
  ]);
  await expect(ben.page.getByRole("main").locator("input, button, a, select")).toHaveCount(0);

  await ada.visit(`/rooms/closeds/${closed}/edit`);
  await ada.page.getByRole("switch", { name: "Ada Lovelace has access" }).click();
  await ada.page.getByRole("button", { name: "Save" }).click();
  await expect(ada.page.getByRole("alert")).toHaveText(/gone or you don’t have access/);
  await expect(title(ada)).toHaveText("All Talk");
  await expect(rooms(ada)).toHaveText(["All Talk"]);
});

test("the form of a room follows who comes, goes and is renamed while it is open", async ({ browser }) => {
  const dora = await server.idOf(await server.join(token, "Dora Ray"));
  await server.join(token, "Eve Moss");
  const closed = await server.makeRoom(token, "Design", [await server.idOf(benToken)]);
  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/closeds/${closed}/edit`);
  const access = (name: string) => ada.page.getByRole("switch", { name: `${name} has access` });
  for (const name of ["Dora Ray", "Eve Moss"]) await access(name).click();

  await server.ask("UserService", "UpdateProfile", { name: "Fay Okri" }, benToken);
  await server.join(token, "Cleo Ray");
  await server.ask("UserService", "DeactivateUser", { userId: dora }, token);
  await expect(ada.page.getByTestId("people").locator(".membership-item__name")).toHaveText([
    "Everyone",
    "Ada Lovelace",
    "Fay Okri",
    "Cleo Ray",
    "Eve Moss",
  ]);
  await expect(access("Fay Okri")).toBeChecked();
  await expect(access("Cleo Ray")).not.toBeChecked();
  await expect(access("Eve Moss")).toBeChecked();
  await ada.page.getByRole("button", { name: "Save" }).click();
  await expect(title(ada)).toHaveText("Design");
  const { members } = await server.ask<{ members: { name: string }[] }>(
    "RoomService",
    "ListMembers",
    { roomId: closed },
    token,
  );
  expect(members.map((u) => u.name)).toEqual(["Ada Lovelace", "Eve Moss", "Fay Okri"]);
});

test("a ping’s settings are named by its people, also while they are open", async ({ browser }) => {
  const id = await server.ping(token, await server.idOf(benToken));
  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/directs/${id}/edit`);
  await expect(ada.page.getByRole("listitem")).toHaveText(["Ben Okri"]);
  await server.ask("UserService", "UpdateProfile", { name: "Fay Okri" }, benToken);
  await expect(ada.page.getByRole("listitem")).toHaveText(["Fay Okri"]);
  await expect(ada.page).toHaveTitle("Fay Okri");
});

test("who has the settings of a room open that is taken away is led home and told", async ({ browser }) => {
  const benId = await server.idOf(benToken);
  const closed = await server.makeRoom(token, "Design", [benId]);
  const ping = await server.ping(token, benId);
  const ben = await Person.arrive(browser, server, benToken);
  ben.expectRefusal(/404/); // he is shown out
  await ben.visit(`/rooms/closeds/${closed}/edit`);
  await expect(ben.page.getByRole("heading", { name: "Design" })).toBeVisible();
  await server.ask("RoomService", "UpdateRoom", { roomId: closed, revokeUserIds: [benId] }, token);
  await expect(ben.page.getByRole("alert")).toHaveText(/gone or you don’t have access/);
  await expect(title(ben)).toHaveText("All Talk");
  await ben.visit(`/rooms/directs/${ping}/edit`);
  await expect(ben.page.getByRole("listitem")).toHaveText(["Ada Lovelace"]);
  await server.ask("RoomService", "DeleteRoom", { roomId: ping }, token);
  await expect(ben.page.getByRole("alert")).toHaveText(/gone or you don’t have access/);
  await expect(title(ben)).toHaveText("All Talk");
});

test("190 225 272 274 only administrators make rooms once the account says so", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, token);
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit("/");
  await expect(ben.page.getByTestId("new-room")).toBeVisible();
  await ada.visit("/account/edit");
  const restricted = ada.page.getByRole("switch", { name: "Only administrators may create rooms" });
  await restricted.click();
  await expect(ben.page.getByTestId("new-room")).toHaveCount(0);
  await ada.page.reload();
  await expect(restricted).toBeChecked();
  await ben.visit("/rooms/opens/new");
  await expect(
    ben.page.getByRole("heading", { name: "Only administrators may create rooms here." }),
  ).toBeAttached();
  await ada.visit("/");
  await expect(ada.page.getByTestId("new-room")).toBeVisible();

  await ben.visit("/account/edit");
  await expect(ben.page.getByRole("heading", { name: "Campfire" })).toBeVisible();
  await expect(ben.page.locator(".account-logo")).toBeVisible();
  await expect(ben.page.getByTestId("people").getByRole("link", { name: "Ada Lovelace" })).toBeVisible();
  const controls = ben.page.getByRole("main").locator("button, input:not([readonly])");
  await expect(controls.filter({ hasNotText: /QR code|Copy/ })).toHaveCount(0);
});

test("226 227 228 a ping shows its people and is ended by any of them", async ({ browser }) => {
  const cleo = await server.join(token, "Cleo Ray");
  const id = await server.ping(token, await server.idOf(benToken), await server.idOf(cleo));
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit(`/rooms/${id}`);
  await ben.page.getByRole("link", { name: "Settings for this ping" }).click();
  await expect(ben.page).toHaveURL(new RegExp(`/rooms/directs/${id}/edit$`));
  await expect(ben.page.getByRole("listitem")).toHaveText(["Ada Lovelace", "Cleo Ray"]);
  await expect(ben.page.getByRole("textbox")).toHaveCount(0);
  for (const kind of ["opens", "closeds"]) {
    await ben.visit(`/rooms/${kind}/${id}/edit`);
    await expect(ben.page.getByRole("heading", { name: "There is nothing at this address." })).toBeAttached();
  }
  await ben.visit(`/rooms/directs/${id}/edit`);
  await ben.page.getByRole("button", { name: "Delete ping" }).click();
  await ben.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(title(ben)).toHaveText("All Talk");
  await expect(ben.page.getByTestId("ping")).toHaveCount(0);
});

test("184 237 my profile says how much one hears of each room", async ({ browser }) => {
  const all = await server.room(token, "All Talk");
  await server.makeRoom(token, "Engines");
  await server.ping(token, await server.idOf(benToken));
  const ben = await Person.arrive(browser, server, benToken);
  const window2 = await ben.openTab();
  await window2.goto(`${server.url}/rooms/${all}`);
  const listed = window2.getByTestId("rooms").getByTestId("room-link");
  await expect(listed).toHaveText(["All Talk", "Engines"]);
  await ben.visit("/users/me/profile");
  const row = ben.page.getByTestId("room-involvement").filter({ hasText: "Engines" });
  const levels = ["only when mentioned", "every message", "off", "off, and hidden from the sidebar"];
  for (const [turned, level] of levels.entries()) {
    await expect(
      row.getByRole("button", { name: `Notifications of Engines: ${level}`, exact: true }),
    ).toBeVisible();
    if (turned < levels.length - 1) await row.getByRole("button").click();
  }
  await expect(row).toHaveClass(/membership-item--dim/);
  await expect(listed).toHaveText(["All Talk"]);
  await row.getByRole("button").click();
  await expect(
    row.getByRole("button", { name: "Notifications of Engines: only when mentioned" }),
  ).toBeVisible();
  await expect(row).not.toHaveClass(/membership-item--dim/);
  await expect(listed).toHaveText(["All Talk", "Engines"]);
});
