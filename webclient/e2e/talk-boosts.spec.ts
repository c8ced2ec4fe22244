import { expect, live, Person, phone, test } from "./people";
import type { Server } from "./server";

async function talk(server: Server) {
  const ada = await server.setUp("Ada Lovelace");
  const ben = await server.join(ada, "Ben Okri");
  const roomId = await server.room(ada);
  const messageId = await server.post(ben, roomId, { text: "It flies" });
  return { ada, ben, roomId, messageId };
}

const menuOf = (person: Person) => person.page.getByTestId("message-menu");
const pills = (person: Person) => person.page.getByTestId("boost");

test("68 the options button shows on a message that is pointed at; on touch always", async ({
  browser,
  server,
}) => {
  const { ada, roomId } = await talk(server);
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const button = person.message("It flies").getByTestId("message-menu-button");
  await expect(button).toHaveCSS("opacity", "0");
  await person.message("It flies").getByTestId("message-body").hover();
  await expect(button).toHaveCSS("opacity", "1");
  await person.page.mouse.move(0, 0);
  await expect(button).toHaveCSS("opacity", "0");
  await button.focus();
  await person.page.keyboard.press("Shift");
  await expect(button).toHaveCSS("opacity", "1");

  const touching = await Person.arrive(browser, server, ada, phone);
  await touching.visit(`/rooms/${roomId}`);
  const there = touching.message("It flies").getByTestId("message-menu-button");
  await expect(there).toBeVisible();
  expect(Number(await there.evaluate((e) => getComputedStyle(e).opacity))).toBeGreaterThanOrEqual(0.5);
});

test("69 70 71 72 73 the menu offers what may be done, opens where there is room, and closes", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId, messageId } = await talk(server);
  await server.post(ada, roomId, { text: "Mine" });
  const admin = await Person.arrive(browser, server, ada);
  await admin.visit(`/rooms/${roomId}`);
  const names = async (person: Person, text: string) => {
    const menu = await person.options(text);
    const buttons = await menu.getByRole("button").all();
    const labels = await Promise.all(
      buttons.map(async (b) => (await b.getAttribute("aria-label")) ?? (await b.innerText())),
    );
    return labels.map((label) => label.trim());
  };
  const boosts = ["Thumbs up", "Clapping", "Waving hand", "Muscle", "Red heart", "Face with tears of joy"];
  const all = [...boosts, "Party popper", "Fire", "New boost", "Reply", "Copy link", "Edit"];
  expect(await names(admin, "It flies")).toEqual(all);
  await admin.page.keyboard.press("Escape");
  await expect(menuOf(admin)).toHaveCount(0);

  const member = await Person.arrive(browser, server, ben);
  await member.visit(`/rooms/${roomId}`);
  expect(await names(member, "Mine")).toEqual(all.slice(0, -1));
  await member.list.click({ position: { x: 5, y: 200 } });
  await expect(menuOf(member)).toHaveCount(0);
  expect(await names(member, "It flies")).toEqual(all);

  await test.step("near the bottom it opens upward", async () => {
    for (let n = 0; n < 12; n++) await server.post(ada, roomId, { text: `line ${n}.` });
    await expect(admin.message("line 11.")).toBeInViewport();
    const menu = await admin.options("line 11.");
    await expect(menu).toHaveClass(/message__actions--up/);
    await expect(menu).toBeInViewport({ ratio: 1 });
    await admin.page.keyboard.press("Escape");
  });

  await test.step("the link is copied", async () => {
    const menu = await admin.options("It flies");
    const copy = menu.getByRole("button", { name: "Copy link" });
    await copy.click();
    await expect(menu.locator(".btn--success")).toHaveCount(1);
    expect(await admin.page.evaluate(() => navigator.clipboard.readText())).toBe(
      `${server.url}/rooms/${roomId}/@${messageId}`,
    );
    await expect(menu).toBeVisible(); // so that the success is seen
  });
});

test("74 75 76 77 80 86 boosts are added, live, each a pill of its own", async ({ browser, server }) => {
  const { ada, ben, roomId } = await talk(server);
  for (let n = 0; n < 30; n++) await server.post(ben, roomId, { text: `line ${n}.` });
  const one = await Person.arrive(browser, server, ada);
  const two = await Person.arrive(browser, server, ben);
  for (const person of [one, two]) await person.visit(`/rooms/${roomId}`);
  await expect(one.page.getByRole("button", { name: "Add a boost" })).toHaveCount(0);
  await two.message("line 20.").scrollIntoViewIfNeeded();
  await two.list.evaluate((list) => (list.scrollTop -= 250));
  const place = () => two.list.evaluate((list) => list.scrollTop);
  const before = await place();

  await (await one.options("line 20.")).getByRole("button", { name: "Thumbs up" }).click();
  await expect(menuOf(one)).toHaveCount(0);
  await expect(pills(one)).toHaveText("👍");
  await expect(pills(one).locator("img")).toHaveCount(1);
  await expect(pills(one)).toHaveAttribute("title", "Ada Lovelace boosted 👍");
  await live(() => expect(pills(two)).toHaveCount(1, { timeout: 20 }));
  expect(await place()).toBe(before);
  await expect(one.page.getByRole("button", { name: "Add a boost" })).toHaveCount(1);

  await (await one.options("line 20.")).getByRole("button", { name: "Thumbs up" }).click();
  await expect(pills(one)).toHaveCount(2);
  await one.page.getByRole("button", { name: "Add a boost" }).click();
  await one.page.getByLabel("Boost", { exact: true }).fill("Good morning");
  await one.page.keyboard.press("Enter");
  const words = pills(two).filter({ hasText: "Good morning" });
  await expect(words).toHaveCount(1);
  await expect(words.getByRole("link", { name: "Ada Lovelace boosted Good morning" })).toHaveCount(1);
  const size = (content: string) =>
    one.page
      .locator(".boost__content")
      .filter({ hasText: content })
      .first()
      .evaluate((e) => {
        const large = e.querySelector(".boost-character");
        return parseFloat(getComputedStyle(large ?? e).fontSize);
      });
  expect(await size("Good morning")).toBeLessThan(await size("👍"));
});

test("78 79 84 85 the boost form takes 16 characters, no blanks, and is left alone by others", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId, messageId } = await talk(server);
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const open = async () =>
    (await person.options("It flies")).getByRole("button", { name: "New boost" }).click();
  await open();
  const field = person.page.getByLabel("Boost", { exact: true });
  await expect(field).toBeFocused();
  await field.press("Enter");
  await field.pressSequentially("   ");
  await field.press("Enter");
  await expect(field).toBeVisible();
  await field.press("Escape");
  await expect(field).toHaveCount(0);
  await expect(pills(person)).toHaveCount(0);

  await open();
  await field.pressSequentially("12345678901234567890");
  await expect(field).toHaveValue("1234567890123456");
  await server.ask("MessageService", "EditMessage", { messageId, text: "It flies high" }, ben);
  await expect(person.message("It flies high")).toBeVisible();
  await server.ask("MessageService", "AddBoost", { messageId, content: "🎉" }, ben);
  await expect(pills(person)).toHaveText(/🎉/);
  await expect(field).toHaveValue("1234567890123456");
  await expect(field).toBeFocused();
  await field.press("Enter");
  await expect(pills(person)).toHaveText([/🎉/, /^1234567890123456$/]);
});

test("81 82 83 one's own boosts are removed, by mouse and by keyboard; others' are not", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId, messageId } = await talk(server);
  for (const [token, content] of [
    [ben, "🎉"],
    [ada, "👏"],
    [ada, "🔥"],
  ])
    await server.ask("MessageService", "AddBoost", { messageId, content }, token);
  const one = await Person.arrive(browser, server, ada);
  const two = await Person.arrive(browser, server, ben);
  for (const person of [one, two]) await person.visit(`/rooms/${roomId}`);
  const bin = one.page.getByRole("button", { name: "Delete this boost" });
  await pills(one).filter({ hasText: "🎉" }).locator(".boost__content").click();
  await expect(bin).toHaveCount(0);

  const mine = one.page.getByRole("button", { name: "Ada Lovelace boosted 👏" });
  await mine.click();
  await expect(bin).toBeFocused();
  await mine.click();
  await expect(bin).toHaveCount(0);
  await mine.click();
  await bin.click();
  await expect(pills(two)).toHaveText([/🎉/, /🔥/]);

  const other = one.page.getByRole("button", { name: "Ada Lovelace boosted 🔥" });
  await expect(other).toHaveAttribute("aria-description", /Enter/);
  await one.page.getByRole("button", { name: "Add a boost" }).focus();
  await one.page.keyboard.press("Shift+Tab");
  await expect(other).toBeFocused();
  await one.page.keyboard.press("Enter");
  await expect(bin).toBeFocused();
  await one.page.keyboard.press("Enter");
  await expect(pills(two)).toHaveText([/🎉/]);
});
