import { useEffect, useEffectEvent, useRef, useState } from "react";
import { reasonOf, userService } from "../api";
import { type User, UserRole, UserStatus } from "../gen/campfire/v1/user_pb";
import { useCampfire } from "../state";
import { useAnswer, useChangedUsers } from "../ui/answer";
import { Avatar } from "../ui/avatar";
import { confirm } from "../ui/dialog";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";

const byName = new Intl.Collator(undefined, { sensitivity: "base" });

/** The people of the account: administrators, then members. More are fetched when the end comes into view. */
export function People() {
  const { value, change } = useAnswer("people", () => userService.listUsers({}));
  const admin = useCampfire((s) => s.user?.role === UserRole.ADMINISTRATOR);
  const [loading, setLoading] = useState(false);
  const people = value?.users ?? [];
  const nextPage = loading ? undefined : value?.nextPageToken;
  const more = async (pageToken: string) => {
    setLoading(true);
    try {
      const page = await userService.listUsers({ pageToken });
      change(({ users }) => {
        const known = new Set(users.map((u) => u.id));
        return { ...page, users: [...users, ...page.users.filter((u) => !known.has(u.id))] };
      });
    } catch (error) {
      alertFlash(reasonOf(error));
    } finally {
      setLoading(false);
    }
  };
  const saved = (user: User) => {
    if (user.role === UserRole.BOT) return;
    change((now) => {
      const others = now.users.filter((u) => u.id !== user.id);
      const gone = user.status === UserStatus.DEACTIVATED || (user.status === UserStatus.BANNED && !admin);
      if (gone) return { ...now, users: others };
      const isNew = others.length === now.users.length;
      if (isNew && now.nextPageToken) return now; // they come with their page
      return { ...now, users: [...others, user].sort((a, b) => byName.compare(a.name, b.name)) };
    });
  };
  useChangedUsers(saved);
  const administrators = people.filter((u) => u.role === UserRole.ADMINISTRATOR);
  const members = people.filter((u) => u.role !== UserRole.ADMINISTRATOR);
  return (
    <section aria-label="People" data-testid="people">
      <ul aria-label="Administrators">
        {administrators.map((user) => (
          <Person key={user.id} user={user} onSaved={saved} />
        ))}
      </ul>
      {administrators.length > 0 && members.length > 0 && <hr className="separator separator--solid" />}
      <ul aria-label="Members">
        {members.map((user) => (
          <Person key={user.id} user={user} onSaved={saved} />
        ))}
      </ul>
      {nextPage && <More onSeen={() => void more(nextPage)} />}
    </section>
  );
}

function Person({ user, onSaved }: { user: User; onSaved: (user: User) => void }) {
  const me = useCampfire((s) => s.user);
  const own = me?.id === user.id;
  const banned = user.status === UserStatus.BANNED;
  const admin = me?.role === UserRole.ADMINISTRATOR && !banned;
  return (
    <li className="membership-item">
      <a className="avatar" href={`/users/${user.id}`} tabIndex={-1} aria-hidden="true">
        <Avatar user={user} />
      </a>
      <a className="membership-item__name" href={`/users/${user.id}`}>
        {user.name}
      </a>
      {banned && <span className="for-screen-reader">, banned</span>}
      <hr className="separator" aria-hidden="true" />
      {admin && <Crown user={user} own={own} onSaved={onSaved} />}
      {admin && !own && <Remove user={user} onSaved={onSaved} />}
      {own && (
        <a className="btn" href="/users/me/profile" aria-label="My profile" title="My profile">
          <Icon name="pencil" />
        </a>
      )}
    </li>
  );
}

interface ActionProps {
  readonly user: User;
  readonly onSaved: (user: User) => void;
}

function Crown({ user, own, onSaved }: ActionProps & { own: boolean }) {
  const [wanted, setWanted] = useState<UserRole>();
  const role = wanted ?? user.role;
  const toggle = async () => {
    const next = role === UserRole.ADMINISTRATOR ? UserRole.MEMBER : UserRole.ADMINISTRATOR;
    setWanted(next);
    try {
      const answer = await userService.setUserRole({ userId: user.id, role: next });
      if (answer.user) onSaved(answer.user);
    } catch (error) {
      alertFlash(reasonOf(error));
    } finally {
      setWanted(undefined);
    }
  };
  const title = role === UserRole.ADMINISTRATOR ? "Role: Administrator" : "Role: Member";
  return (
    <label className="btn" title={title}>
      <input
        type="checkbox"
        checked={role === UserRole.ADMINISTRATOR}
        disabled={own}
        onChange={() => void toggle()}
      />
      <Icon name="crown" />
      <span className="for-screen-reader">
        {user.name}, {title}
      </span>
    </label>
  );
}

function Remove({ user, onSaved }: ActionProps) {
  const remove = async () => {
    if (!(await confirm(`Take ${user.name} off this account permanently?`, "Remove"))) return;
    try {
      const answer = await userService.deactivateUser({ userId: user.id });
      if (answer.user) onSaved(answer.user);
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  return (
    <button
      type="button"
      className="btn btn--negative"
      aria-label={`Remove ${user.name}`}
      title={`Remove ${user.name}`}
      onClick={() => void remove()}
    >
      <Icon name="minus" />
    </button>
  );
}

function More({ onSeen }: { onSeen: () => void }) {
  const row = useRef<HTMLDivElement>(null);
  const seen = useEffectEvent(onSeen);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && seen());
    if (row.current) observer.observe(row.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={row} className="flex justify-center pad-block">
      <span className="spinner" role="status" aria-label="More people are coming" />
    </div>
  );
}
