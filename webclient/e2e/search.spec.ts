import { expect, Person, phone, test } from "./people";
import { Server } from "./server";

let server: Server;
let token: string;
let benToken: string;
test.beforeEach(async () => {
  server = await Server.start();
  token = await server.setUp();
  benToken = await server.join(token, "Ben Okri");
});
test.afterEach(() => server.stop());

test("246 247 248 250 251 252 256 257 258 one finds what was said in one’s rooms", async ({ browser }) => {
  const all = await server.room(token, "All Talk");
  const secret = await server.makeRoom(token, "Secrets", []);
  const left = await server.makeRoom(token, "Left", [await server.idOf(benToken)]);
  await server.post(token, all, { text: "The lighthouse is lit" });
  await server.post(token, secret, { text: "A secret lighthouse" });
  await server.post(benToken, left, { text: "My own lighthouse" });
  const found = await server.post(benToken, all, { html: "<div>Two <b>lighthouses</b> by the sea</div>" });
  await server.post(benToken, all, { text: "No lighthouse so far" });
  const revokeUserIds = [await server.idOf(benToken)];
  await server.ask("RoomService", "UpdateRoom", { roomId: left, revokeUserIds }, token);

  const ben = await Person.arrive(browser, server, benToken);
  const { page } = ben;
  await ben.visit(`/rooms/${all}`);
  await page.getByRole("link", { name: "Search" }).click();
  await expect(page).toHaveTitle("Search");
  const field = page.getByRole("searchbox", { name: "Search" });
  const clear = page.getByRole("button", { name: "Clear", exact: true });
  await expect(field).toBeFocused();
  await expect(page.locator(".message-area__empty .icon")).toBeVisible();
  await expect(clear).toHaveCount(0);
  await field.fill("lighthouse");
  await expect(clear).toBeVisible();
  await field.press("Escape");
  await expect(field).toHaveValue("");
  await field.fill('"lighthouse" (AND) *:');
  await field.press("Enter");
  await expect(page.getByTestId("search-count")).toHaveText(/^0 messages/);
  await field.fill("lighthouse'!?");
  await field.press("Enter");
  await expect(page.getByTestId("search-count")).toHaveText(/^3 messages/);
  expect(await ben.said()).toEqual([
    "The lighthouse is lit",
    "Two lighthouses by the sea",
    "No lighthouse so far",
  ]);
  await expect(page.locator("mark")).toHaveText(["lighthouse", "lighthouses", "lighthouse"]);
  await expect(page.getByRole("button", { name: "Message options" })).toHaveCount(0);
  await expect(page.getByTestId("day-separator")).toHaveCount(0);
  await expect(page.locator(".message--threaded")).toHaveCount(0);
  const own = ben.message("Two lighthouses");
  await expect(own).toHaveAttribute("data-mine", "");
  await expect(own.getByRole("link", { name: "All Talk" })).toHaveAttribute(
    "href",
    `/rooms/${all}/@${found}`,
  );

  await field.fill("unheard");
  await page.getByRole("button", { name: "Find" }).click();
  await expect(page.getByTestId("search-count")).toHaveText(/^0 messages/);
  await expect(page.locator(".message-area__empty .icon")).toBeVisible();
  await page.goBack();
  await own.getByRole("link", { name: "All Talk" }).click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${all}/@${found}$`));
  await expect(ben.message("by the sea")).toHaveClass(/message--highlighted/);
  await page.goBack();
  await page.getByRole("link", { name: "Leave search" }).click();
  await expect(page.getByTestId("room-title")).toHaveText("All Talk");
});

test("249 at most the hundred newest are shown, from the end", async ({ browser }) => {
  const all = await server.room(token);
  for (let n = 1; n <= 105; n++) await server.post(token, all, { text: `lamp ${n}.` });
  const ada = await Person.arrive(browser, server, token);
  await ada.visit("/searches?q=lamp");
  await expect(ada.page.getByTestId("search-count")).toHaveText(/^100 messages/);
  await expect(ada.message("lamp 105.")).toBeInViewport();
  const said = await ada.said();
  expect(said[0]).toBe("lamp 6.");
  expect(said.at(-1)).toBe("lamp 105.");
});

test("253 254 255 259 recent searches are kept, repeated and forgotten", async ({ browser }) => {
  const ben = await Person.arrive(browser, server, benToken);
  const { page } = ben;
  const recents = page.getByTestId("sidebar").getByTestId("recents").getByRole("link");
  await ben.visit("/searches");
  const field = page.getByRole("searchbox");
  const names: string[] = [];
  for (let n = 1; n <= 11; n++) {
    await field.fill(`word${n}`);
    await field.press("Enter");
    names.unshift(`“word${n}”`);
    await expect(recents.first()).toHaveText(names[0]!);
  }
  await expect(recents).toHaveText(names.slice(0, 10));
  await recents.last().click();
  await expect(page).toHaveURL(/q=word2$/);
  await expect(field).toHaveValue("word2");
  await expect(recents).toHaveText(["“word2”", ...names.slice(0, 9)]);

  const onPhone = await Person.arrive(browser, server, benToken, phone);
  await onPhone.visit("/searches");
  const strip = onPhone.page.getByTestId("nav").getByTestId("recents");
  await expect(strip).toBeVisible();
  await expect(strip.getByRole("link").first()).toHaveText("“word2”");
  await expect(onPhone.page.getByTestId("sidebar").getByTestId("recents")).not.toBeInViewport();

  const clear = page.getByTestId("sidebar").getByRole("button", { name: "Clear recent searches" });
  await clear.click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(recents).toHaveCount(10);
  await clear.click();
  await page.getByRole("dialog").getByRole("button", { name: "Forget" }).click();
  await expect(recents).toHaveCount(0);
  // Looking at the same search again is no new one.
  const listed = page.waitForResponse(/ListRecentSearches/);
  await page.reload();
  await listed;
  await expect(page.getByTestId("search-count")).toBeVisible();
  await expect(recents).toHaveCount(0);
});
