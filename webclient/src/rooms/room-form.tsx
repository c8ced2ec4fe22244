import { useEffect, useState } from "react";
import { everyone, reasonOf, roomService } from "../api";
import { RoomKind } from "../gen/campfire/v1/room_pb";
import type { User } from "../gen/campfire/v1/user_pb";
import { saveRoom, useCampfire } from "../state";
import { Avatar } from "../ui/avatar";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, Page } from "../ui/page";
import { navigate } from "../ui/router";

/** Above how many people a field to filter them appears. */
const FILTER_ABOVE = 20;

/** Makes a new room, for everyone or for chosen people. */
export function NewRoom({ kind }: { kind: RoomKind.OPEN | RoomKind.CLOSED }) {
  const me = useCampfire((s) => s.user);
  const [name, setName] = useState("New room");
  const [people, setPeople] = useState<readonly User[]>([]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [filter, setFilter] = useState("");
  const [busy, setBusy] = useState(false);
  const open = kind === RoomKind.OPEN;

  useEffect(() => {
    let stale = false;
    everyone().then(
      (users) => !stale && setPeople(users),
      (error: unknown) => alertFlash(reasonOf(error)),
    );
    return () => {
      stale = true;
    };
  }, []);

  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const create = async () => {
    if (!name.trim() || busy) return;
    setBusy(true);
    try {
      const memberIds = open ? [] : [...chosen];
      const { room } = await roomService.createRoom({ kind, name: name.trim(), memberIds });
      if (!room) return;
      saveRoom(room);
      navigate(`/rooms/${room.id}`, { replace: true });
    } catch (error) {
      setBusy(false);
      alertFlash(reasonOf(error));
    }
  };
  const wanted = filter.trim().toLowerCase();

  return (
    <Page title="New chat room" nav={<BackButton />}>
      <div className="panel">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void create();
          }}
        >
          <fieldset className="flex flex-column gap">
            <legend className="for-screen-reader">New chat room</legend>
            <label className="input input--actor txt-large">
              <span className="for-screen-reader">Room name</span>
              <input
                className="input full-width"
                value={name}
                required
                maxLength={100}
                autoFocus
                autoComplete="off"
                onFocus={(event) => event.target.select()}
                onChange={(event) => setName(event.target.value)}
              />
              <Icon name="messages-outlined" />
            </label>
            <div className="panel__list fill-shade border-radius pad">
              <div className="membership-item">
                <span className="avatar avatar--icon">
                  <Icon name="everyone" />
                </span>
                <strong className="membership-item__name">Everyone</strong>
                <hr className="separator" aria-hidden="true" />
                <Switch
                  label="Everyone has access"
                  checked={open}
                  onChange={() =>
                    navigate(open ? "/rooms/closeds/new" : "/rooms/opens/new", { replace: true })
                  }
                />
              </div>
              <hr className="separator separator--solid" />
              {people.length > FILTER_ABOVE && (
                <input
                  className="input full-width"
                  type="search"
                  aria-label="Filter people"
                  placeholder="Filter…"
                  value={filter}
                  onChange={(event) => setFilter(event.target.value)}
                />
              )}
              {people
                .filter((user) => user.name.toLowerCase().includes(wanted))
                .map((user) => (
                  <div key={user.id} className="membership-item">
                    <Avatar user={user} />
                    <span className="membership-item__name overflow-ellipsis">{user.name}</span>
                    <hr className="separator" aria-hidden="true" />
                    {open || user.id === me?.id ? (
                      <span className="membership-item__fixed">
                        <Icon name="check" />
                        <span className="for-screen-reader">has access</span>
                      </span>
                    ) : (
                      <Switch
                        label={`${user.name} has access`}
                        checked={chosen.has(user.id)}
                        onChange={() => toggle(user.id)}
                      />
                    )}
                  </div>
                ))}
            </div>
            <button
              type="submit"
              className="btn btn--reversed center"
              aria-label="Save"
              title="Save"
              aria-busy={busy}
            >
              <Icon name="check" />
            </button>
          </fieldset>
        </form>
      </div>
    </Page>
  );
}

function Switch({ label, checked, onChange }: { label: string; checked: boolean; onChange: () => void }) {
  return (
    <label className="switch">
      <input className="switch__input" type="checkbox" checked={checked} onChange={onChange} />
      <span className="switch__btn" />
      <span className="for-screen-reader">{label}</span>
    </label>
  );
}
