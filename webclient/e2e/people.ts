import { type Browser, type BrowserContext, expect, type Locator, type Page } from "@playwright/test";
import type { Server } from "./server";

/** Someone with a browser of their own, whose every complaint is kept. */
export class Person {
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly server: Server,
  ) {
    this.listen(page);
  }

  /** A stranger; with a token, someone signed in. */
  static async arrive(browser: Browser, server: Server, token?: string): Promise<Person> {
    const context = await browser.newContext();
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

  private listen(page: Page) {
    page.on("pageerror", (error) => this.complaints.push(`page error: ${error.message}`));
    page.on("console", (line) => {
      // Browsers log that a password was wrong, whatever the page makes of it.
      const refused = line.text().includes("401") && line.location().url.endsWith("/SignIn");
      if (refused || !["error", "warning"].includes(line.type())) return;
      this.complaints.push(`console: ${line.text()} ${line.location().url}`);
    });
    page.on("dialog", (dialog) => {
      this.complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }
}

/** Waits until something is true, for less than a second: live, as people feel it. */
export async function live(condition: () => Promise<void>) {
  await expect(condition).toPass({ timeout: 1000, intervals: [20] });
}
