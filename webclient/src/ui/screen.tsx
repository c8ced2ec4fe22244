import { type ComponentType, lazy, useState } from "react";

/**
 * A screen that is fetched when it is first wanted. Once it was fetched ahead it is drawn at once: a lazy component alone
 * would first draw nothing, for a third of a second.
 */
export function screenOf<M, P extends object>(
  fetcher: () => Promise<M>,
  of: (module: M) => ComponentType<P>,
) {
  let here: ComponentType<P> | undefined;
  const fetch = async () => (here ??= of(await fetcher()));
  const Lazy = lazy(async () => ({ default: await fetch() }));
  function Screen(props: P) {
    const [Shown] = useState<ComponentType<P>>(() => here ?? Lazy);
    return <Shown {...props} />;
  }
  return Object.assign(Screen, { fetch });
}
