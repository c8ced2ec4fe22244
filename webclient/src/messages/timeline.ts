import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Message } from "../gen/campfire/v1/message_pb";
import { compareIds } from "../ids";
import type { Unread } from "../state";

/** What this tab holds of one room's conversation: a stretch of it, oldest first, and what it heard of the rest. */
export interface Timeline {
  readonly roomId: string;
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  /** Whether the room goes on after the last message here. Live messages are then kept aside, not appended. */
  readonly hasNewer: boolean;
  /** False until the first page is here. */
  readonly loaded: boolean;
  /** Messages heard of outside the stretch: newer than a page still on its way, or beyond its end. */
  readonly aside: ReadonlyMap<string, Message>;
  /** Deleted while the room was open; a late answer must not bring them back. */
  readonly gone: ReadonlySet<string>;
}

/** A page of a conversation, as ListMessages answers it. */
export interface Page {
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

/** A message of one's own that the server has not confirmed yet. */
export interface Post {
  readonly clientMessageId: string;
  readonly roomId: string;
  readonly html: string;
  /** Milliseconds since 1970, by this browser's clock. */
  readonly createdAt: number;
  /** Why it was given up; undefined while it is on its way. */
  readonly failure?: string | undefined;
  /** Whether it would be refused again. */
  readonly hopeless?: boolean | undefined;
}

/** One line of the list: a message or a pending post, and how it follows the line before. */
export interface Entry {
  /** The same for a post and the message it becomes, so that the bubble stays. */
  readonly key: string;
  readonly message?: Message;
  readonly post?: Post;
  readonly createdAt: number;
  readonly threaded: boolean;
  readonly firstOfDay: boolean;
}

/** How far apart two messages of one author may be to read as one. */
export const THREAD_MS = 5 * 60 * 1000;
/** How many messages a list keeps. */
export const KEPT = 300;
/** How many more it may hold before it is cut. */
export const LEEWAY = 20;

/** A room of which nothing is known yet. */
export function emptyTimeline(roomId: string): Timeline {
  return {
    roomId,
    messages: [],
    hasOlder: false,
    hasNewer: true,
    loaded: false,
    aside: new Map(),
    gone: new Set(),
  };
}

/** How much of a conversation is kept while another room is open: a page, drawn within a frame. */
const SHELVED = 40;

/** The last page of a conversation that ends where its room does. */
export function endOf(timeline: Timeline): Timeline {
  const { messages, hasOlder } = timeline;
  if (messages.length <= SHELVED) return timeline;
  return { ...timeline, messages: messages.slice(-SHELVED), hasOlder: hasOlder || messages.length > SHELVED };
}

/** The first message that was unread, if it is here and so is what came before it. */
export function firstUnread(timeline: Timeline, unread: Unread, userId: string): Message | undefined {
  const { messages, hasOlder } = timeline;
  const at = messages.findIndex((m) => compareIds(m.id, unread.after) > 0 && m.creator?.id !== userId);
  const first = messages[at];
  if (!first || compareIds(first.id, unread.upTo) > 0 || (at === 0 && hasOlder)) return undefined;
  return first;
}

/** Shows exactly this page, with what was heard while it was on its way. */
export function openPage(timeline: Timeline, page: Page): Timeline {
  return join(timeline, page.messages, page.hasOlder, page.hasNewer);
}

/** Puts the page before the first message in front; the far end is cut when that is too much. */
export function addOlder(timeline: Timeline, page: Page): Timeline {
  const joined = join(timeline, [...page.messages, ...timeline.messages], page.hasOlder, timeline.hasNewer);
  if (joined.messages.length <= KEPT + LEEWAY) return joined;
  return { ...joined, messages: joined.messages.slice(0, KEPT), hasNewer: true };
}

/** Puts the page after the last message at the end; the beginning is cut when that is too much. */
export function addNewer(timeline: Timeline, page: Page): Timeline {
  return cutTop(join(timeline, [...timeline.messages, ...page.messages], timeline.hasOlder, page.hasNewer));
}

/**
 * Brings the end up to date with the newest page: what it lacks of the messages that were there when it was asked for is
 * deleted; what came before it or arrived since is kept.
 */
export function catchUp(timeline: Timeline, page: Page, asked: Timeline): Timeline {
  const first = page.messages[0];
  const last = timeline.messages.at(-1);
  const touches = !page.hasOlder || (first && last && compareIds(first.id, last.id) <= 0);
  if (!touches) return openPage(timeline, page);
  const end = page.messages.at(-1);
  const before = timeline.messages.filter((m) => first && compareIds(m.id, first.id) < 0);
  const after = timeline.messages.filter(
    (m) => (!end || compareIds(m.id, end.id) > 0) && !asked.messages.some((known) => known.id === m.id),
  );
  const hasOlder = before.length > 0 ? timeline.hasOlder : page.hasOlder;
  return cutTop(join(timeline, [...before, ...page.messages, ...after], hasOlder, page.hasNewer));
}

/** Takes in a message that was posted, edited or boosted; of two copies the higher revision stays. */
export function saveMessage(timeline: Timeline, message: Message): Timeline {
  if (message.roomId !== timeline.roomId || timeline.gone.has(message.id)) return timeline;
  const { messages } = timeline;
  const at = messages.findIndex((m) => m.id === message.id);
  if (at >= 0) {
    const known = messages[at]!;
    return newer(known, message) === known ? timeline : { ...timeline, messages: messages.with(at, message) };
  }
  const last = messages.at(-1);
  const beyond = !last || compareIds(message.id, last.id) > 0;
  const first = messages[0];
  const inside = beyond ? !timeline.hasNewer : first && compareIds(message.id, first.id) > 0;
  if (!inside && !(timeline.loaded && !beyond && !timeline.hasOlder)) {
    return { ...timeline, aside: keepAside(timeline.aside, message) };
  }
  return cutTop({ ...timeline, messages: merge([...messages, message], timeline.gone) });
}

/** Takes a message away for good. */
export function removeMessage(timeline: Timeline, messageId: string): Timeline {
  const aside = new Map(timeline.aside);
  aside.delete(messageId);
  return {
    ...timeline,
    messages: timeline.messages.filter((m) => m.id !== messageId),
    aside,
    gone: new Set(timeline.gone).add(messageId),
  };
}

/**
 * The lines to show: messages, then the posts still on their way, each threaded and dated by the one before. Posts that
 * were given up stay where they were made, so that the conversation goes on below them.
 */
export function entries(timeline: Timeline, posts: readonly Post[], userId: string): Entry[] {
  const lines: Entry[] = [];
  let author: string | undefined;
  const add = (line: Pick<Entry, "key" | "message" | "post" | "createdAt">, by: string | undefined) => {
    const previous = lines.at(-1);
    const near = previous && Math.abs(line.createdAt - previous.createdAt) <= THREAD_MS;
    lines.push({
      ...line,
      threaded: Boolean(near && by === author),
      firstOfDay: !previous || day(previous.createdAt) !== day(line.createdAt),
    });
    author = by;
  };
  const addPost = (post: Post) => add({ key: post.clientMessageId, post, createdAt: post.createdAt }, userId);

  const confirmed = new Set(timeline.messages.map((m) => m.clientMessageId));
  const here = posts.filter((p) => p.roomId === timeline.roomId && !confirmed.has(p.clientMessageId));
  const failed = here.filter((p) => p.failure !== undefined);
  const oldest = timeline.messages[0];
  while (timeline.hasOlder && oldest && failed[0] && failed[0].createdAt < createdAt(oldest)) failed.shift();
  for (const message of timeline.messages) {
    while (failed[0] && failed[0].createdAt < createdAt(message)) addPost(failed.shift()!);
    add({ key: message.clientMessageId, message, createdAt: createdAt(message) }, message.creator?.id);
  }
  if (timeline.hasNewer) return lines;
  [...failed, ...here.filter((p) => p.failure === undefined)].forEach(addPost);
  return lines;
}

/** When a message was posted, in milliseconds since 1970. */
export function createdAt(message: Message): number {
  return message.createdAt ? timestampMs(message.createdAt) : 0;
}

function join(timeline: Timeline, all: readonly Message[], hasOlder: boolean, newer: boolean): Timeline {
  const { aside, gone } = timeline;
  const messages = merge(
    all.map((m) => fresher(m, aside.get(m.id))),
    gone,
  );
  const last = messages.at(-1);
  const unseen = [...aside.values()].filter((m) => !last || compareIds(m.id, last.id) > 0);
  const rest = new Map(unseen.map((m) => [m.id, m]));
  const hasNewer = newer || unseen.length > 0;
  return { ...timeline, messages, hasOlder, hasNewer, loaded: true, aside: rest };
}

function merge(all: readonly Message[], gone: ReadonlySet<string>): Message[] {
  const byId = new Map<string, Message>();
  for (const message of all) {
    if (!gone.has(message.id)) byId.set(message.id, fresher(message, byId.get(message.id)));
  }
  return [...byId.values()].sort((a, b) => compareIds(a.id, b.id));
}

function newer(known: Message, message: Message): Message {
  return compareIds(message.revision, known.revision) > 0 ? message : known;
}

function fresher(message: Message, other: Message | undefined): Message {
  return other ? newer(other, message) : message;
}

function keepAside(aside: ReadonlyMap<string, Message>, message: Message): Map<string, Message> {
  const kept = [...aside.values(), message].sort((a, b) => compareIds(a.id, b.id));
  const byId = new Map<string, Message>();
  for (const m of kept.slice(-KEPT)) byId.set(m.id, fresher(m, byId.get(m.id)));
  return byId;
}

function cutTop(timeline: Timeline): Timeline {
  if (timeline.messages.length <= KEPT + LEEWAY) return timeline;
  return { ...timeline, messages: timeline.messages.slice(-KEPT), hasOlder: true };
}

function day(ms: number): string {
  return new Date(ms).toDateString();
}
