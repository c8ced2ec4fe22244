import { timestampMs } from "@bufbuild/protobuf/wkt";
import { create } from "zustand";
import type { Account, Contact } from "./gen/campfire/v1/account_pb";
import type { Message } from "./gen/campfire/v1/message_pb";
import type { Room } from "./gen/campfire/v1/room_pb";
import { type User, UserStatus } from "./gen/campfire/v1/user_pb";
import { compareIds } from "./ids";
import * as timelines from "./messages/timeline";
import type { Post, Timeline } from "./messages/timeline";

/** Someone typing, until a moment of this browser's clock. */
export interface Typist {
  readonly roomId: string;
  readonly user: User;
  readonly until: number;
}

/** What had come to the open room while nobody looked: the messages after one, up to another. */
export interface Unread {
  readonly after: string;
  readonly upTo: string;
}

/** What this tab knows. */
export interface State {
  /** Absent before the first run. */
  readonly account: Account | undefined;
  readonly contact: Contact | undefined;
  readonly version: string;
  /** Who is signed in. */
  readonly user: User | undefined;
  /** The rooms of the sidebar and the open one, by id; undefined until they are loaded. */
  readonly rooms: Readonly<Record<string, Room>> | undefined;
  /** People to start a ping with. */
  readonly suggestedUsers: readonly User[];
  /** The conversation of the open room. */
  readonly timeline: Timeline | undefined;
  /** The conversations of rooms visited before, the latest last: each the end of its room, kept up to date. */
  readonly shelf: readonly Timeline[];
  /** What was unread in the open room when it was opened or looked at again. */
  readonly unread: Unread | undefined;
  /** The person or bot whose change was heard of last, for screens that show people of their own. */
  readonly changedUser: User | undefined;
  /** One's own posts that are not confirmed yet, oldest first. */
  readonly posts: readonly Post[];
  readonly typists: readonly Typist[];
  /** "away" once the stream has been so for 3 seconds, "lost" after 5. */
  readonly connection: "connecting" | "live" | "away" | "lost";
  /** The id of the open stream, for presence. */
  readonly streamId: string | undefined;
  /** The message being edited. */
  readonly editing: string | undefined;
  /** The message to quote in the composer. */
  readonly quoting: Message | undefined;
  /** A post that was given up, whose text goes back to the composer. */
  readonly recalled: Post | undefined;
}

const nobody = {
  user: undefined,
  rooms: undefined,
  suggestedUsers: [],
  timeline: undefined,
  shelf: [],
  unread: undefined,
  changedUser: undefined,
  posts: [],
  typists: [],
  connection: "connecting",
  streamId: undefined,
  editing: undefined,
  quoting: undefined,
  recalled: undefined,
} satisfies Partial<State>;

/** The one store. Components read slices of it; the functions below change it. */
export const useCampfire = create<State>()(() => ({
  account: undefined,
  contact: undefined,
  version: "",
  ...nobody,
}));

const { getState: get, setState: set } = useCampfire;

/** Changes what this tab knows. */
export const update = set;
/** What this tab knows right now. */
export const current = get;

/** Forgets everything that belongs to a person, and remembers who is here now. */
export function signedInAs(user: User | undefined) {
  set({ ...nobody, user });
}

/** Changes the conversation of this room, if it is open or on the shelf. */
export function updateTimeline(roomId: string, change: (timeline: Timeline) => Timeline) {
  set(({ timeline, shelf }) => {
    if (timeline?.roomId === roomId) return { timeline: change(timeline) };
    const at = shelf.findIndex((t) => t.roomId === roomId);
    return at < 0 ? {} : { shelf: shelf.with(at, timelines.endOf(change(shelf[at]!))) };
  });
}

/** How many conversations are kept besides the open one. */
const SHELVED = 10;

/** Puts the open conversation on the shelf, if it is worth keeping, and opens another or none. */
export function swapTimeline(next: Timeline | undefined) {
  set(({ timeline, shelf }) => {
    const kept = shelf.filter((t) => t.roomId !== next?.roomId && t.roomId !== timeline?.roomId);
    const worthIt = timeline?.loaded && !timeline.hasNewer && timeline.roomId !== next?.roomId;
    if (worthIt) kept.push(timelines.endOf(timeline));
    return {
      timeline: next,
      shelf: kept.slice(-SHELVED),
      editing: undefined,
      quoting: undefined,
      recalled: undefined,
      unread: undefined,
    };
  });
}

/** Takes in a message from an answer or an event. */
export function saveMessage(message: Message) {
  updateTimeline(message.roomId, (timeline) => timelines.saveMessage(timeline, message));
  set(({ posts, rooms, user }) => {
    const room = rooms?.[message.roomId];
    const mine = message.creator?.id === user?.id;
    return {
      posts: mine ? posts.filter((p) => !isPostOf(p, message)) : posts,
      rooms: room ? { ...rooms, [room.id]: touched(room, message, mine) } : rooms,
    };
  });
  if (message.creator) stoppedTyping(message.roomId, message.creator.id);
}

/** Takes a deleted message away. */
export function removeMessage(roomId: string, messageId: string) {
  updateTimeline(roomId, (timeline) => timelines.removeMessage(timeline, messageId));
}

/** Takes in a room as it is now. */
export function saveRoom(room: Room) {
  set(({ rooms, suggestedUsers }) => {
    const pinged = new Set(room.participants.map((u) => u.id));
    return {
      rooms: { ...rooms, [room.id]: room },
      suggestedUsers: pinged.size > 0 ? suggestedUsers.filter((u) => !pinged.has(u.id)) : suggestedUsers,
    };
  });
}

/** Takes a room out of the sidebar. */
export function removeRoom(roomId: string) {
  set(({ rooms, shelf }) => ({
    rooms: rooms && Object.fromEntries(Object.entries(rooms).filter(([id]) => id !== roomId)),
    shelf: shelf.filter((t) => t.roomId !== roomId),
  }));
}

/** Sets or clears a room's unread mark. A room that is looked at stays read. */
export function markUnread(roomId: string, unread: boolean) {
  set(({ rooms, timeline }) => {
    const room = rooms?.[roomId];
    const looking = timeline?.roomId === roomId && document.visibilityState === "visible";
    if (!room || room.unread === unread || (unread && looking)) return {};
    return { rooms: { ...rooms, [roomId]: { ...room, unread } } };
  });
}

/** How many rooms have something unread. */
export function unreadRooms({ rooms }: State): number {
  return Object.values(rooms ?? {}).filter((r) => r.unread).length;
}

/** Takes in a person or bot who has changed, wherever they are shown. */
export function saveUser(user: User) {
  const swap = (known: User) => (known.id === user.id ? user : known);
  set((state) => {
    const rooms = Object.entries(state.rooms ?? {}).map(([id, room]) => [id, withUser(room, user)] as const);
    const { emailAddress = "" } = state.user ?? {};
    return {
      user: state.user?.id === user.id ? { ...user, emailAddress } : state.user,
      rooms: state.rooms && Object.fromEntries(rooms),
      suggestedUsers: state.suggestedUsers.map(swap),
      timeline: state.timeline && inTimeline(state.timeline),
      shelf: state.shelf.map(inTimeline),
      changedUser: user,
    };
  });
  function inTimeline(timeline: Timeline): Timeline {
    return { ...timeline, messages: timeline.messages.map(bySwap) };
  }
  function bySwap(message: Message): Message {
    const concerned =
      message.creator?.id === user.id || message.boosts.some((b) => b.booster?.id === user.id);
    if (!concerned) return message;
    return {
      ...message,
      creator: message.creator && swap(message.creator),
      boosts: message.boosts.map((b) => ({ ...b, booster: b.booster && swap(b.booster) })),
    };
  }
}

/** A room with this person or bot as they are now: a direct room is named by who is in it, as the server names it. */
export function withUser(room: Room, user: User): Room {
  if (!room.participants.some((p) => p.id === user.id)) return room;
  const participants = room.participants.map((p) => (p.id === user.id ? user : p)).sort(compareNames);
  const names = participants.map((p) => p.name);
  const last = names.pop() ?? "";
  const joined = names.length > 1 ? `${names.join(", ")}, and ${last}` : [...names, last].join(" and ");
  return { ...room, participants, name: joined };
}

/** Compares people by name, in the order in which the server lists them. */
export function compareNames(a: User, b: User): number {
  const [x, y] = [a.name.toLowerCase(), b.name.toLowerCase()];
  return x < y ? -1 : x > y ? 1 : compareIds(a.id, b.id);
}

/** Whether the sidebar shows this person as they are: among those to ping, or in a ping. */
export function isShown({ id, status }: User): boolean {
  const { rooms, suggestedUsers, user } = get();
  if (user?.id === id) return true;
  if (suggestedUsers.some((u) => u.id === id)) return status === UserStatus.ACTIVE;
  return Object.values(rooms ?? {}).some((room) => room.participants.some((p) => p.id === id));
}

/** How long someone counts as typing after the last sign of it. */
export const TYPING_MS = 5000;

/** Notes that someone is typing. */
export function startedTyping(roomId: string, user: User) {
  const until = Date.now() + TYPING_MS;
  set(({ typists }) => ({
    typists: [
      ...typists.filter((t) => t.roomId !== roomId || t.user.id !== user.id),
      { roomId, user, until },
    ],
  }));
}

/** Notes that someone has stopped typing. */
export function stoppedTyping(roomId: string, userId: string) {
  set(({ typists }) => {
    const left = typists.filter((t) => t.roomId !== roomId || t.user.id !== userId);
    return left.length === typists.length ? {} : { typists: left };
  });
}

/** Forgets those who have not been heard typing for too long. */
export function forgetTypists(now: number) {
  set(({ typists }) => {
    const left = typists.filter((t) => t.until > now);
    return left.length === typists.length ? {} : { typists: left };
  });
}

/** Posts to a room: shown at once, sent by the outbox after those before it. */
export function addPost(roomId: string, html: string) {
  const post: Post = { clientMessageId: crypto.randomUUID(), roomId, html, createdAt: Date.now() };
  set(({ posts }) => ({ posts: [...posts, post], unread: undefined }));
}

/**
 * Gives a post up, with what to tell about it, or without that sends it again. It is hopeless if sending it again would
 * end the same way.
 */
export function failPost(clientMessageId: string, failure: string | undefined, hopeless = false) {
  set(({ posts }) => ({
    posts: posts.map((p) => (p.clientMessageId === clientMessageId ? { ...p, failure, hopeless } : p)),
  }));
}

/** Takes a post away: it has become a message, or nobody wants it any more. */
export function discardPost(clientMessageId: string) {
  set(({ posts }) => ({ posts: posts.filter((p) => p.clientMessageId !== clientMessageId) }));
}

/** Whether a message is what a post has become. */
export function isPostOf(post: Post, message: Message): boolean {
  return post.roomId === message.roomId && post.clientMessageId === message.clientMessageId;
}

// Who posts has read the room, in all of their tabs.
function touched(room: Room, message: Message, mine: boolean): Room {
  const at = message.createdAt;
  const later = at && (!room.updatedAt || timestampMs(at) > timestampMs(room.updatedAt));
  return later ? { ...room, updatedAt: at, unread: room.unread && !mine } : room;
}
