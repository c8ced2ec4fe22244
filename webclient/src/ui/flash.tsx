import { useEffect, useRef, useState } from "react";
import { create } from "zustand";
import { Icon } from "./icon";

interface Shown {
  readonly id: number;
  readonly text: string;
  readonly kind: "done" | "alert" | "later";
  readonly more?: string | undefined;
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

/** The place where all of these appear. */
export function Flash() {
  const shown = useShown((s) => s.shown);
  if (!shown) return null;
  return shown.kind === "later" ? <Later key={shown.id} {...shown} /> : <Circle key={shown.id} {...shown} />;
}

function Circle({ text, kind }: Shown) {
  useEffect(() => {
    const timer = setTimeout(hide, 3300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="flash" data-testid="flash">
      <div className={kind === "alert" ? "flash__inner flash__inner--negative" : "flash__inner"}>
        <Icon name={kind === "alert" ? "alert" : "check"} />
      </div>
      <span className="for-screen-reader" role="alert" aria-atomic="true">
        {text}
      </span>
    </div>
  );
}

function Later({ text, more }: Shown) {
  const box = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(hide, 4000);
    const escape = (event: KeyboardEvent) => event.key === "Escape" && hide();
    document.addEventListener("keydown", escape);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("keydown", escape);
    };
  }, [held]);
  return (
    <div
      ref={box}
      className="flash flash--later"
      role="status"
      data-testid="notice-v2"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
    >
      <div className="flash__notice">
        <strong>{text}</strong>
        {more && <span>{more}</span>}
      </div>
    </div>
  );
}

function show(what: Omit<Shown, "id">) {
  useShown.setState({ shown: { id: ++count, ...what } });
}

function hide() {
  useShown.setState({ shown: undefined });
}
