import { expect, live, Person, test } from "./people";
import { emailOf, password, Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

test("two people set up, join, and talk live", async ({ browser }) => {
  const ada = await Person.arrive(browser, server);
  await ada.visit("/");
  await expect(ada.page).toHaveURL(/\/first_run$/);
  await ada.introduce("Ada Lovelace", emailOf("Ada Lovelace"), password, "Save");
  await expect(ada.page.getByRole("heading", { level: 1, name: "All Talk" })).toBeVisible();
  const link = ada.page.getByLabel("Link to join");
  await expect(link).toHaveValue(/\/join\/\w{4}-\w{4}-\w{4}$/);
  await ada.page.getByRole("button", { name: "Copy the link to join" }).click();
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toBe(await link.inputValue());

  const ben = await Person.arrive(browser, server);
  await ben.page.goto(await link.inputValue());
  await ben.introduce("Ben Okri", emailOf("Ben Okri"), password, "Join");
  await expect(ben.page.getByRole("heading", { level: 1, name: "All Talk" })).toBeVisible();

  await test.step("a new room appears in the other's sidebar", async () => {
    await ada.page.getByRole("link", { name: "New room" }).click();
    await expect(ada.page.getByLabel("Room name")).toBeFocused();
    await ada.page.getByLabel("Room name").fill("Engines");
    await ada.page.getByRole("button", { name: "Save" }).click();
    await expect(ada.page.getByRole("heading", { level: 1, name: "Engines" })).toBeVisible();
    const there = ben.page.getByTestId("rooms").getByRole("link", { name: "Engines" });
    await live(() => expect(there).toBeVisible({ timeout: 20 }));
    await there.click();
    await expect(ben.page.getByRole("heading", { level: 1, name: "Engines" })).toBeVisible();
  });

  await test.step("a message each way is seen within a second", async () => {
    await ada.write("Shall we build an engine?");
    await expect(ada.message("Shall we build")).toBeVisible();
    await live(() => expect(ben.message("Shall we build an engine?")).toBeVisible({ timeout: 20 }));
    await ben.write("Of brass, please");
    await live(() => expect(ada.message("Of brass, please")).toBeVisible({ timeout: 20 }));
    await expect(ada.page.getByTestId("message")).toHaveCount(2);
  });

  await test.step("so are an edit, a boost and a deletion", async () => {
    await (await ben.options("Of brass")).getByRole("button", { name: "Edit" }).click();
    const editor = ben.page.getByRole("textbox", { name: "Edit message" });
    await expect(editor).toBeFocused();
    await editor.press("Control+A");
    await editor.pressSequentially("Of polished brass");
    await ben.page.getByRole("button", { name: "Save changes" }).click();
    await live(() => expect(ada.message("Of polished brass")).toBeVisible({ timeout: 20 }));

    await (await ada.options("Of polished")).getByRole("button", { name: "Thumbs up" }).click();
    await live(() =>
      expect(ben.page.getByTestId("boost").filter({ hasText: "👍" })).toBeVisible({ timeout: 20 }),
    );

    await ben.write("Never mind this");
    await live(() => expect(ada.message("Never mind this")).toBeVisible({ timeout: 20 }));
    await (await ben.options("Never mind this")).getByRole("button", { name: "Edit" }).click();
    await ben.page.getByRole("button", { name: "Delete message" }).click();
    await ben.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await live(() => expect(ada.message("Never mind this")).toHaveCount(0, { timeout: 20 }));
  });

  await test.step("typing is seen, and ends", async () => {
    await ben.composer.pressSequentially("Hm");
    await live(() => expect(ada.page.getByTestId("typing")).toHaveText("Ben Okri", { timeout: 20 }));
    await ben.composer.press("Control+A");
    await ben.composer.press("Delete");
    await live(() => expect(ada.page.getByTestId("typing")).toHaveText("", { timeout: 20 }));
  });

  await test.step("another room is marked unread until it is opened", async () => {
    await ben.page.getByTestId("rooms").getByRole("link", { name: "All Talk" }).click();
    await expect(ben.page.getByRole("heading", { level: 1, name: "All Talk" })).toBeVisible();
    await ada.write("Are you still here?");
    const engines = ben.page.getByTestId("rooms").getByRole("link", { name: "Engines" });
    await expect(engines).toHaveAttribute("data-unread", "");
    await engines.click();
    await expect(ben.message("Are you still here?")).toBeVisible();
    await expect(engines).not.toHaveAttribute("data-unread");
  });

  await test.step("loading the page again shows the same", async () => {
    const before = await ada.said();
    expect(before).toEqual(["Shall we build an engine?", "Of polished brass", "Are you still here?"]);
    for (const person of [ada, ben]) {
      await person.page.reload();
      await expect(person.message("Are you still here?")).toBeVisible();
      expect(await person.said()).toEqual(before);
      await expect(person.page.getByTestId("boost")).toHaveText(/👍/);
    }
  });
});

test("strangers sign in first and then see what they came for", async ({ browser }) => {
  await server.join(await server.setUp("Ada Lovelace"), "Ben Okri");
  const eve = await Person.arrive(browser, server);
  eve.expectRefusal(/401.*SignIn/); // the wrong password
  await eve.visit("/first_run");
  await expect(eve.page).toHaveURL(/\/session\/new$/);
  await eve.visit("/users/me/profile");
  await expect(eve.page).toHaveURL(/\/session\/new$/);
  await eve.page.getByLabel("email address").fill(emailOf("Ben Okri"));
  await eve.page.getByLabel("Password").fill("wrong");
  await eve.page.getByRole("button", { name: "Go" }).click();
  await expect(eve.page.getByRole("alert")).toHaveText(/Sign-in failed/);
  await expect(eve.page.getByLabel("email address")).toHaveValue(emailOf("Ben Okri"));
  await eve.page.getByLabel("Password").fill(password);
  await eve.page.getByRole("button", { name: "Go" }).click();
  await expect(eve.page).toHaveURL(/\/users\/me\/profile$/);
  await expect(eve.page.getByRole("heading", { name: "Ben Okri" })).toBeVisible();
  await eve.page.getByRole("button", { name: "Log out" }).click();
  await expect(eve.page).toHaveURL(/\/session\/new$/);
  await eve.page.goBack();
  await expect(eve.page).toHaveURL(/\/session\/new$/);
});

test("a link to join that is no longer right says so before anything is filled in", async ({ browser }) => {
  await server.setUp("Ada Lovelace");
  const eve = await Person.arrive(browser, server);
  eve.expectRefusal(/40\d/); // the wrong code
  await eve.visit("/join/aaaa-bbbb-cccc");
  await expect(
    eve.page.getByRole("heading", { name: "This link to join does not work any more." }),
  ).toBeVisible();
  await expect(eve.page.getByLabel("Password")).toHaveCount(0);
});

test("a room that is not there leads home", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, await server.setUp());
  ada.expectRefusal(/404/);
  await ada.visit("/rooms/999999");
  await expect(ada.page.getByRole("alert")).toHaveText(/gone or you don’t have access/);
  await expect(ada.page).toHaveURL(/\/rooms\/\d+$/);
});

test("people are pinged from the sidebar", async ({ browser }) => {
  const token = await server.setUp("Ada Lovelace");
  const ada = await Person.arrive(browser, server, token);
  const ben = await Person.arrive(browser, server, await server.join(token, "Ben Okri"));
  await ada.visit("/");
  await server.join(token, "Cy Young"); // who joins while the page is open
  await expect(ada.page.getByRole("button", { name: "Start a ping with Cy" })).toBeVisible();
  await ada.page.getByRole("button", { name: "New Ping" }).click();
  await ada.page.getByRole("combobox", { name: "People to ping" }).pressSequentially("ben o");
  await expect(ada.page.getByRole("option", { name: "Ben Okri" })).toBeVisible();
  await ada.page.keyboard.press("Enter");
  await ada.page.getByRole("button", { name: "Start ping" }).click();
  await expect(ada.page.getByRole("heading", { level: 1, name: "Ping with Ben Okri" })).toBeVisible();
  await ada.write("A word in private");
  await expect(ada.message("A word in private")).toBeVisible();

  await ben.visit("/");
  const ping = ben.page.getByTestId("ping");
  await expect(ping).toContainText("Ada");
  await expect(ping).toHaveAttribute("data-unread", "");
  await ping.click();
  await expect(ben.message("A word in private")).toBeVisible();
});

test("what is typed fast is sent whole", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, await server.setUp());
  await ada.visit("/");
  await expect(ada.composer).toHaveAttribute("data-ready", "");
  // Text and Enter within one frame, as a fast hand on a busy computer makes them.
  await ada.composer.evaluate((editor) => {
    const typed = { inputType: "insertText", data: "quick brown fox", bubbles: true, cancelable: true };
    editor.dispatchEvent(new InputEvent("beforeinput", typed));
    editor.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  });
  await expect(ada.page.getByTestId("message-body")).toHaveText("quick brown fox");
  await expect(ada.composer).toHaveText("");
});
