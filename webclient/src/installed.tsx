import { create } from "zustand";
import { useCampfire } from "./state";
import { Icon } from "./ui/icon";
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
}

/** What this browser keeps of Campfire outside the page. */
const useInstalled = create<Installed>()(() => ({ waiting: undefined, offer: undefined }));

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
  navigator.serviceWorker.register("/service-worker.js").then(watch, () => undefined); // works without one, too
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

/** The browser's offer to install Campfire as an app, while there is one. */
export function InstallNow() {
  const offer = useInstalled((s) => s.offer);
  if (!offer) return null;
  const install = () => {
    useInstalled.setState({ offer: undefined }); // it can be taken once
    void offer.prompt();
  };
  return (
    <button type="button" className="btn" data-testid="install-now" onClick={install}>
      <Icon name="add" />
      <span>Install now</span>
    </button>
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
