import { Fragment, useState } from "react";
import type { User } from "../gen/campfire/v1/user_pb";
import { compareNames } from "../state";
import { Avatar } from "../ui/avatar";
import { Icon } from "../ui/icon";
import { Switch } from "../ui/switch";

/** Above how many people a field to filter them appears. */
const FILTER_ABOVE = 20;

/** Someone in the list; fixed if their access cannot be changed. */
export interface Person {
  readonly user: User;
  readonly fixed?: boolean;
}

interface Props {
  /** Whether the room is for everyone. */
  readonly open: boolean;
  /** Absent for those who may not change it. */
  readonly onOpen?: (open: boolean) => void;
  readonly people: readonly Person[];
  /** After how many of them a line is drawn in a closed room: members before it, the others after. */
  readonly divideAfter?: number;
  readonly chosen?: ReadonlySet<string>;
  /** Called with the id of someone whose switch was turned. */
  readonly onTurn?: (id: string) => void;
}

/** Everyone, or each person: who has access to a room. */
export function PeopleToChoose({ open, onOpen, people, divideAfter, chosen, onTurn }: Props) {
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLowerCase();
  const shown = open ? [...people].sort((a, b) => byName.compare(a.user.name, b.user.name)) : people;
  return (
    <div className={wanted ? "panel__list filter--active" : "panel__list"} data-testid="people" tabIndex={0}>
      {(onOpen ?? open) && (
        <>
          <div className="membership-item selected">
            <span className="avatar avatar--icon">
              <Icon name="everyone" />
            </span>
            <strong className="membership-item__name">Everyone</strong>
            <hr className="separator" aria-hidden="true" />
            {onOpen && <Switch label="Everyone has access" checked={open} onChange={onOpen} />}
          </div>
          <hr className="separator separator--solid" />
        </>
      )}
      {people.length > FILTER_ABOVE && (
        <input
          className="input full-width"
          type="search"
          aria-label="Filter people"
          placeholder="Filter…"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") event.preventDefault(); // finding someone is not saving yet
          }}
        />
      )}
      {shown.map(({ user, fixed }, at) => (
        <Fragment key={user.id}>
          {!open && at === divideAfter && at > 0 && <hr className="separator separator--solid" />}
          <div
            className={
              user.name.toLowerCase().includes(wanted) ? "membership-item selected" : "membership-item"
            }
          >
            <Avatar user={user} />
            <span className="membership-item__name">{user.name}</span>
            <hr className="separator" aria-hidden="true" />
            {onOpen && (open || fixed) && (
              <span className="membership-item__fixed">
                <Icon name="check" />
                <span className="for-screen-reader">has access</span>
              </span>
            )}
            {onOpen && !open && !fixed && (
              <Switch
                label={`${user.name} has access`}
                checked={chosen?.has(user.id) ?? false}
                onChange={() => onTurn?.(user.id)}
              />
            )}
          </div>
        </Fragment>
      ))}
    </div>
  );
}

/**
 * People, by name, with one of them as they are now. Someone new comes in if they belong there. Who does not take part any
 * more stays, to be left out where the list is shown: a ban may end.
 */
export function withPerson(people: readonly User[], user: User, belongs: boolean): readonly User[] {
  const others = people.filter((u) => u.id !== user.id);
  if (others.length === people.length && !belongs) return people;
  return [...others, user].sort(compareNames);
}

/** The ids with one more, or without it if it was among them. */
export function turn(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const others = [...ids].filter((other) => other !== id);
  return new Set(others.length < ids.size ? others : [...others, id]);
}

const byName = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });
