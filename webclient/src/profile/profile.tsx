import { useState } from "react";
import { reasonOf, roomService, sessionService, userService, violationsOf } from "../api";
import { Involvement, type Room, RoomKind } from "../gen/campfire/v1/room_pb";
import type { User } from "../gen/campfire/v1/user_pb";
import { Picture } from "../later/picture";
import { unsubscribe } from "../push/device";
import { InstallHelp, useInstallable } from "../push/install";
import { RoomLevel } from "../rooms/bell";
import { saveUser, signedInAs, update, useCampfire } from "../state";
import { useAnswer } from "../ui/answer";
import { Avatar } from "../ui/avatar";
import { Field, Problem, text } from "../ui/field";
import { alertFlash, flash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, Page } from "../ui/page";
import { navigate } from "../ui/router";
import { Translate } from "../ui/translate";
import { Sessions } from "./sessions";
import { Transfer } from "./transfer";

/** Who one is, how much of each room one hears, where one is signed in, and the way out. */
export function Profile() {
  const user = useCampfire((s) => s.user);
  const installable = useInstallable();
  if (!user) return null;
  const signOut = async () => {
    try {
      await unsubscribe().catch(() => undefined); // signing out matters more
      await sessionService.signOut({});
      signedInAs(undefined);
      navigate("/session/new", { replace: true });
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  const nav = (
    <>
      <BackButton />
      <button
        type="button"
        className="btn flex-item-justify-end"
        aria-label="Log out"
        title="Log out"
        onClick={() => void signOut()}
      >
        <Icon name="logout" />
      </button>
    </>
  );
  return (
    <Page title={user.name} nav={nav}>
      <div className="panel">
        {installable && <InstallHelp />}
        <ProfileForm key={user.id} user={user} />
        <Rooms />
        <Transfer />
        <Sessions />
      </div>
    </Page>
  );
}

function ProfileForm({ user }: { user: User }) {
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const save = async (form: HTMLFormElement) => {
    setBusy(true);
    setProblems({});
    const data = new FormData(form);
    try {
      const answer = await userService.updateProfile({
        name: text(data, "name").trim(),
        emailAddress: text(data, "email_address").trim(),
        password: text(data, "password"),
        bio: text(data, "bio").trim(),
      });
      if (answer.user) {
        saveUser(answer.user);
        update({ user: answer.user }); // with the address, which saveUser leaves alone
      }
      (form.elements.namedItem("password") as HTMLInputElement).value = "";
      flash("Saved.");
    } catch (error) {
      setProblems(Object.fromEntries(violationsOf(error).map((v) => [v.field, v.description])));
      alertFlash(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save(event.currentTarget);
      }}
    >
      <fieldset className="flex flex-column gap align-center">
        <legend className="for-screen-reader">My profile</legend>
        <h1 className="for-screen-reader">{user.name}</h1>
        <Picture of="your picture">
          <Avatar user={user} />
        </Picture>
        <Field
          name="name"
          label="Name"
          icon="person"
          phrase="name"
          autoComplete="name"
          maxLength={100}
          autoFocus
          defaultValue={user.name}
          problem={problems["name"]}
        />
        <Field
          name="email_address"
          label="Email address"
          icon="email"
          phrase="email"
          type="email"
          autoComplete="username"
          maxLength={254}
          defaultValue={user.emailAddress}
          problem={problems["email_address"]}
        />
        <Field
          name="password"
          label="New password"
          icon="password"
          phrase="newPassword"
          type="password"
          required={false}
          autoComplete="new-password"
          maxLength={72}
          problem={problems["password"]}
        />
        <div className="flex flex-column full-width">
          <div className="flex align-center gap-half txt-large">
            <Translate of="bio" />
            <label className="input input--actor flex-item-grow">
              <span className="for-screen-reader">Bio</span>
              <textarea
                className="input full-width"
                name="bio"
                rows={3}
                maxLength={200}
                placeholder="About you"
                defaultValue={user.bio}
                aria-describedby={problems["bio"] ? "bio-problem" : undefined}
              />
              <Icon name="bio" />
            </label>
          </div>
          <Problem of="bio">{problems["bio"]}</Problem>
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
  );
}

/** Every room and how much of it one hears: shared rooms by name, then pings. */
function Rooms() {
  const { value: listed, change } = useAnswer("rooms", async () => {
    return (await roomService.listRooms({ includeInvisible: true })).rooms;
  });
  if (!listed) return null;
  const saved = (room: Room) => change((now) => now.map((r) => (r.id === room.id ? room : r)));
  const row = (room: Room) => {
    const dim = room.involvement === Involvement.INVISIBLE;
    return (
      <li
        key={room.id}
        className={dim ? "membership-item membership-item--dim" : "membership-item"}
        data-testid="room-involvement"
      >
        <a className="membership-item__name" href={`/rooms/${room.id}`}>
          {room.name}
        </a>
        <hr className="separator" aria-hidden="true" />
        <RoomLevel room={room} onSaved={saved} />
      </li>
    );
  };
  const shared = listed.filter((r) => r.kind !== RoomKind.DIRECT);
  const pings = listed.filter((r) => r.kind === RoomKind.DIRECT);
  return (
    <section className="panel__box" aria-label="My rooms" data-testid="my-rooms">
      {shared.length > 0 && <ul aria-label="Rooms">{shared.map(row)}</ul>}
      {shared.length > 0 && pings.length > 0 && <hr className="separator separator--solid" />}
      {pings.length > 0 && <ul aria-label="Pings">{pings.map(row)}</ul>}
    </section>
  );
}
