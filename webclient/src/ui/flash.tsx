import { useEffect, useState } from "react";
import { create } from "zustand";
import { Icon } from "./icon";

interface Shown {
  readonly id: number;
  readonly text: string;
  readonly kind: "done" | "alert" | "later";
  readonly more?: string | undefined;
  /** Whether it asks which kinds of file are wanted. */
  readonly asks?: boolean | undefined;
}

const useShown = create<{ shown?: Shown | undefined }>()(() => ({}));
let count = 0;

/** Tells briefly that something was done. */
export function flash(text: string) {
  show({ text, kind: "done" });
}

/** Tells briefly that something went wrong. */
export function alertFlash(text: string) {
  show({ text, kind: "alert" });
}

/** Tells that something comes in v2.0, and what. */
export function comingLater(more?: string) {
  show({ text: "Coming in v2.0", kind: "later", more });
}

/** Tells that files come in v2.0, and asks which kinds are wanted. */
export function filesLater() {
  show({ text: "Coming in v2.0", kind: "later", more: "File sharing available in v2.0", asks: true });
}

/** The place where all of these appear. */
export function Flash() {
  const shown = useShown((s) => s.shown);
  if (!shown) return null;
  return shown.kind === "later" ? <Later key={shown.id} {...shown} /> : <Circle key={shown.id} {...shown} />;
}

function Circle({ text, kind }: Shown) {
  useEffect(() => {
    const timer = setTimeout(hide, kind === "alert" ? 5300 : 3300);
    return () => clearTimeout(timer);
  }, [kind]);
  return (
    <div className={kind === "alert" ? "flash flash--alert" : "flash"} data-testid="flash">
      <div className={kind === "alert" ? "flash__inner flash__inner--negative" : "flash__inner"}>
        <Icon name={kind === "alert" ? "alert" : "check"} />
      </div>
      <span
        className={kind === "alert" ? "flash__text" : "for-screen-reader"}
        role="alert"
        aria-atomic="true"
      >
        {text}
      </span>
    </div>
  );
}

function Later({ text, more, asks }: Shown) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    const escape = (event: KeyboardEvent) => event.key === "Escape" && hide();
    document.addEventListener("keydown", escape);
    return () => document.removeEventListener("keydown", escape);
  }, []);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(hide, 4000);
    return () => clearTimeout(timer);
  }, [held]);
  return (
    <div
      className="flash flash--later"
      role="status"
      data-testid="notice-v2"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <div className="flash__notice">
        <strong>{text}</strong>
        {more && <span>{more}</span>}
        {asks && <WantedFiles />}
      </div>
    </div>
  );
}

const fileKinds = ["Pictures", "Documents", "Sound and video", "Anything"];
const wantedKey = "campfire.wanted-files";

/** Which kinds of file someone would share, kept in this browser. */
function WantedFiles() {
  const [wanted, setWanted] = useState(() => localStorage.getItem(wantedKey)?.split(",") ?? []);
  const choose = (kind: string) => {
    const now = wanted.includes(kind) ? wanted.filter((k) => k !== kind) : [...wanted, kind];
    setWanted(now);
    localStorage.setItem(wantedKey, now.join(","));
  };
  return (
    <fieldset>
      <legend>What would you share?</legend>
      {fileKinds.map((kind) => (
        <label key={kind}>
          <input type="checkbox" checked={wanted.includes(kind)} onChange={() => choose(kind)} />
          {kind}
        </label>
      ))}
    </fieldset>
  );
}

function show(what: Omit<Shown, "id">) {
  useShown.setState({ shown: { id: ++count, ...what } });
}

function hide() {
  useShown.setState({ shown: undefined });
}
