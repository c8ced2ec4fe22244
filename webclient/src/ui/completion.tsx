import {
  type CSSProperties,
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { createPortal } from "react-dom";
import type { TrixEditorElement } from "trix";
import { userService } from "../api";
import { Avatar } from "./avatar";
import { type Choice, matching, type Token, tokenAt } from "./tokens";

/** How long the hand must rest before names are looked up for what follows an "@". */
export const REST_MS = 300;
/** How long an accepted row blinks before the list goes. */
const BLINK_MS = 200;

interface Sources {
  /** The room whose members "@" completes. */
  readonly roomId?: string | undefined;
  /** The words that may follow a text, such as the sounds after "/play". */
  readonly words?: ((text: string) => readonly string[]) | undefined;
}

interface Shown {
  readonly token: Token;
  readonly choices: readonly Choice[];
  readonly at: number;
  readonly accepted?: boolean;
}

interface Completion {
  /** Takes a key before the editor does; true if it was meant for the list. */
  readonly key: (event: KeyboardEvent) => boolean;
  /** Has the names for the word at the caret asked for at once, and tells when they have come; undefined if none will. */
  readonly hurry: () => Promise<void> | undefined;
  /** The list, while there is something to choose. */
  readonly list: ReactNode;
}

/** Completes names after "@" and words, in a Trix editor that takes what was chosen by `insert`. */
export function useCompletion(
  element: RefObject<TrixEditorElement | null>,
  sources: Sources,
  insert: (token: Token, choice: Choice, after: string) => void,
): Completion {
  const id = useId();
  const [shown, setShown] = useState<Shown>();
  const showing = useRef<Shown>(undefined); // also between two keys, before it is drawn
  const show = useCallback((next: Shown | undefined) => {
    showing.current = next;
    setShown(next);
  }, []);
  const latest = useRef(sources);
  const dismissed = useRef<number>(undefined);
  const lookUp = useRef<(now: boolean) => void>(() => {});
  const hurry = useRef<Completion["hurry"]>(() => undefined);
  useEffect(() => {
    latest.current = sources;
  });

  useEffect(() => {
    const trix = element.current!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asked: AbortController | undefined;
    let query: string | undefined;
    /** The name whose completions are under way, and when they have come, once they are asked for. */
    let coming: { readonly token: Token; answer?: Promise<void> } | undefined;
    const forget = () => {
      clearTimeout(timer);
      asked?.abort();
      coming = undefined;
    };
    const close = () => {
      forget();
      query = undefined;
      show(undefined);
    };
    const open = (token: Token, choices: readonly Choice[]) =>
      show(choices.length > 0 ? { token, choices, at: 0 } : undefined);
    const find = async (token: Token) => {
      asked = new AbortController();
      const { signal } = asked;
      const { roomId } = latest.current;
      try {
        const answer = await userService.suggestUsers({ query: token.query, roomId }, { signal });
        if (!signal.aborted) open(token, matching(answer.users, token.query));
      } catch {
        // Without suggestions, names can still be written.
      }
      if (!signal.aborted) coming = undefined;
    };
    const ask = () => {
      clearTimeout(timer);
      return coming && (coming.answer ??= find(coming.token));
    };
    const look = (now: boolean) => {
      const token = tokenAt(trix, latest.current.words);
      if (token?.start !== dismissed.current) dismissed.current = undefined;
      if (!token || dismissed.current !== undefined) return close();
      if (token.kind === "word") {
        close();
        return open(token, token.words.map(wordChoice));
      }
      if (!latest.current.roomId) return close();
      const asks = `${token.start} ${token.query}`;
      if (asks === query && !now) return;
      query = asks;
      forget();
      // What is shown gets shorter at once; the rest comes when the hand rests, and for an "@" alone directly.
      const before = showing.current;
      const users = before?.choices.flatMap(({ user }) => user ?? []) ?? [];
      const stays = before?.token.start === token.start && !before.accepted;
      open(token, stays ? matching(users, token.query) : []);
      coming = { token };
      if (now || !token.query) void ask();
      else timer = setTimeout(ask, REST_MS);
    };
    lookUp.current = look;
    hurry.current = ask;
    const changed = () => document.activeElement === trix && look(false);
    const scrolled = (event: Event) => {
      if (!(event.target instanceof Element && event.target.closest(".autocomplete__list, trix-editor")))
        close();
    };
    trix.addEventListener("trix-change", changed);
    trix.addEventListener("trix-selection-change", changed);
    trix.addEventListener("blur", close);
    window.addEventListener("resize", close);
    document.addEventListener("scroll", scrolled, { capture: true, passive: true });
    return () => {
      close();
      trix.removeEventListener("trix-change", changed);
      trix.removeEventListener("trix-selection-change", changed);
      trix.removeEventListener("blur", close);
      window.removeEventListener("resize", close);
      document.removeEventListener("scroll", scrolled, { capture: true });
    };
  }, [element, show]);

  // The editor says what is chosen in a list that it does not hold.
  useEffect(() => {
    const trix = element.current!;
    const chosen = shown && !shown.accepted;
    trix.setAttribute("aria-autocomplete", "list");
    trix.toggleAttribute("data-completing", Boolean(chosen));
    if (chosen) {
      trix.setAttribute("aria-controls", `${id}-list`);
      trix.setAttribute("aria-activedescendant", `${id}-${shown.at}`);
    } else {
      trix.removeAttribute("aria-controls");
      trix.removeAttribute("aria-activedescendant");
    }
  }, [element, id, shown]);
  useEffect(() => {
    if (!shown?.accepted) return;
    const timer = setTimeout(() => show(undefined), BLINK_MS);
    return () => clearTimeout(timer);
  }, [shown, show]);

  const accept = (choice: Choice, after: string) => {
    const now = showing.current;
    if (!now || now.accepted) return;
    show({ ...now, at: now.choices.indexOf(choice), accepted: true });
    insert(now.token, choice, after);
  };
  const key = (event: KeyboardEvent) => {
    const now = showing.current;
    if (!now || now.accepted) {
      if (event.key !== "Tab" || dismissed.current === undefined || event.shiftKey) return false;
      dismissed.current = undefined;
      lookUp.current(true);
      return true;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const { token, choices, at } = now;
    const move = (to: number) => show({ ...now, at: Math.min(Math.max(to, 0), choices.length - 1) });
    const choice = choices[at]!;
    switch (event.key) {
      case "ArrowDown":
        move(at + 1);
        return true;
      case "ArrowUp":
        move(at - 1);
        return true;
      case "Escape":
        dismissed.current = token.start;
        lookUp.current(false); // which closes it, whatever is under way
        return true;
      case "Tab":
      case "Enter":
        if (event.shiftKey) return false;
        accept(choice, " ");
        return true;
    }
    if (token.kind === "word" || !token.query || !/^[ .,;:!?)]$/.test(event.key)) return false;
    accept(choice, event.key);
    return true;
  };

  const list = shown && <Suggestions id={id} {...shown} onChoose={(choice) => accept(choice, " ")} />;
  return { key, hurry: () => hurry.current(), list };
}

interface SuggestionsProps extends Shown {
  readonly id: string;
  readonly onChoose: (choice: Choice) => void;
}

/** What may be chosen, at the text it would complete. */
function Suggestions({ id, token, choices, at, accepted, onChoose }: SuggestionsProps) {
  const box = useRef<HTMLUListElement>(null);
  useEffect(() => {
    box.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const list = (
    <>
      <span className="for-screen-reader" aria-live="assertive">
        {choices.length === 1 ? "1 suggestion" : `${choices.length} suggestions`}
      </span>
      <ul
        ref={box}
        id={`${id}-list`}
        className={accepted ? "autocomplete__list autocomplete__list--leaving" : "autocomplete__list"}
        role="listbox"
        aria-label="Suggestions"
        data-testid="suggestions"
        style={placeFor(token.rect, choices.length)}
      >
        {choices.map((choice, n) => (
          <li
            key={choice.key}
            id={`${id}-${n}`}
            className={
              accepted && n === at ? "autocomplete__item autocomplete__item--accepted" : "autocomplete__item"
            }
            role="option"
            aria-selected={n === at}
            data-testid="suggestion"
            onPointerDown={(event) => {
              event.preventDefault(); // the editor keeps the focus
              onChoose(choice);
            }}
          >
            {choice.user && <Avatar user={choice.user} />}
            <span>{choice.label}</span>
          </li>
        ))}
      </ul>
    </>
  );
  return createPortal(list, document.body);
}

const ROW_PX = 44;
const TALLEST_PX = 160;
const WIDEST_PX = 260;

/** Below the text, unless there is no room for three there and more above. */
function placeFor(rect: DOMRect, rows: number): CSSProperties {
  const height = Math.min(rows * ROW_PX + 12, TALLEST_PX);
  const below = innerHeight - rect.bottom;
  const up = below < Math.min(3 * ROW_PX, height) + 8 && rect.top > below;
  const left = Math.max(8, Math.min(rect.left, innerWidth - WIDEST_PX - 8));
  return up ? { left, bottom: innerHeight - rect.top + 6 } : { left, top: rect.bottom + 6 };
}

function wordChoice(word: string): Choice {
  return { key: word, label: word };
}
