import { useMemo } from "react";
import { useCampfire } from "../state";

/** Who else is writing in this room. */
export function TypingIndicator({ roomId }: { roomId: string }) {
  const typists = useCampfire((s) => s.typists);
  const names = useMemo(() => {
    const here = typists.filter((t) => t.roomId === roomId);
    return here
      .map((t) => t.user.name)
      .sort((a, b) => a.localeCompare(b))
      .join(", ");
  }, [typists, roomId]);
  return (
    <div
      className={names ? "typing-indicator typing-indicator--active" : "typing-indicator"}
      role="status"
      data-testid="typing"
    >
      {names && (
        <>
          <span className="spinner" aria-hidden="true" />
          <span className="typing-indicator__author">{names}</span>
        </>
      )}
    </div>
  );
}
