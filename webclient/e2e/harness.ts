import { test as base } from "@playwright/test";
import { Person } from "./people";
import { Server } from "./server";

interface Fixtures {
  /** A server of this test's own. */
  readonly server: Server;
  /** Makes every test fail in which a browser complained of something nobody expected. */
  readonly quiet: void;
}

/** A test with a server, in which no browser may complain. */
export const test = base.extend<Fixtures>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from this pattern
  server: async ({}, run) => {
    const server = await Server.start();
    await run(server);
    await server.stop();
  },
  quiet: [
    // eslint-disable-next-line no-empty-pattern -- as above
    async ({}, run) => {
      Person.everyone.length = 0;
      await run();
      const complaints = Person.everyone.flatMap((person) => person.complaints);
      base.expect(complaints, "complaints of the browsers").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect } from "@playwright/test";
