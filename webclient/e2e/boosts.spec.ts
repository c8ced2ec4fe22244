import { expect, live, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

test("a boost in one's own words is seen, and deleted by whom it is of", async ({ browser }) => {
  const token = await server.setUp("Ada Lovelace");
  const ben = await Person.arrive(browser, server, await server.join(token, "Ben Okri"));
  const ada = await Person.arrive(browser, server, token);
  await server.post(token, await server.room(token), { text: "It runs" });
  await ada.visit("/");
  await ben.visit("/");

  await (await ben.options("It runs")).getByRole("button", { name: "New boost" }).click();
  await ben.page.getByRole("textbox", { name: "Boost", exact: true }).fill("Well done");
  await ben.page.keyboard.press("Enter");
  const boost = (person: Person) => person.message("It runs").getByTestId("boost");
  await expect(boost(ben)).toHaveText("Well done");
  await live(() => expect(boost(ada)).toContainText("Well done", { timeout: 20 }));

  await expect(boost(ada).getByRole("button")).toHaveCount(0); // it is not Ada's to delete
  await expect(ben.page.getByRole("button", { name: "Delete this boost" })).toHaveCount(0);
  await boost(ben).getByRole("button", { name: "Ben Okri boosted Well done" }).click();
  await ben.page.getByRole("button", { name: "Delete this boost" }).click();
  await expect(boost(ben)).toHaveCount(0);
  await live(() => expect(boost(ada)).toHaveCount(0, { timeout: 20 }));
});

test("a boost that is being written survives edits and boosts by others", async ({ browser }) => {
  const token = await server.setUp("Ada Lovelace");
  const bens = await server.join(token, "Ben Okri");
  const ada = await Person.arrive(browser, server, token);
  const messageId = await server.post(bens, await server.room(token), { text: "It runs" });
  await ada.visit("/");
  await (await ada.options("It runs")).getByRole("button", { name: "New boost" }).click();
  const field = ada.page.getByRole("textbox", { name: "Boost", exact: true });
  await field.pressSequentially("Brill");

  await server.ask("MessageService", "EditMessage", { messageId, text: "It runs well" }, bens);
  await live(() => expect(ada.message("It runs well")).toBeVisible({ timeout: 20 }));
  await expect(field).toHaveValue("Brill");
  await server.ask("MessageService", "AddBoost", { messageId, content: "🎉" }, bens);
  const boosts = ada.message("It runs well").getByTestId("boost");
  await live(() => expect(boosts.filter({ hasText: "🎉" })).toBeVisible({ timeout: 20 }));
  await expect(field).toHaveValue("Brill");
  await expect(field).toBeFocused();

  await ada.page.keyboard.type("iant");
  await ada.page.keyboard.press("Enter");
  await expect(boosts.filter({ hasText: "Brilliant" })).toBeVisible();
  await expect(boosts).toHaveCount(2);
});
