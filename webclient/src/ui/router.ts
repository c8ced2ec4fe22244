import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

/** The path shown, without query. */
export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** Shows another path; with replace, Back does not return to this one. */
export function navigate(to: string, { replace = false } = {}) {
  if (to !== location.pathname + location.search + location.hash) {
    if (replace) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
  }
  for (const listener of listeners) listener();
}

/** Lets plain clicks on links to our own pages change the path without loading the page anew. Returns how to stop. */
export function followLinks(): () => void {
  document.addEventListener("click", follow);
  return () => document.removeEventListener("click", follow);
}

function follow(event: MouseEvent) {
  const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (event.defaultPrevented || event.button !== 0 || modified) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link?.href || link.origin !== location.origin || link.target === "_blank" || link.download) return;
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  navigate(link.pathname + link.search + link.hash);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}
