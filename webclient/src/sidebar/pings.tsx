import { useMemo } from "react";
import { reasonOf, roomService } from "../api";
import type { Room } from "../gen/campfire/v1/room_pb";
import type { User } from "../gen/campfire/v1/user_pb";
import { saveRoom, useCampfire } from "../state";
import { Avatar, initialsOf } from "../ui/avatar";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { navigate } from "../ui/router";
import { directRooms } from "./rooms";

/** The strip of pings at the top of the sidebar, and people to start one with. */
export function Pings({ onNew, path }: { onNew: () => void; path: string }) {
  const rooms = useCampfire((s) => s.rooms);
  const suggested = useCampfire((s) => s.suggestedUsers);
  const pings = useMemo(() => directRooms(rooms ?? {}), [rooms]);
  return (
    <div className="directs" role="group" aria-label="Pings" data-testid="pings">
      <button type="button" className="direct direct__new" data-testid="new-ping" onClick={onNew}>
        <span className="avatar avatar--icon">
          <Icon name="messages-add" />
        </span>
        <span className="direct__author">
          <span className="for-screen-reader">New </span>Ping
        </span>
      </button>
      {pings.map((room) => (
        <Ping key={room.id} room={room} current={`${path}/`.startsWith(`/rooms/${room.id}/`)} />
      ))}
      {suggested.map((user) => (
        <button
          key={user.id}
          type="button"
          className="direct direct--placeholder"
          data-testid="ping-placeholder"
          onClick={() => void ping([user.id])}
        >
          <Avatar user={user} />
          <span className="direct__author">
            <span className="for-screen-reader">Start a ping with </span>
            {firstName(user)}
          </span>
        </button>
      ))}
    </div>
  );
}

/** Opens the direct room with exactly these people. */
export async function ping(userIds: string[]) {
  try {
    const { room } = await roomService.openDirectRoom({ userIds });
    if (!room) return;
    saveRoom(room);
    navigate(`/rooms/${room.id}`);
  } catch (error) {
    alertFlash(reasonOf(error));
  }
}

function Ping({ room, current }: { room: Room; current: boolean }) {
  const people = room.participants;
  const shown = people.slice(0, 4);
  return (
    <a
      className={room.unread ? "direct unread" : "direct"}
      href={`/rooms/${room.id}`}
      aria-current={current ? "page" : undefined}
      title={room.name}
      data-testid="ping"
      data-unread={room.unread ? "" : undefined}
    >
      {shown.length === 1 && <Avatar user={shown[0]!} />}
      {shown.length > 1 && (
        <span className="avatar__group" data-count={shown.length}>
          {shown.map((user) => (
            <Avatar key={user.id} user={user} />
          ))}
        </span>
      )}
      <span className="direct__author">
        <span className="for-screen-reader">Ping with </span>
        {people.length === 1 ? firstName(people[0]!) : initials(people)}
        {room.unread && <span className="for-screen-reader">, unread</span>}
      </span>
    </a>
  );
}

function initials(people: readonly User[]): string {
  const all = people.map((user) => [...initialsOf(user.name)].slice(0, 3).join(""));
  if (all.length <= 2) return all.join("+");
  return `${all.slice(0, -1).join(", ")}, and ${all.at(-1)}`;
}

function firstName(user: User): string {
  return user.name.split(/\s+/)[0] ?? user.name;
}
