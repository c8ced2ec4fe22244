import { Code } from "@connectrpc/connect";
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { accountService, codeOf, eventService, isPassing } from "./api";
import type { Hello, SubscribeResponse } from "./gen/campfire/v1/event_pb";
import type { Message } from "./gen/campfire/v1/message_pb";
import { catchUp, clearShelf, reloadIfRejoined, reloadTimeline } from "./messages/history";
import { playOnArrival } from "./messages/sounds";
import { createdAt } from "./messages/timeline";
import { loadRooms } from "./sidebar/rooms";
import {
  current,
  forgetTypists,
  isShown,
  markUnread,
  removeMessage,
  removeRoom,
  saveMessage,
  saveRoom,
  saveUser,
  signedInAs,
  startedTyping,
  stoppedTyping,
  update,
} from "./state";

/** How long the first event of a stream may take; each time that was too short, the next one has twice as long. */
export const FIRST_EVENT_MS = 5000;
/** How long the stream may be away before that is shown. */
export const AWAY_MS = 3000;
/** How long until nobody writes any more. */
export const LOST_MS = 5000;
/** How long a tab may be hidden before it lets go of one of HTTP/1.1's six connections. */
export const HIDDEN_MS = 60_000;
/** A stream that held this long was healthy: waiting starts small again. */
export const HEALTHY_MS = 30_000;
/** How often at most someone at the keys makes a lost stream be tried again. */
const STIRRED_MS = 2000;
const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** How long to wait before the attempt after this many failures: doubling, at random below that. */
export function waitMs(failures: number, random = Math.random()): number {
  return Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** failures) * random;
}

/** Opens the stream and keeps it open. Returns how to end it. */
export function startLive(): () => void {
  const live = new Live();
  void live.run();
  return () => live.end();
}

/** Brings what this tab knows up to date with one event. */
export function apply(event: SubscribeResponse["event"]) {
  switch (event.case) {
    case "messageCreated":
      saveMessage(event.value.message!);
      return announce(event.value.message!);
    case "messageUpdated":
      return saveMessage(event.value.message!);
    case "messageDeleted":
      return removeMessage(event.value.roomId, event.value.messageId);
    case "roomChanged": {
      const room = event.value.room!;
      const before = current().rooms?.[room.id];
      saveRoom(room);
      reloadIfRejoined(before, room).catch(startAnew);
      return;
    }
    case "roomRemoved":
      return removeRoom(event.value.roomId);
    case "roomUnread":
      // A room not known yet is being loaded, perhaps from before this.
      if (!current().rooms?.[event.value.roomId]) loadRooms().catch(startAnew);
      return markUnread(event.value.roomId, true);
    case "roomRead":
      return markUnread(event.value.roomId, false);
    case "typingStarted":
      return startedTyping(event.value.roomId, event.value.user!);
    case "typingStopped":
      return stoppedTyping(event.value.roomId, event.value.userId);
    case "userChanged":
      saveUser(event.value.user!);
      // Someone new is to be suggested, or someone who has left no longer.
      if (!isShown(event.value.user!)) loadRooms().catch(startAnew);
      return;
    case "accountChanged":
      return update({ account: event.value.account });
    case "presenceChanged": // nothing shows who is looking, so far
    case "hello": // the stream's own affairs: see Live
    case "heartbeat":
    case "resyncRequired":
    case "reconnect":
    case undefined: // newer than this client
      return;
    default:
      event satisfies never;
  }
}

/** When the stream began, by the server's clock: what was posted before is only caught up on. */
let since = 0;

/** Lets the sound of a new message be heard where its room is open at the end. */
function announce(message: Message) {
  const { timeline } = current();
  if (timeline?.roomId !== message.roomId || timeline.hasNewer || createdAt(message) < since) return;
  playOnArrival(message);
}

/**
 * What to do when something could not be loaded that the stream will not tell again: open another, as if this tab knew
 * nothing. What will not work a second time is left to the screens.
 */
let startAnew: (error: unknown) => void = ignore;

/** One tab's stream: opened, watched, let go while nobody looks, resumed where it ended. */
class Live {
  private ended = false;
  private resumeToken = "";
  private failures = 0;
  private tooShort = 0;
  private attempt: AbortController | undefined;
  private wake = () => {};
  private silence: ReturnType<typeof setTimeout> | undefined;
  private loss: ReturnType<typeof setTimeout> | undefined;
  private hiddenAt: number | undefined = document.visibilityState === "hidden" ? Date.now() : undefined;
  private readonly sweep = setInterval(() => forgetTypists(Date.now()), 1000);
  private readonly watch = setInterval(() => this.watchHidden(), 5000);
  private polledAt = 0;
  private openedAt = 0;
  private hurry = false;

  constructor() {
    startAnew = (error) => {
      if (!isPassing(error)) return;
      this.resumeToken = "";
      this.attempt?.abort();
    };
    document.addEventListener("visibilitychange", this.visibilityChanged);
    window.addEventListener("pageshow", this.shownAgain);
    window.addEventListener("online", this.online);
    window.addEventListener("pointerdown", this.stirred);
    window.addEventListener("keydown", this.stirred);
  }

  end() {
    this.ended = true;
    startAnew = ignore;
    document.removeEventListener("visibilitychange", this.visibilityChanged);
    window.removeEventListener("pageshow", this.shownAgain);
    window.removeEventListener("online", this.online);
    window.removeEventListener("pointerdown", this.stirred);
    window.removeEventListener("keydown", this.stirred);
    clearInterval(this.sweep);
    clearInterval(this.watch);
    clearTimeout(this.loss);
    this.attempt?.abort();
    this.wake();
  }

  async run() {
    while (!this.ended) {
      if (!navigator.onLine || this.resting()) {
        await this.sleep(undefined);
        continue;
      }
      this.lost();
      this.openedAt = Date.now();
      const told = await this.stream();
      if (this.ended) return;
      if (!this.resting()) this.lost();
      if (Date.now() - this.openedAt > HEALTHY_MS) this.failures = 0;
      if (this.hurry) this.hurry = false;
      else await this.sleep(told ?? waitMs(this.failures++));
    }
  }

  /** Holds one stream until it ends, and answers how long to wait if that is settled. */
  private async stream(): Promise<number | undefined> {
    const attempt = new AbortController();
    this.attempt = attempt;
    let delay: number | undefined;
    let patience = Math.min(FIRST_EVENT_MS * 2 ** this.tooShort, LONGEST_WAIT_MS);
    try {
      this.expectWithin(patience);
      const { resumeToken } = this;
      const options = { signal: attempt.signal, timeoutMs: 0 };
      for await (const { event, resumeToken: token } of eventService.subscribe({ resumeToken }, options)) {
        if (event.case === "hello") patience = this.opened(event.value);
        this.expectWithin(patience);
        if (event.case === "reconnect") delay = event.value.delay ? durationMs(event.value.delay) : 0;
        else if (event.case === "resyncRequired") this.resync();
        else apply(event);
        if (token) this.resumeToken = token;
      }
    } catch (error) {
      const code = codeOf(error);
      if (code === Code.Unauthenticated) signedInAs(undefined);
      if (code === Code.InvalidArgument) this.resumeToken = ""; // not a token of this server: start anew
    } finally {
      clearTimeout(this.silence);
      attempt.abort(); // leaving the loop alone would keep the request open
      update({ streamId: undefined });
    }
    return delay;
  }

  private opened(hello: Hello): number {
    clearTimeout(this.loss);
    this.loss = undefined;
    this.tooShort = 0;
    since = hello.serverTime ? timestampMs(hello.serverTime) : 0;
    update({ connection: "live", streamId: hello.streamId });
    loadRooms().catch(startAnew);
    if (this.resumeToken) loadAccount().catch(startAnew);
    else clearShelf();
    if (!this.resumeToken || current().timeline?.loaded === false) catchUp().catch(startAnew);
    return 2.5 * (hello.heartbeatInterval ? durationMs(hello.heartbeatInterval) : 20_000);
  }

  private resync() {
    loadRooms().catch(startAnew);
    reloadTimeline().catch(startAnew);
  }

  private expectWithin(ms: number) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      if (!current().streamId) this.tooShort++;
      this.attempt?.abort();
    }, ms);
  }

  private lost() {
    if (this.loss || current().connection === "lost") return;
    update({ connection: "connecting", typists: [] });
    this.loss = setTimeout(() => {
      update({ connection: "away" });
      this.loss = setTimeout(() => {
        this.loss = undefined;
        update({ connection: "lost" });
      }, LOST_MS - AWAY_MS);
    }, AWAY_MS);
  }

  private sleep(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Whether this tab has let its stream go: hidden for long, and connections are scarce. */
  private resting(): boolean {
    return this.hiddenAt !== undefined && Date.now() - this.hiddenAt >= HIDDEN_MS && isHttp1();
  }

  private watchHidden() {
    if (!this.resting()) return;
    this.attempt?.abort();
    if (Date.now() - this.polledAt < HIDDEN_MS) return;
    this.polledAt = Date.now();
    loadRooms().catch(ignore); // so that the badge stays right
  }

  private readonly visibilityChanged = () => {
    if (document.visibilityState === "hidden") {
      this.hiddenAt = Date.now();
      return;
    }
    const away = this.hiddenAt === undefined ? 0 : Date.now() - this.hiddenAt;
    this.hiddenAt = undefined;
    // Phones cut the connection of a page in the background without telling it.
    this.openNow({ anew: away > 10_000 });
  };

  /** Someone is here and wants to go on: no need to wait out a long pause. */
  private readonly stirred = () => {
    if (current().connection !== "lost" || Date.now() - this.openedAt < STIRRED_MS) return;
    this.openNow({ anew: false });
  };

  private readonly online = () => this.openNow({ anew: false });

  private readonly shownAgain = (event: PageTransitionEvent) => {
    if (event.persisted) this.openNow({ anew: true });
  };

  private openNow({ anew }: { anew: boolean }) {
    this.failures = 0;
    if (anew && current().streamId) {
      this.hurry = true;
      this.attempt?.abort();
    }
    this.wake();
  }
}

/** Learns what has changed of the account and of oneself while no stream could tell. */
async function loadAccount() {
  const { account, user } = await accountService.getAccount({});
  if (account) update({ account });
  if (user) saveUser(user);
}

function isHttp1(): boolean {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return page?.nextHopProtocol.startsWith("http/1") ?? true;
}

function ignore() {
  // It is tried again in a minute.
}
