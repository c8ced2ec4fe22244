import { create } from "@bufbuild/protobuf";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { UserSchema, UserStatus } from "../gen/campfire/v1/user_pb";
import { PeopleToChoose, turn, withPerson } from "./people";

afterEach(cleanup);

const names = ["Ada", "Ben", 'Cy "Bracket" [Young]', "Élise"];
const crowd = (size: number) =>
  Array.from({ length: size }, (_, at) => ({
    user: create(UserSchema, { id: `${at}`, name: names[at] ?? `Person ${at}`, avatarPath: "/avatar" }),
  }));
const nothing = () => undefined;
const show = (size: number) =>
  render(<PeopleToChoose open people={crowd(size)} onOpen={nothing} chosen={new Set()} onTurn={nothing} />);
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

test("someone new comes in at their place, someone renamed moves, someone banned stays to come back", () => {
  const person = (id: string, name: string, status = UserStatus.ACTIVE) =>
    create(UserSchema, { id, name, status });
  const people = [person("1", "Ada"), person("2", "ben"), person("3", "Dora")];
  const names = (list: ReturnType<typeof withPerson>) => list.map((u) => u.name);
  expect(names(withPerson(people, person("10", "Cleo"), true))).toEqual(["Ada", "ben", "Cleo", "Dora"]);
  expect(withPerson(people, person("10", "Cleo"), false)).toBe(people);
  expect(names(withPerson(people, person("1", "Zoe"), false))).toEqual(["ben", "Dora", "Zoe"]);
  const banned = withPerson(people, person("2", "ben", UserStatus.BANNED), true);
  expect(banned.map((u) => u.status === UserStatus.BANNED)).toEqual([false, true, false]);
  expect(withPerson(people, person("12", "Ada"), true).map((u) => u.id)).toEqual(["1", "12", "2", "3"]);
});

test("a switch that is turned twice stands as before", () => {
  expect([...turn(new Set(["1"]), "2")]).toEqual(["1", "2"]);
  expect([...turn(new Set(["1", "2"]), "1")]).toEqual(["2"]);
});
