import { type Browser, type Page } from "@playwright/test";
import { expect, Person, test } from "./people";
import { Server } from "./server";

let server: Server;
let ada: string;
let ben: string;
let room: string;

test.beforeEach(async () => {
  server = await Server.start();
  ada = await server.setUp();
  ben = await server.join(ada, "Ben");
  room = await server.room(ada);
});

test.afterEach(() => server.stop());

/** What a page's players did: each start, and each end of what was really heard, by the name of the sound. */
interface Heard {
  readonly started: string[];
  readonly ended: string[];
}

/** Lets someone into the room with an ear to every player their page will have. */
async function enter(browser: Browser, token: string): Promise<Person> {
  const person = await Person.arrive(browser, server, token);
  await person.page.addInitScript(() => {
    const heard: Heard = { started: [], ended: [] };
    Object.assign(window, { heard });
    const underWay = new Set<EventTarget>();
    const listen = (type: string, note: (player: HTMLAudioElement, sound: string) => void) => {
      const hear = ({ target }: Event) => {
        const player = target as HTMLAudioElement;
        if (!player.muted && player.volume > 0) note(player, player.dataset.sound!);
      };
      document.addEventListener(type, hear, true);
    };
    listen("playing", (player, sound) => {
      if (!underWay.has(player)) heard.started.push(sound); // else it goes on after it had to wait
      underWay.add(player);
    });
    listen("seeked", (player, sound) => {
      if (underWay.has(player)) heard.started.push(sound); // it begins anew
    });
    listen("ended", (player, sound) => {
      underWay.delete(player);
      const { played } = player;
      if (played.length > 0 && played.end(0) - played.start(0) > 0.2) heard.ended.push(sound);
    });
  });
  await person.visit(`/rooms/${room}`);
  await expect(person.composer).toBeVisible();
  return person;
}

const heardBy = ({ page }: Person) => page.evaluate(() => (window as unknown as { heard: Heard }).heard);

const playsOut = (person: Person, started: string[]) =>
  expect.poll(() => heardBy(person), { timeout: 15_000 }).toEqual({ started, ended: started });

test("153 154 A sound is shown to all, and heard once by everyone in the room", async ({ browser }) => {
  const [writer, reader] = await Promise.all([enter(browser, ada), enter(browser, ben)]);
  const answer = writer.page.waitForResponse("**/PostMessage");
  await writer.write("/play tada");
  await answer;
  const people = [writer, reader];
  const playing = people.map(async (person) => {
    await expect(person.page.getByRole("button", { name: "Play tada" })).toHaveCount(1);
    await expect(person.message("pulls it out of the hat 🎩")).toBeVisible();
    await playsOut(person, ["tada"]);
  });
  await Promise.all(playing);
  await writer.page.getByRole("button", { name: "Play tada" }).click();
  await playsOut(writer, ["tada", "tada"]);
  await playsOut(reader, ["tada"]);
});

test("152 While a sound is on its way, it says that it plays", async ({ browser }) => {
  const writer = await enter(browser, ada);
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  await writer.page.route("**/PostMessage", async (route) => {
    await held;
    await route.continue();
  });
  await writer.write("/play honk");
  await expect(writer.message("Playing honk…")).toBeVisible();
  release();
  await expect(writer.page.getByRole("button", { name: "Play honk" })).toBeVisible();
  await playsOut(writer, ["honk"]);
});

test("155 What was played before is silent: on loading, and on catching up", async ({ browser }) => {
  await server.post(ada, room, { text: "/play honk" });
  const reader = await enter(browser, ben);
  await expect(reader.page.getByRole("button", { name: "Play honk" })).toBeVisible();
  await server.post(ada, room, { text: "/play wups" });
  await playsOut(reader, ["wups"]);

  await reader.page.reload();
  await expect(reader.page.getByRole("button", { name: "Play wups" })).toBeVisible();
  reader.expectRefusal(/ERR_/); // there is no server for a while
  await reader.page.context().setOffline(true);
  await server.kill();
  await server.launch();
  await server.post(ada, room, { text: "/play incoming" });
  await reader.page.context().setOffline(false);
  await expect(reader.page.getByRole("button", { name: "Play incoming" })).toBeVisible({ timeout: 20_000 });
  await server.post(ada, room, { text: "/play yay" });
  await playsOut(reader, ["yay"]); // and neither of those before
});

test("156 Other rooms are silent, and what is no sound is text", async ({ browser }) => {
  const reader = await enter(browser, ben);
  const { room: other } = await server.ask<{ room: { id: string } }>(
    "RoomService",
    "CreateRoom",
    { kind: "ROOM_KIND_OPEN", name: "Elsewhere" },
    ada,
  );
  await server.post(ada, other.id, { text: "/play honk" });
  await expect(reader.page.getByRole("link", { name: "Elsewhere" })).toBeVisible();
  for (const text of ["/play nosuchthing", "/play tada please", "/PLAY honk"]) {
    await server.post(ada, room, { text });
    await expect(reader.message(text)).toBeVisible();
  }
  await expect(reader.page.getByRole("button", { name: /^Play / })).toHaveCount(0);
  await server.post(ada, room, { text: "/play wups" });
  await playsOut(reader, ["wups"]);
});

test("A picture stands beside the button where a sound has one", async ({ browser }) => {
  const reader = await enter(browser, ben);
  await server.post(ada, room, { text: "/play yeah" });
  const picture = reader.page.getByRole("img", { name: "yeah" });
  await expect(picture).toBeVisible();
  const size = await picture.evaluate((img: HTMLImageElement) => [
    img.naturalWidth,
    img.naturalHeight,
    img.clientWidth,
    img.clientHeight,
  ]);
  expect(size).toEqual([104, 15, 104, 15]);
});

test("157 All 59 names are taken", async ({ browser }) => {
  const names = await namesOfSounds((await enter(browser, ada)).page);
  expect(names).toHaveLength(59);
  for (const name of names) {
    const { message } = await server.ask<{ message: { sound?: { name: string } } }>(
      "MessageService",
      "PostMessage",
      { roomId: room, text: `/play ${name}` },
      ada,
    );
    expect(message.sound?.name).toBe(name);
    const file = await fetch(`${server.url}/sounds/${name}.mp3?v=1`);
    expect([file.status, file.headers.get("content-type")]).toEqual([200, "audio/mpeg"]);
    expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  }
});

test("The browser decodes what the score says", async ({ browser }) => {
  const { page } = await enter(browser, ada);
  const coin = await page.evaluate(async () => {
    const bytes = await (await fetch("/sounds/mario_coin.mp3")).arrayBuffer();
    const audio = await new OfflineAudioContext(1, 1, 44_100).decodeAudioData(bytes);
    const samples = audio.getChannelData(0);
    // How strong one frequency is within 50 ms (Goertzel).
    const strength = (hz: number, from: number) => {
      const start = Math.round(from * 44_100);
      const turn = 2 * Math.cos((2 * Math.PI * hz) / 44_100);
      let [now, before] = [0, 0];
      for (let i = start; i < start + 2205; i++) [now, before] = [samples[i]! + turn * now - before, now];
      return now * now + before * before - turn * now * before;
    };
    return {
      duration: audio.duration,
      channels: audio.numberOfChannels,
      peak: samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0),
      rises: [
        strength(698.46, 0.045) / strength(1174.66, 0.045),
        strength(1174.66, 0.3) / strength(698.46, 0.3),
      ],
    };
  });
  expect(coin.channels).toBe(1);
  expect(coin.duration).toBeGreaterThan(0.9);
  expect(coin.duration).toBeLessThan(1.1);
  expect(coin.peak).toBeGreaterThan(0.2);
  expect(Math.min(...coin.rises)).toBeGreaterThan(10); // first an F, then a D above it
});

/** The names that the client knows, out of its own bundle: the words between "56k" and "yodel". */
async function namesOfSounds(page: Page): Promise<string[]> {
  const scripts = await page
    .locator("script[src]")
    .evaluateAll((all: HTMLScriptElement[]) => all.map((s) => s.src));
  for (const src of scripts) {
    const found = /56k ballmer [\w ]+ yodel/.exec(await (await fetch(src)).text());
    if (found) return found[0].split(" ");
  }
  throw new Error("the client knows no sounds");
}
