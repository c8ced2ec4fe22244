import { useEffect, useId, useRef, useState } from "react";
import { everyone, reasonOf } from "../api";
import type { User } from "../gen/campfire/v1/user_pb";
import { current } from "../state";
import { Avatar } from "../ui/avatar";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { ping } from "./pings";

/** How many suggestions there are at most. */
const SUGGESTIONS = 20;

/** Chooses people for a ping; takes the place of the strip meanwhile. */
export function NewPing({ onClose }: { onClose: () => void }) {
  const [chosen, setChosen] = useState<readonly User[]>([]);
  const [query, setQuery] = useState("");
  const [people, setPeople] = useState<readonly User[]>([]);
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();

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

  const taken = new Set([current().user?.id, ...chosen.map((u) => u.id)]);
  const options = suggestions(people, query)
    .filter((u) => !taken.has(u.id))
    .slice(0, SUGGESTIONS);
  const marked = Math.min(at, options.length - 1);
  const optionId = (index: number) => `${list}-${index}`;

  const choose = (user: User) => {
    setChosen([...chosen, user]);
    setQuery("");
    setAt(0);
    input.current?.focus();
  };
  const submit = () => {
    if (chosen.length === 0) return;
    onClose();
    void ping(chosen.map((u) => u.id));
  };
  const key = (event: React.KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onClose();
    } else if (event.key === "Backspace" && query === "") setChosen(chosen.slice(0, -1));
    else if (event.key === "ArrowDown") setAt(Math.min(marked + 1, options.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(marked - 1, 0));
    else if ((event.key === "Enter" || event.key === "Tab") && options[marked]) choose(options[marked]);
    else return;
    event.preventDefault();
  };

  return (
    <form
      className="directs directs--new"
      aria-label="New ping"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <button type="button" className="btn" aria-label="Cancel" title="Cancel" onClick={onClose}>
        <Icon name="arrow-left" />
      </button>
      <div className="autocomplete__container input input--actor">
        {chosen.map((user) => (
          <span key={user.id} className="autocomplete__pill">
            <Avatar user={user} />
            <span>{user.name}</span>
            <button
              type="button"
              className="btn"
              aria-label={`Remove ${user.name}`}
              onClick={() => setChosen(chosen.filter((u) => u.id !== user.id))}
            >
              <Icon name="remove" />
            </button>
          </span>
        ))}
        <input
          ref={input}
          className="input autocomplete__input"
          role="combobox"
          aria-label="People to ping"
          aria-expanded={options.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={options[marked] && optionId(marked)}
          autoFocus
          autoComplete="off"
          placeholder={chosen.length === 0 ? "Name" : ""}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={key}
        />
        {options.length > 0 && (
          <div
            className="autocomplete__list"
            id={list}
            role="listbox"
            aria-label="Suggestions"
            data-testid="suggestions"
          >
            {options.map((user, index) => (
              <div
                key={user.id}
                id={optionId(index)}
                className="autocomplete__item"
                role="option"
                aria-selected={index === marked}
                data-testid="suggestion"
                onPointerDown={(event) => {
                  event.preventDefault();
                  choose(user);
                }}
              >
                <Avatar user={user} />
                <span className="overflow-ellipsis">{user.name}</span>
              </div>
            ))}
          </div>
        )}
      </div>
      <button
        type="submit"
        className="btn btn--reversed"
        aria-label="Start ping"
        title="Start ping"
        disabled={chosen.length === 0}
      >
        <Icon name="check" />
      </button>
      <p className="directs__hint txt-small">Type a name…</p>
    </form>
  );
}

/** The people whose name, or a later word of it, starts with the query; those whose whole name does come first. */
export function suggestions(people: readonly User[], query: string): User[] {
  const wanted = plain(query.trim());
  if (!wanted) return [];
  const starting = people.filter((u) => plain(u.name).startsWith(wanted));
  const later = people.filter((u) => !starting.includes(u) && plain(u.name).includes(` ${wanted}`));
  return [...starting, ...later];
}

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
