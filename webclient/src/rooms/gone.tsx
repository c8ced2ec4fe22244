import { useEffect } from "react";
import { Code } from "@connectrpc/connect";
import { codeOf, roomService } from "../api";
import { saveRoom, useCampfire } from "../state";
import { alertFlash } from "../ui/flash";
import { navigate } from "../ui/router";

/** Whether a call failed because the room is gone, or never was this person's. */
export function isGone(error: unknown): boolean {
  return [Code.NotFound, Code.InvalidArgument].includes(codeOf(error));
}

/** Leads home from a room that is gone, and says so. */
export function leave() {
  alertFlash("That room is gone or you don’t have access.");
  navigate("/", { replace: true });
}

/** The room that is being changed or deleted here. Whoever does that is told by the answer. */
let changing: string | undefined;

/** Changes or deletes a room, so that its screen does not take that for news. */
export async function changeRoom(roomId: string, change: () => Promise<void>) {
  changing = roomId;
  try {
    await change();
  } finally {
    changing = undefined;
  }
}

/** Leads home from a room's screen once the room is gone, or no longer one of this person's. */
export function useLeaving(roomId: string) {
  const missing = useCampfire((s) => s.rooms !== undefined && !s.rooms[roomId]);
  useEffect(() => {
    if (!missing || changing === roomId) return;
    let left = false;
    // It may only be hidden from the sidebar.
    roomService.getRoom({ roomId }).then(
      (answer) => answer.room && saveRoom(answer.room),
      (error: unknown) => {
        if (isGone(error) && !left) leave();
      },
    );
    return () => {
      left = true;
    };
  }, [missing, roomId]);
}

/** Stands where a room would be, and leads home. */
export function Left() {
  useEffect(leave, []);
  return null;
}
