import { Code } from "@connectrpc/connect";
import { clientOf, codeOf } from "../api";
import { type PushSubscription as Registered, PushService } from "../gen/campfire/v1/push_pb";
import { register, useInstalled } from "../installed";

/** Push, for the screens that show its devices. */
export const pushService = clientOf(PushService);

/** Whose notifications this device gets. It is kept once the server knows of them, and outlives the subscription. */
const ownerKey = "campfire.notified";

/** Why a device gets no notifications although someone wants them. */
export class Unavailable extends Error {
  constructor(readonly reason: "blocked" | "unsupported" | "unreachable") {
    super(reason);
  }
}

/** Has this device notified of someone's messages. */
export async function subscribe(userId: string) {
  if (!(await canPush())) throw new Unavailable("unsupported");
  const { pushManager: push } = await navigator.serviceWorker.ready; // only a worker that is at work can subscribe
  const { publicKey } = await pushService.getPushKey({});
  const before = await push.getSubscription();
  if (before && keyOf(before) !== publicKey) await before.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: publicKey };
  const subscription = await push.subscribe(options).catch((error: unknown) => {
    const blocked = error instanceof DOMException && error.name === "NotAllowedError";
    throw new Unavailable(blocked ? "blocked" : "unreachable");
  });
  try {
    await makeKnown(subscription);
  } catch (error) {
    await drop(subscription); // nobody would ever use it
    throw error;
  }
  localStorage.setItem(ownerKey, userId);
  useInstalled.setState({ notified: "yes" });
}

/** Ends this device's notifications, here and at the server. */
export async function unsubscribe() {
  const subscription = await current();
  if (subscription) {
    const own = await registeredAs(subscription).catch(() => undefined);
    await drop(subscription);
    if (own) await forget(own);
  }
  useInstalled.setState({ notified: "no" });
}

/** Takes one of the person's devices off the server's list, and ends its notifications if it is this one. */
export async function remove(device: Registered) {
  const subscription = await current();
  await forget(device);
  if (subscription?.endpoint !== device.endpoint) return;
  await drop(subscription);
  useInstalled.setState({ notified: "no" });
}

/**
 * Finds out whether this device is notified for whoever is signed in. What the browser has lost or the server can no
 * longer use is made anew; what is another's, or was taken off the server's list, ends.
 */
export async function lookAfter(userId: string | undefined) {
  const subscription = await current();
  const owned = userId !== undefined && localStorage.getItem(ownerKey) === userId;
  if (!owned) {
    if (subscription) await drop(subscription);
    useInstalled.setState({ notified: "no" });
    return;
  }
  if (Notification.permission !== "granted") {
    useInstalled.setState({ notified: "no" });
    return;
  }
  if (subscription) useInstalled.setState({ notified: "yes" }); // as far as one knows
  const { publicKey } = await pushService.getPushKey({});
  if (!subscription || keyOf(subscription) !== publicKey) {
    await subscribe(userId);
  } else if (!(await registeredAs(subscription))) {
    await drop(subscription);
    useInstalled.setState({ notified: "no" });
  } else {
    await makeKnown(subscription); // the session of now may be another
  }
}

/** Tells the server of a subscription, which it keeps until the session ends. */
async function makeKnown(subscription: PushSubscription) {
  const { p256dh = "", auth = "" } = subscription.toJSON().keys ?? {};
  const keys = { p256dhKey: p256dh, authKey: auth };
  await pushService.registerPushSubscription({ endpoint: subscription.endpoint, ...keys });
}

async function canPush(): Promise<boolean> {
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return false;
  return register().then(
    () => true,
    () => false,
  );
}

async function current(): Promise<PushSubscription | null> {
  if (!("serviceWorker" in navigator && "PushManager" in window)) return null;
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Ends a subscription in the browser. What belonged to it is no longer remembered. */
async function drop(subscription: PushSubscription) {
  localStorage.removeItem(ownerKey);
  await subscription.unsubscribe().catch(() => undefined); // its push service is away: it forgets in its own time
}

async function forget({ id }: Registered) {
  try {
    await pushService.removePushSubscription({ subscriptionId: id });
  } catch (error) {
    if (codeOf(error) !== Code.NotFound) throw error;
  }
}

async function registeredAs({ endpoint }: PushSubscription): Promise<Registered | undefined> {
  const { subscriptions } = await pushService.listPushSubscriptions({});
  return subscriptions.find((s) => s.endpoint === endpoint);
}

/** The server's key that a subscription is for, written as the server writes it. */
function keyOf({ options }: PushSubscription): string {
  const bytes = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer());
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
