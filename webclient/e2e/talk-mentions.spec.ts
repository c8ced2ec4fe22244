import { expect, Person, test } from "./people";
import type { Server } from "./server";

async function crowd(server: Server) {
  const ada = await server.setUp("Ada Lovelace");
  const tokens: Record<string, string> = { ada };
  for (const name of ["Ben Okri", "Cleo Marsh", "Élise Roux"]) tokens[name] = await server.join(ada, name);
  return { ada, tokens, roomId: await server.room(ada) };
}

const list = (person: Person) => person.page.getByTestId("suggestions");
const names = (person: Person) => person.page.getByTestId("suggestion");

async function clear(person: Person) {
  await person.composer.press("Control+A");
  await person.composer.press("Delete");
}

test("132 133 134 135 138 140 142 144 323 names are offered after @, and only there", async ({
  browser,
  server,
}) => {
  const { ada, roomId } = await crowd(server);
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const { composer } = person;
  const type = async (text: string, offered: string[]) => {
    await clear(person);
    await composer.pressSequentially(text);
    await expect(names(person)).toHaveText(offered);
  };
  await type("@", ["Ada Lovelace", "Ben Okri", "Cleo Marsh", "Élise Roux"]);
  await expect(names(person).locator("img")).toHaveCount(4);
  await expect(list(person)).toBeInViewport({ ratio: 1 });
  const [box, text] = [await list(person).boundingBox(), await composer.boundingBox()];
  expect(box!.y + box!.height).toBeLessThan(text!.y + text!.height);
  const chosen = person.page.getByRole("option", { selected: true });
  await expect(person.page.getByRole("listbox")).toHaveAttribute(
    "id",
    (await composer.getAttribute("aria-controls"))!,
  );
  await expect(chosen).toHaveText("Ada Lovelace");
  await expect(chosen).toHaveAttribute("id", (await composer.getAttribute("aria-activedescendant"))!);

  await type("@be", ["Ben Okri"]);
  await type("@rou", ["Élise Roux"]);
  await type("@e", ["Élise Roux"]);
  await type("@É", ["Élise Roux"]);
  await composer.press("Escape");
  await expect(list(person)).toHaveCount(0);
  await expect(composer).toHaveText("@É");
  await composer.press("Tab");
  await expect(names(person)).toHaveText(["Élise Roux"]);

  await clear(person);
  await composer.pressSequentially("mail@be");
  await person.page.waitForTimeout(500); // longer than it takes to offer something
  await expect(list(person)).toHaveCount(0);
  await clear(person);
  await composer.pressSequentially("@eo");
  await person.page.waitForTimeout(500);
  await expect(list(person)).toHaveCount(0);
  await composer.press("Enter");
  await expect(person.message("@eo")).toBeVisible();
});

test("137 138 139 141 143 a name is accepted by keys or a click, and stays a mention when it is edited", async ({
  browser,
  server,
}) => {
  const { ada, tokens, roomId } = await crowd(server);
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const { composer } = person;
  const chips = composer.locator(".mention");
  await composer.pressSequentially("@");
  await expect(names(person)).toHaveCount(4);
  await composer.press("ArrowDown");
  await composer.press("Enter");
  await expect(chips).toHaveText(["Ben Okri"]);
  await expect(person.page.getByTestId("message")).toHaveCount(0);
  await composer.pressSequentially("and @cl");
  await expect(names(person)).toHaveText(["Cleo Marsh"]);
  await composer.press("Tab");
  await composer.pressSequentially("or @be");
  await expect(names(person)).toHaveText(["Ben Okri"]);
  await composer.press(",");
  await expect(chips).toHaveText(["Ben Okri", "Cleo Marsh", "Ben Okri"]);
  await composer.pressSequentially(" then @el");
  await names(person).filter({ hasText: "Élise" }).click();
  await expect(chips).toHaveCount(4);
  await expect(composer).toBeFocused();
  // The space, then the chip as a whole: Trix selects it first. Each key waits until Trix has drawn the one before.
  for (let presses = 0; presses < 4 && (await chips.count()) === 4; presses++) {
    await composer.press("Backspace");
    await person.page.waitForTimeout(200);
  }
  await expect(chips).toHaveText(["Ben Okri", "Cleo Marsh", "Ben Okri"]);
  await composer.pressSequentially("us");
  await expect(list(person)).toHaveCount(0);
  await composer.press("Enter");
  await expect.poll(() => person.said()).toEqual(["Ben Okri and Cleo Marsh or Ben Okri, then us"]);
  await expect(person.page.locator(".message--pending")).toHaveCount(0);

  const ben = await Person.arrive(browser, server, tokens["Ben Okri"]);
  await ben.visit(`/rooms/${roomId}`);
  await expect(ben.message("then us")).toHaveAttribute("data-mentioned", "");

  await (await person.options("then us")).getByRole("button", { name: "Edit" }).click();
  const editor = person.page.getByRole("textbox", { name: "Edit message" });
  await expect(editor.locator(".mention")).toHaveCount(3);
  await editor.press("Control+End");
  await editor.pressSequentially(" all @él");
  await expect(names(person)).toHaveText(["Élise Roux"]);
  await editor.press("Enter");
  await editor.press("Control+Enter");
  await expect(ben.message("then us all").locator(".mention")).toHaveCount(4);
});

test("Enter waits for names that are under way, and what is typed behind it comes after", async ({
  browser,
  server,
}) => {
  const { ada, roomId } = await crowd(server);
  const person = await Person.arrive(browser, server, ada);
  const { composer, page } = person;
  const { keyboard } = page;
  let wait = 500;
  await page.route("**/SuggestUsers*", async (route) => {
    await new Promise((done) => setTimeout(done, wait));
    await route.continue().catch(() => undefined); // given up meanwhile
  });
  await person.visit(`/rooms/${roomId}`);
  await expect(composer).toHaveAttribute("data-ready", "");

  await keyboard.type("@ben");
  await keyboard.press("Enter");
  await expect(composer).toHaveText("@ben");
  await keyboard.type("and @CL");
  await keyboard.press("Enter");
  await keyboard.type("hello");
  await expect(composer).toHaveText("Ben Okri and Cleo Marsh hello");
  await expect(composer.locator(".mention")).toHaveText(["Ben Okri", "Cleo Marsh"]);
  await expect(page.getByTestId("message")).toHaveCount(0);
  await keyboard.press("Enter");
  await expect.poll(() => person.said()).toEqual(["Ben Okri and Cleo Marsh hello"]);

  await test.step("without a match it sends, and the rest is the next message's", async () => {
    await keyboard.type("@nobody");
    await keyboard.press("Enter");
    await keyboard.type("next");
    await expect(person.message("@nobody").getByTestId("message-body")).toHaveText("@nobody");
    await expect(composer).toHaveText("next");
    await clear(person);
  });

  await test.step("it sends when names take too long, and before another key that is not text", async () => {
    wait = 20_000;
    await keyboard.type("so @ben");
    await keyboard.press("Enter");
    await expect(person.message("so @ben")).toBeVisible();
    await keyboard.type("or @ben");
    await keyboard.press("Enter");
    await keyboard.type("xy");
    await keyboard.press("Backspace");
    await expect(composer).toHaveText("x");
    await expect(person.message("or @ben").getByTestId("message-body")).toHaveText("or @ben");
  });
});

test("136 only members of a closed room are offered there, its bots too", async ({ browser, server }) => {
  const { ada } = await crowd(server);
  const { users } = await server.ask<{ users: { id: string; name: string }[] }>(
    "UserService",
    "ListUsers",
    {},
    ada,
  );
  const ben = users.find((u) => u.name === "Ben Okri")!.id;
  const { bot } = await server.ask<{ bot: { user: { id: string } } }>(
    "BotService",
    "CreateBot",
    { name: "Robo" },
    ada,
  );
  const request = { kind: "ROOM_KIND_CLOSED", name: "Design", memberIds: [ben, bot.user.id] };
  const { room } = await server.ask<{ room: { id: string } }>("RoomService", "CreateRoom", request, ada);
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${room.id}`);
  await person.composer.pressSequentially("@");
  await expect(names(person)).toHaveText(["Ada Lovelace", "Ben Okri", "Robo"]);
});
