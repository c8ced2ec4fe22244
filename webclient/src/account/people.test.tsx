import { create } from "@bufbuild/protobuf";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { userService } from "../api";
import { ListUsersResponseSchema, UserRole, UserSchema } from "../gen/campfire/v1/user_pb";
import { useCampfire } from "../state";
import { People } from "./people";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const person = (id: string, name: string) =>
  create(UserSchema, { id, name, role: UserRole.MEMBER, avatarPath: "/avatar" });
const pageOf = (nextPageToken: string, ...users: ReturnType<typeof person>[]) =>
  create(ListUsersResponseSchema, { users, nextPageToken });
const names = () => [...document.querySelectorAll(".membership-item__name")].map((e) => e.textContent);

test("who is renamed while the next page comes keeps the new name", async () => {
  let seen = () => {};
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(tell: (entries: { isIntersecting: boolean }[]) => void) {
        seen = () => tell([{ isIntersecting: true }]);
      }
      observe() {}
      disconnect() {}
    },
  );
  let come: (page: ReturnType<typeof pageOf>) => void = () => {};
  vi.spyOn(userService, "listUsers")
    .mockResolvedValueOnce(pageOf("2", person("1", "Ada"), person("2", "Ben")))
    .mockReturnValueOnce(new Promise((done) => (come = done)));
  render(<People />);
  await screen.findByText("Ben");
  act(seen);
  act(() => useCampfire.setState({ changedUser: person("2", "Benedict") }));
  come(pageOf("", person("2", "Ben"), person("3", "Cleo")));
  await screen.findByText("Cleo");
  expect(names()).toEqual(["Ada", "Benedict", "Cleo"]);
});
