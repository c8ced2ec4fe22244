import { timestampMs } from "@bufbuild/protobuf/wkt";
import { roomService } from "../api";
import { Involvement, type Room, RoomKind } from "../gen/campfire/v1/room_pb";
import { compareIds } from "../ids";
import { reloadIfRejoined } from "../messages/history";
import { current, update } from "../state";

const byName = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });

/** How often the sidebar was asked for, and which of the answers it shows. */
let asked = 0;
let shown = 0;
/** The rooms as they were answered, no event having changed them. */
const answered = new WeakSet<Room>();

/** Loads the sidebar. What an event has changed meanwhile is kept, and what was asked for later counts more. */
export async function loadRooms() {
  const before = current().rooms ?? {};
  const turn = ++asked;
  const answer = await roomService.listRooms({});
  if (turn < shown) return;
  shown = turn;
  for (const room of answer.rooms) answered.add(room);
  update(({ rooms: now = {}, timeline }) => {
    const rooms: Record<string, Room> = {};
    for (const room of answer.rooms) rooms[room.id] = room;
    for (const id of new Set([...Object.keys(before), ...Object.keys(now)])) {
      if (now[id] === before[id] || (now[id] && answered.has(now[id]))) continue;
      if (now[id]) rooms[id] = now[id];
      else delete rooms[id];
    }
    const open = timeline && now[timeline.roomId];
    if (open?.involvement === Involvement.INVISIBLE) rooms[open.id] ??= open;
    return { rooms, suggestedUsers: answer.suggestedUsers };
  });
  for (const room of answer.rooms) if (before[room.id]) await reloadIfRejoined(before[room.id], room);
}

/** The open and closed rooms of the sidebar, by name. */
export function sharedRooms(rooms: Readonly<Record<string, Room>>): Room[] {
  return visible(rooms)
    .filter((r) => r.kind !== RoomKind.DIRECT)
    .sort((a, b) => byName.compare(a.name, b.name) || compareIds(a.id, b.id));
}

/** The direct rooms of the sidebar, the most recently active first. */
export function directRooms(rooms: Readonly<Record<string, Room>>): Room[] {
  const activity = (room: Room) => (room.updatedAt ? timestampMs(room.updatedAt) : 0);
  return visible(rooms)
    .filter((r) => r.kind === RoomKind.DIRECT)
    .sort((a, b) => activity(b) - activity(a) || compareIds(b.id, a.id));
}

/** Where "/" leads: the room visited last, else the oldest; undefined without rooms. */
export function homeRoom(rooms: Readonly<Record<string, Room>>, userId: string): string | undefined {
  const last = localStorage.getItem(lastRoomKey(userId));
  if (last && rooms[last]) return last;
  return Object.keys(rooms).sort(compareIds)[0];
}

/** Where "/rooms" leads: the newest room. */
export function newestRoom(rooms: Readonly<Record<string, Room>>): string | undefined {
  return Object.keys(rooms).sort(compareIds).at(-1);
}

/** The room that came with the account: the oldest open one. */
export function originalRoom(rooms: Readonly<Record<string, Room>>): string | undefined {
  const open = Object.values(rooms).filter((r) => r.kind === RoomKind.OPEN);
  return open.map((r) => r.id).sort(compareIds)[0];
}

/** Remembers where "/" leads next time. */
export function rememberRoom(userId: string, roomId: string) {
  localStorage.setItem(lastRoomKey(userId), roomId);
}

function visible(rooms: Readonly<Record<string, Room>>): Room[] {
  return Object.values(rooms).filter((r) => r.involvement !== Involvement.INVISIBLE);
}

function lastRoomKey(userId: string): string {
  return `campfire.room.${userId}`;
}
