import { type Locator, type Page } from "@playwright/test";
import { expect, Person, test } from "./people";
import { emailOf, password, Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

/** Presses Tab until the focus is there, as someone without a mouse does. */
async function reach(page: Page, target: Locator, key = "Tab") {
  await expect(target).toBeVisible();
  for (let n = 0; n < 80; n++) {
    if (await target.evaluate((e) => e === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`Tab never came to ${target.toString()}`);
}

test("319 a whole first session by keyboard alone", async ({ browser }) => {
  test.slow(); // it is a long story
  const ada = await Person.arrive(browser, server);
  const ben = await Person.arrive(browser, server);
  for (const { page } of [ada, ben]) {
    // A hand on the mouse would be a lie.
    const refuse = () => Promise.reject(new Error("no mouse in this story"));
    Object.assign(page.mouse, { click: refuse, move: refuse, down: refuse });
  }
  const press = async (person: Person, target: Locator, key = "Enter") => {
    await reach(person.page, target);
    await person.page.keyboard.press(key);
  };
  const write = async (person: Person, target: Locator, text: string) => {
    await reach(person.page, target);
    await person.page.keyboard.press("Control+A");
    await person.page.keyboard.type(text);
  };
  const introduce = async (person: Person, name: string) => {
    const { page } = person;
    await write(person, page.getByRole("textbox", { name: "Name" }), name);
    await write(person, page.getByRole("textbox", { name: "Email address" }), emailOf(name));
    await write(person, page.getByLabel("Password"), password);
    await page.keyboard.press("Enter");
    await expect(page.getByTestId("room-title")).toHaveText("All Talk");
  };
  let link = "";

  await test.step("set up", async () => {
    await ada.visit("/");
    await introduce(ada, "Ada Lovelace");
  });

  await test.step("invite", async () => {
    const copy = ada.page.getByRole("button", { name: "Copy the link to join" });
    await expect(ada.composer).toBeFocused();
    await reach(ada.page, copy, "Shift+Tab");
    await ada.page.keyboard.press("Enter");
    await expect.poll(() => ada.page.evaluate(() => navigator.clipboard.readText())).toContain("/join/");
    link = await ada.page.evaluate(() => navigator.clipboard.readText());
  });

  await test.step("join", async () => {
    await ben.page.goto(link);
    await introduce(ben, "Ben Okri");
  });

  await test.step("make a room", async () => {
    await press(ada, ada.page.getByRole("link", { name: "New room" }));
    await expect(ada.page.getByLabel("Room name")).toBeFocused();
    await ada.page.keyboard.type("Engines");
    await press(ada, ada.page.getByRole("switch", { name: "Everyone has access" }), " ");
    await press(ada, ada.page.getByRole("switch", { name: "Ben Okri has access" }), " ");
    await expect(ada.page.getByRole("switch", { name: "Ben Okri has access" })).toBeChecked();
    await press(ada, ada.page.getByRole("button", { name: "Save" }));
    await expect(ada.page.getByTestId("room-title")).toHaveText("Engines");
  });

  await test.step("talk", async () => {
    await press(ben, ben.page.getByTestId("rooms").getByRole("link", { name: "Engines" }));
    await expect(ben.page.getByTestId("room-title")).toHaveText("Engines");
    await write(ben, ben.composer, "Brass or iron?");
    await ben.page.keyboard.press("Enter");
    await expect(ada.message("Brass or iron?")).toBeVisible();
    await reach(
      ada.page,
      ada.message("Brass or iron?").getByRole("button", { name: "Message options" }),
      "Shift+Tab",
    );
    await ada.page.keyboard.press("Enter");
    await press(ada, ada.page.getByRole("button", { name: "Thumbs up" }));
    await expect(ben.page.getByTestId("boost")).toHaveText(/👍/);
    await write(ada, ada.composer, "Brass, of course");
    await ada.page.keyboard.press("Enter");
    await expect(ben.message("Brass, of course")).toBeVisible();
  });

  await test.step("ask why the bell is silent here", async () => {
    const bell = ben.page.getByTestId("nav").getByTestId("bell");
    await reach(ben.page, bell, "Shift+Tab");
    await ben.page.keyboard.press("Enter");
    const help = ben.page.getByRole("dialog", { name: "Notifications are blocked" });
    await expect(help.getByRole("button", { name: "Close" })).toBeFocused();
    await ben.page.keyboard.press("Escape");
    await expect(help).toHaveCount(0);
    await expect(bell).toBeFocused();
  });

  await test.step("ping", async () => {
    await press(ben, ben.page.getByTestId("new-ping"));
    await expect(ben.page.getByRole("combobox", { name: "People to ping" })).toBeFocused();
    await ben.page.keyboard.type("ada");
    await expect(ben.page.getByRole("option", { name: "Ada Lovelace" })).toBeVisible();
    await ben.page.keyboard.press("Enter");
    await press(ben, ben.page.getByRole("button", { name: "Start ping" }));
    await expect(ben.page.getByTestId("room-title")).toHaveText("Ping with Ada Lovelace");
  });

  await test.step("search", async () => {
    await ada.page.keyboard.press("Escape");
    await reach(ada.page, ada.page.getByRole("link", { name: "Search" }), "Shift+Tab");
    await ada.page.keyboard.press("Enter");
    await expect(ada.page.getByRole("searchbox")).toBeFocused();
    await ada.page.keyboard.type("brass");
    await ada.page.keyboard.press("Enter");
    await expect(ada.page.getByTestId("search-count")).toHaveText(/^2/);
    await press(ada, ada.page.getByRole("link", { name: "Leave search" }));
    await expect(ada.page.getByTestId("room-title")).toHaveText("Engines");
  });

  await test.step("change the account", async () => {
    await press(ada, ada.page.getByRole("link", { name: "Account settings" }));
    await expect(ada.page.getByRole("textbox", { name: "Account name" })).toBeFocused();
    await ada.page.keyboard.press("Control+A");
    await ada.page.keyboard.type("Analytical Engines");
    await ada.page.keyboard.press("Enter");
    await expect(ada.page.getByRole("alert")).toHaveText("Saved.");
    await press(ada, ada.page.getByRole("checkbox", { name: "Ben Okri, Role: Member" }), " ");
    await expect(
      ada.page.getByRole("list", { name: "Administrators" }).getByRole("link", { name: "Ben Okri" }),
    ).toBeVisible();
  });

  await test.step("sign out", async () => {
    await press(ada, ada.page.getByRole("main").getByRole("link", { name: "My profile" }));
    await expect(ada.page.getByRole("textbox", { name: "Name" })).toBeFocused();
    await reach(ada.page, ada.page.getByRole("button", { name: "Log out" }), "Shift+Tab");
    await ada.page.keyboard.press("Enter");
    await expect(ada.page.getByRole("heading", { name: "Analytical Engines" })).toBeVisible();
  });
});
