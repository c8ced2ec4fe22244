import { presenceService } from "../api";

/** How often at most the others are told that one is typing. */
export const TELL_MS = 1000;

/** Tells a room that one is typing or has stopped, no more often than needed. */
export class TypingNotice {
  private lastTold = 0;
  private readonly roomId: string;

  constructor(roomId: string) {
    this.roomId = roomId;
  }

  /** One has typed something and there is text. */
  typed() {
    const now = Date.now();
    if (now - this.lastTold < TELL_MS) return;
    this.lastTold = now;
    presenceService.startTyping({ roomId: this.roomId }).catch(ignore);
  }

  /** The text was sent or is gone. */
  stopped() {
    if (this.lastTold === 0) return;
    this.lastTold = 0;
    presenceService.stopTyping({ roomId: this.roomId }).catch(ignore);
  }
}

function ignore() {
  // Typing is a courtesy: nobody is told that it could not be told.
}
