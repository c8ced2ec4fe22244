import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { UserSchema } from "../gen/campfire/v1/user_pb";
import { suggestions } from "./new-ping";

const people = ["Ada Lovelace", "Ben Okri", "Élise Adamo", "Tomás Ortega"].map((name, at) =>
  create(UserSchema, { id: `${at}`, name }),
);
const names = (query: string) => suggestions(people, query).map((u) => u.name);

test("a name is found by the start of any of its words, whole names first", () => {
  expect(names("ada")).toEqual(["Ada Lovelace", "Élise Adamo"]);
  expect(names("o")).toEqual(["Ben Okri", "Tomás Ortega"]);
  expect(names("ben o")).toEqual(["Ben Okri"]);
  expect(names("kri")).toEqual([]);
});

test("case and accents do not matter, nothing finds nobody", () => {
  expect(names("ELI")).toEqual(["Élise Adamo"]);
  expect(names("tomas")).toEqual(["Tomás Ortega"]);
  expect(names("é")).toEqual(["Élise Adamo"]);
  expect(names("  ")).toEqual([]);
});
