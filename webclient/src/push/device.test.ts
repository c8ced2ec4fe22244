import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  GetPushKeyResponseSchema,
  ListPushSubscriptionsResponseSchema,
  PushSubscriptionSchema,
} from "../gen/campfire/v1/push_pb";
import { useInstalled } from "../installed";
import { lookAfter, pushService, subscribe, Unavailable, unsubscribe } from "./device";

/** What a browser keeps of push, as much of it as a page may use. */
class Browser {
  subscription: object | null = null;
  given = 0;
  refusal: DOMException | undefined;

  readonly pushManager = {
    getSubscription: () => Promise.resolve(this.subscription),
    subscribe: ({ applicationServerKey: key }: { applicationServerKey: string }) => {
      if (this.refusal) return Promise.reject(this.refusal);
      return Promise.resolve((this.subscription ??= this.give(key)));
    },
  };

  private give(key: string): object {
    const endpoint = `https://push.example/${++this.given}`;
    return {
      endpoint,
      options: { applicationServerKey: Uint8Array.from(atob(key), (c) => c.charCodeAt(0)).buffer },
      toJSON: () => ({ endpoint, keys: { p256dh: "point", auth: "secret" } }),
      unsubscribe: () => {
        this.subscription = null;
        return Promise.resolve(true);
      },
    };
  }
}

let browser: Browser;
/** The endpoints the server knows. */
let known: string[];
let publicKey: string;

beforeEach(() => {
  browser = new Browser();
  known = [];
  publicKey = "AAEC";
  localStorage.clear();
  useInstalled.setState({ notified: "checking" });
  const registration = { pushManager: browser.pushManager };
  vi.stubGlobal("PushManager", class {});
  vi.stubGlobal("Notification", { permission: "granted" });
  Object.defineProperty(navigator, "serviceWorker", {
    configurable: true,
    value: {
      register: () => Promise.resolve(registration),
      getRegistration: () => Promise.resolve(registration),
      ready: Promise.resolve(registration),
    },
  });
  // What goes over the network.
  vi.spyOn(pushService, "getPushKey").mockImplementation(() =>
    Promise.resolve(create(GetPushKeyResponseSchema, { publicKey })),
  );
  vi.spyOn(pushService, "registerPushSubscription").mockImplementation(({ endpoint }) => {
    known = [...known.filter((other) => other !== endpoint), endpoint!];
    return Promise.resolve({} as never);
  });
  vi.spyOn(pushService, "removePushSubscription").mockImplementation(({ subscriptionId }) => {
    known = known.filter((endpoint) => endpoint !== subscriptionId);
    return Promise.resolve({} as never);
  });
  vi.spyOn(pushService, "listPushSubscriptions").mockImplementation(() => {
    const subscriptions = known.map((endpoint) => create(PushSubscriptionSchema, { id: endpoint, endpoint }));
    return Promise.resolve(create(ListPushSubscriptionsResponseSchema, { subscriptions }));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, "serviceWorker");
});

const notified = () => useInstalled.getState().notified;

test("a subscription goes to the server, and ends at both ends", async () => {
  await subscribe("1");
  expect([known, notified()]).toEqual([["https://push.example/1"], "yes"]);
  await unsubscribe();
  expect([known, notified(), browser.subscription]).toEqual([[], "no", null]);
  await lookAfter("1");
  expect([known, notified(), browser.subscription]).toEqual([[], "no", null]);
});

test("one for a key the server no longer has is replaced", async () => {
  await subscribe("1");
  publicKey = "AwQF";
  await lookAfter("1");
  expect(known).toContain("https://push.example/2");
  expect(notified()).toBe("yes");
});

test("one that stays as it is, becomes this session's", async () => {
  await subscribe("1");
  await lookAfter("1");
  expect(pushService.registerPushSubscription).toHaveBeenCalledTimes(2);
  expect([browser.given, known, notified()]).toEqual([1, ["https://push.example/1"], "yes"]);
});

test("a server that cannot be asked changes nothing", async () => {
  await subscribe("1");
  vi.mocked(pushService.getPushKey).mockRejectedValue(new ConnectError("away", Code.Unavailable));
  await expect(lookAfter("1")).rejects.toThrow("away");
  expect([known.length, notified(), browser.subscription !== null]).toEqual([1, "yes", true]);
});

test("what the server refuses is forgotten", async () => {
  vi.mocked(pushService.registerPushSubscription).mockRejectedValue(
    new ConnectError("no", Code.InvalidArgument),
  );
  await expect(subscribe("1")).rejects.toThrow("no");
  expect(browser.subscription).toBeNull();
  await lookAfter("1");
  expect([browser.given, notified()]).toEqual([1, "no"]);
});

test.each([
  ["NotAllowedError", "blocked"],
  ["AbortError", "unreachable"],
])("a browser that answers %s is %s", async (name, reason) => {
  browser.refusal = new DOMException("no", name);
  await expect(subscribe("1")).rejects.toEqual(new Unavailable(reason as never));
  expect(known).toEqual([]);
});

test("a browser without push says so", async () => {
  Reflect.deleteProperty(navigator, "serviceWorker");
  await expect(subscribe("1")).rejects.toEqual(new Unavailable("unsupported"));
  await lookAfter("1");
  expect(notified()).toBe("no");
});

test("a permission taken back ends it, given again it is renewed", async () => {
  await subscribe("1");
  browser.subscription = null; // as the browser does with the permission
  vi.stubGlobal("Notification", { permission: "denied" });
  await lookAfter("1");
  expect(notified()).toBe("no");
  vi.stubGlobal("Notification", { permission: "granted" });
  await lookAfter("1");
  expect([browser.given, notified()]).toEqual([2, "yes"]);
});
