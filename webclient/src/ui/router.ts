import { useSyncExternalStore } from "react";
import { flushSync } from "react-dom";

const listeners = new Set<() => void>();

/** How often the path was changed, also by Back. */
let moves = 0;
const moved = () => {
  moves++;
};

/** The path shown, without query. */
export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** The query of the address shown, with its question mark. */
export function useQuery(): string {
  return useSyncExternalStore(subscribe, () => location.search);
}

/** Shows another path; with replace, Back does not return to this one. */
export function navigate(to: string, { replace = false } = {}) {
  moved();
  if (to !== location.pathname + location.search + location.hash) {
    if (replace) history.replaceState(history.state, "", to);
    else {
      history.pushState({ depth: depth() + 1 }, "", to);
      window.scrollTo(0, 0);
    }
  }
  for (const listener of listeners) listener();
}

/** Whether the address shown was come to just now: not by loading it again, nor by Back. True once for each time. */
export function justArrived(): boolean {
  const state = (history.state ?? {}) as { seen?: boolean };
  if (!state.seen) history.replaceState({ ...state, seen: true }, "");
  return !state.seen;
}

/** Returns to the page before, if that is one of ours, and else goes home. */
export function goBack() {
  if (depth() > 0) history.back();
  else navigate("/", { replace: true });
}

// How many of our own pages lie before this one in the tab's history.
function depth(): number {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null && "depth" in state ? Number(state.depth) : 0;
}

type Fetchers = readonly (readonly [RegExp, () => Promise<unknown>])[];
let fetchers: Fetchers = [];

/** Fetches what a link of ours leads to when someone points at it, before they press. Returns how to stop. */
export function fetchAhead(what: Fetchers): () => void {
  fetchers = what;
  const pointed = (event: Event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link?.origin === location.origin) void fetchFor(link);
  };
  document.addEventListener("pointerover", pointed);
  document.addEventListener("focusin", pointed);
  return () => {
    document.removeEventListener("pointerover", pointed);
    document.removeEventListener("focusin", pointed);
  };
}

async function fetchFor({ pathname }: HTMLAnchorElement) {
  const fetcher = fetchers.find(([pattern]) => pattern.test(pathname))?.[1];
  await fetcher?.().catch(() => undefined); // the screen itself tries again, and tells
}

/** Lets plain clicks on links to our own pages change the path without loading the page anew. Returns how to stop. */
export function followLinks(): () => void {
  document.addEventListener("click", follow);
  window.addEventListener("popstate", moved);
  return () => {
    document.removeEventListener("click", follow);
    window.removeEventListener("popstate", moved);
  };
}

function follow(event: MouseEvent) {
  const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (event.defaultPrevented || event.button !== 0 || modified) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link?.href || link.origin !== location.origin || link.target === "_blank" || link.download) return;
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  const go = () => navigate(link.pathname + link.search + link.hash);
  if (!link.hasAttribute("data-opens")) return go();
  // What has to be fetched first may take a moment; after that it appears as it comes, unless one has gone elsewhere.
  const moment = new Promise((done) => setTimeout(done, 300));
  const before = moves;
  void Promise.race([fetchFor(link), moment]).then(() => {
    if (moves === before) growFrom(link, go);
  });
}

/** Lets what is opened grow out of what was pressed, where a browser can do that and nobody minds. */
function growFrom(pressed: HTMLElement, open: () => void) {
  // Not every browser knows it, whatever TypeScript says.
  const able = "startViewTransition" in document && !matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!able) return open();
  const page = document.documentElement;
  pressed.style.viewTransitionName = "opened"; // for the picture of the page before; then the sheet names what is opened
  page.classList.add("opening");
  const transition = document.startViewTransition(() => {
    pressed.style.viewTransitionName = "";
    page.classList.add("opened");
    flushSync(open);
  });
  const press = (event: PointerEvent) => {
    transition.skipTransition();
    passOn(event);
  };
  transition.ready.then(
    () => document.addEventListener("pointerdown", press, { capture: true }),
    () => undefined, // a page in the background moves nothing
  );
  void transition.finished.finally(() => {
    document.removeEventListener("pointerdown", press, { capture: true });
    page.classList.remove("opening", "opened");
  });
}

/**
 * Gives the click of a press to what is seen there. What moves in a transition is not there for a mouse, so that the press
 * went to the page as a whole, and the click goes to what holds both.
 */
function passOn(press: PointerEvent) {
  const over = new AbortController();
  const { signal } = over;
  const click = (event: MouseEvent) => {
    over.abort();
    const meant = document.elementFromPoint(event.clientX, event.clientY);
    const { target } = event;
    if (event.detail !== 1) return; // the second of a double click was meant for the page before
    if (!meant || target === meant || !(target instanceof Node && target.contains(meant))) return;
    if (document.elementFromPoint(press.clientX, press.clientY) !== meant) return; // released elsewhere
    focusAt(meant);
    meant.dispatchEvent(new MouseEvent(event.type, event));
  };
  document.addEventListener("click", click, { signal });
  // A press without a click has been a scroll or a drag; this one is still on its way down.
  setTimeout(() => {
    if (!signal.aborted)
      document.addEventListener("pointerdown", () => over.abort(), { capture: true, signal });
  });
}

/** Focuses what a press there focuses: the nearest around it that takes the focus. */
function focusAt(pressed: Element) {
  for (let at: Element | null = pressed; at; at = at.parentElement) {
    if (at instanceof HTMLElement) at.focus();
    if (document.activeElement === at) return;
  }
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}
