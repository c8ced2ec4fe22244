/** How long a key waits at most. */
export const WAIT_MS = 1000;

/** Keys pressed before what the first of them is for has come: they wait for it, and then act in turn. */
export class HeldKeys {
  private keys: KeyboardEvent[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Each key acts once; waited is true of the one that the others waited behind. */
  constructor(private readonly act: (key: KeyboardEvent, waited: boolean) => void) {}

  /** Lets a key wait until something has come, or for a second. */
  hold(key: KeyboardEvent, coming: Promise<unknown>) {
    this.keys = [key];
    this.timer = setTimeout(this.release, WAIT_MS);
    void coming.then(() => {
      if (this.keys[0] === key) this.release();
    });
  }

  /** Whether a key now waits behind others. Only text and Enter do: any other key ends the waiting, and comes after. */
  follows(key: KeyboardEvent): boolean {
    if (this.keys.length === 0 || /^(Shift|CapsLock|Control|Alt|AltGraph|Meta)$/.test(key.key)) return false;
    const writes = key.key.length === 1 || key.key === "Enter";
    if (writes && !key.ctrlKey && !key.metaKey && !key.altKey) return this.keys.push(key) > 0;
    this.release();
    return false;
  }

  /** Ends the waiting. */
  readonly release = () => {
    clearTimeout(this.timer);
    const [first, ...others] = this.keys.splice(0);
    if (first) this.act(first, true);
    for (const key of others) if (!this.follows(key)) this.act(key, false);
  };
}
