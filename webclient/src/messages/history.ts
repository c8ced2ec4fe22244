import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { codeOf, messageService } from "../api";
import type { Room } from "../gen/campfire/v1/room_pb";
import { current, swapTimeline, update, updateTimeline } from "../state";
import * as timelines from "./timeline";
import type { Page, Timeline } from "./timeline";
import { noteUnread, unreadMark } from "./unread";

/** A visit that has no first page yet: where it is to begin, and what had been read when it was asked for. */
interface Attempt {
  readonly roomId: string;
  readonly around: string | undefined;
  readonly mark: Promise<string | undefined> | undefined;
}

let visit = 0;
let attempt: Attempt | undefined;
/** The visit whose first page is on its way. */
let opening: number | undefined;
// Whether the stream began while the first page was on its way, so that neither may know of a message in between.
let mayLack = false;
let loading: { older: boolean; newer: boolean } = { older: false, newer: false };

/**
 * Opens a room's conversation at its end or around a message; a message that is not there opens the end. What is on the
 * shelf is shown at once and then brought up to date. Throws what the server says about the room.
 */
export async function openTimeline(roomId: string, around?: string) {
  const mine = ++visit;
  // After a failure the mark stays: by now the server knows that this person is here, and calls all of it read.
  if (attempt?.roomId !== roomId || attempt.around !== around)
    attempt = { roomId, around, mark: around ? undefined : unreadMark(roomId) };
  const { mark } = attempt;
  const noteMark = async () => {
    const after = await mark;
    if (mine === visit) noteUnread(after);
  };
  loading = { older: false, newer: false };
  mayLack = false;
  const kept = around ? undefined : current().shelf.find((t) => t.roomId === roomId);
  swapTimeline(kept ?? timelines.emptyTimeline(roomId));
  if (kept) {
    attempt = undefined;
    await noteMark();
    if (mine !== visit) return;
    await refresh(timelines.catchUp);
  } else {
    opening = mine;
    const page = await firstPage(roomId, around).finally(() => {
      if (opening === mine) opening = undefined;
    });
    if (mine !== visit) return;
    attempt = undefined;
    updateTimeline(roomId, (timeline) => timelines.openPage(timeline, page));
  }
  if (mine !== visit) return;
  void noteMark(); // the conversation does not wait for it
  if (mayLack) await catchUp();
}

/** Puts the open conversation aside. */
export function closeTimeline() {
  visit++;
  attempt = undefined;
  swapTimeline(undefined);
}

/** Forgets the conversations of other rooms, which may lack something. */
export function clearShelf() {
  update({ shelf: [] });
}

/**
 * Loads a room's conversation anew if its reader was out of it and in again: nobody has told them what was said meanwhile.
 * Without a room from before, they have just come.
 */
export function reloadIfRejoined(before: Room | undefined, now: Room): Promise<void> {
  const joined = (room: Room | undefined) => room?.joinedAt && timestampMs(room.joinedAt);
  if (joined(before) === joined(now)) return Promise.resolve();
  update(({ shelf }) => ({ shelf: shelf.filter((t) => t.roomId !== now.id) }));
  const { timeline } = current();
  return timeline?.roomId === now.id && timeline.loaded ? reloadTimeline() : Promise.resolve();
}

/** Loads the page before the first message. */
export function loadOlder(): Promise<void> {
  return extend("older", ({ roomId, messages, hasOlder }) => {
    const first = messages[0];
    return first && hasOlder ? { roomId, anchor: { case: "before", value: first.id } } : undefined;
  });
}

/** Loads the page after the last message. */
export function loadNewer(): Promise<void> {
  return extend("newer", ({ roomId, messages, hasNewer }) => {
    const value = messages.at(-1)?.id ?? "0";
    return hasNewer ? { roomId, anchor: { case: "after", value } } : undefined;
  });
}

/** Makes sure that the list ends where the room does. */
export async function showNewest() {
  const { timeline } = current();
  if (!timeline?.hasNewer) return;
  await refresh(timelines.openPage);
}

/**
 * Brings the end of the open room up to date, for a stream that starts without knowing what it missed. What could not be
 * loaded is opened once more.
 */
export async function catchUp() {
  const { timeline } = current();
  if (timeline && !timeline.loaded && opening === undefined)
    return openTimeline(timeline.roomId, attempt?.around);
  mayLack = timeline?.loaded === false;
  if (timeline?.loaded && !timeline.hasNewer) await refresh(timelines.catchUp);
}

/** Loads the open room anew, at the place it is at. */
export async function reloadTimeline() {
  const { timeline } = current();
  if (!timeline) return;
  const { roomId, messages, hasNewer, loaded } = timeline;
  clearShelf();
  const middle = hasNewer ? messages[Math.floor(messages.length / 2)]?.id : undefined;
  await openTimeline(roomId, loaded ? middle : attempt?.around);
}

async function refresh(show: (timeline: Timeline, page: Page, asked: Timeline) => Timeline) {
  const { timeline } = current();
  if (!timeline) return;
  const { roomId } = timeline;
  const mine = visit;
  const page = await messageService.listMessages({ roomId });
  if (mine === visit) updateTimeline(roomId, (now) => show(now, page, timeline));
}

type Request = Parameters<typeof messageService.listMessages>[0];

async function extend(way: "older" | "newer", request: (timeline: Timeline) => Request | undefined) {
  const { timeline } = current();
  const asked = timeline?.loaded && request(timeline);
  const flags = loading;
  if (!asked || flags[way]) return;
  const mine = visit;
  flags[way] = true;
  try {
    const page = await messageService.listMessages(asked);
    const add = way === "older" ? timelines.addOlder : timelines.addNewer;
    if (mine === visit) updateTimeline(timeline.roomId, (now) => add(now, page));
  } finally {
    flags[way] = false;
  }
}

async function firstPage(roomId: string, around: string | undefined): Promise<Page> {
  if (around) {
    try {
      return await messageService.listMessages({ roomId, anchor: { case: "around", value: around } });
    } catch (error) {
      if (codeOf(error) !== Code.NotFound && codeOf(error) !== Code.InvalidArgument) throw error;
    }
  }
  return messageService.listMessages({ roomId });
}
