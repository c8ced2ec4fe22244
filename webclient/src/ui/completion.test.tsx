import { create } from "@bufbuild/protobuf";
import { act, cleanup, renderHook } from "@testing-library/react";
import type { TrixEditorElement } from "trix";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { userService } from "../api";
import { SuggestUsersResponseSchema, UserSchema } from "../gen/campfire/v1/user_pb";
import { REST_MS, useCompletion } from "./completion";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(userService, "suggestUsers").mockResolvedValue(
    create(SuggestUsersResponseSchema, { users: [create(UserSchema, { id: "2", name: "Ben Okri" })] }),
  );
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.useRealTimers();
  document.body.replaceChildren();
});

/** What stands in an editor in which one types, and what is offered to complete it. */
function typing() {
  let text = "";
  const trix = document.createElement("div");
  trix.tabIndex = 0;
  Object.assign(trix, {
    editor: {
      getSelectedRange: () => [text.length, text.length],
      getDocument: () => ({ toString: () => text }),
      getClientRectAtPosition: () => undefined,
    },
  });
  document.body.append(trix);
  trix.focus();
  const insert = vi.fn();
  const element = { current: trix as unknown as TrixEditorElement };
  const { result } = renderHook(() => useCompletion(element, { roomId: "1" }, insert));
  return {
    insert,
    hurry: () => result.current.hurry(),
    enter: () => {
      let taken = false;
      act(() => void (taken = result.current.key(new KeyboardEvent("keydown", { key: "Enter" }))));
      return taken;
    },
    write: (what: string) => {
      text = what;
      act(() => void trix.dispatchEvent(new Event("trix-change")));
    },
  };
}
const asked = () => vi.mocked(userService.suggestUsers).mock.calls.map(([{ query }]) => query);
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test("an @ asks for names at once, what follows it when the hand rests", async () => {
  const { write } = typing();
  write("Hi @");
  expect(asked()).toEqual([""]);
  write("Hi @b");
  write("Hi @be");
  await pass(REST_MS - 1);
  expect(asked()).toEqual([""]);
  await pass(1);
  expect(asked()).toEqual(["", "be"]);
});

test("who is in a hurry has the names asked for at once, and once", async () => {
  const { write, hurry, enter, insert } = typing();
  expect(hurry()).toBeUndefined();
  write("@b");
  expect(enter()).toBe(false);
  const come = hurry();
  expect(hurry()).toBe(come);
  expect(asked()).toEqual(["b"]);
  await act(() => come);
  expect(enter()).toBe(true);
  expect(insert).toHaveBeenCalledOnce();
  await pass(REST_MS);
  expect(asked()).toEqual(["b"]);
  write("@ben x");
  expect(hurry()).toBeUndefined();
});
