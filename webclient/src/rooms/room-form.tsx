import { useState } from "react";
import { everyoneAndBots, everyoneIn, isActive, reasonOf, roomService, violationsOf } from "../api";
import { type Room, RoomKind } from "../gen/campfire/v1/room_pb";
import { type User, UserRole } from "../gen/campfire/v1/user_pb";
import { removeRoom, saveRoom, useCampfire } from "../state";
import { useAnswer, useChangedUsers } from "../ui/answer";
import { confirm } from "../ui/dialog";
import { Problem } from "../ui/field";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, ErrorScreen, Page } from "../ui/page";
import { navigate } from "../ui/router";
import { Translate } from "../ui/translate";
import { changeRoom, isGone, leave, Left, useLeaving } from "./gone";
import { PeopleToChoose, type Person, turn, withPerson } from "./people";

type SharedKind = RoomKind.OPEN | RoomKind.CLOSED;

/** Makes a new room, for everyone or for chosen people. */
export function NewRoom({ kind }: { kind: SharedKind }) {
  const me = useCampfire((s) => s.user);
  const { value, failure, change } = useAnswer<readonly User[]>("people", everyoneAndBots);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useChangedUsers((user) => change((people) => withPerson(people, user, true)));
  if (failure) return <ErrorScreen title={failure.reason} />;
  const people = (value ?? []).filter(isActive);
  const save = async (name: string) => {
    const memberIds = kind === RoomKind.OPEN ? [] : people.map((u) => u.id).filter((id) => chosen.has(id));
    const { room } = await roomService.createRoom({ kind, name, memberIds });
    if (!room) return;
    saveRoom(room);
    navigate(`/rooms/${room.id}`, { replace: true });
  };
  return (
    <Page title="New chat room" nav={<BackButton />}>
      <div className="panel">
        <RoomForm title="New chat room" name="New room" save={save}>
          <PeopleToChoose
            open={kind === RoomKind.OPEN}
            onOpen={(open) => navigate(`/rooms/${open ? "opens" : "closeds"}/new`, { replace: true })}
            people={people.map((user) => ({ user, fixed: user.id === me?.id }))}
            chosen={chosen}
            onTurn={(id) => setChosen((ids) => turn(ids, id))}
          />
        </RoomForm>
      </div>
    </Page>
  );
}

interface Known {
  readonly room: Room;
  readonly members: readonly User[];
  readonly everyone: readonly User[];
}

/** Changes a room, or shows it to those who may not. The address says how the form stands, open or closed. */
export function RoomSettings({ roomId, kind }: { roomId: string; kind: SharedKind }) {
  const me = useCampfire((s) => s.user);
  const { value, failure, change } = useAnswer<Known>(roomId, async () => {
    const { room } = await roomService.getRoom({ roomId });
    const [members, everyone] = await Promise.all([everyoneIn(roomId), everyoneAndBots()]);
    return { room: room!, members, everyone };
  });
  useLeaving(roomId);
  useChangedUsers((user) =>
    change(({ room, members, everyone }) => ({
      room,
      members: withPerson(members, user, room.kind === RoomKind.OPEN), // where everyone is
      everyone: withPerson(everyone, user, true),
    })),
  );
  if (failure) {
    if (isGone(failure.error)) return <Left />;
    return <ErrorScreen title={failure.reason} />;
  }
  if (!value || !me) return <Page title="Room settings">{null}</Page>;
  const { room } = value;
  const members = value.members.filter(isActive);
  const everyone = value.everyone.filter(isActive);
  if (room.kind === RoomKind.DIRECT) return <ErrorScreen title="There is nothing at this address." />;
  const mayAdminister = me.role === UserRole.ADMINISTRATOR || room.creatorId === me.id;
  const nav = <BackButton to={`/rooms/${roomId}`} />;
  if (!mayAdminister)
    return (
      <Page title={room.name} nav={nav}>
        <div className="panel">
          <h1 className="txt-x-large txt-align-center txt-break margin-block-end">{room.name}</h1>
          <PeopleToChoose
            open={room.kind === RoomKind.OPEN}
            people={members.map((user) => ({ user, fixed: true }))}
          />
        </div>
      </Page>
    );
  return (
    <Page title={room.name} nav={nav}>
      <Changing key={roomId} room={room} kind={kind} members={members} everyone={everyone} />
      <div className="panel">
        <DeleteRoom room={room} />
      </div>
    </Page>
  );
}

function Changing({ room, kind, members, everyone }: Known & { readonly kind: SharedKind }) {
  const memberIds = new Set(members.map((u) => u.id));
  // Not who is chosen: people come and go while the form is open, and only what was turned here is to change.
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const others = everyone.filter((u) => !memberIds.has(u.id));
  const people: Person[] = [...members, ...others].map((user) => ({ user }));
  const idsTurned = (among: readonly User[], on: boolean) =>
    among.map((u) => u.id).filter((id) => turned.has(id) === on);
  const save = async (name: string) => {
    const answer = await roomService.updateRoom({
      roomId: room.id,
      name,
      kind,
      grantUserIds: idsTurned(others, true),
      revokeUserIds: idsTurned(members, true),
    });
    if (answer.room) {
      saveRoom(answer.room);
      navigate(`/rooms/${room.id}`, { replace: true });
    } else {
      removeRoom(room.id);
      leave();
    }
  };
  return (
    <div className="panel">
      <RoomForm
        title={`Settings of ${room.name}`}
        name={room.name}
        save={(name) => changeRoom(room.id, () => save(name))}
      >
        <PeopleToChoose
          open={kind === RoomKind.OPEN}
          onOpen={(open) =>
            navigate(`/rooms/${open ? "opens" : "closeds"}/${room.id}/edit`, { replace: true })
          }
          people={people}
          divideAfter={members.length}
          chosen={new Set([...idsTurned(members, false), ...idsTurned(others, true)])}
          onTurn={(id) => setTurned((ids) => turn(ids, id))}
        />
      </RoomForm>
    </div>
  );
}

function DeleteRoom({ room }: { room: Room }) {
  const remove = async () => {
    const sure = await confirm("Delete this room and every message in it? There is no undo.", "Delete");
    if (!sure) return;
    try {
      await changeRoom(room.id, async () => {
        await roomService.deleteRoom({ roomId: room.id });
        removeRoom(room.id);
        navigate("/", { replace: true });
      });
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  return (
    <button
      type="button"
      className="btn btn--negative panel__button"
      aria-label={`Delete ${room.name}`}
      onClick={() => void remove()}
    >
      <Icon name="trash" />
      <span className="overflow-ellipsis">{room.name}</span>
    </button>
  );
}

interface FormProps {
  readonly title: string;
  readonly name: string;
  readonly save: (name: string) => Promise<void>;
  readonly children: React.ReactNode;
}

function RoomForm({ title, name: before, save, children }: FormProps) {
  const [name, setName] = useState(before);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const submit = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await save(name.trim());
    } catch (error) {
      setBusy(false);
      setProblem(violationsOf(error).find((v) => v.field === "name")?.description);
      alertFlash(reasonOf(error));
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <fieldset className="flex flex-column gap">
        <legend className="for-screen-reader">{title}</legend>
        <h1 className="for-screen-reader">{title}</h1>
        <div className="flex flex-column">
          <div className="flex align-center gap-half txt-large">
            <Translate of="roomName" />
            <label className="input input--actor flex-item-grow">
              <span className="for-screen-reader">Room name</span>
              <input
                className="input full-width"
                value={name}
                required
                pattern=".*\S.*"
                title="A name, not only spaces"
                maxLength={100}
                autoFocus
                autoComplete="off"
                aria-describedby={problem ? "name-problem" : undefined}
                onFocus={(event) => event.target.select()}
                onChange={(event) => setName(event.target.value)}
              />
            </label>
          </div>
          <Problem of="name">{problem}</Problem>
        </div>
        {children}
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
  );
}
