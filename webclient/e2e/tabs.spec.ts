import type { Page } from "@playwright/test";
import { expect, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

/** Counts the streams that a tab has open, and how often it asks for the rooms. */
function count(page: Page) {
  const counted = { streams: 0, opened: 0, lists: 0 };
  const ended = (request: { url(): string }) => {
    if (request.url().endsWith("/Subscribe")) counted.streams--;
  };
  page.on("request", (request) => {
    if (request.url().endsWith("/Subscribe")) {
      counted.streams++;
      counted.opened++;
    }
    if (request.url().endsWith("/ListRooms")) counted.lists++;
  });
  page.on("requestfailed", ended);
  page.on("requestfinished", ended);
  return counted;
}

/** Lets a tab believe that it is hidden, or shown: a browser without a window shows all of its tabs. */
function turn(page: Page, state: "hidden" | "visible") {
  return page.evaluate((to) => {
    Object.defineProperty(document, "visibilityState", { value: to, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
}

/**
 * Hides a tab that shows a room, until it lets its stream go: a browser has six connections for all tabs. The clock is
 * that of all tabs; it jumps, first over what makes the tab leave the room, as that goes over its stream.
 */
async function hideForLong(page: Page, counted: { streams: number }) {
  await turn(page, "hidden");
  const left = page.waitForResponse("**/LeaveRoom");
  await page.clock.fastForward(6000);
  await left;
  await page.clock.fastForward(61_000);
  await expect.poll(() => counted.streams).toBe(0);
}

test("seven tabs over HTTP/1.1 all load, and all know what happens", async ({ browser }) => {
  test.setTimeout(180_000); // seven pages take a busy machine a minute
  const token = await server.setUp("Ada Lovelace");
  const benToken = await server.join(token, "Ben Okri");
  const roomId = await server.room(token);
  const ada = await Person.arrive(browser, server, token);
  await ada.visit("/up");
  const protocol = await ada.page.evaluate(
    () => (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming).nextHopProtocol,
  );
  expect(protocol).toBe("http/1.1");
  await ada.context.clock.install(); // one for all tabs
  const tabs: Page[] = [];
  const counts: ReturnType<typeof count>[] = [];
  for (let i = 0; i < 7; i++) {
    const page = i === 0 ? ada.page : await ada.openTab();
    tabs.push(page);
    counts.push(count(page));
    const entered = page.waitForResponse("**/EnterRoom"); // its stream has spoken by then
    await page.goto(`${server.url}/rooms/${roomId}`);
    await expect(page.getByTestId("rooms")).toBeVisible();
    await entered;
    expect(counts[i]!.streams).toBe(1);
    if (i < 6) await hideForLong(page, counts[i]!); // the next tab hides this one
  }
  expect(counts.map((c) => c.streams)).toEqual([0, 0, 0, 0, 0, 0, 1]);

  await server.post(benToken, roomId, { text: "hello, all seven" });
  // First the one that is shown: while the clock jumps, nobody is in the room.
  for (const i of [6, 0, 1, 2, 3, 4, 5]) {
    const page = tabs[i]!;
    if (i < 6) {
      const { lists } = counts[i]!;
      await ada.context.clock.fastForward(61_000); // hidden, it asks for its badge
      await expect.poll(() => counts[i]!.lists).toBeGreaterThan(lists);
      expect(counts[i]!.streams).toBe(0);
      await turn(page, "visible");
    }
    await expect(page.getByTestId("message").filter({ hasText: "hello, all seven" })).toHaveCount(1);
    expect(counts[i]!.streams).toBe(1);
    if (i < 6) {
      const entered = page.waitForResponse("**/EnterRoom");
      await ada.context.clock.fastForward(6000); // shown that long, it counts
      await entered;
    }
    await hideForLong(page, counts[i]!);
  }
});

test("switching rooms 200 times leaves one request open", async ({ browser }) => {
  test.setTimeout(180_000);
  const token = await server.setUp("Ada Lovelace");
  const roomId = await server.room(token);
  const made = await server.ask<{ room: { id: string } }>(
    "RoomService",
    "CreateRoom",
    { kind: "ROOM_KIND_OPEN", name: "Design" },
    token,
  );
  const ada = await Person.arrive(browser, server, token);
  const counted = count(ada.page);
  const open = new Set<unknown>();
  ada.page.on("request", (request) => open.add(request));
  ada.page.on("requestfinished", (request) => open.delete(request));
  ada.page.on("requestfailed", (request) => open.delete(request));
  await ada.visit(`/rooms/${roomId}`);
  const rooms = ada.page.getByTestId("rooms");
  for (let i = 0; i < 100; i++) {
    await rooms.getByRole("link", { name: "Design" }).click();
    await expect(ada.page).toHaveURL(`${server.url}/rooms/${made.room.id}`);
    await rooms.getByRole("link", { name: "All Talk" }).click();
    await expect(ada.page).toHaveURL(`${server.url}/rooms/${roomId}`);
  }
  await server.post(token, roomId, { text: "still listening" });
  await expect(ada.message("still listening")).toBeVisible();
  await expect.poll(() => open.size).toBe(1);
  expect(counted).toMatchObject({ streams: 1, opened: 1 });
  expect(ada.complaints).toEqual([]);
});
