import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { presenceService } from "../api";
import {
  EnterRoomResponseSchema,
  LeaveRoomResponseSchema,
  RefreshPresenceResponseSchema,
} from "../gen/campfire/v1/presence_pb";
import { update } from "../state";
import { bePresent, REFRESH_MS, SETTLE_MS } from "./presence";

const told: string[] = [];
let visibility: DocumentVisibilityState = "visible";

beforeEach(() => {
  vi.useFakeTimers();
  told.length = 0;
  visibility = "visible";
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visibility);
  vi.spyOn(presenceService, "enterRoom").mockImplementation(() => {
    told.push("here");
    return Promise.resolve(create(EnterRoomResponseSchema));
  });
  vi.spyOn(presenceService, "refreshPresence").mockImplementation(() => {
    told.push("still here");
    return Promise.resolve(create(RefreshPresenceResponseSchema));
  });
  vi.spyOn(presenceService, "leaveRoom").mockImplementation(() => {
    told.push("away");
    return Promise.resolve(create(LeaveRoomResponseSchema));
  });
  update({ streamId: "s1", rooms: {} });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  update({ streamId: undefined, rooms: undefined });
});

function turn(to: DocumentVisibilityState) {
  visibility = to;
  document.dispatchEvent(new Event("visibilitychange"));
}

test("307 presence is renewed every 50 seconds while the room is looked at", async () => {
  const leave = bePresent("7");
  await vi.advanceTimersByTimeAsync(REFRESH_MS - 1);
  expect(told).toEqual(["here"]);
  await vi.advanceTimersByTimeAsync(1 + 2 * REFRESH_MS);
  expect(told).toEqual(["here", "still here", "still here", "still here"]);
  turn("hidden");
  await vi.advanceTimersByTimeAsync(SETTLE_MS + 3 * REFRESH_MS);
  expect(told.slice(4)).toEqual(["away"]);
  leave();
  expect(REFRESH_MS).toBe(50_000);
});

test("305 a tab counts as hidden after 5 seconds, and as shown again likewise", async () => {
  const leave = bePresent("7");
  turn("hidden");
  await vi.advanceTimersByTimeAsync(4000);
  turn("visible"); // back before it counted
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual(["here"]);
  turn("hidden");
  await vi.advanceTimersByTimeAsync(SETTLE_MS - 1);
  expect(told).toEqual(["here"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toEqual(["here", "away"]);
  turn("visible");
  await vi.advanceTimersByTimeAsync(SETTLE_MS);
  expect(told).toEqual(["here", "away", "here"]);
  leave();
  expect(told.at(-1)).toBe("away");
});

test("one is there once it is known what is unread", () => {
  update({ rooms: undefined });
  const leave = bePresent("7");
  expect(told).toEqual([]);
  update({ rooms: {} });
  expect(told).toEqual(["here"]);
  leave();
});
