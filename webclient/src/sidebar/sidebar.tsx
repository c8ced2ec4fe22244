import { useMemo, useState } from "react";
import { type Room } from "../gen/campfire/v1/room_pb";
import { UserRole } from "../gen/campfire/v1/user_pb";
import { unreadRooms, useCampfire } from "../state";
import { Avatar } from "../ui/avatar";
import { Icon } from "../ui/icon";
import { useSidebarLayout } from "../ui/page";
import { usePath } from "../ui/router";
import { NewPing } from "./new-ping";
import { Pings } from "./pings";
import { sharedRooms } from "./rooms";

/** Rooms and pings at the side of the page; on narrow screens a drawer. */
export function Sidebar() {
  const user = useCampfire((s) => s.user);
  const rooms = useCampfire((s) => s.rooms);
  const restricted = useCampfire((s) => s.account?.restrictRoomCreationToAdministrators ?? false);
  const path = usePath();
  const [openAt, setOpenAt] = useState<string>();
  const [pinging, setPinging] = useState(false);
  const shared = useMemo(() => sharedRooms(rooms ?? {}), [rooms]);
  const unread = useCampfire(unreadRooms);
  const open = openAt === path; // choosing a destination closes the drawer

  useSidebarLayout();

  return (
    <aside
      id="sidebar"
      className={open ? "open" : ""}
      aria-label="Rooms and pings"
      data-testid="sidebar"
      onKeyDown={(event) => event.key === "Escape" && open && setOpenAt(undefined)}
    >
      <button
        type="button"
        className={unread > 0 && !open ? "btn sidebar__toggle unread" : "btn sidebar__toggle"}
        aria-label={open ? "Close menu" : "Open menu"}
        aria-expanded={open}
        data-testid="drawer-toggle"
        onClick={() => setOpenAt(open ? undefined : path)}
      >
        <Icon name={open ? "remove" : "menu"} />
        {unread > 0 && !open && <span className="for-screen-reader">, unread messages</span>}
      </button>
      <div className="sidebar__container">
        {pinging ? (
          <NewPing onClose={() => setPinging(false)} />
        ) : (
          <Pings onNew={() => setPinging(true)} path={path} />
        )}
        <nav className="rooms" aria-label="Rooms" data-testid="rooms">
          {shared.map((room) => (
            <RoomLink key={room.id} room={room} current={`${path}/`.startsWith(`/rooms/${room.id}/`)} />
          ))}
          {(!restricted || user?.role === UserRole.ADMINISTRATOR) && (
            <a
              className="rooms__new-btn btn"
              href="/rooms/opens/new"
              data-opens=""
              title="New room"
              data-testid="new-room"
            >
              <Icon name="add" />
              <span className="for-screen-reader">New room</span>
            </a>
          )}
        </nav>
      </div>
      <div className="sidebar__tools">
        {user && (
          <a
            className="btn avatar"
            href="/users/me/profile"
            data-opens=""
            aria-label="My profile"
            title="My profile"
            data-testid="my-profile"
          >
            <Avatar user={user} />
          </a>
        )}
        <a
          className="btn"
          href="/account/edit"
          data-opens=""
          aria-label="Account settings"
          title="Account settings"
          data-testid="account-settings"
        >
          <Icon name="settings" />
        </a>
      </div>
    </aside>
  );
}

function RoomLink({ room, current }: { room: Room; current: boolean }) {
  return (
    <a
      className={room.unread ? "room btn unread" : "room btn"}
      href={`/rooms/${room.id}`}
      aria-current={current ? "page" : undefined}
      data-testid="room-link"
      data-unread={room.unread ? "" : undefined}
    >
      <span className="overflow-ellipsis">{room.name}</span>
      {room.unread && <span className="for-screen-reader">, unread</span>}
    </a>
  );
}
