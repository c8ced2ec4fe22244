import { expect, Person, test } from "./people";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds the processor worked on it. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

test("a busy room of 300 messages never keeps its page from answering for 50 ms", async ({
  browser,
  server,
}) => {
  test.setTimeout(120_000);
  const token = await server.setUp();
  const room = await server.room(token);
  const talkers = [token];
  for (const name of ["Ben Franklin", "Cleo Ray", "Mei Lin Chen"])
    talkers.push(await server.join(token, name));
  const say = (n: number) => {
    const page = `<a href="https://example.com/${n}">this page</a>`;
    const html = `<div>Message ${n}: <strong>what</strong> a day, see ${page}</div>`;
    return server.post(talkers[n % talkers.length]!, room, { html });
  };
  for (let n = 1; n <= 300; n++) await say(n);

  const ada = await Person.arrive(browser, server, token);
  await ada.visit(`/rooms/${room}`);
  await expect(ada.page.locator("trix-editor[data-ready]")).toBeVisible();
  await expect(async () => {
    await ada.list.evaluate((list) => (list.scrollTop = 0));
    await expect(ada.page.getByTestId("message")).toHaveCount(300, { timeout: 500 });
  }).toPass();
  await ada.list.evaluate((list) => (list.scrollTop = list.scrollHeight));

  await browser.startTracing(ada.page, {
    categories: ["devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"],
  });
  await ada.composer.click();
  for (let n = 301; n <= 400; n++) {
    const next = new Promise((done) => setTimeout(done, 50)); // twenty a second
    await say(n);
    if (n % 10 === 0) await ada.page.keyboard.type("so ");
    await next;
  }
  await expect(ada.message("Message 400:")).toBeVisible();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };

  // The time a processor needed, as on one that is shared with other tests the clock would tell of those.
  const pages = trace.traceEvents
    .filter((e) => e.name === "thread_name" && e.args?.name === "CrRendererMain")
    .map((e) => `${e.pid} ${e.tid}`);
  const tasks = trace.traceEvents
    .filter((e) => e.name === "RunTask" && pages.includes(`${e.pid} ${e.tid}`))
    .map((e) => (e.tdur ?? 0) / 1000);
  const longest = tasks.sort((a, b) => b - a).slice(0, 10);
  test.info().annotations.push({ type: "longest tasks, ms", description: longest.map(Math.round).join(" ") });
  expect(tasks.length, "the trace is of a page at work").toBeGreaterThan(500);
  expect(longest[0], `the longest tasks took ${longest.map(Math.round).join(", ")} ms`).toBeLessThan(50);
});

test("a room in which nothing happens has nothing to draw", async ({ browser, server }) => {
  const token = await server.setUp();
  const ada = await Person.arrive(browser, server, token);
  await ada.visit("/");
  await expect(ada.page.locator("trix-editor[data-ready]")).toBeVisible();
  await expect(ada.page.getByTestId("bell")).toHaveClass(/btn--pulsing/);
  await expect.poll(() => ada.page.evaluate(() => document.getAnimations().length)).toBe(0);
  const devtools = await ada.context.newCDPSession(ada.page);
  await devtools.send("Performance.enable");
  const styled = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return metrics.find((m) => m.name === "RecalcStyleCount")!.value;
  };
  const before = await styled();
  await ada.page.waitForTimeout(2000);
  expect((await styled()) - before, "how often the page was styled anew, of 120 times").toBeLessThan(20);
});
