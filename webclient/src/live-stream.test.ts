import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from "vitest";
import { accountService, eventService, messageService, roomService } from "./api";
import { GetAccountResponseSchema } from "./gen/campfire/v1/account_pb";
import { ResyncReason, SubscribeResponseSchema } from "./gen/campfire/v1/event_pb";
import { ListMessagesResponseSchema } from "./gen/campfire/v1/message_pb";
import { ListRoomsResponseSchema } from "./gen/campfire/v1/room_pb";
import { UserSchema } from "./gen/campfire/v1/user_pb";
import { AWAY_MS, FIRST_EVENT_MS, LOST_MS, startLive, waitMs } from "./live";
import { openTimeline } from "./messages/history";
import { current, signedInAs } from "./state";

type Event = MessageInitShape<typeof SubscribeResponseSchema>;

/** A stream that was opened: what it was asked for, and how the server uses it. */
class Stream {
  over = false;
  private readonly told: Event[] = [];
  private failure: Error | undefined;
  private wake = () => {};

  constructor(
    readonly resumeToken: string,
    signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => this.end(new ConnectError("aborted", Code.Canceled)));
  }

  tell(event: Event) {
    this.told.push(event);
    this.wake();
  }

  end(failure: Error) {
    this.over = true;
    this.failure ??= failure;
    this.wake();
  }

  async *events() {
    for (;;) {
      while (this.told.length > 0) yield create(SubscribeResponseSchema, this.told.shift());
      if (this.failure) throw this.failure;
      await new Promise<void>((wake) => (this.wake = wake));
    }
  }
}

const streams: Stream[] = [];
let pages: MockInstance<typeof messageService.listMessages>;
const away = new ConnectError("not now", Code.Unavailable);

function page(...ids: string[]) {
  const messages = ids.map((id) => ({ id, roomId: "7", clientMessageId: id }));
  return create(ListMessagesResponseSchema, { messages });
}
const shown = () => current().timeline?.messages.map((m) => m.id);
let stop = () => {};
const last = () => streams.at(-1)!;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function hello(heartbeatSeconds = 20): Event {
  const heartbeatInterval = { seconds: BigInt(heartbeatSeconds) };
  return { resumeToken: "here", event: { case: "hello", value: { streamId: "s", heartbeatInterval } } };
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1); // the longest waits
  streams.length = 0;
  vi.spyOn(eventService, "subscribe").mockImplementation(({ resumeToken = "" }, options) => {
    streams.push(new Stream(resumeToken, options!.signal!));
    return last().events();
  });
  vi.spyOn(roomService, "listRooms").mockResolvedValue(create(ListRoomsResponseSchema));
  vi.spyOn(accountService, "getAccount").mockResolvedValue(create(GetAccountResponseSchema));
  pages = vi.spyOn(messageService, "listMessages").mockResolvedValue(create(ListMessagesResponseSchema));
  signedInAs(create(UserSchema, { id: "1", name: "Ada" }));
  stop = startLive();
  await pass(0);
});

afterEach(async () => {
  stop();
  await pass(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("a stream without a first event is given up after 5 seconds", async () => {
  await pass(FIRST_EVENT_MS - 1);
  expect(streams.map((s) => s.over)).toEqual([false]);
  await pass(1);
  expect(streams.map((s) => s.over)).toEqual([true]);
  await pass(500);
  expect(streams).toHaveLength(2);
});

test("on a slow line each attempt has twice as long as the one before, until one succeeds", async () => {
  for (const [attempt, times] of [1, 2, 4].entries()) {
    await pass(times * FIRST_EVENT_MS - 1);
    expect(last().over).toBe(false);
    await pass(1);
    expect(last().over).toBe(true);
    await pass(waitMs(attempt, 1));
  }
  last().tell(hello());
  last().end(new ConnectError("cut", Code.Unavailable));
  await pass(waitMs(3, 1));
  await pass(FIRST_EVENT_MS);
  expect(last().over).toBe(true);
});

test("a stream that is silent for two and a half heartbeats is given up, and resumed where it was", async () => {
  last().tell(hello(20));
  await pass(40_000);
  last().tell({ event: { case: "heartbeat", value: {} } });
  await pass(49_999);
  expect(streams.map((s) => s.over)).toEqual([false]);
  await pass(1);
  expect(streams.map((s) => s.over)).toEqual([true]);
  await pass(500);
  expect(streams.map((s) => s.resumeToken)).toEqual(["", "here"]);
});

test("a loss is told after 3 seconds and ends writing after 5, but not when the next stream comes sooner", async () => {
  last().tell(hello());
  await pass(0);
  expect(current().connection).toBe("live");
  last().end(new ConnectError("cut", Code.Unavailable));
  await pass(500);
  last().tell(hello());
  await pass(LOST_MS);
  expect(current().connection).toBe("live");

  last().end(new ConnectError("cut", Code.Unavailable));
  await pass(AWAY_MS - 1);
  expect(current().connection).toBe("connecting");
  await pass(1);
  expect(current().connection).toBe("away");
  await pass(LOST_MS - AWAY_MS - 1);
  expect(current().connection).toBe("away");
  await pass(1);
  expect(current().connection).toBe("lost");
});

test("who is signed out elsewhere is signed out here", async () => {
  last().end(new ConnectError("who?", Code.Unauthenticated));
  await pass(0);
  expect(current().user).toBeUndefined();
});

test("a token that is none of this server's is forgotten", async () => {
  last().tell(hello());
  last().end(new ConnectError("cut", Code.Unavailable));
  await pass(500);
  last().end(new ConnectError("what token?", Code.InvalidArgument));
  await pass(1000);
  expect(streams.map((s) => s.resumeToken)).toEqual(["", "here", ""]);
});

test("a server that goes says when to come back", async () => {
  last().tell(hello());
  last().tell({ event: { case: "reconnect", value: { delay: { seconds: 2n } } } });
  last().end(new ConnectError("reconnect", Code.Unavailable));
  await pass(1999);
  expect(streams).toHaveLength(1);
  await pass(1);
  expect(streams).toHaveLength(2);
});

test("a page that comes back from the browser's cache opens its stream anew, and so does one that was hidden", async () => {
  last().tell(hello());
  await pass(0);
  window.dispatchEvent(Object.assign(new window.Event("pageshow"), { persisted: true }));
  await pass(0);
  expect(streams.map((s) => s.over)).toEqual([true, false]);

  last().tell(hello());
  const turn = (state: "hidden" | "visible") => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
    document.dispatchEvent(new window.Event("visibilitychange"));
  };
  turn("hidden");
  await pass(9000);
  turn("visible");
  await pass(0);
  expect(streams).toHaveLength(2);
  turn("hidden");
  await pass(11_000);
  turn("visible");
  await pass(0);
  expect(streams.map((s) => s.over)).toEqual([true, true, false]);
});

test("a browser that is back on the network waits no longer", async () => {
  for (let failures = 0; failures < 5; failures++) {
    last().end(new ConnectError("cut", Code.Unavailable));
    await pass(500 * 2 ** failures);
  }
  last().end(new ConnectError("cut", Code.Unavailable));
  await pass(1000);
  const before = streams.length;
  window.dispatchEvent(new window.Event("online"));
  await pass(0);
  expect(streams).toHaveLength(before + 1);
});

test("what came between the first page and the stream is loaded, though that fails at first", async () => {
  pages.mockResolvedValueOnce(page("1"));
  await openTimeline("7");
  pages.mockRejectedValueOnce(away).mockResolvedValue(page("1", "2"));
  last().tell(hello());
  await pass(0);
  expect(shown()).toEqual(["1"]);
  await pass(500);
  last().tell(hello());
  await pass(0);
  expect(shown()).toEqual(["1", "2"]);
});

test("a conversation that is to be loaded anew is, though that fails at first", async () => {
  pages.mockResolvedValue(page("1"));
  await openTimeline("7");
  last().tell(hello());
  await pass(0);
  pages.mockRejectedValueOnce(away).mockResolvedValue(page("1", "2"));
  last().tell({
    resumeToken: "there",
    event: { case: "resyncRequired", value: { reason: ResyncReason.TOO_FAR_BEHIND } },
  });
  await pass(0);
  expect(current().timeline?.loaded).toBe(false);
  await pass(500);
  last().tell(hello());
  await pass(0);
  expect(shown()).toEqual(["1", "2"]);
  expect(streams.map((s) => s.resumeToken)).toEqual(["", ""]);
});
