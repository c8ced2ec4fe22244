import {
  test as base,
  type Browser,
  type BrowserContext,
  expect,
  type Locator,
  type Page,
} from "@playwright/test";
import { Server } from "./server";

export { expect };

let arrived: Person[] = [];

/** A test that also fails when a page complains: an error or a warning, a rejection nobody caught, a request that failed. */
export const test = base.extend<{ quiet: void; server: Server }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads what is needed from the pattern.
  server: async ({}, run) => {
    const server = await Server.start();
    await run(server);
    await server.stop();
  },
  quiet: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads what is needed from the pattern.
    async ({}, use) => {
      arrived = [];
      await use();
      for (const person of arrived) {
        await person.leave();
        expect(person.complaints, "what the page complained of").toEqual([]);
      }
    },
    { auto: true },
  ],
});

/** How a person's browser differs from a desktop's with a mouse. */
export type Device = Parameters<Browser["newContext"]>[0];

/** A phone. */
export const phone: Device = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Someone with a browser of their own, whose every complaint is kept. */
export class Person {
  readonly complaints: string[] = [];
  private readonly expected: RegExp[] = [];
  private gone = false;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly server: Server,
  ) {
    this.listen(page);
    arrived.push(this);
    server.guests.push(this);
  }

  /** A stranger; with a token, someone signed in. */
  static async arrive(browser: Browser, server: Server, token?: string, device?: Device): Promise<Person> {
    const context = await browser.newContext(device);
    if (token) await context.addCookies([{ name: "session_token", value: token, url: server.url }]);
    return new Person(context, await context.newPage(), server);
  }

  /** Someone signed in whose browser keeps what it learns; whoever opened it closes it. */
  static async atHome(context: BrowserContext, server: Server, token: string): Promise<Person> {
    await context.addCookies([{ name: "session_token", value: token, url: server.url }]);
    return new Person(context, context.pages()[0] ?? (await context.newPage()), server);
  }

  /** Closes the browser. */
  async leave() {
    this.gone = true;
    await this.context.close();
  }

  async visit(path: string) {
    await this.page.goto(this.server.url + path);
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: "Write a message" });
  }

  get list(): Locator {
    return this.page.getByRole("log", { name: "Messages" });
  }

  /** The message that says this. */
  message(text: string): Locator {
    return this.page.getByTestId("message").filter({ hasText: text });
  }

  /** What all messages say, from top to bottom. */
  async said(): Promise<string[]> {
    const texts = await this.page.getByTestId("message-body").allInnerTexts();
    return texts.map((text) => text.trim());
  }

  async write(text: string) {
    await this.composer.click();
    await this.composer.pressSequentially(text);
    await this.composer.press("Enter");
  }

  /** Opens the menu of the message that says this. */
  async options(text: string): Promise<Locator> {
    const message = this.message(text);
    await message.hover();
    await message.getByRole("button", { name: "Message options" }).click();
    return message.getByTestId("message-menu");
  }

  /** Fills in a name tag: first run or joining. */
  async introduce(name: string, emailAddress: string, password: string, submit: string) {
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Email address").fill(emailAddress);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: submit }).click();
  }

  /** Says that a complaint is part of the story, such as that of a browser whose server was killed. */
  expectRefusal(complaint: RegExp) {
    this.expected.push(complaint);
    const left = this.complaints.filter((c) => !complaint.test(c));
    this.complaints.splice(0, this.complaints.length, ...left);
  }

  /** Another tab of the same browser. */
  async openTab(): Promise<Page> {
    const page = await this.context.newPage();
    this.listen(page);
    return page;
  }

  private listen(page: Page) {
    page.on("pageerror", (error) => this.complain(`page error: ${error.message}`)); // rejections too
    page.on("console", (line) => {
      if (!["error", "warning"].includes(line.type())) return;
      this.complain(`console: ${line.text()} ${line.location().url}`);
    });
    page.on("requestfailed", (request) => {
      const { errorText = "" } = request.failure() ?? {};
      // What the page itself gave up: the stream of a page that is left, an answer nobody waits for any more.
      if (errorText !== "net::ERR_ABORTED") this.complain(`failed: ${errorText} ${request.url()}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) this.complain(`answered ${response.status()} ${response.url()}`);
    });
    page.on("dialog", (dialog) => {
      this.complain(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  private complain(complaint: string) {
    if (!this.gone && !this.expected.some((e) => e.test(complaint))) this.complaints.push(complaint);
  }
}

/** Waits until something is true, for less than a second: live, as people feel it. */
export async function live(condition: () => Promise<void>) {
  await expect(condition).toPass({ timeout: 1000, intervals: [20] });
}

/** Keeps the editor from a page, as a slow line does, until what this answers is called. */
export async function holdEditorBack(page: Page): Promise<() => void> {
  let arrive = () => {};
  const arrival = new Promise<void>((done) => (arrive = done));
  await page.route(/\/assets\/trix/, async (route) => {
    await arrival;
    await route.continue();
  });
  return arrive;
}
