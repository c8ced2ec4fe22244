import { expect, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

test("home is the room visited last, at first the oldest; the list of rooms leads to the newest", async ({
  browser,
}) => {
  const token = await server.setUp();
  const oldest = await server.room(token);
  const engines = await server.makeRoom(token, "Engines");
  const newest = await server.makeRoom(token, "Attic");
  const ada = await Person.arrive(browser, server, token);
  await ada.visit("/");
  await expect(ada.page).toHaveURL(`${server.url}/rooms/${oldest}`);
  await ada.visit("/rooms");
  await expect(ada.page).toHaveURL(`${server.url}/rooms/${newest}`);
  await ada.page.getByTestId("rooms").getByRole("link", { name: "Engines" }).click();
  await expect(ada.page.getByRole("heading", { level: 1, name: "Engines" })).toBeVisible();
  await ada.visit("/");
  await expect(ada.page).toHaveURL(`${server.url}/rooms/${engines}`);
  await ada.visit("/users/me/profile");
  await server.ask("RoomService", "DeleteRoom", { roomId: engines }, token);
  await ada.visit("/");
  await expect(ada.page).toHaveURL(`${server.url}/rooms/${oldest}`);
});

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

test("a browser that is too old is told so, and no other", async ({ browser }) => {
  await server.setUp();
  const gecko = (version: number) =>
    `Mozilla/5.0 (X11; Linux x86_64; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;
  const safari = (version: string) =>
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${version} Safari/605.1.15`;
  for (const [userAgent, tooOld] of [
    [gecko(114), true],
    [gecko(121), false],
    [safari("17.1"), true],
    [safari("17.2"), false],
    ["curl/8.5.0", false],
  ] as const) {
    const ada = await Person.arrive(browser, server, undefined, { userAgent });
    const { page } = ada;
    await ada.visit("/session/new");
    const upgrade = page.getByRole("heading", { name: "Your browser is too old for Campfire" });
    const signIn = page.getByRole("button", { name: "Go" });
    await expect(tooOld ? upgrade : signIn).toBeVisible();
    await expect(tooOld ? signIn : upgrade).toHaveCount(0);
    if (tooOld)
      await expect(page.getByRole("list")).toHaveText(/Safari 17.2.*Chrome 120.*Firefox 121.*Opera 104/);
  }
});
