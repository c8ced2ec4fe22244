import { compareIds } from "../ids";
import { current, type State, update, useCampfire } from "../state";

/** Keeps note of what this person has seen of a room while the tab shows it. Returns how to stop. */
export function noteReading(roomId: string): () => void {
  const seen = () => {
    const { timeline, user } = current();
    if (timeline?.roomId !== roomId || !timeline.loaded || timeline.hasNewer || !user) return;
    const newest = timeline.messages.at(-1)?.id;
    if (newest && document.visibilityState === "visible") remember(user.id, roomId, newest);
  };
  const turned = () => {
    if (document.visibilityState === "visible") noteUnread(recall(roomId));
    seen();
  };
  const stop = useCampfire.subscribe((now, before) => {
    if (now.timeline !== before.timeline) seen();
  });
  document.addEventListener("visibilitychange", turned);
  seen();
  return () => {
    stop();
    document.removeEventListener("visibilitychange", turned);
  };
}

/**
 * The newest message read in a room that has unread ones, in this browser or anywhere. Where the rooms are not known yet
 * it is what they are first told as: that is from before this tab looks at one.
 */
export async function unreadMark(roomId: string): Promise<string | undefined> {
  const here = recall(roomId);
  const room = (await knownRooms())[roomId];
  if (room && !room.unread) return undefined;
  const anywhere = room?.lastReadMessageId;
  return here && anywhere && compareIds(here, anywhere) < 0 ? anywhere : (here ?? anywhere);
}

function knownRooms(): Promise<NonNullable<State["rooms"]>> {
  const { rooms } = current();
  if (rooms) return Promise.resolve(rooms);
  return new Promise((resolve) => {
    const stop = useCampfire.subscribe((now) => {
      if (!now.rooms) return;
      stop();
      resolve(now.rooms);
    });
  });
}

/** Notes what of the open conversation comes after a mark. */
export function noteUnread(mark: string | undefined) {
  const { timeline } = current();
  const upTo = timeline?.messages.at(-1)?.id;
  if (!mark || !upTo || timeline.hasNewer || compareIds(upTo, mark) <= 0) return;
  update({ unread: { after: mark, upTo } });
}

// What was remembered last, as this is asked with every message and browsers take their time to look.
let latest = "";

function remember(userId: string, roomId: string, messageId: string) {
  const now = `${key(userId, roomId)} ${messageId}`;
  if (latest === now) return;
  latest = now;
  try {
    localStorage.setItem(key(userId, roomId), messageId);
  } catch {
    // No room or no permission: then there is no line.
  }
}

function recall(roomId: string): string | undefined {
  const { user } = current();
  return (user && localStorage.getItem(key(user.id, roomId))) ?? undefined;
}

function key(userId: string, roomId: string): string {
  return `campfire.read.${userId}.${roomId}`;
}
