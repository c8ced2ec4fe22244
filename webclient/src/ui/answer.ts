import { useEffect, useEffectEvent, useState } from "react";
import { reasonOf } from "../api";
import type { User } from "../gen/campfire/v1/user_pb";
import { useCampfire } from "../state";

interface Answer<T> {
  /** What was answered; undefined until then. */
  readonly value: T | undefined;
  /** Why there is no answer, as people are told, and what was thrown. */
  readonly failure: { readonly reason: string; readonly error: unknown } | undefined;
  /** Puts something newer in its place. */
  readonly set: (value: T) => void;
  /** Changes it, once it is there: several changes at a time too. */
  readonly change: (change: (value: T) => T) => void;
}

/** Asks the server for what a screen shows, again whenever the key changes. */
export function useAnswer<T>(key: string, ask: () => Promise<T>): Answer<T> {
  const [held, setHeld] = useState<{ key: string; value?: T; failure?: Answer<T>["failure"] }>({ key });
  const load = useEffectEvent(ask);
  useEffect(() => {
    let stale = false;
    load().then(
      (value) => !stale && setHeld({ key, value }),
      (error: unknown) => !stale && setHeld({ key, failure: { reason: reasonOf(error), error } }),
    );
    return () => {
      stale = true;
    };
  }, [key]);
  const fresh = held.key === key;
  return {
    value: fresh ? held.value : undefined,
    failure: fresh ? held.failure : undefined,
    set: (value) => setHeld({ key, value }),
    change: (change) =>
      setHeld((now) =>
        now.key === key && now.value !== undefined ? { key, value: change(now.value) } : now,
      ),
  };
}

/** Tells a screen that shows people of its own of each who has changed, or is new. */
export function useChangedUsers(onChanged: (user: User) => void) {
  const heard = useEffectEvent(onChanged);
  useEffect(
    () =>
      useCampfire.subscribe(({ changedUser }, before) => {
        if (changedUser && changedUser !== before.changedUser) heard(changedUser);
      }),
    [],
  );
}
