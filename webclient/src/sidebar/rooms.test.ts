import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test, vi } from "vitest";
import { roomService } from "../api";
import { ListRoomsResponseSchema, type Room, RoomKind, RoomSchema } from "../gen/campfire/v1/room_pb";
import { current, markUnread, signedInAs, update } from "../state";
import { UserSchema } from "../gen/campfire/v1/user_pb";
import { loadRooms } from "./rooms";

/** Answers the calls for rooms that wait, by the order in which they were made. */
let answers: ((...rooms: Room[]) => void)[];
beforeEach(() => {
  answers = [];
  vi.spyOn(roomService, "listRooms").mockImplementation(
    () =>
      new Promise((answer) => answers.push((...rooms) => answer(create(ListRoomsResponseSchema, { rooms })))),
  );
  signedInAs(create(UserSchema, { id: "1", name: "Ada" }));
  update({ rooms: undefined });
});

const pets = (unread: boolean) => create(RoomSchema, { id: "5", kind: RoomKind.OPEN, name: "Pets", unread });
const unread = () => current().rooms?.["5"]?.unread;

test("of two loads the one asked for later counts, whichever is answered first", async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    update({ rooms: undefined });
    answers = [];
    const loads = [loadRooms(), loadRooms()];
    for (const n of order) {
      answers[n]!(pets(n === 1));
      await loads[n];
    }
    expect(unread()).toBe(true);
  }
});

test("what was heard while the rooms were asked for is kept", async () => {
  update({ rooms: { "5": pets(false) } });
  const load = loadRooms();
  markUnread("5", true);
  answers[0]!(pets(false));
  await load;
  expect(unread()).toBe(true);
});

test("a room that only the earlier of two loads has is gone", async () => {
  const loads = [loadRooms(), loadRooms()];
  answers[0]!(pets(false));
  await loads[0];
  answers[1]!();
  await loads[1];
  expect(current().rooms).toEqual({});
});
