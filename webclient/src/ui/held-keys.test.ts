import { beforeEach, expect, test, vi } from "vitest";
import { HeldKeys, WAIT_MS } from "./held-keys";

beforeEach(() => void vi.useFakeTimers());

const pressed = (key: string, how: KeyboardEventInit = {}) => new KeyboardEvent("keydown", { key, ...how });

/** Keys that note what they do. */
function keys() {
  const done: string[] = [];
  const held = new HeldKeys(({ key }, waited) => done.push(waited ? `waited: ${key}` : key));
  return { held, done };
}

test("what is typed behind a key that waits comes after it, in turn and once", async () => {
  const { held, done } = keys();
  expect(held.follows(pressed("a"))).toBe(false);
  let come = () => {};
  held.hold(pressed("Enter"), new Promise<void>((done) => (come = done)));
  for (const key of ["H", "i", "Enter"]) expect(held.follows(pressed(key))).toBe(true);
  expect(held.follows(pressed("Shift"))).toBe(false);
  expect(done).toEqual([]);
  come();
  await vi.advanceTimersByTimeAsync(0);
  const all = ["waited: Enter", "H", "i", "Enter"];
  expect(done).toEqual(all);
  await vi.advanceTimersByTimeAsync(WAIT_MS);
  held.release();
  expect(done).toEqual(all);
});

test("a key waits for a second; one that does not write ends its waiting, and comes after", async () => {
  const { held, done } = keys();
  held.hold(pressed("Enter"), new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(WAIT_MS - 1);
  expect(done).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toEqual(["waited: Enter"]);
  for (const key of [pressed("Backspace"), pressed("b", { ctrlKey: true })]) {
    held.hold(pressed("Enter"), new Promise(() => {}));
    done.length = 0;
    expect(held.follows(pressed("x"))).toBe(true);
    expect(held.follows(key)).toBe(false);
    expect(done).toEqual(["waited: Enter", "x"]);
  }
});

test("a key that comes in turn may wait itself, and those behind it wait on", async () => {
  const done: string[] = [];
  let second = () => {};
  const held: HeldKeys = new HeldKeys((key, waited) => {
    if (key.key === "Enter" && !waited) held.hold(key, new Promise<void>((come) => (second = come)));
    else done.push(key.key);
  });
  held.hold(pressed("Enter"), Promise.resolve());
  for (const key of ["a", "Enter", "b"]) held.follows(pressed(key));
  await vi.advanceTimersByTimeAsync(0);
  expect(done).toEqual(["Enter", "a"]);
  second();
  await vi.advanceTimersByTimeAsync(0);
  expect(done).toEqual(["Enter", "a", "Enter", "b"]);
});
