import { Code } from "@connectrpc/connect";
import { codeOf, presenceService } from "../api";
import { markUnread, useCampfire } from "../state";

/** How often presence is renewed. The server lets it lapse after 60 seconds. */
export const REFRESH_MS = 50_000;
/** How long a tab must stay hidden or shown before that counts. */
export const SETTLE_MS = 5000;

/** Keeps the person present in a room while the tab shows it. Returns how to leave. */
export function bePresent(roomId: string): () => void {
  let present = document.visibilityState === "visible";
  let settle: ReturnType<typeof setTimeout> | undefined;
  let at: string | undefined;

  const enter = () => {
    const { streamId, rooms } = useCampfire.getState();
    // First one has to know what is unread: once one is there, all of it counts as read.
    if (!present || !rooms || !streamId || streamId === at) return;
    at = streamId;
    markUnread(roomId, false);
    presenceService.enterRoom({ roomId, streamId }).catch(ignore);
  };
  const refresh = async () => {
    if (!present || !at) return;
    try {
      await presenceService.refreshPresence({ roomId, streamId: at });
    } catch (error) {
      if (codeOf(error) !== Code.FailedPrecondition) return;
      at = undefined; // that stream is over: enter with the one that is open
      enter();
    }
  };
  const leave = () => {
    if (at) presenceService.leaveRoom({ roomId, streamId: at }).catch(ignore);
    at = undefined;
  };
  const settled = () => {
    const visible = document.visibilityState === "visible";
    if (visible === present) return;
    present = visible;
    if (present) enter();
    else leave();
  };
  const flipped = () => {
    clearTimeout(settle);
    settle = setTimeout(settled, SETTLE_MS);
  };

  enter();
  const stop = useCampfire.subscribe((now, before) => {
    if (now.streamId !== before.streamId || (now.rooms && !before.rooms)) enter();
  });
  const renewal = setInterval(() => void refresh(), REFRESH_MS);
  document.addEventListener("visibilitychange", flipped);
  return () => {
    stop();
    clearInterval(renewal);
    clearTimeout(settle);
    document.removeEventListener("visibilitychange", flipped);
    leave();
  };
}

function ignore() {
  // Presence is a courtesy; the next renewal tries again.
}
