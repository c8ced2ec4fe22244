import { expect, Person, test } from "./people";
import { emailOf, password, Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

test("2 3 16 17 18 19 the first person sets Campfire up and is greeted as its administrator", async ({
  browser,
}) => {
  const ada = await Person.arrive(browser, server);
  await ada.visit("/session/new");
  await expect(ada.page).toHaveURL(/\/first_run$/);
  await expect(ada.page).toHaveTitle("Set up Campfire");
  const name = ada.page.getByRole("textbox", { name: "Name" });
  const email = ada.page.getByRole("textbox", { name: "Email address" });
  const secret = ada.page.getByLabel("Password");
  const save = ada.page.getByRole("button", { name: "Save" });
  await expect(name).toBeFocused();
  await expect(ada.page.getByRole("button", { name: "Choose your picture" })).toBeVisible();
  await expect(ada.page.locator("[type=submit]")).toHaveCount(1);
  await expect(ada.page.getByRole("link", { name: "Skip to main content" })).toHaveCount(0);

  for (const missing of [name, email, secret]) {
    await name.fill("Ada Lovelace");
    await email.fill(emailOf("Ada Lovelace"));
    await secret.fill(password);
    await missing.fill("");
    await save.click();
    expect(await missing.evaluate((field: HTMLInputElement) => field.validity.valueMissing)).toBe(true);
    await expect(ada.page).toHaveURL(/\/first_run$/);
  }
  await secret.fill("");
  await secret.pressSequentially("x".repeat(75), { delay: 0 });
  expect((await secret.inputValue()).length).toBe(72);
  await secret.fill(password);
  await save.click();
  await expect(ada.page.getByRole("heading", { level: 1, name: "All Talk" })).toBeVisible();
  await expect(ada.page.getByTestId("invite-card")).toBeVisible();
  await ada.page.getByTestId("account-settings").click();
  await expect(ada.page.getByRole("link", { name: "Chat bots" })).toBeVisible();

  await test.step("3 the first run is over for good", async () => {
    await ada.visit("/first_run");
    await expect(ada.page).toHaveURL(/\/rooms\/\d+$/);
  });
});

test("1 20 21 22 24 25 26 people sign in, and those who may not are told", async ({ browser }) => {
  const token = await server.setUp();
  const ben = await server.join(token, "Ben Okri");
  const cleo = await server.join(token, "Cleo Ray");
  const roomId = await server.room(token);
  await server.ask("UserService", "BanUser", { userId: await server.idOf(cleo) }, token);

  const guest = await Person.arrive(browser, server);
  guest.expectRefusal(/401.*SignIn/);
  await guest.visit(`/rooms/${roomId}`);
  await expect(guest.page).toHaveURL(/\/session\/new$/);
  await expect(guest.page.getByRole("heading", { name: "Campfire" })).toBeVisible();
  await expect(guest.page.locator(".account-logo svg")).toBeVisible();
  const email = guest.page.getByLabel("Email address");
  await expect(email).toBeFocused();
  const help = guest.page.getByRole("link", { name: emailOf("Ada Lovelace") });
  await expect(help).toHaveAttribute("href", `mailto:${emailOf("Ada Lovelace")}`);
  await expect(help).toHaveAttribute("title", /Ada Lovelace/);
  await expect(guest.page.getByText(/^Campfire \S+$/)).toBeVisible();

  const signIn = async (address: string, secret: string) => {
    await email.fill(address);
    await guest.page.getByLabel("Password").fill(secret);
    const answer = guest.page.waitForResponse(/SignIn/);
    await guest.page.getByRole("button", { name: "Go" }).click();
    await answer;
  };
  await signIn(emailOf("Ben Okri"), "wrong");
  await expect(guest.page.getByRole("alert")).toHaveText(/Sign-in failed/);
  await expect(guest.page.locator(".panel")).toHaveClass(/shake/);
  await expect(guest.page.locator(".flash__inner--negative")).toBeVisible();
  await expect(email).toHaveValue(emailOf("Ben Okri"));
  await expect(guest.page.getByLabel("Password")).toHaveValue("");

  await signIn(emailOf("Cleo Ray"), password);
  await expect(guest.page.getByRole("alert")).toHaveText(/Sign-in failed/);
  await expect(guest.page).toHaveURL(/\/session\/new$/);

  await signIn(emailOf("Ben Okri"), password);
  await expect(guest.page).toHaveURL(new RegExp(`/rooms/${roomId}$`));

  await server.ask("UserService", "DeactivateUser", { userId: await server.idOf(ben) }, token);
  await expect(guest.page).toHaveURL(/\/session\/new/);
  guest.expectRefusal(/401/); // what the page asked for on the way out
  await guest.visit(`/session/new?email_address=${emailOf("Ben Okri")}`);
  await expect(email).toHaveValue(emailOf("Ben Okri"));
  await expect(guest.page.getByLabel("Password")).toBeFocused();
  await guest.page.getByLabel("Password").fill(password);
  await guest.page.getByRole("button", { name: "Go" }).click();
  await expect(guest.page.getByRole("alert")).toHaveText(/Sign-in failed/);
});

test("23 the eleventh attempt within three minutes is refused like a wrong one", async ({ browser }) => {
  await server.setUp();
  for (let n = 1; n <= 9; n++) {
    const wrong = { emailAddress: emailOf("Ada Lovelace"), password: `guess ${n}` };
    expect((await server.call("SessionService", "SignIn", wrong)).status).toBe(401);
  }
  const eve = await Person.arrive(browser, server);
  eve.expectRefusal(/(401|429).*SignIn/);
  await eve.visit("/session/new");
  for (const secret of ["guess 10", password]) {
    await eve.page.getByLabel("Email address").fill(emailOf("Ada Lovelace"));
    await eve.page.getByLabel("Password").fill(secret);
    const answer = eve.page.waitForResponse(/SignIn/);
    await eve.page.getByRole("button", { name: "Go" }).click();
    await answer;
    await expect(eve.page.getByRole("alert")).toHaveText(/Sign-in failed, or too many attempts/);
    await expect(eve.page.getByLabel("Password")).toHaveValue("");
  }
  await expect(eve.page).toHaveURL(/\/session\/new$/);
});

test("27 28 29 30 31 32 the link to join lets people in until it is replaced", async ({ browser }) => {
  const token = await server.setUp();
  await server.makeRoom(token, "Engines");
  await server.makeRoom(token, "Secrets", []);
  const { joinCode } = await server.ask<{ joinCode: string }>("AccountService", "GetJoinCode", {}, token);

  const ben = await Person.arrive(browser, server);
  ben.expectRefusal(/404.*CheckJoinCode/);
  await ben.visit("/join/aaaa-bbbb-cccc");
  await expect(
    ben.page.getByRole("heading", { name: "This link to join does not work any more." }),
  ).toBeVisible();
  await ben.visit(`/join/${joinCode}`);
  await expect(ben.page).toHaveTitle("Sign up");
  await expect(ben.page.getByRole("group", { name: "Campfire" }).locator(".account-logo")).toBeVisible();
  await expect(ben.page.getByTestId("nav").getByRole("link", { name: "Sign in" })).toHaveAttribute(
    "href",
    "/session/new",
  );
  await ben.introduce("Ben Okri", emailOf("Ben Okri"), password, "Join");
  await expect(ben.page.getByTestId("room-title")).toBeVisible();
  await expect(ben.page.getByTestId("room-link")).toHaveText(["All Talk", "Engines"]);
  await ben.visit(`/join/${joinCode}`);
  await expect(ben.page).toHaveURL(/\/rooms\/\d+$/);

  const again = await Person.arrive(browser, server);
  again.expectRefusal(/409.*Join/);
  await again.visit(`/join/${joinCode}`);
  await again.introduce("Benny", emailOf("Ben Okri"), "another password", "Join");
  await expect(again.page).toHaveURL(/\/session\/new/);
  await expect(again.page.getByLabel("Email address")).toHaveValue(emailOf("Ben Okri"));
  await expect(again.page.getByText("This address has an account here already.")).toBeVisible();

  await server.ask("AccountService", "ResetJoinCode", {}, token);
  again.expectRefusal(/404.*CheckJoinCode/);
  await again.visit(`/join/${joinCode}`);
  await expect(
    again.page.getByRole("heading", { name: "This link to join does not work any more." }),
  ).toBeVisible();
});

test("297 298 299 a sign-in link signs in on another device, an altered one explains itself", async ({
  browser,
}) => {
  const ada = await Person.arrive(browser, server, await server.setUp());
  await ada.visit("/users/me/profile");
  const block = ada.page.getByTestId("transfer");
  const field = block.getByRole("textbox", { name: "The link to sign in" });
  await expect(field).toHaveValue(/\/session\/transfers\/\S+$/);
  const link = await field.inputValue();
  await block.getByRole("button", { name: "Copy the link to sign in" }).click();
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await expect(block.getByRole("button", { name: "as a QR code" })).toBeVisible();
  const shares = await ada.page.evaluate(() => "share" in navigator);
  await expect(block.getByRole("button", { name: "Share" })).toHaveCount(shares ? 1 : 0);

  const phone = await Person.arrive(browser, server);
  await phone.page.goto(link);
  await expect(phone.page.getByTestId("room-title")).toBeVisible();
  await phone.page.getByTestId("my-profile").click();
  await expect(phone.page.getByRole("textbox", { name: "Name" })).toHaveValue("Ada Lovelace");

  const eve = await Person.arrive(browser, server);
  eve.expectRefusal(/400.*ClaimTransfer/);
  await eve.page.goto(link.slice(0, -6) + "AAAAAA");
  await expect(
    eve.page.getByRole("heading", { name: "This sign-in link is no longer valid." }),
  ).toBeVisible();
  await eve.page.getByRole("link", { name: "Sign in" }).click();
  await expect(eve.page.getByRole("button", { name: "Go" })).toBeVisible();
});
