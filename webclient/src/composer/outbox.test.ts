import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { messageService } from "../api";
import { MessageSchema, PostMessageResponseSchema } from "../gen/campfire/v1/message_pb";
import { UserSchema } from "../gen/campfire/v1/user_pb";
import { addPost, current, discardPost, failPost, signedInAs, update } from "../state";
import { startOutbox } from "./outbox";

const ada = create(UserSchema, { id: "1", name: "Ada" });
const unavailable = new ConnectError("not now", Code.Unavailable);
const sent: string[] = [];
let answer: (html: string) => Promise<void>;
let stop = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  sent.length = 0;
  answer = () => Promise.resolve();
  vi.spyOn(messageService, "postMessage").mockImplementation(async (request) => {
    const { body, clientMessageId = "", roomId = "" } = request;
    const html = body?.value ?? "";
    sent.push(html);
    await answer(html);
    const message = create(MessageSchema, { id: `${sent.length}`, roomId, clientMessageId, creator: ada });
    return create(PostMessageResponseSchema, { message });
  });
  signedInAs(ada);
  stop = startOutbox("1");
});

afterEach(async () => {
  signedInAs(undefined);
  stop();
  await vi.advanceTimersByTimeAsync(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const waiting = () =>
  current().posts.map((p) => (p.failure === undefined ? p.html : `${p.html}: ${p.failure}`));

test("posts of a room go one after the other, those of another room beside them", async () => {
  let release = () => {};
  answer = (html) => (html === "one" ? new Promise((done) => (release = done)) : Promise.resolve());
  addPost("7", "one");
  addPost("7", "two");
  addPost("8", "elsewhere");
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toEqual(["one", "elsewhere"]);
  release();
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toEqual(["one", "elsewhere", "two"]);
  expect(waiting()).toEqual([]);
});

test("113 116 a post is repeated after 1, 2, 4, 8 and 16 seconds and then given up, alone", async () => {
  answer = (html) => (html === "one" ? Promise.reject(unavailable) : Promise.resolve());
  addPost("7", "one");
  addPost("7", "two");
  let tries = 1;
  for (const seconds of [1, 2, 4, 8, 16]) {
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
    expect(sent.length).toBe(tries);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent.length).toBeGreaterThan(tries++);
  }
  expect(sent).toEqual(["one", "one", "one", "one", "one", "one", "two"]);
  expect(waiting()).toEqual(["one: Not sent. Campfire can’t be reached right now."]);
});

test("the same client id goes with every repeat", async () => {
  answer = () => Promise.reject(unavailable);
  addPost("7", "one");
  await vi.advanceTimersByTimeAsync(3000);
  const ids = vi.mocked(messageService.postMessage).mock.calls.map(([request]) => request.clientMessageId);
  expect(ids.length).toBe(3);
  expect(new Set(ids).size).toBe(1);
});

test("what the server will never take is given up at once", async () => {
  answer = () => Promise.reject(new ConnectError("the body is too long", Code.InvalidArgument));
  addPost("7", "one");
  await vi.advanceTimersByTimeAsync(0);
  expect(waiting()).toEqual(["one: Not sent. The body is too long."]);
});

test("114 the stream's return sends at once", async () => {
  answer = () => Promise.reject(unavailable);
  addPost("7", "one");
  await vi.advanceTimersByTimeAsync(7000);
  expect(sent.length).toBe(4);
  answer = () => Promise.resolve();
  update({ connection: "live" });
  await vi.advanceTimersByTimeAsync(0);
  expect(sent.length).toBe(5);
  expect(waiting()).toEqual([]);
});

test("115 a given-up post can be sent again, or thrown away", async () => {
  answer = () => Promise.reject(new ConnectError("no", Code.InvalidArgument));
  addPost("7", "one");
  addPost("7", "two");
  await vi.advanceTimersByTimeAsync(0);
  const [one, two] = current().posts;
  answer = () => Promise.resolve();
  failPost(one!.clientMessageId, undefined);
  discardPost(two!.clientMessageId);
  await vi.advanceTimersByTimeAsync(0);
  expect(sent.at(-1)).toBe("one");
  expect(waiting()).toEqual([]);
});

test("what waits survives the page, for this person and nobody else", async () => {
  answer = () => Promise.reject(unavailable);
  addPost("7", "one");
  addPost("7", "two");
  await vi.advanceTimersByTimeAsync(0);
  signedInAs(undefined);
  stop();
  signedInAs(create(UserSchema, { id: "2" }));
  stop = startOutbox("2");
  expect(waiting()).toEqual([]);
  signedInAs(undefined);
  stop();
  signedInAs(ada);
  stop = startOutbox("1");
  expect(waiting()).toEqual(["one", "two"]);
});
