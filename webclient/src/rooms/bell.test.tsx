import { create } from "@bufbuild/protobuf";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { roomService } from "../api";
import { Involvement, RoomKind, RoomSchema, SetInvolvementResponseSchema } from "../gen/campfire/v1/room_pb";
import { Bell } from "./bell";

const room = create(RoomSchema, {
  id: "7",
  kind: RoomKind.OPEN,
  name: "Engines",
  involvement: Involvement.MENTIONS,
});

beforeEach(() => {
  localStorage.clear();
  vi.spyOn(roomService, "setInvolvement").mockImplementation(({ involvement }) =>
    Promise.resolve(create(SetInvolvementResponseSchema, { room: { ...room, involvement } as never })),
  );
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const bell = () => screen.getByTestId("bell");

test("230 the bell pulses until it was pressed once on this device", () => {
  render(<Bell room={room} />);
  expect(bell().classList.contains("btn--pulsing")).toBe(true);
  fireEvent.click(bell());
  expect(bell().classList.contains("btn--pulsing")).toBe(false);
  cleanup();
  render(<Bell room={room} />);
  expect(bell().classList.contains("btn--pulsing")).toBe(false);
});

test("a level that could not be saved is taken back", async () => {
  vi.mocked(roomService.setInvolvement).mockRejectedValue(new Error("away"));
  render(<Bell room={room} />);
  fireEvent.click(bell());
  expect(bell().getAttribute("aria-label")).toBe("Notifications: every message");
  await waitFor(() => expect(bell().getAttribute("aria-label")).toBe("Notifications: only when mentioned"));
});
