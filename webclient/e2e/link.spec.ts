import { expect, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

test("the link to a message is copied from its menu, and leads to it", async ({ browser }) => {
  const token = await server.setUp();
  const roomId = await server.room(token);
  const messageId = await server.post(token, roomId, { text: "Remember this" });
  const ada = await Person.arrive(browser, server, token);
  await ada.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await ada.visit("/");
  await (await ada.options("Remember this")).getByRole("button", { name: "Copy link" }).click();
  const link = await ada.page.evaluate(() => navigator.clipboard.readText());
  expect(link).toBe(`${server.url}/rooms/${roomId}/@${messageId}`);
  await ada.page.goto(link);
  await expect(ada.message("Remember this")).toBeVisible();
});
