import { expect, Person, test } from "./people";

test("what is opened grows out of what was pressed, unless one wants no motion", async ({
  browser,
  server,
}) => {
  const token = await server.setUp();
  const ada = await Person.arrive(browser, server, token);
  await ada.visit("/");
  await expect(ada.composer).toBeVisible();
  /** What moves while a press opens a screen. */
  const moved = async (press: () => Promise<void>) => {
    await ada.page.evaluate(() => {
      const start = document.startViewTransition.bind(document);
      const moves: string[][] = [];
      Object.assign(window, { moves });
      document.startViewTransition = (change) => {
        const transition = start(change);
        void transition.ready.then(() =>
          moves.push(
            document
              .getAnimations()
              .map(({ effect }) => (effect as KeyframeEffect).pseudoElement ?? "")
              .filter((name) => name.startsWith("::view-transition-group")),
          ),
        );
        return transition;
      };
    });
    await press();
    return ada.page.evaluate(() => (window as unknown as { moves: string[][] }).moves);
  };
  const panel = ada.page.locator(".panel").first();
  const opened = await moved(async () => {
    await ada.page.getByTestId("account-settings").click();
    await expect(panel).toBeVisible();
    await expect(ada.page.locator("html.opening")).toHaveCount(0);
  });
  expect(opened).toEqual([expect.arrayContaining(["::view-transition-group(opened)"])]);
  await ada.page.getByRole("link", { name: "Chat bots" }).click();
  await expect(ada.page.getByRole("heading", { name: "Chat bots" })).toBeVisible();
  await ada.visit("/");
  await expect(ada.composer).toBeVisible();
  const searched = await moved(async () => {
    await ada.page.getByRole("link", { name: "Search" }).click();
    await expect(ada.page.getByRole("searchbox")).toBeFocused();
    await expect(ada.page.locator("html.opening")).toHaveCount(0);
  });
  expect(searched).toEqual([
    expect.arrayContaining(["::view-transition-group(opened)", "::view-transition-group(hint)"]),
  ]);

  await ada.page.emulateMedia({ reducedMotion: "reduce" });
  await ada.visit("/");
  await expect(ada.composer).toBeVisible();
  const still = await moved(async () => {
    await ada.page.getByTestId("account-settings").click();
    await expect(panel).toBeVisible();
  });
  expect(still).toEqual([]);
});

test("a press in what is opening ends the motion and reaches what is seen there", async ({
  browser,
  server,
}) => {
  const token = await server.setUp();
  const ada = await Person.arrive(browser, server, token);
  const { page } = ada;
  await ada.visit("/");
  await expect(ada.composer).toBeVisible();
  await page.evaluate(() => {
    const slow = new CSSStyleSheet();
    slow.replaceSync(
      "::view-transition-group(*), ::view-transition-old(*), ::view-transition-new(*) { animation-duration: 5s }",
    );
    document.adoptedStyleSheets = [slow];
  });
  await page.getByTestId("new-room").click();
  const everyone = page.getByRole("switch", { name: "Everyone has access" });
  await expect(everyone).toBeChecked();
  await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0);
  const box = (await everyone.boundingBox())!;
  await expect(page.locator("html.opening")).toHaveCount(1);
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await expect(page.locator("html.opening")).toHaveCount(0, { timeout: 1000 });
  await expect(everyone).not.toBeChecked();
  await expect(everyone).toBeFocused();
  await expect(page).toHaveURL(/closeds\/new$/);
});

test("who has gone elsewhere while a screen was fetched is not taken to it", async ({ browser, server }) => {
  const token = await server.setUp();
  const ada = await Person.arrive(browser, server, token);
  const other = await server.makeRoom(token, "Engines");
  await ada.visit(`/rooms/${await server.room(token, "All Talk")}`);
  await expect(ada.composer).toBeVisible();
  let come = () => {};
  const fetched = new Promise<void>((done) => (come = done));
  await ada.page.route(/\/assets\/account-/, async (route) => {
    await fetched;
    await route.continue();
  });
  const settings = await ada.page.getByTestId("account-settings").elementHandle();
  const engines = await ada.page.getByTestId("room-link").filter({ hasText: "Engines" }).elementHandle();
  // At once: a press waits for a screen only so long.
  await settings.evaluate(
    (first: HTMLElement, second) => [first, second as HTMLElement].forEach((link) => link.click()),
    engines,
  );
  await expect(ada.page.getByTestId("room-title")).toHaveText("Engines");
  const there = ada.page.waitForResponse(/\/assets\/account-/);
  come();
  await there;
  await ada.page.waitForTimeout(500); // longer than a press waits for a screen
  await expect(ada.page).toHaveURL(new RegExp(`/rooms/${other}$`));
});
