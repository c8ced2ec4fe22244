import { expect, Person, test } from "./people";

const words = ["Coming in v2.0", "File sharing available in v2.0"];

test("328 331 336 the paperclip tells that files come later, and asks which", async ({ browser, server }) => {
  const ada = await server.setUp();
  const person = await Person.arrive(browser, server, ada);
  const { composer, page } = person;
  await page.clock.install();
  const entered = page.waitForResponse("**/EnterRoom"); // all is loaded by then, and its stream has spoken
  await person.visit("/");
  await composer.pressSequentially("my text");
  await entered;
  // From here on the clock stands still but for what it is told: a notice does not go while it is looked at.
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 10_000);
  let choosers = 0;
  page.on("filechooser", () => choosers++);
  await page.getByTestId("attach").click();
  const notice = page.getByTestId("notice-v2");
  for (const text of words) await expect(notice).toContainText(text);
  await expect(notice).toHaveAttribute("role", "status");
  await expect(page.getByTestId("attach")).toBeFocused(); // where the press has put it: the notice takes none
  await page.clock.runFor(3900);
  await expect(notice).toBeVisible();
  await page.clock.runFor(200);
  await expect(notice).toHaveCount(0);
  expect(choosers).toBe(0);
  await expect(composer).toHaveText("my text");

  await page.getByTestId("attach").click();
  const documents = notice.getByRole("checkbox", { name: "Documents" });
  await documents.focus();
  await page.keyboard.press("Space");
  await expect(documents).toBeChecked();
  await page.clock.runFor(4500);
  await expect(notice).toBeVisible(); // it stays while it has the focus
  await page.keyboard.press("Escape");
  await expect(notice).toHaveCount(0);
  await page.getByTestId("attach").click();
  await expect(documents).toBeChecked();
});

test("329 330 333 files that are pasted or dropped are told of, and a pasted address is a link", async ({
  browser,
  server,
}) => {
  const ada = await server.setUp();
  const person = await Person.arrive(browser, server, ada);
  await person.visit("/");
  const { composer, page } = person;
  const notice = page.getByTestId("notice-v2");
  await expect(composer).toHaveAttribute("data-ready", "");
  let uploads = 0;
  page.on("request", (request) => (uploads += /PostMessage|upload/i.test(request.url()) ? 1 : 0));
  const paste = (data: { file?: string; text?: string }) =>
    composer.evaluate((element, { file, text }) => {
      const clipboardData = new DataTransfer();
      if (file) clipboardData.items.add(new File(["x"], file, { type: "image/png" }));
      if (text) clipboardData.setData("text/plain", text);
      element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, data);
  const gone = async () => {
    await page.keyboard.press("Escape");
    await expect(notice).toHaveCount(0);
  };

  await paste({ file: "a.png" });
  for (const text of words) await expect(notice).toContainText(text);
  await expect(page.locator(".composer__file, trix-editor img, trix-editor figure")).toHaveCount(0);
  await gone();
  await paste({ file: "a.png", text: "and text" });
  await expect(notice).toBeVisible();
  await expect(composer).toHaveText("and text");
  await gone();
  await composer.press("Control+A");
  await composer.press("Delete");

  await paste({ text: "https://example.com/page" });
  await expect(notice).toContainText("Link previews coming in v2.0");
  await expect(composer.locator("a")).toHaveAttribute("href", "https://example.com/page");
  await gone();
  await composer.pressSequentially(" ");
  await paste({ text: "www.example.com" });
  await expect(composer.locator("a")).toHaveCount(2);
  await expect(notice).toHaveCount(0);
  expect(uploads).toBe(0);
  await composer.press("Enter");
  await expect(page.locator(".og-embed")).toHaveCount(0);
  await expect(person.message("www").getByTestId("message-body").getByRole("link")).toHaveCount(2);

  const drag = (type: string, over = "[data-testid=message-list]") =>
    page.locator(over).evaluate((element, name) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["x"], "plan.pdf"));
      const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
      element.dispatchEvent(event);
      return event.defaultPrevented;
    }, type);
  const url = page.url();
  expect(await drag("dragenter")).toBe(true);
  const zone = page.getByTestId("drop-zone");
  await expect(zone).toHaveText("File sharing available in v2.0");
  const [area, main] = await Promise.all([zone.boundingBox(), page.getByTestId("main").boundingBox()]);
  expect(area!.height).toBeGreaterThan(main!.height - 10);
  expect(await drag("dragover")).toBe(true);
  expect(await drag("drop")).toBe(true);
  await expect(zone).toHaveCount(0);
  for (const text of words) await expect(notice).toContainText(text);
  expect(page.url()).toBe(url);
  expect(await drag("dragenter", "[data-testid=editor]")).toBe(true);
  expect(await drag("drop", "[data-testid=editor]")).toBe(true);
  await expect(page.locator("trix-editor figure")).toHaveCount(0);
});
