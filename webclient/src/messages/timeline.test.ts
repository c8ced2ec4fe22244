import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { type Message, MessageSchema } from "../gen/campfire/v1/message_pb";
import { compareIds } from "../ids";
import {
  addNewer,
  addOlder,
  catchUp,
  emptyTimeline,
  endOf,
  entries,
  firstUnread,
  KEPT,
  LEEWAY,
  openPage,
  type Post,
  removeMessage,
  saveMessage,
  THREAD_MS,
  type Timeline,
} from "./timeline";

const noon = new Date(2024, 0, 24, 12).getTime();
const minute = 60_000;

interface Sketch {
  by?: string;
  at?: number;
  says?: string;
  revision?: number;
  client?: string;
  room?: string;
}

function message(
  id: number,
  { by = "1", at = noon, says = `#${id}`, revision = id, ...rest }: Sketch = {},
): Message {
  return create(MessageSchema, {
    id: `${id}`,
    roomId: rest.room ?? "7",
    clientMessageId: rest.client ?? `c${id}`,
    creator: { id: by, name: `User ${by}` },
    bodyHtml: says,
    createdAt: timestampFromMs(at),
    revision: `${revision}`,
  });
}

function run(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, i) => message(from + i));
}

/** Messages from one id to another, with more before and after if said. */
function timeline(from: number, to: number, { older = false, newer = false } = {}): Timeline {
  return openPage(emptyTimeline("7"), { messages: run(from, to), hasOlder: older, hasNewer: newer });
}

function page(messages: Message[], { older = false, newer = false } = {}) {
  return { messages, hasOlder: older, hasNewer: newer };
}

const ids = (t: Timeline) => t.messages.map((m) => Number(m.id));

describe("ids", () => {
  test("are compared as numbers, however long", () => {
    expect(["10", "9", "9223372036854775807", "100", "11"].sort(compareIds)).toEqual([
      "9",
      "10",
      "11",
      "100",
      "9223372036854775807",
    ]);
    expect(compareIds("42", "42")).toBe(0);
  });
});

describe("opening", () => {
  test("shows the page, oldest first, whatever order it came in", () => {
    const t = openPage(emptyTimeline("7"), page([message(10), message(9), message(11)], { older: true }));
    expect(ids(t)).toEqual([9, 10, 11]);
    expect(t).toMatchObject({ loaded: true, hasOlder: true, hasNewer: false });
  });

  test("nothing is shown before the first page, and nothing heard meanwhile is lost", () => {
    let t = emptyTimeline("7");
    t = saveMessage(t, message(4));
    expect(ids(t)).toEqual([]);
    t = openPage(t, page(run(1, 3)));
    expect(ids(t)).toEqual([1, 2, 3]);
    expect(t.hasNewer).toBe(true); // number 4 is asked for, with whatever else came
    t = addNewer(t, page([message(4)]));
    expect(ids(t)).toEqual([1, 2, 3, 4]);
    expect(t.hasNewer).toBe(false);
  });

  test("an edit heard while the page was on its way wins over the page", () => {
    const t = saveMessage(emptyTimeline("7"), message(2, { says: "edited", revision: 9 }));
    const opened = openPage(t, page(run(1, 3)));
    expect(opened.messages[1]?.bodyHtml).toBe("edited");
    expect(opened.hasNewer).toBe(false);
    expect(opened.aside.size).toBe(0);
  });

  test("a deletion heard while the page was on its way holds", () => {
    const t = removeMessage(emptyTimeline("7"), "2");
    expect(ids(openPage(t, page(run(1, 3))))).toEqual([1, 3]);
  });

  test("a message deleted after it was heard of does not count as newer", () => {
    const t = removeMessage(saveMessage(emptyTimeline("7"), message(4)), "4");
    expect(openPage(t, page(run(1, 3))).hasNewer).toBe(false);
  });
});

describe("saving", () => {
  test("appends what is new", () => {
    expect(ids(saveMessage(timeline(1, 3), message(4)))).toEqual([1, 2, 3, 4]);
  });

  test("the first message of an empty room appears", () => {
    const t = openPage(emptyTimeline("7"), page([]));
    expect(ids(saveMessage(t, message(1)))).toEqual([1]);
  });

  test("of two copies the higher revision stays, in either order", () => {
    const old = message(3, { says: "old", revision: 5 });
    const fresh = message(3, { says: "fresh", revision: 12 });
    const t = timeline(1, 2);
    expect(saveMessage(saveMessage(t, old), fresh).messages[2]?.bodyHtml).toBe("fresh");
    expect(saveMessage(saveMessage(t, fresh), old).messages[2]?.bodyHtml).toBe("fresh");
  });

  test("revisions are compared as numbers", () => {
    const t = saveMessage(timeline(1, 1), message(2, { says: "nine", revision: 9 }));
    expect(saveMessage(t, message(2, { says: "ten", revision: 10 })).messages[1]?.bodyHtml).toBe("ten");
  });

  test("the same once more changes nothing at all", () => {
    const t = timeline(1, 3);
    expect(saveMessage(t, message(3))).toBe(t);
  });

  test("a message of another room changes nothing", () => {
    const t = timeline(1, 3);
    expect(saveMessage(t, message(4, { room: "8" }))).toBe(t);
  });

  test("168 one that arrives late takes its place in order", () => {
    const t = openPage(emptyTimeline("7"), page([message(1), message(3)]));
    expect(ids(saveMessage(t, message(2)))).toEqual([1, 2, 3]);
  });

  test("other messages keep their identity, so that only the changed one is drawn", () => {
    const t = timeline(1, 3);
    const next = saveMessage(t, message(2, { revision: 50 }));
    expect(next.messages[0]).toBe(t.messages[0]);
    expect(next.messages[2]).toBe(t.messages[2]);
    expect(next.messages[1]).not.toBe(t.messages[1]);
  });

  test("170 does not append where the list is not the end of the room", () => {
    const t = saveMessage(timeline(1, 3, { newer: true }), message(9));
    expect(ids(t)).toEqual([1, 2, 3]);
    const more = addNewer(t, page(run(4, 6)));
    expect(ids(more)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(more.hasNewer).toBe(true); // number 9 is known to be there
    expect(addNewer(more, page(run(7, 9))).hasNewer).toBe(false);
  });

  test("an edit of a message above the list waits for its page", () => {
    const t = saveMessage(timeline(5, 8, { older: true }), message(2, { says: "edited", revision: 99 }));
    expect(ids(t)).toEqual([5, 6, 7, 8]);
    const more = addOlder(t, page(run(1, 4)));
    expect(more.messages[1]?.bodyHtml).toBe("edited");
  });
});

describe("removing", () => {
  test("takes the message away, and a late copy does not bring it back", () => {
    const t = removeMessage(timeline(1, 3), "2");
    expect(ids(t)).toEqual([1, 3]);
    expect(ids(saveMessage(t, message(2, { revision: 99 })))).toEqual([1, 3]);
    expect(ids(addOlder(t, page([message(2)])))).toEqual([1, 3]);
  });

  test("of a message beyond the end leaves nothing to load", () => {
    const t = removeMessage(saveMessage(timeline(1, 3, { newer: true }), message(4)), "4");
    expect(addNewer(t, page([])).hasNewer).toBe(false);
  });
});

describe("paging", () => {
  test("older pages join without gaps or repeats", () => {
    const t = addOlder(timeline(41, 80, { older: true }), page(run(1, 41)));
    expect(ids(t)).toEqual(run(1, 80).map((m) => Number(m.id)));
    expect(t.hasOlder).toBe(false);
  });

  test("an empty page says that this is the beginning", () => {
    expect(addOlder(timeline(1, 3, { older: true }), page([])).hasOlder).toBe(false);
  });

  test("164 beyond what a list may hold, the far end is cut and not up to date", () => {
    let t = timeline(341, 380, { older: true });
    for (let first = 301; first > 0; first -= 40) {
      t = addOlder(t, page(run(first, first + 39), { older: true }));
      expect(t.messages.length).toBeLessThanOrEqual(KEPT + LEEWAY);
    }
    expect(t.messages.length).toBe(KEPT);
    expect(ids(t)[0]).toBe(21);
    expect(t.hasNewer).toBe(true);
  });

  test("up to the leeway nothing is cut", () => {
    const t = addOlder(timeline(41, 320, { older: true }), page(run(1, 40)));
    expect(t.messages.length).toBe(320);
    expect(t.hasNewer).toBe(false);
  });

  test("166 newer pages cut the beginning, which can then be loaded again", () => {
    const t = addNewer(timeline(1, 300, { newer: true }), page(run(301, 340)));
    expect(ids(t)).toEqual(run(41, 340).map((m) => Number(m.id)));
    expect(t.hasOlder).toBe(true);
    expect(t.hasNewer).toBe(false);
  });

  test("live messages cut the beginning too", () => {
    let t = timeline(1, 320);
    t = saveMessage(t, message(321));
    expect(t.messages.length).toBe(KEPT);
    expect(ids(t).at(-1)).toBe(321);
    expect(t.hasOlder).toBe(true);
  });
});

describe("catching up", () => {
  test("304 takes in what is new and takes out what is gone", () => {
    const t = timeline(1, 40, { older: true });
    const newest = page([message(38), message(40), message(41)], { older: true });
    expect(ids(catchUp(t, newest, t))).toEqual([...run(1, 38).map((m) => Number(m.id)), 40, 41]);
    expect(catchUp(t, newest, t).hasOlder).toBe(true);
  });

  test("the last message may be the one that is gone", () => {
    const t = timeline(1, 3);
    expect(ids(catchUp(t, page(run(1, 2)), t))).toEqual([1, 2]);
    expect(ids(catchUp(t, page([]), t))).toEqual([]);
  });

  test("keeps what arrived while the page was on its way", () => {
    const asked = timeline(1, 3);
    expect(ids(catchUp(saveMessage(asked, message(5)), page(run(1, 4)), asked))).toEqual([1, 2, 3, 4, 5]);
  });

  test("303 starts anew when too much was missed to join", () => {
    const t = timeline(1, 40);
    const caughtUp = catchUp(t, page(run(90, 129), { older: true }), t);
    expect(ids(caughtUp)[0]).toBe(90);
    expect(caughtUp.hasOlder).toBe(true);
  });
});

describe("lines", () => {
  const post = (client: string, at = noon, room = "7"): Post => ({
    clientMessageId: client,
    roomId: room,
    html: client,
    createdAt: at,
  });
  const lines = (messages: Message[], posts: Post[] = [], newer = false) =>
    entries(openPage(emptyTimeline("7"), page(messages, { newer })), posts, "1");
  const threaded = (messages: Message[]) => lines(messages).map((l) => l.threaded);
  const days = (messages: Message[]) => lines(messages).map((l) => l.firstOfDay);

  test("46 exactly five minutes apart, the second is threaded", () => {
    expect(threaded([message(1), message(2, { at: noon + THREAD_MS })])).toEqual([false, true]);
  });

  test("47 a millisecond more, and it is not", () => {
    expect(threaded([message(1), message(2, { at: noon + THREAD_MS + 1 })])).toEqual([false, false]);
  });

  test("48 another author starts anew", () => {
    expect(threaded([message(1), message(2, { by: "2" }), message(3)])).toEqual([false, false, false]);
  });

  test("49 the distance counts from the message before, not from the first", () => {
    const four = 4 * minute;
    expect(
      threaded([message(1), message(2, { at: noon + four }), message(3, { at: noon + 2 * four })]),
    ).toEqual([false, true, true]);
  });

  test("clocks that run backwards are no obstacle", () => {
    expect(threaded([message(1), message(2, { at: noon - minute })])).toEqual([false, true]);
  });

  test("58 once the one between is deleted, the rest is threaded again", () => {
    const t = openPage(emptyTimeline("7"), page([message(1), message(2, { by: "2" }), message(3)]));
    expect(entries(removeMessage(t, "2"), [], "1").map((l) => l.threaded)).toEqual([false, true]);
  });

  test("51 52 each local day begins once", () => {
    const midnight = new Date(2024, 0, 25).getTime();
    const at = [midnight - 2 * minute, midnight - minute, midnight, midnight + minute];
    const messages = at.map((ms, i) => message(i + 1, { at: ms }));
    expect(days(messages)).toEqual([true, false, true, false]);
    expect(threaded(messages)).toEqual([false, true, true, true]); // midnight does not break a thread
  });

  test("53 two minutes after midnight by the same author there is a separator, and it is threaded", () => {
    const midnight = new Date(2024, 0, 25).getTime();
    const two = [message(1, { at: midnight - minute }), message(2, { at: midnight + 2 * minute })];
    expect(days(two)).toEqual([true, true]);
    expect(threaded(two)).toEqual([false, true]);
  });

  test("167 threads and days are right where pages join", () => {
    const midnight = new Date(2024, 0, 25).getTime();
    const later = openPage(
      emptyTimeline("7"),
      page([message(3, { at: midnight + minute })], { older: true }),
    );
    const alone = entries(later, [], "1")[0];
    expect([alone?.threaded, alone?.firstOfDay]).toEqual([false, true]);
    const older = [message(1, { at: midnight - minute }), message(2, { at: midnight })];
    const all = entries(addOlder(later, page(older)), [], "1");
    expect(all.map((l) => l.threaded)).toEqual([false, true, true]);
    expect(all.map((l) => l.firstOfDay)).toEqual([true, true, false]);
  });

  test("the same day a year later is another day", () => {
    expect(days([message(1), message(2, { at: new Date(2025, 0, 24, 12).getTime() })])).toEqual([true, true]);
  });

  test("posts stand at the end, in the order they were made, threaded as one's own", () => {
    const all = lines([message(1)], [post("a"), post("b")]);
    expect(all.map((l) => l.key)).toEqual(["c1", "a", "b"]);
    expect(all.map((l) => l.threaded)).toEqual([false, true, true]);
  });

  test("a post that was given up stays where it was made, and the conversation goes on below it", () => {
    const given = { ...post("a", noon + minute), failure: "Not sent." };
    const early = { ...post("b", noon - minute), failure: "Not sent." };
    const messages = [message(1), message(2, { at: noon + 2 * minute })];
    expect(lines(messages, [given, post("c")]).map((l) => l.key)).toEqual(["c1", "a", "c2", "c"]);
    expect(lines(messages, [early]).map((l) => l.key)).toEqual(["b", "c1", "c2"]);
    const beyond = openPage(emptyTimeline("7"), page(messages, { older: true }));
    expect(entries(beyond, [early], "1").map((l) => l.key)).toEqual(["c1", "c2"]);
  });

  test("a confirmed post gives way to its message, which keeps its key", () => {
    const all = lines([message(1), message(2, { client: "a" })], [post("a"), post("b")]);
    expect(all.map((l) => l.key)).toEqual(["c1", "a", "b"]);
    expect(all[1]?.message?.id).toBe("2");
    expect(all[1]?.post).toBeUndefined();
  });

  test("posts of other rooms, and posts beyond a list that is not up to date, are not shown", () => {
    expect(lines([message(1)], [post("a", noon, "8")]).length).toBe(1);
    expect(lines([message(1)], [post("a")], true).length).toBe(1);
  });
});

describe("the line where the unread begins", () => {
  const unread = { after: "2", upTo: "4" };

  test("stands before the first message by another after the one seen last", () => {
    const t = openPage(
      emptyTimeline("7"),
      page([1, 2, 3, 4].map((id) => message(id, { by: id === 3 ? "1" : "2" }))),
    );
    expect(firstUnread(t, unread, "1")?.id).toBe("4");
    expect(firstUnread(t, unread, "9")?.id).toBe("3");
  });

  test("is not drawn by what arrives while one looks", () => {
    const t = openPage(emptyTimeline("7"), page([message(1), message(2), message(5, { by: "2" })]));
    expect(firstUnread(t, unread, "1")).toBeUndefined();
  });

  test("waits until the messages before it are here", () => {
    const t = timeline(3, 4, { older: true });
    expect(firstUnread(t, unread, "9")).toBeUndefined();
    expect(firstUnread(addOlder(t, page(run(1, 2))), unread, "9")?.id).toBe("3");
  });
});

test("of a conversation put aside the last page is kept", () => {
  const kept = endOf(timeline(1, 100));
  expect(kept.messages.map((m) => m.id)).toEqual(run(61, 100).map((m) => m.id));
  expect(kept.hasOlder).toBe(true);
  const short = timeline(1, 3);
  expect(endOf(short)).toBe(short);
});
