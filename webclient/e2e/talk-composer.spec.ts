import { expect, holdEditorBack, live, Person, phone, test } from "./people";
import type { Server } from "./server";

async function talk(server: Server) {
  const ada = await server.setUp("Ada Lovelace");
  const ben = await server.join(ada, "Ben Okri");
  return { ada, ben, roomId: await server.room(ada) };
}

const messages = (person: Person) => person.page.getByTestId("message");

test("103 104 105 106 107 109 110 118 119 122 Enter sends once, and only when it should", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await talk(server);
  const person = await Person.arrive(browser, server, ada);
  const other = await Person.arrive(browser, server, ben);
  for (const p of [person, other]) await p.visit(`/rooms/${roomId}`);
  const { composer, page } = person;
  await expect(composer).toBeFocused();
  expect(await composer.evaluate((e) => e.localName)).toBe("trix-editor");

  await composer.press("Space");
  await composer.press("Shift+Enter");
  await composer.press("Enter");
  await expect(messages(person)).toHaveCount(0);
  await composer.press("Control+A");
  await composer.pressSequentially("one");
  await composer.press("Shift+Enter");
  await composer.pressSequentially("two");
  await composer.evaluate((e) => {
    const key = { key: "Enter", isComposing: true, bubbles: true, cancelable: true };
    e.dispatchEvent(new KeyboardEvent("keydown", key)); // an input method is at work
  });
  await expect(messages(person)).toHaveCount(0);
  await composer.press("Enter");
  await expect(person.message("two")).toBeInViewport();
  await expect(composer).toHaveText("");
  await expect(composer).toBeFocused();
  await live(() => expect(other.message("two")).toBeVisible({ timeout: 20 }));
  expect(await other.said()).toEqual(["one\ntwo"]);
  await expect(page.locator(".message--pending")).toHaveCount(0);
  await expect(messages(person)).toHaveCount(1);

  const toolbar = page.getByTestId("composer").getByTestId("toolbar");
  await page.getByTestId("toolbar-toggle").click();
  await expect(toolbar).toBeVisible();
  await expect(composer).toBeFocused();
  await composer.pressSequentially("three");
  await composer.press("Enter");
  await composer.pressSequentially("four");
  await expect(messages(person)).toHaveCount(1);
  await composer.press("Control+Enter");
  await expect(messages(person)).toHaveCount(2);
  await expect(toolbar).toBeHidden();
});

test("108 119 on a touch device Enter makes a line and the button sends", async ({ browser, server }) => {
  const { ada, roomId } = await talk(server);
  const person = await Person.arrive(browser, server, ada, phone);
  await person.visit(`/rooms/${roomId}`);
  await expect(person.composer).toHaveAttribute("data-ready", "");
  await expect(person.composer).not.toBeFocused();
  await person.composer.tap();
  await person.composer.pressSequentially("one");
  await person.composer.press("Enter");
  await person.composer.pressSequentially("two");
  await expect(messages(person)).toHaveCount(0);
  await person.page.getByRole("button", { name: "Send message" }).tap();
  await expect.poll(() => person.said()).toEqual(["one\ntwo"]);
});

test("124 125 127 129 formats and a link are kept in what is sent, and undoing brings text back", async ({
  browser,
  server,
}) => {
  const { ada, roomId } = await talk(server);
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const { composer, page } = person;
  await expect(composer).toBeFocused();
  await expect(composer).toHaveAttribute("data-ready", "");
  const pill = page.getByTestId("composer").locator(".composer__input");
  await expect(pill).not.toHaveCSS("box-shadow", "none");

  await composer.press("Control+B");
  await composer.pressSequentially("bold");
  await composer.press("Control+B");
  await composer.press("Control+I");
  await composer.pressSequentially("slanted");
  await composer.press("Control+I");
  await composer.press("Enter");
  const body = person.message("bold").getByTestId("message-body");
  await expect(body.locator("strong")).toHaveText("bold");
  await expect(body.locator("em")).toHaveText("slanted");

  await test.step("a link, whose address is completed, by a key while the toolbar is hidden", async () => {
    await composer.pressSequentially("site");
    await composer.press("Control+A");
    await composer.press("Control+k");
    const address = page.getByTestId("composer").getByLabel("URL");
    await expect(address).toBeFocused();
    await address.fill("example.com/page");
    await address.press("Enter");
    await expect(composer.locator("a")).toHaveAttribute("href", "https://example.com/page");
    await page.getByRole("button", { name: "Send message" }).click();
    const link = person.message("site").getByTestId("message-body").getByRole("link");
    await expect(link).toHaveAttribute("href", "https://example.com/page");
  });

  await composer.click();
  await composer.pressSequentially("not lost");
  await composer.press("Control+A");
  await composer.press("Delete");
  await expect(composer).toHaveText("");
  await composer.press("Control+Z");
  await expect(composer).toHaveText("not lost");
});

test("121 126 blocks are kept in what is sent and in what is edited", async ({ browser, server }) => {
  const { ada, roomId } = await talk(server);
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const { composer, page } = person;
  await expect(composer).toBeFocused();
  await page.getByTestId("toolbar-toggle").click();
  const toolbar = page.getByTestId("composer").getByTestId("toolbar");
  const below = await Promise.all([toolbar.boundingBox(), composer.boundingBox()]);
  expect(below[0]!.y).toBeGreaterThan(below[1]!.y);
  const blocks = { Heading: "h1", Quote: "blockquote", Code: "pre", Bullets: "ul", Numbers: "ol" };
  for (const name of Object.keys(blocks)) {
    const button = toolbar.getByRole("button", { name });
    await button.click();
    await composer.pressSequentially(name);
    await composer.press("Enter");
    await composer.press("Enter");
    if (name === "Heading") continue;
  }
  await composer.press("Control+Enter");
  const sent = person.message("Numbers").getByTestId("message-body");
  for (const [name, tag] of Object.entries(blocks)) await expect(sent.locator(tag)).toContainText(name);
  await expect(page.locator(".message--pending")).toHaveCount(0);

  await (await person.options("Numbers")).getByRole("button", { name: "Edit" }).click();
  const editor = page.getByRole("textbox", { name: "Edit message" });
  const above = page.locator(".composer--edit trix-toolbar");
  await expect
    .poll(async () => (await above.boundingBox())!.y - (await editor.boundingBox())!.y)
    .toBeLessThan(0);
  await editor.press("Control+End");
  await editor.pressSequentially(" and on");
  await editor.press("Control+Enter");
  const edited = person.message("and on").getByTestId("message-body");
  for (const [name, tag] of Object.entries(blocks)) await expect(edited.locator(tag)).toContainText(name);
});

test("128 131 the composer grows up to a bound, and a draft survives other rooms and a reload", async ({
  browser,
  server,
}) => {
  const { ada, roomId } = await talk(server);
  await server.ask("RoomService", "CreateRoom", { kind: "ROOM_KIND_OPEN", name: "Design" }, ada);
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const { composer, page } = person;
  await expect(composer).toBeFocused();
  const heights = async () =>
    (await Promise.all([composer.boundingBox(), person.list.boundingBox()])).map((box) => box!.height) as [
      number,
      number,
    ];
  const [low, tall] = await heights();
  for (let n = 0; n < 3; n++) await composer.press("Shift+Enter");
  const [grown, shrunk] = await heights();
  expect(grown).toBeGreaterThan(low + 50);
  expect(shrunk).toBeLessThan(tall - 50);
  for (let n = 0; n < 20; n++) await composer.press("Shift+Enter");
  await composer.pressSequentially("the end");
  expect((await heights())[0]).toBeLessThanOrEqual(0.4 * 800 + 1);
  expect(await composer.evaluate((e) => e.scrollHeight > e.clientHeight)).toBe(true);

  await composer.press("Control+A");
  await composer.pressSequentially("half a thought");
  const rooms = page.getByTestId("rooms");
  await rooms.getByRole("link", { name: "Design" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Design" })).toBeVisible();
  await expect(composer).toHaveText("");
  await rooms.getByRole("link", { name: "All Talk" }).click();
  await expect(composer).toHaveText("half a thought");
  await page.reload();
  await expect(composer).toHaveText("half a thought");
  await composer.press("Enter");
  await expect(person.message("half a thought")).toBeVisible();
  await page.reload();
  await expect(person.message("half a thought")).toBeVisible();
  await expect(composer).toHaveText("");
});

test("what is typed before the editor is loaded is kept, sent by Enter, and put after a draft", async ({
  browser,
  server,
}) => {
  const { ada, roomId } = await talk(server);
  await server.makeRoom(ada, "Design");
  const person = await Person.arrive(browser, server, ada);
  const { composer, page } = person;
  const { keyboard } = page;
  const arrive = await holdEditorBack(page);
  const go = async (room: string) => {
    await page.getByTestId("rooms").getByRole("link", { name: room }).click();
    await expect(page.getByTestId("room-title")).toHaveText(room);
    await expect(composer).toBeFocused();
  };

  await person.visit(`/rooms/${roomId}`);
  await expect(composer).toBeFocused();
  await keyboard.type("to <b>Ben");
  await keyboard.press("Enter");
  await expect.poll(() => person.said()).toEqual(["to <b>Ben"]);
  await expect(composer).toHaveText("");
  await keyboard.type("half a thought");
  await go("Design");
  await expect(composer).toHaveText("");
  await go("All Talk");
  await keyboard.type("more");
  await keyboard.press("Enter"); // what was kept is not to be seen yet: it waits
  await expect(composer).toHaveText("more");

  await go("Design");
  const low = (await composer.boundingBox())!.height;
  await keyboard.type("Dear");
  await keyboard.press("Shift+Enter");
  await keyboard.type("Ben ");
  const tall = (await composer.boundingBox())!.height;
  expect(tall).toBeGreaterThan(low + 15);
  await expect(composer).not.toHaveAttribute("data-ready");
  arrive();
  await expect(composer).toHaveAttribute("data-ready", "");
  await expect(composer).toBeFocused();
  expect((await composer.boundingBox())!.height).toBeCloseTo(tall, 0);
  await keyboard.type("Okri");
  await keyboard.press("Control+B");
  await keyboard.type("!");
  await keyboard.press("Enter");
  await expect.poll(() => person.said()).toEqual(["Dear\nBen Okri!"]);
  await expect(page.getByTestId("message-body").locator("strong")).toHaveText("!");

  await go("All Talk");
  await expect.poll(() => composer.innerText()).toBe("half a thought\nmore");
  await keyboard.type("?");
  await keyboard.press("Enter");
  await expect.poll(() => person.said()).toEqual(["to <b>Ben", "half a thought\nmore?"]);
});

test("117 sending to a room that is gone says so in place of the composer", async ({ browser, server }) => {
  const { ada, ben, roomId } = await talk(server);
  await server.ask("RoomService", "CreateRoom", { kind: "ROOM_KIND_OPEN", name: "Design" }, ada);
  const person = await Person.arrive(browser, server, ben);
  const other = await server.room(ada, "Design");
  await person.visit(`/rooms/${other}`);
  await expect(person.composer).toBeFocused();
  person.expectRefusal(/404/);
  // The page has not heard of it yet: its stream is silent.
  await person.page.route("**/PostMessage", async (route) => {
    await server.ask("RoomService", "DeleteRoom", { roomId: other }, ada);
    await route.continue();
  });
  await person.page.route("**/GetRoom*", () => new Promise(() => {}));
  await person.write("Hello?");
  await expect(person.page.getByText("This room no longer exists.").first()).toBeVisible();
  expect(roomId).not.toBe(other);
});

test("146 147 148 149 150 151 322 who types is seen by the others in the room, until they stop", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await talk(server);
  const cleo = await server.join(ada, "Cleo Marsh");
  const { room } = await server.ask<{ room: { id: string } }>(
    "RoomService",
    "CreateRoom",
    { kind: "ROOM_KIND_OPEN", name: "Design" },
    ada,
  );
  const one = await Person.arrive(browser, server, ada);
  const two = await Person.arrive(browser, server, ben);
  const three = await Person.arrive(browser, server, cleo);
  for (const person of [one, two]) await person.visit(`/rooms/${roomId}`);
  await three.visit(`/rooms/${room.id}`);
  const typing = (person: Person) => person.page.getByTestId("typing");
  let starts = 0;
  two.page.on("request", (request) => (starts += request.url().endsWith("/StartTyping") ? 1 : 0));
  await expect(typing(one)).toHaveAttribute("role", "status");
  await expect(one.list).toHaveAttribute("role", "log");

  await expect(three.composer).toBeFocused();
  await three.composer.pressSequentially("elsewhere");
  const from = Date.now();
  await two.composer.pressSequentially("Hm");
  await expect(typing(one)).toHaveText("Ben Okri");
  await expect(typing(one).locator(".spinner")).toBeVisible();
  await expect(typing(two)).toHaveText("");
  while (Date.now() - from < 5000) await two.composer.pressSequentially("m", { delay: 40 });
  expect(starts).toBeGreaterThan(1);
  expect(starts).toBeLessThanOrEqual(Math.ceil((Date.now() - from) / 1000) + 1);

  await three.visit(`/rooms/${roomId}`);
  await expect(three.composer).toBeFocused();
  await three.composer.pressSequentially("Me too");
  await two.composer.pressSequentially("m");
  await expect(typing(one)).toHaveText("Ben Okri, Cleo Marsh");
  // Whoever has typed just now would be forgotten after four seconds or five; who says that they stopped goes sooner.
  const sooner = { timeout: 3500 };
  await three.composer.pressSequentially("!");
  await two.composer.pressSequentially("m");
  await two.composer.press("Control+A");
  await two.composer.press("Delete");
  await expect(typing(one)).toHaveText("Cleo Marsh", sooner);
  await three.composer.pressSequentially("!");
  await three.composer.press("Enter");
  await expect(typing(one)).toHaveText("", sooner);

  await two.composer.pressSequentially("Hm");
  await expect(typing(one)).toHaveText("Ben Okri");
  await expect(typing(one)).toHaveText("", { timeout: 6500 });
});
