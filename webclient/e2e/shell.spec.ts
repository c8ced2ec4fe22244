import { type Locator, type Page } from "@playwright/test";
import { expect, Person, phone, test } from "./people";
import { Server } from "./server";

let server: Server;
let token: string;
let all: string;
test.beforeEach(async () => {
  server = await Server.start();
  token = await server.setUp();
  all = await server.room(token);
});
test.afterEach(() => server.stop());

function title(person: Person): Locator {
  return person.page.getByTestId("room-title");
}

async function at(locator: Locator) {
  return (await locator.boundingBox())!;
}

test("4 5 6 7 9 14 174 addresses lead where they should", async ({ browser }) => {
  const benToken = await server.join(token, "Ben Okri");
  const engines = await server.makeRoom(benToken, "Engines");
  const newest = await server.makeRoom(benToken, "Newest");
  const secret = await server.makeRoom(token, "Secrets", []);
  const said = await server.post(token, secret, { text: "hush" });
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit("/");
  await expect(title(ben)).toHaveText("All Talk"); // the oldest, as none was visited
  await ben.visit(`/rooms/${engines}`);
  await expect(title(ben)).toHaveText("Engines");
  await expect(ben.page).toHaveTitle("Engines");
  await server.post(token, newest, { text: "psst" });
  await expect(ben.page.getByTestId("room-link").last()).toHaveAttribute("data-unread", "");
  await expect(ben.page).toHaveTitle("Engines");
  await ben.visit("/");
  await expect(title(ben)).toHaveText("Engines");
  await ben.visit("/rooms");
  await expect(title(ben)).toHaveText("Newest");

  await ben.visit(`/rooms/${engines}`);
  await expect(title(ben)).toHaveText("Engines");
  await ben.visit("/users/me/profile");
  await server.ask("RoomService", "DeleteRoom", { roomId: engines }, benToken);
  await ben.visit("/");
  await expect(title(ben)).toHaveText("All Talk");

  ben.expectRefusal(/404/);
  for (const path of [`/rooms/${secret}`, `/rooms/${secret}/@${said}`]) {
    await ben.visit(path);
    await expect(ben.page.getByRole("alert")).toHaveText("That room is gone or you don’t have access.");
    await expect(ben.page.locator(".flash__inner--negative")).toBeVisible();
    await expect(title(ben)).toHaveText("All Talk");
  }

  await ben.visit("/no/such/place");
  await expect(ben.page.getByRole("heading", { name: "There is nothing at this address." })).toBeAttached();
  await ben.page.getByRole("button", { name: "Go back" }).click();
  await expect(title(ben)).toHaveText("All Talk");
});

test("8 13 37 38 39 43 312 the room stands beside its sidebar, under a nav that lets clicks through", async ({
  browser,
}) => {
  const id = await server.makeRoom(token, "Wonderful ".repeat(10).trim());
  for (let n = 0; n < 30; n++) await server.post(token, id, { text: `line ${n} `.repeat(20) });
  const ada = await Person.arrive(browser, server, token);
  const { page } = ada;
  await ada.visit(`/rooms/${id}`);
  await expect(ada.message("line 29")).toBeVisible();
  const sidebar = await at(page.getByTestId("sidebar"));
  expect(sidebar.width).toBeCloseTo(1280 * 0.26, 0);
  expect(sidebar.x + sidebar.width).toBeCloseTo(1280, 0);
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  await expect(page.getByTestId("nav").locator(".account-logo")).toHaveCount(0); // there is no custom logo yet
  const logo = await at(page.locator("#app-logo"));
  expect(logo.x).toBeLessThan(70);
  expect(logo.y + logo.height).toBeGreaterThan(760);

  for (const button of ["room-settings", "bell"]) {
    const box = await at(page.getByTestId("nav").getByTestId(button));
    expect(box.width).toBeCloseTo(42.4, 0);
    expect(box.height).toBeCloseTo(42.4, 0);
    expect(box.x + box.width).toBeLessThan(sidebar.x);
  }
  const cut = await title(ada)
    .locator(".overflow-ellipsis")
    .evaluate((e) => e.scrollWidth > e.clientWidth);
  expect(cut).toBe(true);

  await ada.list.evaluate((list) => (list.scrollTop = list.scrollHeight / 2));
  const nav = await at(page.getByTestId("nav"));
  const bell = await at(page.getByTestId("nav").getByTestId("bell"));
  const beside = {
    x: bell.x + bell.width + (sidebar.x - bell.x - bell.width) / 2,
    y: nav.y + nav.height / 2,
  };
  const hit = await page.evaluate(
    ({ x, y }) => document.elementFromPoint(x, y)?.closest("#nav") !== null,
    beside,
  );
  expect(hit).toBe(false);

  await ada.visit("/account/edit");
  await expect(page.getByRole("textbox", { name: "Account name" })).toBeVisible();
  await expect(page.getByTestId("sidebar")).toHaveCount(0);
  await ada.visit("/searches");
  await expect(page.getByTestId("sidebar")).toBeVisible();

  const onPhone = await Person.arrive(browser, server, token, phone);
  await onPhone.visit(`/rooms/${id}`);
  await expect(title(onPhone)).toBeVisible();
  await expect(onPhone.page.locator("#app-logo")).toBeHidden();
  const toggle = await at(onPhone.page.getByTestId("drawer-toggle"));
  for (const button of ["room-settings", "bell"]) {
    const box = await at(onPhone.page.getByTestId("nav").getByTestId(button));
    expect(box.x + box.width).toBeLessThanOrEqual(toggle.x);
  }
});

test("10 11 319 the first Tab finds a way past everything", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, token, phone); // where no editor takes the focus
  await ada.visit(`/rooms/${all}`);
  await expect(title(ada)).toBeVisible();
  await ada.page.keyboard.press("Tab");
  const skip = ada.page.getByRole("link", { name: "Skip to main content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.locator("#main-content")).toBeFocused();

  const { joinCode } = await server.ask<{ joinCode: string }>("AccountService", "GetJoinCode", {}, token);
  const guest = await Person.arrive(browser, server);
  await guest.visit(`/join/${joinCode}`);
  await expect(guest.page.getByRole("button", { name: "Join" })).toBeVisible();
  await expect(guest.page.getByRole("link", { name: "Skip to main content" })).toHaveCount(0);
});

test("33 34 35 browsers that are too old are told so", async ({ browser }) => {
  const agents = {
    old: "Mozilla/5.0 (X11; Linux x86_64; rv:114.0) Gecko/20100101 Firefox/114.0",
    safari:
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15",
  };
  const old = await Person.arrive(browser, server, token, { userAgent: agents.old });
  for (const path of ["/", "/session/new", "/account/edit"]) {
    await old.visit(path);
    await expect(
      old.page.getByRole("heading", { name: "Your browser is too old for Campfire" }),
    ).toBeVisible();
    await expect(old.page).toHaveTitle("Unsupported browser");
    await expect(title(old)).toHaveCount(0);
  }
  await expect(old.page.getByRole("listitem")).toHaveText([
    "Safari 17.2+",
    "Chrome 120+",
    "Firefox 121+",
    "Opera 104+",
  ]);
  const safari = await Person.arrive(browser, server, token, { userAgent: agents.safari });
  await safari.visit("/");
  await expect(title(safari)).toBeVisible();
});

test("36 someone without a room sees so", async ({ browser }) => {
  const benToken = await server.join(token, "Ben Okri");
  await server.ask("RoomService", "DeleteRoom", { roomId: all }, token);
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit("/");
  await expect(ben.page).toHaveTitle("No rooms yet");
  await expect(ben.page.getByTestId("sidebar")).toBeVisible();
  const bubble = ben.page.locator(".message-area__empty .icon");
  await expect(bubble).toHaveCSS("opacity", "0.2");
  expect((await at(bubble)).width).toBeCloseTo(1280 * 0.3, 0);
  await expect(ben.composer).toHaveCount(0);
});

test("40 41 42 a ping is named by its people; the first room greets while it is new", async ({ browser }) => {
  const benToken = await server.join(token, "Ben Okri");
  const cleoToken = await server.join(token, "Cleo Ray");
  const engines = await server.makeRoom(token, "Engines");
  const ids = [await server.idOf(benToken), await server.idOf(cleoToken)];
  const ada = await Person.arrive(browser, server, token);
  const card = ada.page.getByTestId("invite-card");
  await ada.visit(`/rooms/${await server.ping(token, ...ids)}`);
  await expect(title(ada)).toHaveText("Ping with Ben Okri and Cleo Ray");
  await expect(card).toHaveCount(0);
  await ada.visit(`/rooms/${engines}`);
  await expect(title(ada)).toHaveText("Engines");
  await expect(ada.composer).toBeVisible();
  await expect(card).toHaveCount(0);

  for (let n = 1; n <= 40; n++) await server.post(token, all, { text: `line ${n}.` });
  await ada.visit(`/rooms/${all}`);
  await expect(card).toBeAttached();
  await expect(card.getByRole("textbox", { name: "The link to join" })).toHaveValue(/\/join\//);
  await expect(card.getByRole("button", { name: "QR code" })).toBeVisible();
  await expect(card.getByRole("button", { name: "Copy the link to join" })).toBeVisible();
  await expect(card.getByRole("button", { name: "Make another" })).toHaveCount(0);
  await server.post(token, all, { text: "line 41." });
  await expect(ada.message("line 41.")).toBeVisible();
  await expect(card).toHaveCount(0);
  await ada.page.reload();
  await expect(ada.message("line 41.")).toBeVisible();
  await ada.list.evaluate((list) => (list.scrollTop = 0));
  await expect(ada.message("line 1.")).toBeAttached();
  await expect(card).toHaveCount(0);
});

test("200 316 no screen is wider than the narrowest phone, and panels lose their frame there", async ({
  browser,
}) => {
  const benToken = await server.join(token, "Ben Okri-Bartholomew the Unpronounceable");
  const benId = await server.idOf(benToken);
  const ping = await server.ping(token, benId);
  const { bot } = await server.ask<{ bot: { user: { id: string } } }>(
    "BotService",
    "CreateBot",
    { name: "Robo" },
    token,
  );
  // Each with something that is there once all of it is.
  const screens = [
    [`/rooms/${all}`, "#system_welcome"],
    ["/rooms/closeds/new", ".panel__list .avatar img"],
    [`/rooms/opens/${all}/edit`, ".panel__list .avatar img"],
    [`/rooms/directs/${ping}/edit`, ".directs--edit img"],
    ["/searches?q=words", "[data-testid=search-count]"],
    ["/users/me/profile", "[data-testid=sessions]"],
    [`/users/${benId}`, "[data-testid=transfer]"],
    ["/account/edit", "[data-testid=people] img"],
    ["/account/bots", "[data-testid=bot] .bot__room"],
    [`/account/bots/${bot.user.id}/edit`, ".btn--negative"],
    ["/account/custom_styles/edit", "textarea"],
    ["/account/bots/new", ".panel input"],
    ["/nowhere", ".error-screen"],
  ] as const;
  const ada = await Person.arrive(browser, server, token, { viewport: { width: 320, height: 640 } });
  const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  for (const [path, sign] of screens) {
    await ada.visit(path);
    await expect(ada.page.locator(sign).first()).toBeVisible();
    expect(await overflow(ada.page), path).toBeLessThanOrEqual(0);
  }
  await ada.visit("/account/bots/new");
  const panel = ada.page.locator(".panel");
  await expect(panel).toHaveCSS("border-top-width", "0px");
  await expect(panel).toHaveCSS("box-shadow", "none");
  await ada.page.setViewportSize({ width: 1280, height: 800 });
  await expect(panel).toHaveCSS("border-top-width", "1px");
  await expect(panel).not.toHaveCSS("box-shadow", "none");

  const guest = await Person.arrive(browser, server, undefined, { viewport: { width: 320, height: 640 } });
  const { joinCode } = await server.ask<{ joinCode: string }>("AccountService", "GetJoinCode", {}, token);
  for (const path of ["/session/new", `/join/${joinCode}`]) {
    await guest.visit(path);
    await expect(guest.page.getByLabel("Password")).toBeVisible();
    expect(await overflow(guest.page), path).toBeLessThanOrEqual(0);
  }
});

test("310 311 313 320 321 325 the look follows the scheme, and what people ask of their system", async ({
  browser,
}) => {
  await server.post(token, all, { text: "look at me" });
  const ada = await Person.arrive(browser, server, token, { colorScheme: "light", reducedMotion: "reduce" });
  const { page } = ada;
  await ada.visit(`/rooms/${all}`);
  await expect(ada.message("look at me")).toBeVisible();
  const body = page.locator("body");
  const bubble = page.locator(".message__bubble");
  const time = page.locator(".message__permalink");
  const icon = page.getByTestId("room-settings").locator(".icon");
  const scheme = async (paper: string, ink: string, shade: string) => {
    await expect(body).toHaveCSS("background-color", paper);
    await expect(body).toHaveCSS("color", ink);
    await expect(bubble).toHaveCSS("background-color", shade);
    await expect(icon).toHaveCSS("color", ink);
    expect(await contrast(time)).toBeGreaterThanOrEqual(4.5);
  };
  await scheme("oklch(1 0 0)", "oklch(0 0 0)", "oklch(0.96 0.005 96)");
  await page.emulateMedia({ colorScheme: "dark" });
  await scheme("oklch(0 0 0)", "oklch(1 0 0)", "oklch(0.252 0 0)");

  const em = (locator: Locator, property: string) =>
    locator.evaluate((e, p) => {
      const style = getComputedStyle(e);
      return parseFloat(style.getPropertyValue(p)) / parseFloat(style.fontSize);
    }, property);
  expect(await em(bubble, "border-top-left-radius")).toBeCloseTo(0.66, 2);
  const longest = await page.evaluate(() => {
    const times = [...document.querySelectorAll("*")].flatMap((e) => {
      const style = getComputedStyle(e);
      return [...style.animationDuration.split(","), ...style.transitionDuration.split(",")].map(parseFloat);
    });
    return Math.max(...times);
  });
  expect(longest).toBeLessThanOrEqual(0.00001);
  const viewport = await page.locator("meta[name=viewport]").getAttribute("content");
  expect(viewport).not.toMatch(/user-scalable|maximum-scale/);

  await ada.visit("/rooms/opens/new");
  const frame = page.locator(".input--actor").first();
  expect(await em(frame, "border-top-left-radius")).toBeCloseTo(0.5, 2);
  const knob = page.locator(".switch");
  expect(await em(knob, "width")).toBeCloseTo(3, 2);
  expect(await em(knob, "height")).toBeCloseTo(1.75, 2);
});

/** The contrast of a text on what is behind it, by WCAG. */
function contrast(text: Locator): Promise<number> {
  return text.evaluate((element) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    const rgb = (color: string) => {
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (color: string) => {
      const [r, g, b] = rgb(color).map((v) => {
        const c = v / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    let behind: Element | null = element;
    const background = (e: Element) => getComputedStyle(e).backgroundColor;
    while (behind && /^(rgba\(.*, 0\)|transparent)$/.test(background(behind))) behind = behind.parentElement;
    const [light, dark] = [luminance(getComputedStyle(element).color), luminance(background(behind!))].sort(
      (a, b) => b - a,
    );
    return (light! + 0.05) / (dark! + 0.05);
  });
}

test("314 without a picture everyone sees the same initials on the same colour", async ({ browser }) => {
  const benToken = await server.join(token, "Ben van der Berg");
  const benId = await server.idOf(benToken);
  const pictures: string[] = [];
  for (const who of [token, benToken]) {
    const person = await Person.arrive(browser, server, who);
    await person.visit(`/users/${benId}`);
    const picture = person.page.getByRole("main").locator("img").first();
    await expect(picture).toBeVisible();
    pictures.push(await picture.evaluate(async (image: HTMLImageElement) => (await fetch(image.src)).text()));
  }
  expect(pictures[0]).toBe(pictures[1]);
  expect(pictures[0]).toContain(">BvdB<");
  expect(pictures[0]).toMatch(/fill="#[0-9a-f]{6}"/);
});

test("324 a question keeps the focus inside and gives it back", async ({ browser }) => {
  const ada = await Person.arrive(browser, server, token);
  const { page } = ada;
  await ada.visit(`/rooms/opens/${all}/edit`);
  const remove = page.getByRole("button", { name: "Delete All Talk" });
  await remove.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Delete" })).toBeFocused();
  for (let n = 0; n < 4; n++) {
    await page.keyboard.press("Tab");
    const inside = await page.evaluate(() => {
      const { activeElement } = document;
      return activeElement === document.body || activeElement?.closest("dialog") !== null;
    });
    expect(inside).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(remove).toBeFocused();
});

test("326 327 a globe tells in seven languages what a field is for", async ({ browser }) => {
  const guest = await Person.arrive(browser, server);
  const { page } = guest;
  await guest.visit("/session/new");
  const globe = page.getByRole("button", { name: "Translate" }).first();
  const list = page.getByTestId("translations");
  await globe.click();
  await expect(list.getByRole("listitem")).toHaveCount(7);
  await expect(list).toContainText("Deine E-Mail-Adresse");
  await page.keyboard.press("Escape");
  await expect(list).toHaveCount(0);
  await expect(globe).toBeFocused();
  await globe.click();
  await expect(list).toBeVisible();
  expect((await at(list)).y).toBeGreaterThan((await at(globe)).y);
  await page.mouse.click(5, 5);
  await expect(list).toHaveCount(0);

  await page.setViewportSize({ width: 1280, height: 420 }); // now the field is near the bottom
  const last = page.getByRole("button", { name: "Translate" }).last();
  await last.click();
  await expect(list).toBeVisible();
  const box = await at(list);
  expect(box.y + box.height).toBeLessThan((await at(last)).y);
});

test("305 308 a tab that is hidden for long counts as away; another tab keeps one present", async ({
  browser,
}) => {
  const benToken = await server.join(token, "Ben Okri");
  const engines = await server.makeRoom(token, "Engines");
  const hide = (page: Page, hidden: boolean) =>
    page.evaluate(
      (state) => {
        Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
        document.dispatchEvent(new Event("visibilitychange"));
      },
      hidden ? "hidden" : "visible",
    );
  const ben = await Person.arrive(browser, server, benToken);
  await ben.visit(`/rooms/${engines}`);
  await expect(ben.composer).toBeVisible();
  const second = await ben.openTab();
  await second.goto(`${server.url}/rooms/${engines}`);
  await expect(second.getByTestId("composer")).toBeVisible();
  const elsewhere = await Person.arrive(browser, server, benToken); // another device of his
  await elsewhere.visit(`/rooms/${all}`);
  const mark = elsewhere.page.getByTestId("room-link").filter({ hasText: "Engines" });
  await expect(mark).toBeVisible();
  const said = async (text: string) => {
    await server.post(token, engines, { text });
    await expect(ben.message(text)).toBeVisible();
  };

  await second.close();
  await said("with one tab closed");
  await expect(mark).not.toHaveAttribute("data-unread");
  await hide(ben.page, true);
  await ben.page.waitForTimeout(3000);
  await said("hidden for a moment");
  await expect(mark).not.toHaveAttribute("data-unread");
  await ben.page.waitForTimeout(3000);
  await said("hidden for long");
  await expect(mark).toHaveAttribute("data-unread", "");
  await hide(ben.page, false);
  await expect(mark).not.toHaveAttribute("data-unread", { timeout: 8000 });
});
