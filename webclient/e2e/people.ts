import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  expect,
  type Locator,
  type Page,
} from "@playwright/test";
import type { Server } from "./server";

/** Someone with a browser of their own, whose every complaint is kept. */
export class Person {
  /** All who have arrived in this test. */
  static readonly everyone: Person[] = [];
  readonly complaints: string[] = [];
  private readonly expected: RegExp[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly server: Server,
  ) {
    this.listen(page);
    Person.everyone.push(this);
  }

  /** A stranger; with a token, someone signed in. */
  static async arrive(
    browser: Browser,
    server: Server,
    token?: string,
    options: BrowserContextOptions = {},
  ): Promise<Person> {
    const context = await browser.newContext(options);
    if (token) await context.addCookies([{ name: "session_token", value: token, url: server.url }]);
    return new Person(context, await context.newPage(), server);
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

  /** Says that the server will refuse calls of this method, or that requests of this kind will fail. */
  expectRefusal(what: RegExp) {
    this.expected.push(what);
  }

  /** Another tab of the same browser. */
  async openTab(): Promise<Page> {
    const page = await this.context.newPage();
    this.listen(page);
    return page;
  }

  private listen(page: Page) {
    const complain = (complaint: string, url: string) => {
      if (!this.expected.some((what) => what.test(url))) this.complaints.push(`${complaint} ${url}`);
    };
    page.on("pageerror", (error) => complain(`page error: ${error.message}`, page.url()));
    page.on("console", (line) => {
      // Browsers log that a password was wrong, whatever the page makes of it.
      const { url } = line.location();
      const refused = line.text().includes("401") && url.endsWith("/SignIn");
      if (refused || !["error", "warning"].includes(line.type())) return;
      complain(`console: ${line.text()}`, url);
    });
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText ?? "";
      // What a page was still asking for when it was left, and streams that were let go.
      if (reason === "net::ERR_ABORTED") return;
      complain(`request: ${reason}`, request.url());
    });
    page.on("dialog", (dialog) => {
      complain(`dialog: ${dialog.message()}`, page.url());
      void dialog.dismiss();
    });
  }
}

/** Waits until something is true, for less than a second: live, as people feel it. */
export async function live(condition: () => Promise<void>) {
  await expect(condition).toPass({ timeout: 1000, intervals: [20] });
}
