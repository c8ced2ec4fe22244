import { create } from "@bufbuild/protobuf";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { UserSchema } from "../gen/campfire/v1/user_pb";
import { PeopleToChoose } from "./people";

afterEach(cleanup);

const names = ["Ada", "Ben", 'Cy "Bracket" [Young]', "Élise"];
const crowd = (size: number) =>
  Array.from({ length: size }, (_, at) => ({
    user: create(UserSchema, { id: `${at}`, name: names[at] ?? `Person ${at}`, avatarPath: "/avatar" }),
  }));
const nothing = () => undefined;
const show = (size: number) =>
  render(<PeopleToChoose open people={crowd(size)} onOpen={nothing} chosen={new Set()} onChoose={nothing} />);
const filter = () => screen.queryByRole("searchbox", { name: "Filter people" });
const kept = () =>
  [...document.querySelectorAll(".membership-item.selected .membership-item__name")].map(
    (e) => e.textContent,
  );

test("213 a field to filter people appears with 21 of them, not with 20", () => {
  show(20);
  expect(filter()).toBeNull();
  cleanup();
  show(21);
  expect(filter()).not.toBeNull();
});

test("214 215 it keeps those whose name holds the text, whatever was typed", () => {
  show(25);
  const list = screen.getByTestId("people");
  expect(list.classList.contains("filter--active")).toBe(false);
  fireEvent.change(filter()!, { target: { value: "BE" } });
  expect(list.classList.contains("filter--active")).toBe(true);
  expect(kept()).toEqual(["Everyone", "Ben"]);
  for (const odd of ['"', "[", "]'(\\"]) fireEvent.change(filter()!, { target: { value: odd } });
  expect(kept()).toEqual(["Everyone"]);
  fireEvent.change(filter()!, { target: { value: '"bracket" [' } });
  expect(kept()).toEqual(["Everyone", 'Cy "Bracket" [Young]']);
  fireEvent.change(filter()!, { target: { value: "" } });
  expect(list.classList.contains("filter--active")).toBe(false);
  expect(kept()).toHaveLength(26);
});
