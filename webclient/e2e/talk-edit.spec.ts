import { expect, holdEditorBack, live, Person, test } from "./people";
import type { Server } from "./server";

async function talk(server: Server) {
  const ada = await server.setUp("Ada Lovelace");
  const ben = await server.join(ada, "Ben Okri");
  const roomId = await server.room(ada);
  return { ada, ben, roomId };
}

const editor = (person: Person) => person.page.getByRole("textbox", { name: "Edit message" });

async function edit(person: Person, text: string) {
  await (await person.options(text)).getByRole("button", { name: "Edit" }).click();
  await expect(editor(person)).toBeFocused();
}

test("87 88 89 90 91 a reply quotes the message, its author and its address, and asks before it replaces a draft", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await talk(server);
  const { users } = await server.ask<{ users: { id: string; name: string }[] }>(
    "UserService",
    "ListUsers",
    {},
    ada,
  );
  const adaId = users.find((u) => u.name.startsWith("Ada"))!.id;
  await server.post(ben, roomId, { text: "Number one" });
  const html = `Ask <span class="mention" data-user-id="${adaId}">@x</span> first`;
  const asked = await server.post(ben, roomId, { html });
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const reply = async (text: string) =>
    (await person.options(text)).getByRole("button", { name: "Reply" }).click();

  await reply("Ask"); // threaded: the author is not shown there
  await expect(person.page.getByTestId("message-menu")).toHaveCount(0);
  await expect(person.composer).toBeFocused();
  await expect(person.composer.locator("blockquote")).toHaveText("Ask Ada Lovelace first");
  await expect(person.composer.locator("cite")).toHaveText("Ben Okri #");
  await person.composer.pressSequentially("I will");
  await person.composer.press("Enter");
  const sent = person.message("I will");
  await expect(sent.locator("blockquote")).toHaveText("Ask Ada Lovelace first");
  await expect(sent.locator(".mention")).toHaveCount(0);
  await expect(person.page.locator(".message--pending")).toHaveCount(0);
  await expect(sent.locator("cite")).toHaveText(/Ben Okri #/);
  await sent.getByRole("link", { name: "#" }).click();
  await expect(person.page).toHaveURL(`${server.url}/rooms/${roomId}/@${asked}`);

  await person.composer.click();
  await person.composer.pressSequentially("half a thought");
  await reply("Number one");
  const question = person.page.getByRole("dialog");
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(person.composer).toHaveText("half a thought");
  await reply("Number one");
  await question.getByRole("button", { name: "Replace" }).click();
  await expect(person.composer.locator("blockquote")).toHaveText("Number one");
});

test("a reply that is asked for before the editor is loaded waits for it, with what is written meanwhile", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await talk(server);
  await server.post(ben, roomId, { text: "Number one" });
  const person = await Person.arrive(browser, server, ada);
  const { composer, page } = person;
  const arrive = await holdEditorBack(page);
  await person.visit(`/rooms/${roomId}`);
  await expect(composer).toBeFocused();
  await page.keyboard.type("half a thought");
  await (await person.options("Number one")).getByRole("button", { name: "Reply" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Replace" }).click();
  await expect(composer).toHaveText("");
  await expect(composer).toBeFocused();
  await page.keyboard.type("I will");
  await page.keyboard.press("Enter"); // the quote is not to be seen yet: it waits
  await expect(composer).toHaveText("I will");
  arrive();
  await expect(composer.locator("blockquote")).toHaveText("Number one");
  await page.keyboard.type("!");
  await page.keyboard.press("Enter");
  const sent = person.message("I will!");
  await expect(sent.locator("blockquote")).toHaveText("Number one");
  await expect(sent.locator("cite")).toHaveText(/Ben Okri #/);
  await expect(composer).toHaveText("");
  await expect(page.locator(".message--pending")).toHaveCount(0);
});

test("92 93 94 95 98 102 an edit happens in the bubble and is seen by all", async ({ browser, server }) => {
  const { ada, ben, roomId } = await talk(server);
  const messageId = await server.post(ada, roomId, { text: "One line" });
  await server.ask("MessageService", "AddBoost", { messageId, content: "👏" }, ben);
  const person = await Person.arrive(browser, server, ada);
  const other = await Person.arrive(browser, server, ben);
  for (const p of [person, other]) await p.visit(`/rooms/${roomId}`);

  await edit(person, "One line");
  for (const name of ["Save changes", "Delete message", "Close editor and discard"])
    await expect(person.page.getByRole("button", { name })).toBeVisible();
  await expect(editor(person)).toHaveText("One line");
  await editor(person).press("End");
  await editor(person).press("Enter");
  await editor(person).pressSequentially("two");
  await editor(person).press("Escape");
  await expect(editor(person)).toHaveCount(0);
  await expect(person.message("One line").getByTestId("message-body")).toHaveText("One line");
  await expect(person.message("One line").getByTestId("message-menu-button")).toBeFocused();

  await edit(person, "One line");
  await editor(person).press("End");
  await editor(person).press("Enter");
  await editor(person).pressSequentially("two");
  await editor(person).press("Control+Enter");
  await live(() => expect(other.message("two")).toBeVisible({ timeout: 20 }));
  expect(await other.said()).toEqual(["One line\ntwo"]);
  await expect(other.page.getByTestId("boost")).toHaveText(/👏/);
  await expect(other.message("two")).not.toContainText(/edited/i);

  await edit(person, "One line");
  await editor(person).press("Control+A");
  await editor(person).pressSequentially("🎉");
  await person.page.getByRole("button", { name: "Save changes" }).click();
  await expect(other.page.getByTestId("message")).toHaveAttribute("data-emoji", "");
  await expect(person.page.getByTestId("message")).toHaveAttribute("data-emoji", "");
});

test("96 97 a message is deleted for all after a question; one that is emptied says how", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await talk(server);
  await server.post(ada, roomId, { text: "Stays" });
  await server.post(ada, roomId, { text: "Goes" });
  const person = await Person.arrive(browser, server, ada);
  const other = await Person.arrive(browser, server, ben);
  for (const p of [person, other]) await p.visit(`/rooms/${roomId}`);
  await edit(person, "Goes");
  await editor(person).press("Control+A");
  await editor(person).press("Delete");
  await person.page.getByRole("button", { name: "Save changes" }).click();
  await expect(person.page.getByRole("alert")).toHaveText(/To take it away, delete it/);
  const question = person.page.getByRole("dialog");
  await person.page.getByRole("button", { name: "Delete message" }).click();
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(other.message("Goes")).toBeVisible();
  await person.page.getByRole("button", { name: "Delete message" }).click();
  await question.getByRole("button", { name: "Delete" }).click();
  for (const p of [person, other]) await expect.poll(() => p.said()).toEqual(["Stays"]);
  await expect(person.composer).toBeFocused();

  // The same where the answer is there before the news, when the form is still in its bubble.
  await server.post(ada, roomId, { text: "Goes, too" });
  await person.page.route("**/DeleteMessage", (route) => route.fulfill({ json: {} }));
  await edit(person, "Goes, too");
  await person.page.getByRole("button", { name: "Delete message" }).click();
  await question.getByRole("button", { name: "Delete" }).click();
  await expect.poll(() => person.said()).toEqual(["Stays"]);
  await expect(person.composer).toBeFocused();
});

test("99 100 101 up arrow in an empty composer edits one's own last message, and only there", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await talk(server);
  const first = await server.post(ada, roomId, { text: "My own" });
  for (let n = 0; n < 45; n++) await server.post(ben, roomId, { text: `line ${n}.` });
  await server.post(ada, roomId, { text: "My last" });
  await server.post(ben, roomId, { text: "Not mine" });
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  await expect(person.message("Not mine")).toBeVisible();
  await expect(person.composer).toBeFocused();
  await person.composer.press("Shift+ArrowUp");
  await expect(editor(person)).toHaveCount(0);
  await person.composer.pressSequentially("text");
  await person.composer.press("ArrowUp");
  await expect(editor(person)).toHaveCount(0);
  await person.composer.press("Control+A");
  await person.composer.press("Delete");
  await person.composer.press("ArrowUp");
  await expect(editor(person)).toBeFocused();
  await expect(editor(person)).toHaveText("My last");
  await editor(person).press("Escape");
  await expect(person.composer).toBeFocused();

  await person.visit(`/rooms/${roomId}/@${first}`);
  await expect(person.message("My own")).toBeVisible();
  await expect(person.composer).toBeFocused();
  await person.composer.press("ArrowUp");
  await expect(editor(person)).toHaveCount(0);
});
