import type { Browser } from "@playwright/test";
import { expect, Person, phone, test } from "./people";
import type { Server } from "./server";

/** Ada and Ben in the first room, and what its messages are made of. */
async function room(server: Server) {
  const ada = await server.setUp("Ada Lovelace");
  const ben = await server.join(ada, "Ben Okri");
  const roomId = await server.room(ada);
  const { users } = await server.ask<{ users: { id: string; name: string }[] }>(
    "UserService",
    "ListUsers",
    {},
    ada,
  );
  const id = (name: string) => users.find((u) => u.name.startsWith(name))!.id;
  return { ada, ben, roomId, id };
}

test("44 45 50 54 56 57 a message shows who said it, when and what; one's own is mirrored", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId, id } = await room(server);
  const first = await server.post(ben, roomId, { text: "Good morning" });
  await server.post(ben, roomId, { text: "Tea?" });
  await server.post(ada, roomId, { text: "Gladly" });
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);

  const theirs = person.message("Good morning");
  await expect(theirs.getByTestId("message-author")).toHaveText("Ben Okri");
  const time = theirs.getByTestId("message-time");
  await expect(time).toHaveText(/^\d{1,2}:\d\d [AP]M$/);
  await expect(time).toHaveAttribute("href", `/rooms/${roomId}/@${first}`);
  await expect(time.locator("time")).toHaveAttribute("title", /^\d+\/\d+\/\d\d, \d+:\d\d [AP]M$/);
  await expect(theirs.getByRole("link", { name: "Ben Okri" })).toHaveAttribute("href", `/users/${id("Ben")}`);

  const day = person.page.getByTestId("day-separator");
  await expect(day).toHaveCount(1);
  await expect(day).toHaveText(/^[A-Z][a-z]+ \d+, \d{4}$/);
  await expect(day).toHaveCSS("text-transform", "uppercase");
  await expect(day.locator("time")).toHaveAttribute("title", /\d, \d+:\d\d/);

  const threaded = person.message("Tea?");
  await expect(threaded).toHaveAttribute("data-threaded", "");
  await expect(threaded.getByTestId("message-author")).toBeHidden();
  await expect(threaded.locator(".message__avatar")).toHaveCount(0);
  await expect(threaded.getByTestId("message-time")).toBeVisible();
  await expect(threaded.getByTestId("message-menu-button")).toHaveCount(1);

  const mine = person.message("Gladly");
  const [list, left, right] = await Promise.all(
    [person.list, theirs.locator(".message__bubble"), mine.locator(".message__bubble")].map((l) =>
      l.boundingBox(),
    ),
  );
  const middle = list!.x + list!.width / 2;
  expect(left!.x + left!.width).toBeLessThan(middle);
  expect(right!.x).toBeGreaterThan(middle);
  const avatar = await mine.locator(".message__avatar").boundingBox();
  expect(avatar!.x).toBeGreaterThan(right!.x + right!.width / 2);
  const colour = (of: typeof mine) =>
    of.locator(".message__bubble").evaluate((e) => getComputedStyle(e).backgroundColor);
  expect(await colour(mine)).toBe(await colour(theirs));
});

test("55 times and days are those of the reader's zone", async ({ browser, server }) => {
  const { ada, roomId } = await room(server);
  await server.post(ada, roomId, { text: "When?" });
  const shown = async (timezoneId: string) => {
    const person = await Person.arrive(browser, server, ada, { timezoneId });
    await person.visit(`/rooms/${roomId}`);
    const time = person.message("When?").locator("time");
    const at = new Date((await time.first().getAttribute("datetime"))!);
    const zoned = (options: Intl.DateTimeFormatOptions) =>
      at.toLocaleString("en-US", { ...options, timeZone: timezoneId });
    await expect(person.message("When?").getByTestId("message-time")).toHaveText(
      zoned({ timeStyle: "short" }),
    );
    await expect(person.page.getByTestId("day-separator")).toHaveText(zoned({ dateStyle: "long" }));
    return zoned({ timeStyle: "short" });
  };
  expect(await shown("Asia/Tokyo")).not.toBe(await shown("America/Lima"));
});

test("59 60 61 62 63 64 65 66 what messages may hold is shown for what it is", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId, id } = await room(server);
  const say = (html: string) => server.post(ben, roomId, { html });
  await say("😄🤘");
  await say("Haha 😄");
  await say("🔥 💯");
  await say("🔥<br>💯");
  await say(`see https://example.com/page and ${server.url}/rooms/${roomId}`);
  await say(`<img src="x"><script>1</script><a href="javascript:alert(1)" onclick="alert(2)">harmless</a>`);
  await say(`<pre>function greet(name) {\n  return "Hello " + name; // politely\n}</pre>`);
  await say(`Ask <span class="mention" data-user-id="${id("Ada")}">@x</span> first`);
  await say("שלום לכולם");
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);

  const large = person.message("😄🤘");
  await expect(large).toHaveAttribute("data-emoji", "");
  const size = (of: typeof large) =>
    of.getByTestId("message-body").evaluate((e) => parseFloat(getComputedStyle(e).fontSize));
  expect(await size(large)).toBeCloseTo(2.4 * 16, 0);
  await expect(large.locator(".message__bubble")).toHaveCSS("background-color", "rgba(0, 0, 0, 0)");
  await expect(person.page.locator("[data-emoji]")).toHaveCount(1);
  expect(await size(person.message("Haha"))).toBe(16);

  const links = person.message("see https").getByTestId("message-body").getByRole("link");
  await expect(links.nth(0)).toHaveAttribute("target", "_blank");
  await expect(links.nth(1)).not.toHaveAttribute("target", "_blank");

  const harmless = person.message("harmless").getByTestId("message-body");
  await expect(harmless).toHaveText("harmless");
  await expect(harmless.locator("img, script, a[href], [onclick]")).toHaveCount(0);

  const code = person.page.locator("pre.hljs");
  await expect(code.locator(".hljs-keyword").first()).toHaveText("function");
  await expect(code.locator(".hljs-string")).toHaveText('"Hello "');
  await expect(code).toHaveCSS("font-family", /mono/i);
  const token = (name: string) =>
    code
      .locator(name)
      .first()
      .evaluate((e) => getComputedStyle(e).color);
  expect(await token(".hljs-keyword")).not.toBe(await token(".hljs-string"));

  const mention = person.message("Ask").locator(".mention");
  await expect(mention).toHaveText("Ada Lovelace");
  await expect(mention.locator("img")).toHaveJSProperty("complete", true);
  await expect(mention).toHaveCSS("font-weight", "700");
  await expect(mention.getByRole("link")).toHaveAttribute("href", `/users/${id("Ada")}`);

  const tint = (of: Person) =>
    of
      .message("Ask")
      .locator(".message__bubble")
      .evaluate((e) => getComputedStyle(e).backgroundColor);
  const other = await Person.arrive(browser, server, ben);
  await other.visit(`/rooms/${roomId}`);
  await expect(person.message("Ask")).toHaveAttribute("data-mentioned", "");
  await expect(other.message("Ask")).not.toHaveAttribute("data-mentioned");
  expect(await tint(person)).not.toBe(await tint(other));

  await expect(person.message("שלום").getByTestId("message-body")).toHaveCSS("direction", "rtl");
});

test("67 123 130 bubbles and the composer use the room a screen has", async ({ browser, server }) => {
  const { ada, ben, roomId } = await room(server);
  await server.post(ben, roomId, { text: "word ".repeat(200) });
  const share = async (person: Person) => {
    const [bubble, row] = await Promise.all(
      [".message__bubble", ".message"].map((l) => person.page.locator(l).boundingBox()),
    );
    return bubble!.width / row!.width;
  };
  const wide = await Person.arrive(browser, server, ada);
  await wide.visit(`/rooms/${roomId}`);
  await expect(wide.message("word")).toBeVisible();
  expect(await share(wide)).toBeLessThanOrEqual(0.85);
  await expect(wide.page.getByTestId("toolbar-toggle")).toBeVisible();

  const narrow = await Person.arrive(browser, server, ada, phone);
  await narrow.visit(`/rooms/${roomId}`);
  await expect(narrow.message("word")).toBeVisible();
  expect(await share(narrow)).toBeGreaterThan(0.87); // all but the column of the picture
  await expect(narrow.page.getByTestId("toolbar-toggle")).toBeHidden();
  const search = narrow.page.getByRole("link", { name: "Search" });
  const hint = narrow.page.locator(".composer__input-hint");
  await expect(search).toBeVisible();
  await expect(hint).toBeVisible();
  await narrow.composer.focus();
  await expect(search).toBeHidden();
  await expect(hint).toBeHidden();
  await narrow.composer.blur();
  await expect(search).toBeVisible();
  await expect(hint).toBeVisible();
});

test("a room visited before is there within a frame, and knows what came meanwhile", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await room(server);
  const made = await server.ask<{ room: { id: string } }>(
    "RoomService",
    "CreateRoom",
    { kind: "ROOM_KIND_OPEN", name: "Design" },
    ada,
  );
  for (let n = 1; n <= 50; n++) await server.post(ben, roomId, { text: `number ${n}.` });
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  await expect(person.message("number 50.")).toBeInViewport();
  const rooms = person.page.getByTestId("rooms");
  const left = person.page.waitForResponse(/LeaveRoom/);
  await rooms.getByRole("link", { name: "Design" }).click();
  await expect(person.page.getByRole("heading", { level: 1, name: "Design" })).toBeVisible();
  await left; // until then what is said there counts as read
  await server.post(ben, roomId, { text: "meanwhile." });
  await expect(rooms.getByRole("link", { name: "All Talk" })).toHaveAttribute("data-unread", "");
  await person.page.route("**/ListMessages*", () => new Promise(() => {})); // the fresh page never comes
  const drawn = await rooms.getByRole("link", { name: "All Talk" }).evaluate(async (link: HTMLElement) => {
    link.click();
    await new Promise(requestAnimationFrame);
    return document.querySelectorAll("[data-testid=message]").length;
  });
  expect(drawn).toBe(40);
  await expect(person.message("meanwhile.")).toBeInViewport();
  await expect(person.page.getByTestId("new-messages")).toHaveText("New messages");
  expect(made.room.id).not.toBe(roomId);
});

/** The message that stands below the line. */
const firstNew = (of: Person) => of.page.locator("[data-testid=new-messages] + .message");

/** Opens the room, and waits until the server knows: from then on what is there counts as read. */
async function enter(person: Person, roomId: string) {
  const entered = person.page.waitForResponse("**/EnterRoom");
  await person.visit(`/rooms/${roomId}`);
  await (await entered).finished();
}

/** Ada in a room, having read what Ben has said there. */
async function reader(browser: Browser, server: Server) {
  const all = await room(server);
  const person = await Person.arrive(browser, server, all.ada);
  await server.post(all.ben, all.roomId, { text: "known" });
  await enter(person, all.roomId);
  await expect(person.message("known")).toBeVisible();
  return { all, person };
}

/** Leaves the room, has Ben go on, and answers the first message that nobody counts as read by her. */
async function away(person: Person, server: Server, { ada, ben, roomId }: Awaited<ReturnType<typeof room>>) {
  await person.page.goto("about:blank");
  let read = "";
  await expect(async () => {
    const before = read;
    await server.post(ben, roomId, { text: "unseen" });
    const { room } = await server.ask<{ room: { unread?: boolean; lastReadMessageId: string } }>(
      "RoomService",
      "GetRoom",
      { roomId },
      ada,
    );
    read = room.lastReadMessageId;
    expect([room.unread, read]).toEqual([true, before]);
  }).toPass();
  return String(Number(read) + 1); // here no other room takes a number
}

test("a line says where the unread begins, also when the page is loaded anew", async ({
  browser,
  server,
}) => {
  const all = await room(server);
  await server.post(all.ben, all.roomId, { text: "known" });
  const person = await Person.arrive(browser, server, all.ada);
  await enter(person, all.roomId);
  await expect(firstNew(person)).toContainText("known");
  await enter(person, all.roomId);
  await expect(person.message("known")).toBeVisible();
  await expect(person.page.getByTestId("new-messages")).toHaveCount(0);
  const first = await away(person, server, all);
  await enter(person, all.roomId);
  await expect(firstNew(person)).toHaveAttribute("data-message-id", first);
  await person.write("Caught up");
  await expect(person.page.getByTestId("new-messages")).toHaveCount(0);
});

test("the line is there also where the room could not be loaded at first", async ({ browser, server }) => {
  const { all, person } = await reader(browser, server);
  const first = await away(person, server, all);
  person.expectRefusal(/ListMessages|ERR_FAILED/);
  person.expectRefusal(/EnterRoom/); // each attempt ends the stream that it may be for
  await person.page.route("**/ListMessages*", (route) => route.abort());
  await enter(person, all.roomId); // which has the server call it read
  await expect(person.page.getByRole("button", { name: "Try again" })).toBeVisible();
  await person.page.unroute("**/ListMessages*"); // then Campfire itself tries again
  await expect(firstNew(person)).toHaveAttribute("data-message-id", first);
});

test("the line knows what was read on another device", async ({ browser, server }) => {
  const { all, person } = await reader(browser, server);
  // Another device of hers knows where it begins, although nothing was ever read there.
  const first = await away(person, server, all);
  const phone = await Person.arrive(browser, server, all.ada);
  await enter(phone, all.roomId);
  await expect(firstNew(phone)).toHaveAttribute("data-message-id", first);
  await phone.leave();
  // What was read there is not new here.
  await enter(person, all.roomId);
  await expect(person.page.locator(`[data-message-id="${first}"]`)).toBeVisible();
  await expect(person.page.getByTestId("new-messages")).toHaveCount(0);
  const second = await away(person, server, all);
  await enter(person, all.roomId);
  await expect(firstNew(person)).toHaveAttribute("data-message-id", second);
});
