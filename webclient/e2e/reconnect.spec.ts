import { expect, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

test("114 300 301 a server that dies and comes back loses, doubles and disorders nothing", async ({
  browser,
}) => {
  const token = await server.setUp("Ada Lovelace");
  const benToken = await server.join(token, "Ben Okri");
  const roomId = await server.room(token);
  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/${roomId}`);
  await ada.write("before");
  await expect(ada.page.locator(".message--pending")).toHaveCount(0);
  await expect(ada.message("before")).toBeVisible();

  ada.expectRefusal(/ERR_/); // there is no server for a while
  await server.kill();
  await ada.write("one");
  await ada.write("two");
  await ada.write("three");
  await expect(ada.page.locator(".message--pending")).toHaveCount(3);

  await test.step("the composer closes after 5 seconds and keeps its text", async () => {
    await ada.composer.pressSequentially("half a thought");
    await expect(ada.page.locator(".composer__fieldset")).toHaveAttribute("disabled", "", { timeout: 8000 });
    await expect(ada.composer).toHaveText("half a thought");
  });

  await server.launch();
  await server.post(benToken, roomId, { text: "from ben while you were away" });
  await expect(ada.message("from ben while you were away")).toBeVisible({ timeout: 35_000 });
  await expect(ada.page.locator(".message--pending")).toHaveCount(0, { timeout: 35_000 });
  await expect(ada.page.locator(".message--failed")).toHaveCount(0);
  await expect(ada.page.locator(".composer__fieldset")).not.toHaveAttribute("disabled");
  await expect(ada.composer).toHaveText("half a thought");

  const own = (await ada.said()).filter((text) => ["before", "one", "two", "three"].includes(text));
  expect(own).toEqual(["before", "one", "two", "three"]);
  const kept = await server.ask<{ messages: { bodyText: string }[] }>(
    "MessageService",
    "ListMessages",
    { roomId },
    token,
  );
  const texts = kept.messages.map((m) => m.bodyText.trim());
  expect(texts.filter((text) => !text.startsWith("from"))).toEqual(["before", "one", "two", "three"]);
  expect(await ada.said()).toEqual(texts);
});

test("a post survives loading the page again while the server is away", async ({ browser }) => {
  const token = await server.setUp("Ada Lovelace");
  const roomId = await server.room(token);
  const ada = await Person.arrive(browser, server, token);
  ada.expectRefusal(/ERR_FAILED.*PostMessage/);
  await ada.page.route("**/campfire.v1.MessageService/PostMessage", (route) => route.abort());
  await ada.visit(`/rooms/${roomId}`);
  await ada.write("still mine");
  await expect(ada.page.locator(".message--pending")).toHaveCount(1);
  await ada.page.reload();
  await expect(ada.page.locator(".message--pending")).toHaveText(/still mine/);
  await ada.page.unroute("**/campfire.v1.MessageService/PostMessage");
  await expect(ada.page.locator(".message--pending")).toHaveCount(0, { timeout: 20_000 });
  await expect(ada.message("still mine")).toHaveCount(1);
});

test("113 115 a post that never goes through is given up, and can be tried again", async ({ browser }) => {
  const token = await server.setUp("Ada Lovelace");
  const ada = await Person.arrive(browser, server, token);
  await ada.page.clock.install();
  ada.expectRefusal(/503.*PostMessage/);
  let tries = 0;
  await ada.page.route("**/campfire.v1.MessageService/PostMessage", (route) => {
    tries++;
    return route.fulfill({ status: 503, json: { code: "unavailable", message: "not now" } });
  });
  await ada.visit("/");
  await ada.write("stubborn");
  for (const seconds of [1, 2, 4, 8, 16]) {
    await expect(ada.page.locator(".message--pending")).toHaveCount(1);
    await ada.page.waitForTimeout(100);
    await ada.page.clock.runFor(seconds * 1000);
  }
  const failed = ada.page.locator(".message--failed");
  await expect(failed).toContainText("stubborn");
  expect(tries).toBe(6);
  await ada.page.unroute("**/campfire.v1.MessageService/PostMessage");
  await failed.getByRole("button", { name: "Try again" }).click();
  await expect(ada.page.locator(".message--failed, .message--pending")).toHaveCount(0);
  await expect(ada.message("stubborn")).toHaveCount(1);
});

test("a tab hidden for long lets its connection go, and knows everything when it is shown", async ({
  browser,
}) => {
  const token = await server.setUp("Ada Lovelace");
  const benToken = await server.join(token, "Ben Okri");
  const roomId = await server.room(token);
  const ada = await Person.arrive(browser, server, token);
  await ada.page.clock.install();
  let open = 0;
  let lists = 0;
  ada.page.on("request", (request) => {
    if (request.url().endsWith("/Subscribe")) open++;
    if (request.url().endsWith("/ListRooms")) lists++;
  });
  const ended = (request: { url(): string }) => request.url().endsWith("/Subscribe") && open--;
  ada.page.on("requestfailed", ended);
  ada.page.on("requestfinished", ended);
  const turn = (state: "hidden" | "visible") =>
    ada.page.evaluate((to) => {
      Object.defineProperty(document, "visibilityState", { value: to, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);

  await ada.visit(`/rooms/${roomId}`);
  await ada.write("hello");
  await expect(ada.page.locator(".message--pending")).toHaveCount(0);
  expect(open).toBe(1);

  await turn("hidden");
  await ada.page.clock.runFor(50_000);
  expect(open).toBe(1);
  await ada.page.clock.runFor(16_000);
  await expect.poll(() => open).toBe(0);
  const before = lists;
  await ada.page.clock.runFor(66_000);
  await expect.poll(() => lists).toBeGreaterThan(before);
  expect(open).toBe(0);

  for (const text of ["are you", "still", "there?"]) await server.post(benToken, roomId, { text });
  await turn("visible");
  await expect(ada.message("there?")).toBeVisible();
  expect(open).toBe(1);
  expect(await ada.said()).toEqual(["hello", "are you", "still", "there?"]);
  await expect(ada.page.locator(".composer__fieldset")).not.toHaveAttribute("disabled");
});

test("switching rooms opens no second stream", async ({ browser }) => {
  const token = await server.setUp("Ada Lovelace");
  const roomId = await server.room(token);
  const made = await server.ask<{ room: { id: string } }>(
    "RoomService",
    "CreateRoom",
    { kind: "ROOM_KIND_OPEN", name: "Design" },
    token,
  );
  const ada = await Person.arrive(browser, server, token);
  let opened = 0;
  ada.page.on("request", (request) => {
    if (request.url().endsWith("/Subscribe")) opened++;
  });
  await ada.visit(`/rooms/${roomId}`);
  const rooms = ada.page.getByTestId("rooms");
  for (let i = 0; i < 20; i++) {
    await rooms.getByRole("link", { name: "Design" }).click();
    await expect(ada.page).toHaveURL(`${server.url}/rooms/${made.room.id}`);
    await rooms.getByRole("link", { name: "All Talk" }).click();
    await expect(ada.page).toHaveURL(`${server.url}/rooms/${roomId}`);
  }
  await server.post(token, roomId, { text: "still listening" });
  await expect(ada.message("still listening")).toBeVisible();
  expect(opened).toBe(1);
});

test("who is let in again at once misses nothing of what was said meanwhile", async ({ browser }) => {
  const token = await server.setUp("Ada Lovelace");
  const benToken = await server.join(token, "Ben Okri");
  const benId = await server.idOf(benToken);
  const roomId = await server.makeRoom(token, "Design", [benId]);
  await server.post(token, roomId, { text: "before" });
  const ben = await Person.arrive(browser, server, benToken);
  const entered = ben.page.waitForResponse(/PresenceService\/EnterRoom/);
  await ben.visit(`/rooms/${roomId}`);
  await expect(ben.message("before")).toBeVisible();
  await entered;

  // What the page asks on hearing of the removal is answered once Ben is in again.
  let letIn = () => {};
  const isIn = new Promise<void>((done) => (letIn = done));
  await ben.page.route(/RoomService\/(GetRoom|ListRooms)|MessageService\/ListMessages/, async (route) => {
    await isIn;
    await route.continue();
  });
  const change = (request: object) => server.ask("RoomService", "UpdateRoom", { roomId, ...request }, token);
  await change({ revokeUserIds: [benId] });
  await server.post(token, roomId, { text: "meanwhile" });
  await change({ grantUserIds: [benId] });
  letIn();
  await server.post(token, roomId, { text: "after" });
  await expect(ben.message("after")).toBeVisible();
  await expect(ben.message("meanwhile")).toBeVisible();
  expect(await ben.said()).toEqual(["before", "meanwhile", "after"]);
});
