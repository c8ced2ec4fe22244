import { expect, Person, test } from "./people";
import { emailOf, password, Server } from "./server";

let server: Server;
let token: string;
let benToken: string;
test.beforeEach(async () => {
  server = await Server.start();
  token = await server.setUp();
  benToken = await server.join(token, "Ben Okri");
});
test.afterEach(() => server.stop());

test("260 261 262 263 264 everyone has a page, and administrators see more on it", async ({ browser }) => {
  const adaId = await server.idOf(token);
  const benId = await server.idOf(benToken);
  const bio = "Builds engines.";
  await server.ask("UserService", "UpdateProfile", { bio }, benToken);
  const { bot } = await server.ask<{ bot: { user: { id: string } } }>(
    "BotService",
    "CreateBot",
    { name: "Robo" },
    token,
  );
  const cleoId = await server.idOf(await server.join(token, "Cleo Ray"));

  const ada = await Person.arrive(browser, server, token);
  const main = ada.page.getByRole("main");
  await ada.visit(`/users/${benId}`);
  await expect(ada.page).toHaveTitle("Ben Okri");
  await expect(main.getByRole("heading", { name: "Ben Okri" })).toBeVisible();
  await expect(main.locator("img").first()).toBeVisible();
  await expect(main.getByText(bio)).toBeVisible();
  await expect(main.getByRole("link", { name: emailOf("Ben Okri") })).toHaveAttribute("href", /^mailto:/);
  await expect(main.getByRole("textbox", { name: "The link to sign in" })).toHaveValue(/transfers/);
  await expect(main.getByRole("button", { name: "Ban Ben Okri" })).toBeVisible();

  await ada.visit(`/users/${adaId}`);
  await expect(ada.page.getByRole("link", { name: "Edit my profile" })).toHaveAttribute(
    "href",
    "/users/me/profile",
  );
  await expect(main.getByRole("heading", { name: "Ada Lovelace" })).toBeVisible();
  await expect(main.getByRole("button", { name: /Ban|Remove/ })).toHaveCount(0);

  await ada.visit(`/users/${bot.user.id}`);
  await expect(main.getByRole("heading", { name: "Robo" })).toBeVisible();
  await expect(main.getByRole("button", { name: "Ping Robo" })).toBeVisible();

  await ada.visit(`/users/${cleoId}`);
  await main.getByRole("button", { name: "Remove Cleo Ray" }).click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(main.getByText("Cleo Ray has left this account.")).toBeVisible();
  await expect(main.getByRole("button")).toHaveCount(0);

  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit(`/users/${cleoId}`);
  await expect(ben.page.getByText("Cleo Ray has left this account.")).toBeVisible();
  await ben.visit(`/users/${adaId}`);
  await expect(ben.page.getByRole("heading", { name: "Ada Lovelace" })).toBeVisible();
  await expect(ben.page.getByRole("main").getByText(emailOf("Ada Lovelace"))).toHaveCount(0);
  await expect(ben.page.getByTestId("transfer")).toHaveCount(0);
  await expect(ben.page.getByRole("main").getByRole("button")).toHaveText(["Ping"]);
  await ben.page.getByRole("button", { name: "Ping Ada Lovelace" }).click();
  await expect(ben.page.getByTestId("room-title")).toHaveText("Ping with Ada Lovelace");
});

test("265 266 a banned person is out, with all they wrote, until the ban is lifted", async ({ browser }) => {
  const benId = await server.idOf(benToken);
  const roomId = await server.room(token);
  await server.post(benToken, roomId, { text: "buy my engines" });
  const ada = await Person.arrive(browser, server, token);
  const ben = await Person.arrive(browser, server, benToken);
  const cleo = await Person.arrive(browser, server, await server.join(token, "Cleo Ray"));
  for (const person of [ben, cleo]) {
    await person.visit("/");
    await expect(person.message("buy my engines")).toBeVisible();
  }
  ben.expectRefusal(/401/);
  await ada.visit(`/users/${benId}`);
  await ada.page.getByRole("button", { name: "Ban Ben Okri" }).click();
  await expect(ada.page.getByRole("dialog")).toContainText("deletes their messages");
  await ada.page.getByRole("dialog").getByRole("button", { name: "Ban" }).click();
  await expect(ada.page.getByRole("main").locator(".avatar--banned")).toBeVisible();
  await expect(ada.page.getByRole("button", { name: /^Ping/ })).toHaveCount(0);
  await expect(ben.page).toHaveURL(/\/session\/new$/);
  await expect(cleo.message("buy my engines")).toHaveCount(0);

  await cleo.visit(`/users/${benId}`);
  await expect(cleo.page.locator("main .avatar--banned")).toBeVisible();
  await expect(cleo.page.getByRole("main").getByRole("button")).toHaveCount(0);

  await ada.page.getByRole("button", { name: "Remove ban" }).click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Remove ban" }).click();
  await expect(ada.page.getByRole("button", { name: "Ping Ben Okri" })).toBeVisible();
  await ben.page.getByLabel("Email address").fill(emailOf("Ben Okri"));
  await ben.page.getByLabel("Password").fill(password);
  await ben.page.getByRole("button", { name: "Go" }).click();
  await expect(ben.page.getByTestId("room-title")).toBeVisible();
});

test("267 268 269 270 my profile saves what one says about oneself", async ({ browser }) => {
  await server.makeRoom(benToken, "engines");
  await server.ping(benToken, await server.idOf(token));
  const ben = await Person.arrive(browser, server, benToken);
  const { page } = ben;
  await ben.visit("/users/me/profile");
  const name = page.getByRole("textbox", { name: "Name" });
  const bio = page.getByRole("textbox", { name: "Bio" });
  const save = async () => {
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert")).toHaveText("Saved.");
    await expect(page.getByTestId("flash")).toHaveCount(0);
  };
  await expect(name).toBeFocused();
  await expect(page.getByTestId("my-rooms").getByRole("link")).toHaveText([
    "All Talk",
    "engines",
    "Ada Lovelace",
  ]);
  await expect(page.getByTestId("my-rooms").locator("ul + hr + ul")).toHaveCount(1);

  await name.fill("");
  await page.getByRole("button", { name: "Save" }).click();
  expect(await name.evaluate((field: HTMLInputElement) => field.validity.valueMissing)).toBe(true);
  await name.fill("Benjamin Okri");
  await bio.fill("");
  await bio.pressSequentially("é".repeat(202), { delay: 0 });
  expect((await bio.inputValue()).length).toBe(200);
  await page.getByRole("textbox", { name: "Email address" }).fill("ben@engines.example");
  await save();
  await expect(page).toHaveTitle("Benjamin Okri");
  const signIn = (emailAddress: string, secret: string) =>
    server.call("SessionService", "SignIn", { emailAddress, password: secret });
  expect((await signIn("ben@engines.example", password)).status).toBe(200);

  await page.getByLabel("New password").fill("a much better one");
  await save();
  await expect(page.getByLabel("New password")).toHaveValue("");
  expect((await signIn("ben@engines.example", password)).status).toBe(401);
  expect((await signIn("ben@engines.example", "a much better one")).status).toBe(200);
  await page.reload();
  await expect(name).toHaveValue("Benjamin Okri");
  await expect(page.getByRole("textbox", { name: "Email address" })).toHaveValue("ben@engines.example");
});

test("one sees where one is signed in, and ends it there", async ({ browser }) => {
  const laptop = await Person.arrive(browser, server, benToken);
  const phone = await Person.arrive(browser, server);
  await phone.visit(`/session/new?email_address=${emailOf("Ben Okri")}`);
  await phone.page.getByLabel("Password").fill(password);
  await phone.page.getByRole("button", { name: "Go" }).click();
  await expect(phone.page.getByTestId("room-title")).toBeVisible();
  phone.expectRefusal(/401/);
  await laptop.visit("/users/me/profile");
  const sessions = laptop.page.getByTestId("sessions").getByRole("listitem");
  await expect(sessions).toHaveCount(2);
  await expect(sessions.filter({ hasText: "this one" })).toHaveCount(1);
  await sessions.getByRole("button", { name: /Sign out of Chrome \d+/ }).click();
  await laptop.page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await expect(sessions).toHaveCount(1);
  await expect(phone.page).toHaveURL(/\/session\/new$/);
});

test("271 logging out is for good", async ({ browser }) => {
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit("/");
  await expect(ben.page.getByTestId("room-title")).toBeVisible();
  await ben.page.getByTestId("my-profile").click();
  await ben.page.getByRole("button", { name: "Log out" }).click();
  await expect(ben.page).toHaveURL(/\/session\/new$/);
  await ben.page.goBack();
  await expect(ben.page.getByRole("button", { name: "Go" })).toBeVisible();
  await expect(ben.page.getByTestId("room-title")).toHaveCount(0);
});
