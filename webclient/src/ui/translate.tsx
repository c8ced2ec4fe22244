import { useCallback, useId, useLayoutEffect, useRef, useState } from "react";
import { Icon } from "./icon";
import { opensUpward, useDismiss } from "./menu";
import type { Phrase, Translations } from "./translations";

export type { Phrase };

/** A globe behind which a text stands in seven languages. The texts are fetched when someone first asks. */
export function Translate({ of }: { of: Phrase }) {
  const [open, setOpen] = useState(false);
  const [all, setAll] = useState<Translations>();
  const [up, setUp] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = useCallback(() => setOpen(false), []);
  useDismiss(box, open, close);
  useLayoutEffect(() => {
    if (menu.current) setUp(opensUpward(menu.current));
  }, [open, all]);

  const toggle = () => {
    setUp(false);
    setOpen(!open);
    if (!all)
      void import("./translations").then(
        (module) => setAll(module.translations),
        () => setOpen(false), // the server is away; nothing to show
      );
  };
  return (
    <span ref={box} className="translate">
      <button
        type="button"
        className="btn btn--plain"
        aria-label="Translate"
        title="Translate"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={toggle}
      >
        <Icon name="globe" />
      </button>
      {open && all && (
        <div
          ref={menu}
          id={id}
          className={up ? "language-list-menu language-list-menu--up" : "language-list-menu"}
          data-testid="translations"
        >
          <ul>
            {all[of].map(([language, flag, words]) => (
              <li key={language} lang={language}>
                <span aria-hidden="true">{flag}</span>
                <span>{words}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </span>
  );
}
