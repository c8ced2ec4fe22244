import { useCallback, useLayoutEffect, useRef, useState } from "react";
import { messageService, reasonOf } from "../api";
import type { Message } from "../gen/campfire/v1/message_pb";
import { saveMessage, update } from "../state";
import { CopyButton } from "../ui/copy";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { opensUpward, useDismiss } from "../ui/menu";

const quickBoosts = [
  ["👍", "Thumbs up"],
  ["👏", "Clapping"],
  ["👋", "Waving hand"],
  ["💪", "Muscle"],
  ["❤️", "Red heart"],
  ["😂", "Face with tears of joy"],
  ["🎉", "Party popper"],
  ["🔥", "Fire"],
] as const;

interface Props {
  readonly message: Message;
  readonly mayEdit: boolean;
  readonly onBoost: () => void;
}

/** The three dots of a message, and what can be done with it. */
export function Options({ message, mayEdit, onBoost }: Props) {
  const [open, setOpen] = useState(false);
  const [up, setUp] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const close = useCallback(() => setOpen(false), []);
  useDismiss(box, open, close);
  useLayoutEffect(() => {
    setUp(open && opensUpward(menu.current!));
  }, [open]);

  const choose = (act: () => void) => () => {
    close();
    act();
  };
  const permalink = new URL(`/rooms/${message.roomId}/@${message.id}`, location.origin).href;

  return (
    <div ref={box} className={open ? "message__options open" : "message__options"}>
      <button
        type="button"
        className="btn message__options-btn"
        aria-label="Message options"
        aria-haspopup="true"
        aria-expanded={open}
        data-testid="message-menu-button"
        onClick={() => setOpen(!open)}
      >
        <Icon name="menu-dots-horizontal" />
      </button>
      {open && (
        <div
          ref={menu}
          className={up ? "message__actions message__actions--up" : "message__actions"}
          role="group"
          aria-label="Message options"
          data-testid="message-menu"
        >
          <div className="quick-boosts">
            {quickBoosts.map(([emoji, name]) => (
              <button
                key={emoji}
                type="button"
                className="btn"
                title={name}
                aria-label={name}
                onClick={() => {
                  close();
                  box.current?.querySelector("button")?.focus();
                  void boost(message, emoji);
                }}
              >
                <span className="boost-character">{emoji}</span>
              </button>
            ))}
            <button
              type="button"
              className="btn"
              title="New boost"
              aria-label="New boost"
              onClick={choose(onBoost)}
            >
              <Icon name="boost" />
            </button>
          </div>
          <div className="message__action-row">
            <button
              type="button"
              className="btn"
              title="Reply"
              aria-label="Reply"
              onClick={choose(() => update({ quoting: message }))}
            >
              <Icon name="reply" />
            </button>
            <CopyButton text={permalink} label="Copy link" />
            {mayEdit && (
              <button
                type="button"
                className="btn"
                title="Edit"
                aria-label="Edit"
                onClick={choose(() => update({ editing: message.id }))}
              >
                <Icon name="pencil" />
              </button>
            )}
          </div>
        </div>
      )}
    </div>
  );
}

async function boost(message: Message, content: string) {
  try {
    const answer = await messageService.addBoost({ messageId: message.id, content });
    if (answer.message) saveMessage(answer.message);
  } catch (error) {
    alertFlash(reasonOf(error));
  }
}
