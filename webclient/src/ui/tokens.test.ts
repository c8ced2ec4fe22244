import { create } from "@bufbuild/protobuf";
import type { TrixEditorElement } from "trix";
import { expect, test } from "vitest";
import { UserSchema } from "../gen/campfire/v1/user_pb";
import { soundsFor } from "../messages/sounds";
import { matching, tokenAt } from "./tokens";

/** What is completed in a text whose caret is at the bar. */
function at(marked: string) {
  const end = marked.indexOf("|");
  const text = marked.replace("|", "");
  const editor = {
    getSelectedRange: () => [end, end],
    getDocument: () => ({ toString: () => `${text}\n` }),
    getClientRectAtPosition: () => new DOMRect(),
  };
  const token = tokenAt({ editor } as unknown as TrixEditorElement, soundsFor);
  return token && `${token.kind} ${token.start}-${token.end} ${token.query}`;
}

test("132 142 a name is completed where a word begins with @, and not within one", () => {
  expect(at("@|")).toBe("name 0-1 ");
  expect(at("hi @be|")).toBe("name 3-6 be");
  expect(at("hi\n@be|")).toBe("name 3-6 be");
  expect(at("\uFFFC@be|")).toBe("name 1-4 be");
  expect(at("@b|en")).toBe("name 0-2 b");
  expect(at("mail@be|")).toBeUndefined();
  expect(at("@ben okri|")).toBeUndefined();
});

test("sounds are completed after /play, as long as nothing else is written", () => {
  expect(at("/play |")).toBe("word 6-6 ");
  expect(at("/play ta|")).toBe("word 6-8 ta");
  expect(at("/play tada|")).toBeUndefined();
  expect(at("/play ta| please")).toBeUndefined();
  expect(at("so /play ta|")).toBeUndefined();
});

const people = ["Zoë Ben", "Ben Okri", "Abel", "Élise Roux", "Elise"].map((name, n) =>
  create(UserSchema, { id: `${n}`, name }),
);
const found = (query: string) => matching(people, query).map((c) => c.label);

test("133 134 135 names are found by the start of a word of theirs, whatever the accents, whole names first", () => {
  expect(found("be")).toEqual(["Ben Okri", "Zoë Ben"]);
  expect(found("É")).toEqual(["Elise", "Élise Roux"]);
  expect(found("e")).toEqual(["Elise", "Élise Roux"]);
  expect(found("rou")).toEqual(["Élise Roux"]);
  expect(found("oux")).toEqual([]);
  expect(found("")).toEqual(["Abel", "Ben Okri", "Elise", "Élise Roux", "Zoë Ben"]);
});

test("145 at most 20 are offered", () => {
  const crowd = Array.from({ length: 30 }, (_, n) => create(UserSchema, { id: `${n}`, name: `Ada ${n}` }));
  expect(matching(crowd, "ada").length).toBe(20);
});
