import { create } from "zustand";
import type { Room } from "./gen/campfire/v1/room_pb";
import { type State, useCampfire } from "./state";
import { navigate } from "./ui/router";

/** What Chromium offers; no standard yet. */
interface InstallOffer extends Event {
  prompt(): Promise<{ readonly outcome: "accepted" | "dismissed" }>;
}

interface Installed {
  /** A new version of the client that waits to be used. */
  readonly waiting: ServiceWorker | undefined;
  /** The browser's offer to install Campfire as an app. */
  readonly offer: InstallOffer | undefined;
  /** Whether this device is notified of messages while nobody looks. */
  readonly notified: "checking" | "no" | "yes";
}

/** What this browser keeps of Campfire outside the page. */
export const useInstalled = create<Installed>()(() => ({
  waiting: undefined,
  offer: undefined,
  notified: "checking",
}));

/** Whether Campfire runs as an app of its own, outside the browser's tabs. */
export function isInstalled(): boolean {
  return matchMedia("(display-mode: standalone)").matches;
}

/** How long the stream is there before the service worker comes: it fetches the whole client, and what is seen comes first. */
const UNHURRIED_MS = 3000;

/** Registers the service worker, looks after its new versions and goes where it says; keeps the offer to install. */
export function startInstalled() {
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    useInstalled.setState({ offer: event as InstallOffer });
  });
  window.addEventListener("appinstalled", () => useInstalled.setState({ offer: undefined }));
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return;
  navigator.serviceWorker.addEventListener(
    "message",
    ({ data }: MessageEvent<{ readonly navigate: string }>) => navigate(data.navigate),
  );
  let settle: ReturnType<typeof setTimeout> | undefined;
  const stop = useCampfire.subscribe((now, before) => {
    if (now.connection === before.connection) return;
    clearTimeout(settle);
    if (now.connection !== "live") return;
    settle = setTimeout(() => {
      stop();
      register().then(watch, () => undefined); // works without one, too
    }, UNHURRIED_MS);
  });
}

/** The service worker's registration; there is one, however often one asks. */
export function register(): Promise<ServiceWorkerRegistration> {
  return navigator.serviceWorker.register("/service-worker.js");
}

/**
 * Looks after this device's notifications for whoever is signed in, and sees that nobody else's are left. Returns how to
 * stop.
 */
export function followNotified(): () => void {
  const look = async (userId: string | undefined) => {
    useInstalled.setState({ notified: "checking" });
    const { lookAfter } = await import("./push/device");
    await lookAfter(userId);
  };
  const failed = () => {
    if (useInstalled.getState().notified === "checking") useInstalled.setState({ notified: "no" });
  };
  look(useCampfire.getState().user?.id).catch(failed);
  return useCampfire.subscribe((now, before) => {
    if (now.user?.id !== before.user?.id) look(now.user?.id).catch(failed);
    if (now.rooms !== before.rooms) closeRead(now.rooms, before.rooms).catch(() => undefined);
  });
}

/** Takes away the notifications of rooms that have been read, here or on another device. */
async function closeRead(now: State["rooms"], before: State["rooms"]) {
  const isRead = ({ id, unread }: Room) => !unread && (before?.[id]?.unread ?? before === undefined);
  const read = new Set(
    Object.values(now ?? {})
      .filter(isRead)
      .map((room) => `room-${room.id}`),
  );
  if (read.size === 0 || !("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.getRegistration();
  for (const shown of (await registration?.getNotifications()) ?? []) if (read.has(shown.tag)) shown.close();
}

/** Says that a new version is here, once there is, and lets it be used. */
export function NewVersion() {
  const waiting = useInstalled((s) => s.waiting);
  if (!waiting) return null;
  const take = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
    waiting.postMessage("take over");
  };
  return (
    <div className="flash flash--version" role="status" data-testid="new-version">
      <div className="flash__notice">
        <span>A new version of Campfire is here.</span>
        <button type="button" className="btn" onClick={take}>
          <span>Load it</span>
        </button>
      </div>
    </div>
  );
}

function watch(registration: ServiceWorkerRegistration) {
  const found = () => {
    // The first worker of all replaces nothing.
    const { waiting } = registration;
    if (waiting && navigator.serviceWorker.controller) useInstalled.setState({ waiting });
  };
  found();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", found);
  });
  // A stream that is back may be that of a newer server.
  useCampfire.subscribe((now, before) => {
    if (now.connection === "live" && before.connection !== "live")
      registration.update().catch(() => undefined);
  });
}
