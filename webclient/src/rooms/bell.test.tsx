import { create } from "@bufbuild/protobuf";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { roomService } from "../api";
import { Involvement, RoomKind, RoomSchema, SetInvolvementResponseSchema } from "../gen/campfire/v1/room_pb";
import { useInstalled } from "../installed";
import { Bell, RoomLevel } from "./bell";

const room = create(RoomSchema, {
  id: "7",
  kind: RoomKind.OPEN,
  name: "Engines",
  involvement: Involvement.MENTIONS,
});

beforeEach(() => {
  localStorage.clear();
  useInstalled.setState({ notified: "yes" });
  vi.spyOn(roomService, "setInvolvement").mockImplementation(({ involvement }) =>
    Promise.resolve(create(SetInvolvementResponseSchema, { room: { ...room, involvement } as never })),
  );
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
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

test("229 until it is known whether this device is notified, the bell says so; then whether it is", () => {
  useInstalled.setState({ notified: "checking" });
  render(<Bell room={room} />);
  expect(bell().getAttribute("aria-label")).toBe("Notifications: checking");
  const checking = bell().innerHTML;
  fireEvent.click(bell());
  expect(roomService.setInvolvement).not.toHaveBeenCalled();
  act(() => useInstalled.setState({ notified: "no" }));
  expect(bell().getAttribute("aria-label")).toBe("Notifications: not on this device yet");
  expect(bell().innerHTML).not.toBe(checking);
  act(() => useInstalled.setState({ notified: "yes" }));
  expect(bell().getAttribute("aria-label")).toBe("Notifications: only when mentioned");
});

test.each([
  ["default", "a question that is put off changes nothing"],
  ["denied", "a no is answered by the help"],
])("231 232 after %s: %s", async (answer) => {
  useInstalled.setState({ notified: "no" });
  const requestPermission = vi.fn(() => Promise.resolve(answer));
  vi.stubGlobal("Notification", { permission: "default", requestPermission });
  render(<Bell room={room} />);
  fireEvent.click(bell());
  expect(requestPermission).toHaveBeenCalledOnce();
  if (answer === "denied") await screen.findByTestId("notifications-help");
  else await Promise.resolve();
  expect(screen.queryAllByTestId("notifications-help")).toHaveLength(answer === "denied" ? 1 : 0);
  expect(bell().getAttribute("aria-label")).toBe("Notifications: not on this device yet");
});

test("in a list a room has its level whatever this device is told", () => {
  useInstalled.setState({ notified: "no" });
  render(<RoomLevel room={room} onSaved={() => {}} />);
  expect(bell().getAttribute("aria-label")).toBe("Notifications of Engines: only when mentioned");
});

test("a level that could not be saved is taken back", async () => {
  vi.mocked(roomService.setInvolvement).mockRejectedValue(new Error("away"));
  render(<Bell room={room} />);
  fireEvent.click(bell());
  expect(bell().getAttribute("aria-label")).toBe("Notifications: every message");
  await waitFor(() => expect(bell().getAttribute("aria-label")).toBe("Notifications: only when mentioned"));
});
