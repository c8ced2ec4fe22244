import { expect, Person, test } from "./people";
import type { Server } from "./server";

async function talk(server: Server) {
  const ada = await server.setUp("Ada Lovelace");
  const ben = await server.join(ada, "Ben Okri");
  return { ada, ben, roomId: await server.room(ada) };
}

test("300 301 302 304 309 an outage closes the composer after 5 seconds; what happened meanwhile is there afterwards", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await talk(server);
  const kept = await server.post(ben, roomId, { text: "Stays" });
  const gone = await server.post(ben, roomId, { text: "Goes" });
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  const fieldset = person.page.locator(".composer__fieldset");
  await expect(person.message("Goes")).toBeVisible();
  await person.composer.pressSequentially("half a thought");
  person.expectRefusal(/ERR_INTERNET_DISCONNECTED|ERR_NETWORK|ERR_FAILED|ERR_INCOMPLETE/);

  await person.context.setOffline(true);
  await server.kill(); // the network being down does not end a stream that is open
  await expect(person.page.getByTestId("offline")).toContainText("Connecting again");
  await expect(fieldset).not.toHaveAttribute("disabled");
  await expect(fieldset).toHaveAttribute("disabled", "", { timeout: 4000 });
  await expect(person.page.getByTestId("offline")).toContainText("The connection is lost");
  await expect(person.composer).toHaveAttribute("contenteditable", "false");
  await server.launch();
  await server.post(ben, roomId, { text: "one" });
  await server.post(ben, roomId, { text: "two" });
  await server.ask("MessageService", "EditMessage", { messageId: kept, text: "Stays, edited" }, ben);
  await server.ask("MessageService", "DeleteMessage", { messageId: gone }, ben);

  await person.context.setOffline(false); // and the browser says so
  await expect(fieldset).not.toHaveAttribute("disabled", { timeout: 1500 });
  await expect.poll(() => person.said()).toEqual(["Stays, edited", "one", "two"]);
  await expect(person.composer).toHaveText("half a thought");
  await expect(person.page.getByTestId("offline")).toHaveCount(0);
  await person.composer.press("End");
  await person.composer.pressSequentially("!");
  await expect(person.composer).toHaveText("half a thought!");
});

test("303 more than 40 missed messages leave no gap", async ({ browser, server }) => {
  const { ada, ben, roomId } = await talk(server);
  await server.post(ben, roomId, { text: "number 0." });
  const person = await Person.arrive(browser, server, ada);
  await person.visit(`/rooms/${roomId}`);
  await expect(person.message("number 0.")).toBeVisible();
  person.expectRefusal(/ERR_/);
  await person.context.setOffline(true);
  await server.kill();
  await server.launch();
  for (let n = 1; n <= 60; n++) await server.post(ben, roomId, { text: `number ${n}.` });
  await person.context.setOffline(false);
  await expect(person.message("number 60.")).toHaveCount(1, { timeout: 10_000 });
  const numbers = (await person.said()).map((text) => Number(/\d+/.exec(text)));
  const [first = 0] = numbers;
  expect(numbers).toEqual(Array.from({ length: 61 - first }, (_, n) => first + n));
});

test("306 returning after more than a minute brings news; after less it asks for nothing", async ({
  browser,
  server,
}) => {
  const { ada, ben, roomId } = await talk(server);
  const person = await Person.arrive(browser, server, ada);
  await person.page.clock.install();
  const asked: string[] = [];
  person.page.on("request", (request) => asked.push(request.url().split("/").at(-1)!.replace(/\?.*/, "")));
  await person.visit(`/rooms/${roomId}`);
  await person.write("here");
  await expect(person.page.locator(".message--pending")).toHaveCount(0);
  const turn = (state: "hidden" | "visible") =>
    person.page.evaluate((to) => {
      Object.defineProperty(document, "visibilityState", { value: to, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);

  await turn("hidden");
  await person.page.clock.runFor(50_000);
  asked.length = 0;
  await turn("visible");
  await server.post(ben, roomId, { text: "still live" });
  await expect(person.message("still live")).toBeVisible();
  expect(asked.filter((name) => name === "ListMessages")).toEqual([]);

  await turn("hidden");
  await person.page.clock.runFor(70_000);
  await server.post(ben, roomId, { text: "while away" });
  asked.length = 0;
  await turn("visible");
  await expect(person.message("while away")).toBeVisible();
  await expect.poll(() => asked).toContain("ListRooms");
});

test("a post that cannot work goes back to the composer, and is kept until that has taken it", async ({
  browser,
  server,
}) => {
  const { ada, roomId } = await talk(server);
  const person = await Person.arrive(browser, server, ada);
  const { page } = person;
  person.expectRefusal(/400/);
  await page.route("**/PostMessage", (route) =>
    route.fulfill({ status: 400, json: { code: "invalid_argument", message: "too long" } }),
  );
  await person.visit(`/rooms/${roomId}`);
  await person.write("far too long");
  const failed = person.message("far too long");
  const edit = failed.getByRole("button", { name: "Edit" });
  await expect(failed).toHaveAttribute("data-failed", "");
  await person.composer.pressSequentially("another thought");

  await edit.click();
  const question = page.getByRole("dialog", { name: "Replace what you have written?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(person.composer).toHaveText("another thought");
  await expect(failed).toHaveAttribute("data-failed", "");

  await edit.click();
  await question.getByRole("button", { name: "Replace" }).click();
  await expect(person.composer).toHaveText("far too long");
  await expect(failed).toHaveCount(0);
  await page.reload();
  await expect(person.composer).toHaveText("far too long");
  await expect(failed).toHaveCount(0);
});
