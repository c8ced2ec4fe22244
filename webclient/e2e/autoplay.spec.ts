import { chromium } from "@playwright/test";
import { args, shellPath } from "./chromium";
import { expect, Person, test } from "./people";
import { Server } from "./server";

// Recording a trace asks the page too: see below.
test.use({ trace: "off" });

test("A browser that plays nothing unasked shows that it waits for a click", async () => {
  const server = await Server.start();
  const browser = await chromium.launch({
    executablePath: shellPath,
    args: [...args, "--autoplay-policy=document-user-activation-required"],
  });
  try {
    const ada = await server.setUp();
    const ben = await server.join(ada, "Ben");
    const room = await server.room(ada);
    const reader = await Person.arrive(browser, server, ben);
    // Whatever Playwright asks of a page counts as somebody's click, so we ask in another way until there is one.
    const devtools = await reader.context.newCDPSession(reader.page);
    const shows = async (expression: string) =>
      (await devtools.send("Runtime.evaluate", { expression: `Boolean(${expression})` })).result
        .value as boolean;
    await devtools.send("Page.navigate", { url: `${server.url}/rooms/${room}` });
    await expect.poll(() => shows(`document.querySelector("[data-testid=composer] trix-editor")`)).toBe(true);
    expect(await shows("navigator.userActivation.hasBeenActive")).toBe(false);
    await server.post(ada, room, { text: "/play honk" });
    await expect.poll(() => shows(`document.querySelector(".message__sound")`)).toBe(true);
    await expect.poll(() => shows(`document.body.innerText.includes("Press to hear it")`)).toBe(true);
    expect(await shows(`document.querySelector("audio")`)).toBe(false);

    await reader.page.getByRole("button", { name: "Play honk" }).click();
    const player = reader.page.locator("audio");
    await expect(player).toHaveJSProperty("paused", false);
    await expect(reader.message("Press to hear it")).toHaveCount(0);
    await expect(player).toHaveCount(0); // it has played to its end
  } finally {
    await browser.close();
    await server.stop();
  }
});
