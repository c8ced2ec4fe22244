import { type Room, RoomKind } from "../gen/campfire/v1/room_pb";
import { Icon } from "../ui/icon";
import { Bell } from "./bell";

/** The bar of a room: its name, its settings, its bell. */
export function RoomNav({ room }: { room: Room }) {
  const direct = room.kind === RoomKind.DIRECT;
  const settings = direct ? "Settings for this ping" : "Settings for this room";
  return (
    <>
      <h1 className="room--current" title={room.name} data-testid="room-title">
        <span className="overflow-ellipsis">
          {direct && <span className="for-screen-reader">Ping with </span>}
          {room.name}
        </span>
      </h1>
      <a
        className="btn"
        href={settingsPath(room)}
        data-opens=""
        aria-label={settings}
        title={settings}
        data-testid="room-settings"
      >
        <Icon name="menu-dots-horizontal" />
      </a>
      <Bell key={room.id} room={room} />
    </>
  );
}

/** Where the settings of a room are. */
export function settingsPath({ id, kind }: Room): string {
  const kinds = { [RoomKind.OPEN]: "opens", [RoomKind.CLOSED]: "closeds", [RoomKind.DIRECT]: "directs" };
  return `/rooms/${kinds[kind as keyof typeof kinds]}/${id}/edit`;
}
