import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test, vi } from "vitest";
import { RoomKind, RoomSchema } from "./gen/campfire/v1/room_pb";
import { SubscribeResponseSchema } from "./gen/campfire/v1/event_pb";
import { type User, UserSchema, UserStatus } from "./gen/campfire/v1/user_pb";
import { apply, waitMs } from "./live";
import { current, signedInAs, update } from "./state";
import { emptyTimeline, openPage } from "./messages/timeline";

const ada = create(UserSchema, { id: "1", name: "Ada" });
const ben = create(UserSchema, { id: "2", name: "Ben" });

beforeEach(() => {
  signedInAs(ada);
  update({
    rooms: {
      "7": create(RoomSchema, { id: "7", name: "Design" }),
      "8": create(RoomSchema, { id: "8", name: "Ops" }),
    },
    timeline: openPage(emptyTimeline("7"), { messages: [], hasOlder: false, hasNewer: false }),
  });
});

type Init = NonNullable<Parameters<typeof create<typeof SubscribeResponseSchema>>[1]>;

function happens(event: Init["event"]) {
  apply(create(SubscribeResponseSchema, { event }).event);
}

function message(id: string, extra: object = {}) {
  return { id, roomId: "7", clientMessageId: `c${id}`, creator: ben, revision: id, ...extra };
}

test("waiting doubles from half a second to half a minute, at random below that", () => {
  expect([0, 1, 2, 5, 6, 40].map((failures) => waitMs(failures, 1))).toEqual([
    500, 1000, 2000, 16_000, 30_000, 30_000,
  ]);
  expect(waitMs(3, 0.25)).toBe(1000);
});

test("a message comes, changes, and goes", () => {
  happens({ case: "messageCreated", value: { message: message("5", { bodyHtml: "hi" }) } });
  happens({ case: "messageUpdated", value: { message: message("5", { bodyHtml: "ho", revision: "9" }) } });
  happens({ case: "messageCreated", value: { message: message("5", { bodyHtml: "hi" }) } });
  expect(current().timeline?.messages.map((m) => m.bodyHtml)).toEqual(["ho"]);
  happens({ case: "messageDeleted", value: { roomId: "7", messageId: "5" } });
  expect(current().timeline?.messages).toEqual([]);
});

test("one's own pending post gives way to its message", () => {
  const post = { clientMessageId: "mine", roomId: "7", html: "hi", createdAt: 0 };
  update({ posts: [post, { ...post, clientMessageId: "next" }] });
  happens({
    case: "messageCreated",
    value: { message: message("5", { creator: ada, clientMessageId: "mine" }) },
  });
  expect(current().posts.map((p) => p.clientMessageId)).toEqual(["next"]);
});

test("rooms become unread and read, but not the one that is looked at", () => {
  happens({ case: "roomUnread", value: { roomId: "8" } });
  happens({ case: "roomUnread", value: { roomId: "7" } });
  expect(current().rooms?.["8"]?.unread).toBe(true);
  expect(current().rooms?.["7"]?.unread).toBe(false);
  happens({ case: "roomRead", value: { roomId: "8" } });
  expect(current().rooms?.["8"]?.unread).toBe(false);
});

test("a room that becomes unread before it is known is asked for", async () => {
  const asked = vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("offline"));
  happens({ case: "roomUnread", value: { roomId: "7" } });
  expect(asked).not.toHaveBeenCalled();
  happens({ case: "roomUnread", value: { roomId: "9" } });
  await vi.waitFor(() =>
    expect(asked).toHaveBeenCalledWith(expect.stringContaining("RoomService/ListRooms"), expect.anything()),
  );
  asked.mockRestore();
});

test("rooms come, change, and go", () => {
  happens({ case: "roomChanged", value: { room: { id: "9", name: "New" } } });
  happens({ case: "roomChanged", value: { room: { id: "8", name: "Operations" } } });
  happens({ case: "roomRemoved", value: { roomId: "7" } });
  expect(Object.values(current().rooms ?? {}).map((r) => r.name)).toEqual(["Operations", "New"]);
});

test("who types is told once, until they stop or their message comes", () => {
  happens({ case: "typingStarted", value: { roomId: "7", user: ben } });
  happens({ case: "typingStarted", value: { roomId: "7", user: ben } });
  expect(current().typists.map((t) => t.user.name)).toEqual(["Ben"]);
  happens({ case: "typingStopped", value: { roomId: "7", userId: "2" } });
  expect(current().typists).toEqual([]);
  happens({ case: "typingStarted", value: { roomId: "7", user: ben } });
  happens({ case: "messageCreated", value: { message: message("6") } });
  expect(current().typists).toEqual([]);
});

test("someone who changed is changed everywhere", () => {
  happens({ case: "messageCreated", value: { message: message("5") } });
  update({ suggestedUsers: [ben] });
  happens({
    case: "userChanged",
    value: { user: { id: "2", name: "Benjamin", status: UserStatus.ACTIVE } },
  });
  expect(current().suggestedUsers[0]?.name).toBe("Benjamin");
  expect(current().timeline?.messages[0]?.creator?.name).toBe("Benjamin");
});

test("a ping is named by who is in it, also when one of them is renamed", () => {
  const cleo = create(UserSchema, { id: "3", name: "Cleo" });
  const dora = create(UserSchema, { id: "4", name: "Dora" });
  const ping = (id: string, ...participants: User[]) =>
    create(RoomSchema, { id, kind: RoomKind.DIRECT, name: "old", participants });
  update({
    rooms: {
      "5": ping("5", ben),
      "6": ping("6", ben, cleo),
      "7": ping("7", ben, cleo, dora),
      "8": ping("8", dora),
    },
  });
  happens({ case: "userChanged", value: { user: { id: "2", name: "Colin" } } });
  const { rooms } = current();
  expect(Object.values(rooms ?? {}).map((r) => r.name)).toEqual([
    "Colin",
    "Cleo and Colin",
    "Cleo, Colin, and Dora",
    "old",
  ]);
  expect(rooms?.["7"]?.participants.map((u) => u.name)).toEqual(["Cleo", "Colin", "Dora"]);
});

test("an event newer than this client is passed over", () => {
  expect(() => happens({ case: undefined })).not.toThrow();
});
