import { type Locator } from "@playwright/test";
import { expect, Person, test } from "./people";
import { Server } from "./server";

// One after the other: they share a room with a long history.
test.describe.configure({ mode: "default" });

let server: Server;
let token: string;
let roomId: string;
const ids: string[] = [];

test.beforeAll(async () => {
  server = await Server.start();
  token = await server.setUp("Ada Lovelace");
  const ben = await server.join(token, "Ben Okri");
  roomId = await server.room(token);
  for (let n = 1; n <= 400; n++)
    ids.push(await server.post(n % 7 ? ben : token, roomId, { text: `number ${n}.` }));
});
test.afterAll(() => server.stop());

/** The numbers of the messages in the list. */
async function numbers(person: Person): Promise<number[]> {
  return (await person.said()).map((text) => Number(/number (\d+)\./.exec(text)?.[1]));
}

function fromTo(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function toEnd(list: Locator): Promise<number> {
  return list.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
}

test("158 159 a room opens at its end, and pages upwards without moving what is on screen", async ({
  browser,
}) => {
  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/${roomId}`);
  await expect(ada.message("number 400.")).toBeVisible();
  expect(await numbers(ada)).toEqual(fromTo(361, 400));
  expect(await toEnd(ada.list)).toBeLessThan(2);

  // The list keeps still: right after the older page came, the former first message is where it was.
  await ada.list.evaluate((list) => {
    const first = list.querySelector(".message .message__body")!;
    const w = window as unknown as { moved: number };
    w.moved = 0;
    list.scrollTop = 150;
    let top = first.getBoundingClientRect().top;
    new MutationObserver(() => {
      // After React's commit and before the next frame.
      queueMicrotask(() => {
        w.moved = Math.max(w.moved, Math.abs(first.getBoundingClientRect().top - top));
        top = first.getBoundingClientRect().top;
      });
    }).observe(list, { childList: true });
  });
  await expect.poll(async () => (await numbers(ada))[0]).toBe(321);
  expect(await numbers(ada)).toEqual(fromTo(321, 400));
  expect(await ada.page.evaluate(() => (window as unknown as { moved: number }).moved)).toBeLessThan(2);
  await expect(ada.page.getByTestId("day-separator")).toHaveCount(1);
});

test("160 164 165 166 the list stays bounded, stops at the beginning, and finds its way back", async ({
  browser,
}) => {
  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/${roomId}`);
  await expect(ada.message("number 400.")).toBeVisible();
  for (let first = 361; first > 1; first -= 40) {
    await ada.list.evaluate((list) => (list.scrollTop = 0));
    await expect.poll(async () => (await numbers(ada))[0]).toBe(first - 40);
    const held = await numbers(ada);
    expect(held.length).toBeLessThanOrEqual(320);
    expect(held).toEqual(fromTo(held[0]!, held.at(-1)!));
  }
  await ada.list.evaluate((list) => (list.scrollTop = 0));
  await ada.page.waitForTimeout(300);
  expect((await numbers(ada))[0]).toBe(1); // there is nothing before
  await expect(ada.page.getByTestId("jump-to-newest")).toBeVisible();

  await test.step("downwards, without gaps", async () => {
    const last = (await numbers(ada)).at(-1)!;
    expect(last).toBeLessThan(400);
    await ada.list.evaluate((list) => (list.scrollTop = list.scrollHeight));
    await expect.poll(async () => (await numbers(ada)).at(-1)).toBeGreaterThan(last);
    const held = await numbers(ada);
    expect(held).toEqual(fromTo(held[0]!, held.at(-1)!));
  });

  await test.step("or at once", async () => {
    await ada.page.getByTestId("jump-to-newest").click();
    await expect(ada.message("number 400.")).toBeInViewport();
    await expect(ada.page.getByTestId("jump-to-newest")).toBeHidden();
  });
});

test("112 171 172 a permalink shows its message in the middle, outlined briefly", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/${roomId}/@${ids[199]}`);
  const message = ada.message("number 200.");
  await expect(message).toHaveClass(/message--highlighted/);
  await expect(message).toBeInViewport();
  const middle = await message.evaluate((e) => {
    const box = e.closest(".messages")!.getBoundingClientRect();
    const at = e.getBoundingClientRect();
    return Math.abs((at.top + at.bottom) / 2 - (box.top + box.bottom) / 2);
  });
  expect(middle).toBeLessThan(60);
  await expect(message).not.toHaveClass(/message--highlighted/, { timeout: 3000 });
  const held = await numbers(ada);
  expect(held).toEqual(fromTo(160, 240));

  await test.step("what is written there follows the newest message", async () => {
    await ada.write("from the middle");
    await expect(ada.message("from the middle")).toBeInViewport();
    await expect(ada.message("number 400.")).toBeInViewport();
  });
});

test("173 a permalink to a message that is gone opens the end of the room", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, token);
  ada.expectRefusal(/404.*ListMessages/);
  await ada.visit(`/rooms/${roomId}/@999999`);
  await expect(ada.message("from the middle")).toBeInViewport();
  expect(await toEnd(ada.list)).toBeLessThan(2);
});

test("111 161 162 163 169 what arrives is followed near the end and announced by a button further up", async ({
  browser,
}) => {
  const ada = await Person.arrive(browser, server, token);
  const ben = await server.ask<{ sessionToken: string }>("SessionService", "SignIn", {
    emailAddress: "ben.okri@example.com",
    password: "correct horse battery",
  });
  const says = (text: string) => server.post(ben.sessionToken, roomId, { text });
  const back = (px: number) =>
    ada.list.evaluate((list, by) => {
      list.scrollTop = list.scrollHeight - list.clientHeight - by;
    }, px);
  await ada.visit(`/rooms/${roomId}`);
  await expect(ada.message("from the middle")).toBeInViewport();
  await ada.page.waitForTimeout(300);

  await back(100);
  await says("near enough");
  await expect(ada.message("near enough")).toBeInViewport();
  await expect.poll(() => toEnd(ada.list)).toBeLessThan(2);
  await expect(ada.page.getByTestId("jump-to-newest")).toBeHidden();

  await back(101);
  await ada.page.waitForTimeout(100);
  await says("a pixel too far");
  await expect(ada.page.getByTestId("jump-to-newest")).toBeVisible();
  await ada.list.evaluate((list) => (list.scrollTop = list.scrollHeight)); // by hand
  await expect(ada.page.getByTestId("jump-to-newest")).toBeHidden();

  await back(300);
  await ada.page.waitForTimeout(100);
  const before = await ada.list.evaluate((list) => list.scrollTop);
  await says("too far down");
  await expect(ada.page.getByTestId("jump-to-newest")).toBeVisible();
  expect(await ada.list.evaluate((list) => list.scrollTop)).toBe(before);
  await ada.page.getByTestId("jump-to-newest").click();
  await expect(ada.message("too far down")).toBeInViewport();
  await expect(ada.page.getByTestId("jump-to-newest")).toBeHidden();

  await back(300);
  await ada.write("mine goes down wherever I am");
  await expect(ada.message("mine goes down")).toBeInViewport();
  await Promise.all([says("at"), says("the same"), says("time")]);
  await expect.poll(() => toEnd(ada.list)).toBeLessThan(2);
});

test("174 a permalink into a room one is not in leads home and says so", async ({ browser }) => {
  const { room } = await server.ask<{ room: { id: string } }>(
    "RoomService",
    "CreateRoom",
    { kind: "ROOM_KIND_CLOSED", name: "Private" },
    token,
  );
  const messageId = await server.post(token, room.id, { text: "between us" });
  const { sessionToken } = await server.ask<{ sessionToken: string }>("SessionService", "SignIn", {
    emailAddress: "ben.okri@example.com",
    password: "correct horse battery",
  });
  const ben = await Person.arrive(browser, server, sessionToken);
  ben.expectRefusal(/404/);
  await ben.visit(`/rooms/${room.id}/@${messageId}`);
  await expect(ben.page.getByRole("alert")).toHaveText(/gone or you don’t have access/);
  await expect(ben.page).toHaveURL(`${server.url}/rooms/${roomId}`);
});
