/// <reference lib="webworker" />
declare const self: ServiceWorkerGlobalScope;

/** The names of this build's hashed files; the build writes them in. */
declare const ASSETS: readonly string[];

const CACHE = "assets";

/** What a push brings; see the server's notices. */
interface Payload {
  readonly title?: string;
  readonly options?: {
    readonly body?: string;
    readonly icon?: string;
    readonly tag?: string;
    readonly data?: { readonly path?: string; readonly badge?: number };
  };
}

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(ASSETS)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forgetOldAssets(), self.registration.navigationPreload.enable()]));
});

// A new version waits until someone wants it: the pages that are open were made for the old one.
self.addEventListener("message", (event) => {
  if (event.data === "take over") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (pathname.startsWith("/assets/")) event.respondWith(asset(request));
});

self.addEventListener("push", (event) => {
  const { title = "Campfire", options } = payloadOf(event.data);
  const tag = options?.tag ?? "";
  const shown = self.registration.showNotification(title, {
    body: options?.body ?? "",
    icon: options?.icon ?? "/icons/icon-192.png",
    tag, // a newer one of the same tag takes its place, and is heard all the same
    ...(tag && { renotify: true }),
    data: { path: options?.data?.path ?? "/" },
  });
  event.waitUntil(Promise.all([shown, setBadge(options?.data?.badge)]));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(lead((event.notification.data as { path: string }).path));
});

// The browser has replaced or ended the subscription by itself: without telling the server nothing would come any more.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(subscribeAnew());
});

async function subscribeAnew() {
  const call = async (method: string, request: object) => {
    const answer = await fetch(`/campfire.v1.PushService/${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(request),
    });
    if (!answer.ok) throw new Error(`${method} answered ${answer.status}`);
    return (await answer.json()) as { readonly publicKey: string };
  };
  const { pushManager } = self.registration;
  const { publicKey: applicationServerKey } = await call("GetPushKey", {});
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  const { p256dh: p256dhKey, auth: authKey } = subscription.toJSON().keys ?? {};
  await call("RegisterPushSubscription", { endpoint: subscription.endpoint, p256dhKey, authKey });
}

async function forgetOldAssets() {
  const cache = await caches.open(CACHE);
  for (const request of await cache.keys()) {
    if (!ASSETS.includes(new URL(request.url).pathname)) await cache.delete(request);
  }
}

/** A hashed file never changes: the copy at hand is as good as the server's. */
async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? fetch(request);
}

/** Pages come from the server alone; without it there is one that says so. */
async function page(event: FetchEvent): Promise<Response> {
  try {
    return ((await event.preloadResponse) as Response | undefined) ?? (await fetch(event.request));
  } catch {
    return new Response(unreachable, {
      status: 503,
      headers: {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
      },
    });
  }
}

function payloadOf(data: PushMessageData | null): Payload {
  try {
    return (data?.json() as Payload | null) ?? {};
  } catch {
    return {}; // not from our server, yet a push must show something
  }
}

async function setBadge(count: number | undefined) {
  if (count === undefined || !("setAppBadge" in navigator)) return;
  await (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge());
}

/** Leads to a path of ours: in the window one looks at, else in another that is open, else in a new one. */
async function lead(path: string) {
  const url = new URL(path, self.location.origin);
  if (url.origin !== self.location.origin) return;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open =
    windows.find((w) => w.focused) ?? windows.find((w) => w.visibilityState === "visible") ?? windows[0];
  if (!open) {
    await self.clients.openWindow(url.href);
    return;
  }
  open.postMessage({ navigate: url.pathname + url.search + url.hash });
  await open.focus().catch(() => undefined); // not every system lets us
}

// As the client's own pages for what cannot be shown, which cannot be had without a server.
const unreachable = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>Campfire cannot be reached</title>
<style>
  :root { --ink: #000; --paper: #fff; background: var(--paper); color: var(--ink); font: 1rem/1.4 system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { :root { --ink: #fff; --paper: #000; color-scheme: dark; } }
  body { display: grid; justify-items: center; margin: 1rem; min-block-size: calc(100dvh - 2rem); place-content: center;
    text-align: center; }
  svg { fill: none; stroke: currentcolor; stroke-linecap: round; stroke-linejoin: round; stroke-width: 2.25; }
  main { display: contents; }
  div { background: var(--ink); block-size: 30dvh; border-radius: 50%; color: var(--paper); display: grid;
    inline-size: 30dvh; place-items: center; }
  div svg { inline-size: 50%; }
  h1 { font-size: 1.3rem; margin-block: 2rem 0.5rem; }
  p { margin-block: 0 2rem; }
  a { border: 1px solid #767676; border-radius: 50%; block-size: 42px; color: inherit; display: grid; inline-size: 42px;
    place-items: center; }
  a:focus-visible { outline: 3px solid #5aa9ff; outline-offset: 2px; }
  a svg { inline-size: 20px; }
</style>
<body>
<main>
<div><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 4l9.3 16H2.7zM12 10v4.5M12 17.3v.01"/></svg></div>
<h1>Campfire cannot be reached</h1>
<p>This device is offline, or the server does not answer.<br>It is tried again every ten seconds.</p>
<a href="" aria-label="Try again now" title="Try again now"><svg viewBox="0 0 24 24" aria-hidden="true"><path
 d="M20 10.5A8.3 8.3 0 0 0 4.7 8.5M4 13.5a8.3 8.3 0 0 0 15.3 2M4.5 3.5v5h5M19.5 20.5v-5h-5"/></svg></a>
</main>
</html>
`;
