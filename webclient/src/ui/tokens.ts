import type { TrixEditorElement } from "trix";
import type { User } from "../gen/campfire/v1/user_pb";

/** What is being completed: a name after "@", or a word of a command. */
export interface Token {
  readonly kind: "name" | "word";
  /** Where it starts in the text, with its "@". */
  readonly start: number;
  readonly end: number;
  readonly query: string;
  /** What a word may become. */
  readonly words: readonly string[];
  /** Where it stands in the window. */
  readonly rect: DOMRect;
}

/** Something to choose. */
export interface Choice {
  readonly key: string;
  readonly label: string;
  readonly user?: User;
}

/** An "@" and what follows, where a word begins: after space, or after a mention. */
const name = /(?:^|[\s\uFFFC])(@[^\s\uFFFC@]*)$/;

/** What the caret of an editor stands in, if that can be completed. */
export function tokenAt(
  trix: TrixEditorElement,
  words?: (text: string) => readonly string[],
): Token | undefined {
  const { editor } = trix;
  if (!editor) return undefined;
  const [from, end] = editor.getSelectedRange();
  if (from !== end) return undefined;
  const text = editor.getDocument().toString();
  const before = text.slice(0, end);
  const place = (start: number) => editor.getClientRectAtPosition(start) ?? trix.getBoundingClientRect();

  const mention = name.exec(before)?.[1];
  if (mention !== undefined) {
    const start = end - mention.length;
    return { kind: "name", start, end, query: mention.slice(1), words: [], rect: place(start) };
  }
  const left = text.slice(end).trim() === "" ? (words?.(before) ?? []) : [];
  const query = /\w*$/.exec(before)?.[0] ?? "";
  if (left.length === 0 || (left.length === 1 && left[0] === query)) return undefined;
  const start = end - query.length;
  return { kind: "word", start, end, query, words: left, rect: place(start) };
}

const byName = new Intl.Collator(undefined, { sensitivity: "base" });

/** Those of the people whose name, or a later word of it, starts like that: first by the whole name, then by the alphabet. */
export function matching(users: readonly User[], query: string): Choice[] {
  const wanted = folded(query);
  const rank = (user: User) => {
    const whole = folded(user.name);
    if (whole.startsWith(wanted)) return 0;
    return whole.split(/[\s.\-_']+/).some((word) => word.startsWith(wanted)) ? 1 : 2;
  };
  return users
    .map((user) => ({ user, rank: rank(user) }))
    .filter((found) => found.rank < 2)
    .sort((a, b) => a.rank - b.rank || byName.compare(a.user.name, b.user.name))
    .slice(0, 20)
    .map(({ user }) => ({ key: user.id, label: user.name, user }));
}

/** Text as it is compared: without case and accents. */
function folded(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
