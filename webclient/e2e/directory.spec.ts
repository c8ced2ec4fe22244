import { expect, test } from "@playwright/test";
import { Person } from "./people";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

test("the directory has administrators, a line, then members, and leads to each of them", async ({
  browser,
}) => {
  const token = await server.setUp("Mary Somerville");
  for (const name of ["Zoe Quinn", "Ada Lovelace", "Ben Okri"]) await server.join(token, name);
  const { users } = await server.ask<{ users: { id: string; name: string }[] }>(
    "UserService",
    "ListUsers",
    {},
    token,
  );
  const zoe = users.find((u) => u.name === "Zoe Quinn")!;
  await server.ask("UserService", "SetUserRole", { userId: zoe.id, role: "USER_ROLE_ADMINISTRATOR" }, token);
  const mary = await Person.arrive(browser, server, token);
  await mary.visit("/account/edit");
  const people = mary.page.getByRole("region", { name: "People" });
  const names = (list: string) =>
    people.getByRole("list", { name: list }).locator(".membership-item__name").allInnerTexts();
  await expect(people.getByRole("link", { name: "Zoe Quinn" })).toBeVisible();
  expect(await names("Administrators")).toEqual(["Mary Somerville", "Zoe Quinn"]);
  expect(await names("Members")).toEqual(["Ada Lovelace", "Ben Okri"]);
  await expect(people.locator("ul + hr + ul")).toHaveCount(1);

  await people.getByRole("link", { name: "Ben Okri" }).click();
  await expect(mary.page.getByRole("heading", { level: 1, name: "Ben Okri" })).toBeVisible();
  await mary.page.getByRole("button", { name: "Ping Ben Okri" }).click();
  await expect(mary.page.getByRole("heading", { level: 1, name: "Ping with Ben Okri" })).toBeVisible();
  expect(mary.complaints).toEqual([]);
});
