import { type Locator } from "@playwright/test";
import { expect, live, Person, phone, test } from "./people";
import { Server } from "./server";

let server: Server;
let token: string;
let benToken: string;
let benId: string;
test.beforeEach(async () => {
  server = await Server.start();
  token = await server.setUp();
  benToken = await server.join(token, "Ben Okri");
  benId = await server.idOf(benToken);
});
test.afterEach(() => server.stop());

function rooms(person: Person): Locator {
  return person.page.getByTestId("room-link");
}

function pings(person: Person): Locator {
  return person.page.getByTestId("ping");
}

test("175 179 180 182 183 188 192 193 rooms stand by name, and say what is unread", async ({ browser }) => {
  const all = await server.room(token);
  const zoo = await server.makeRoom(token, "zoo");
  for (let n = 10; n < 40; n++) await server.makeRoom(token, `Room ${n}`);
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit(`/rooms/${all}`);
  await expect(rooms(ben)).toHaveCount(32);
  expect((await rooms(ben).allTextContents()).slice(0, 2)).toEqual(["All Talk", "Room 10"]);
  await expect(rooms(ben).last()).toHaveText("zoo");
  const current = ben.page.getByTestId("rooms").locator("[aria-current=page]");
  await expect(current).toHaveText("All Talk");
  const looks = (link: Locator) =>
    link.evaluate((e) => {
      const { backgroundColor, borderColor, borderWidth, fontWeight, color } = getComputedStyle(e);
      return { backgroundColor, borderColor, borderWidth, fontWeight, color };
    });
  const plain = await looks(rooms(ben).last());
  expect(await looks(current)).toEqual(plain);

  const other = await ben.openTab(); // the same person's second window
  await other.goto(`${server.url}/rooms/${all}`);
  await expect(other.getByTestId("room-link").last()).toHaveText("zoo");
  await ben.page.bringToFront();
  await server.post(token, zoo, { text: "feed the lions" });
  const unread = rooms(ben).last();
  await live(() => expect(unread).toHaveAttribute("data-unread", "", { timeout: 20 }));
  await expect(unread).toHaveAccessibleName("zoo , unread");
  expect(await looks(unread)).toMatchObject({ fontWeight: "600", borderWidth: "2px" });
  await server.post(token, all, { text: "here and now" });
  await expect(ben.message("here and now")).toBeVisible();
  await expect(rooms(ben).first()).not.toHaveAttribute("data-unread");
  await expect(other.getByTestId("room-link").last()).toHaveAttribute("data-unread", "");

  await unread.scrollIntoViewIfNeeded();
  const scrolled = () => ben.page.locator(".sidebar__container").evaluate((e) => e.scrollTop);
  const before = await scrolled();
  expect(before).toBeGreaterThan(100);
  await unread.click();
  await expect(ben.message("feed the lions")).toBeVisible();
  expect(await scrolled()).toBe(before);
  await expect(unread).not.toHaveAttribute("data-unread");
  await expect(other.getByTestId("room-link").last()).not.toHaveAttribute("data-unread");
  await expect(current).toHaveText("zoo");
  await server.post(benToken, all, { text: "mine from elsewhere" });
  await expect(other.getByText("mine from elsewhere")).toBeVisible();
  await expect(rooms(ben).first()).not.toHaveAttribute("data-unread");
});

test("176 177 178 181 209 pings stand by when something was last said in them", async ({ browser }) => {
  const tokens: Record<string, string> = {};
  for (const name of ["Cleo Ray", "Dan Mo", "Eve Lin", "Hal Ito", "Fay Wu"])
    tokens[name] = await server.join(token, name);
  const ids = await Promise.all(Object.values(tokens).map((t) => server.idOf(t)));
  const adaId = await server.idOf(token);
  const cleoPing = await server.ping(benToken, ids[0]!);
  await server.post(tokens["Cleo Ray"]!, cleoPing, { text: "psst" });
  const trio = await server.ping(benToken, ids[0]!, ids[1]!);
  await server.post(benToken, trio, { text: "three of us" });
  const six = await server.ping(benToken, adaId, ...ids.slice(0, 4));
  await server.post(benToken, six, { text: "all of us" });

  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit("/");
  await expect(pings(ben)).toHaveCount(3);
  await expect(pings(ben).locator(".direct__author")).toHaveText([
    "Ping with AL, CR, DM, EL, and HI",
    "Ping with CR+DM",
    /^Ping with Cleo/,
  ]);
  await expect(pings(ben).nth(0).locator(".avatar__group > .avatar")).toHaveCount(4);
  await expect(pings(ben).nth(1).locator(".avatar__group > .avatar")).toHaveCount(2);
  await expect(pings(ben).nth(2).locator("img")).toHaveCount(1);

  await server.post(tokens["Dan Mo"]!, trio, { text: "still here" });
  const first = pings(ben).first();
  await expect(first).toHaveAttribute("data-unread", "");
  await expect(first.locator(".direct__author")).toHaveText("Ping with CR+DM, unread");
  expect(await first.locator(".direct__author").evaluate((e) => getComputedStyle(e).fontWeight)).toBe("800");

  const strangers = ben.page.getByTestId("ping-placeholder");
  await expect(strangers).toHaveText(["Start a ping with Fay"]);
  await strangers.filter({ hasText: "Fay" }).click();
  await expect(ben.page.getByTestId("room-title")).toHaveText("Ping with Fay Wu");
  await expect(strangers).toHaveCount(0);
  await expect(pings(ben)).toHaveCount(4);

  const fay = await Person.arrive(browser, server, tokens["Fay Wu"]);
  await fay.visit("/");
  await ben.write("hello Fay");
  await expect(pings(fay).first().locator(".direct__author")).toHaveText(/^Ping with Ben/);
});

test("201 202 203 204 205 206 207 208 323 one chooses people for a ping by typing", async ({ browser }) => {
  await server.join(token, "Ben Adams");
  await server.join(token, "Cleo Ray");
  const ben = await Person.arrive(browser, server, benToken);
  const { page } = ben;
  await ben.visit("/");
  await page.getByTestId("new-ping").click();
  const field = page.getByRole("combobox", { name: "People to ping" });
  const options = page.getByRole("option");
  await expect(field).toBeFocused();
  await expect(page.getByTestId("pings")).toHaveCount(0);
  await expect(rooms(ben)).toHaveText(["All Talk"]);
  await page.getByRole("button", { name: "Start ping" }).click({ force: true });
  await expect(field).toBeVisible();

  await field.pressSequentially("ben");
  await expect(page.getByRole("listbox", { name: "Suggestions" })).toBeVisible();
  await expect(options).toHaveText(["Ben Adams"]); // not Ben Okri, who types
  await expect(options).toHaveAttribute("aria-selected", "true");
  await field.pressSequentially(" adams");
  await expect(options).toHaveText(["Ben Adams"]);
  await field.press("Enter");
  await field.pressSequentially("b");
  await expect(options).toHaveCount(0);
  await field.press("Backspace");
  await field.pressSequentially("cl");
  await field.press("Tab");
  const chosen = page.locator(".autocomplete__pill");
  await expect(chosen).toHaveText(["Ben Adams", "Cleo Ray"]);
  await field.press("Backspace");
  await expect(chosen).toHaveText(["Ben Adams"]);
  await page.getByRole("button", { name: "Remove Ben Adams" }).click();
  await expect(chosen).toHaveCount(0);
  await field.press("Escape");
  await expect(page.getByTestId("pings")).toBeVisible();

  const start = async () => {
    await page.getByTestId("new-ping").click();
    for (const name of ["Ada", "Cleo"]) {
      await field.pressSequentially(name);
      await expect(options.first()).toHaveText(new RegExp(`^${name}`));
      await field.press("Enter");
    }
    await page.getByRole("button", { name: "Start ping" }).click();
    await expect(page.getByTestId("room-title")).toHaveText("Ping with Ada Lovelace and Cleo Ray");
    return page.url();
  };
  const once = await start();
  await rooms(ben).first().click();
  expect(await start()).toBe(once);
  await expect(pings(ben)).toHaveCount(1);
});

test("189 191 the badge counts what is unread; avatar and gear lead to one’s own affairs", async ({
  browser,
}) => {
  const other = await server.makeRoom(token, "Engines");
  const ben = await Person.arrive(browser, server, benToken);
  await ben.page.addInitScript(() => {
    const badges: (number | undefined)[] = [];
    Object.assign(window, { badges });
    navigator.setAppBadge = (count) => Promise.resolve(void badges.push(count));
    navigator.clearAppBadge = () => Promise.resolve(void badges.push(0));
  });
  const badge = () => ben.page.evaluate(() => (window as unknown as { badges: number[] }).badges.at(-1));
  await ben.visit(`/rooms/${await server.room(token, "All Talk")}`);
  await expect.poll(badge).toBe(0);
  await server.post(token, other, { text: "one" });
  await server.post(token, await server.ping(token, benId), { text: "two" });
  await expect.poll(badge).toBe(2);
  await rooms(ben).last().click();
  await expect.poll(badge).toBe(1);
  await pings(ben).click();
  await expect.poll(badge).toBe(0);

  await ben.page.getByTestId("my-profile").click();
  await expect(ben.page).toHaveURL(/\/users\/me\/profile$/);
  await server.post(token, other, { text: "three" });
  await expect.poll(badge).toBe(1); // also where there is no sidebar
  await ben.page.goBack();
  await ben.page.getByTestId("account-settings").click();
  await expect(ben.page).toHaveURL(/\/account\/edit$/);
});

test("194 195 196 197 198 199 on a phone the sidebar is a drawer", async ({ browser }) => {
  const all = await server.room(token);
  const engines = await server.makeRoom(token, "Engines");
  const first = await server.post(token, all, { text: "the very first" });
  for (let n = 1; n < 45; n++) await server.post(token, all, { text: `line ${n}` });
  expect(first).toBeTruthy();
  const ben = await Person.arrive(browser, server, benToken, phone);
  const { page } = ben;
  await ben.visit(`/rooms/${all}`);
  await expect(ben.message("line 44")).toBeVisible();
  const toggle = page.getByTestId("drawer-toggle");
  const at = async (locator: Locator) => (await locator.boundingBox())!;
  await expect(toggle).toHaveAccessibleName("Open menu");
  const box = await at(toggle);
  expect(box.x + box.width).toBeGreaterThan(370);
  expect(box.y).toBeLessThan(20);
  await expect(page.getByTestId("rooms")).not.toBeInViewport();

  await server.post(token, engines, { text: "unread" });
  const dot = () => toggle.evaluate((e) => getComputedStyle(e, "::after").content);
  await expect(toggle).toHaveClass(/unread/);
  expect(await dot()).toBe('""');
  await toggle.click();
  await expect(toggle).toHaveAccessibleName("Close menu");
  await expect(toggle).not.toHaveClass(/unread/);
  await expect.poll(async () => (await at(page.getByTestId("sidebar"))).x).toBe(0);
  expect(await at(page.getByTestId("sidebar"))).toMatchObject({ width: 390, height: 844 });
  await toggle.click();
  await expect(page.getByTestId("rooms")).not.toBeInViewport();
  await toggle.click();
  await rooms(ben).filter({ hasText: "Engines" }).click();
  await expect(page.getByTestId("room-title")).toHaveText("Engines");
  await expect(page.getByTestId("rooms")).not.toBeInViewport();

  await ben.visit(`/rooms/${all}/@${first}`);
  await expect(ben.message("the very first")).toBeVisible();
  await expect(page.getByTestId("message-list").or(ben.list).first()).toBeVisible();
  await ben.list.evaluate((list) => (list.scrollTop = 0));
  const nav = await at(page.getByTestId("nav"));
  await expect
    .poll(async () => (await at(ben.message("the very first"))).y)
    .toBeGreaterThanOrEqual(nav.y + nav.height - 1);

  for (const path of ["/users/me/profile", "/rooms/closeds/new", "/account/edit", "/searches"]) {
    await ben.visit(path);
    await expect(page.getByRole("main").locator("input, textarea").first()).toBeVisible();
    const sizes = await page
      .locator("input:not([type=checkbox]), textarea")
      .evaluateAll((fields) => fields.map((f) => parseFloat(getComputedStyle(f).fontSize)));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(16);
  }
});
