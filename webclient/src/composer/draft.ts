/** How long the hand must rest before what was written is kept. */
const REST_MS = 250;

/** What one has begun to write in a room: kept in this tab, also when the page is loaded again. */
export class Draft {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private read: (() => string) | undefined;
  private readonly key: string;

  constructor(userId: string, roomId: string) {
    this.key = `campfire.draft.${userId}.${roomId}`;
  }

  /** What was kept, as HTML. */
  get kept(): string | undefined {
    return sessionStorage.getItem(this.key) ?? undefined;
  }

  /** Something was written: it is read and kept once the hand rests. */
  changed(read: () => string) {
    this.read = read;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.keep, REST_MS);
  }

  /** Keeps at once what is not kept yet. */
  readonly keep = () => {
    clearTimeout(this.timer);
    const html = this.read?.();
    this.read = undefined;
    if (html === undefined) return;
    try {
      if (html) sessionStorage.setItem(this.key, html);
      else sessionStorage.removeItem(this.key);
    } catch {
      // No room or no permission: the text lives as long as the page.
    }
  };
}
