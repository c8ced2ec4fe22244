import { useEffect, useId, useRef, useState } from "react";
import type { Message } from "../gen/campfire/v1/message_pb";
import type { Room } from "../gen/campfire/v1/room_pb";
import { addPost, current, update, useCampfire } from "../state";
import { Editor, type EditorHandle, Toolbar } from "../ui/editor";
import { alertFlash, comingLater } from "../ui/flash";
import { Icon } from "../ui/icon";
import { roomGone } from "./outbox";
import { TypingIndicator } from "./typing-indicator";
import { TypingNotice } from "./typing";

interface Props {
  readonly room: Room;
  /** Brings the list to the end of the room before something is posted. */
  readonly onPost: () => void;
  /** A message as HTML to quote. */
  readonly quote: (message: Message) => string;
}

const touch = navigator.maxTouchPoints > 0;

/** Where a message to the room is written. Key it by the room: what was typed stays with it. */
export function Composer({ room, onPost, quote }: Props) {
  const id = useId();
  const editor = useRef<EditorHandle>(null);
  const [formatting, setFormatting] = useState(false);
  const [typing] = useState(() => new TypingNotice(room.id));
  const quoting = useCampfire((s) => s.quoting);
  const disabled = useCampfire((s) => s.connection === "lost");
  const gone = useCampfire((s) => s.posts.some((p) => p.roomId === room.id && p.failure === roomGone));

  useEffect(() => () => typing.stopped(), [typing]);
  useEffect(() => {
    if (!quoting) return;
    editor.current?.replace(quote(quoting));
    editor.current?.focus();
    update({ quoting: undefined });
  }, [quoting, quote]);
  useEffect(() => {
    const up = (event: KeyboardEvent) => {
      if (document.activeElement === document.body && isPlainArrowUp(event) && editLast(room.id)) {
        event.preventDefault();
      }
    };
    document.addEventListener("keydown", up);
    return () => document.removeEventListener("keydown", up);
  }, [room.id]);

  const send = () => {
    const html = editor.current?.html();
    if (!html || disabled) return;
    onPost();
    addPost(room.id, html);
    editor.current?.clear();
    typing.stopped();
    setFormatting(false);
    editor.current?.focus();
  };
  const key = (event: KeyboardEvent, empty: boolean) => {
    if (event.isComposing || event.keyCode === 229) return false; // an input method has the key
    if (empty && isPlainArrowUp(event)) return editLast(room.id);
    if (event.key !== "Enter") return false;
    const plain = !event.shiftKey && !formatting && !touch;
    if (!plain && !event.metaKey && !event.ctrlKey) return false;
    send();
    return true;
  };

  if (gone) {
    return (
      <div className="composer__gone shake" role="alert">
        This room no longer exists.
      </div>
    );
  }
  const later = () => comingLater("File sharing available in v2.0");
  return (
    <>
      <TypingIndicator roomId={room.id} />
      <form
        className={formatting ? "composer composer--rich-text" : "composer"}
        aria-label="New message"
        data-testid="composer"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <a className="btn composer__context-btn" href="/searches" aria-label="Search" title="Search">
          <Icon name="search" />
        </a>
        <fieldset className="composer__fieldset" disabled={disabled}>
          <div className="composer__input">
            <Icon name="messages-outlined" className="composer__input-hint" />
            <Editor
              ref={editor}
              id={id}
              label="Write a message"
              autoFocus={!touch}
              onKey={key}
              onChange={(empty) => (empty ? typing.stopped() : typing.typed())}
              onFile={later}
              onUnavailable={() => alertFlash("The editor could not be loaded. Load the page again.")}
            />
            <button
              type="button"
              className="btn btn--borderless composer__attachment-btn"
              aria-label="Attach files"
              title="Attach files"
              data-testid="attach"
              onClick={later}
            >
              <Icon name="attachment" />
            </button>
            <button
              type="button"
              className="btn btn--borderless composer__rich-text-btn"
              aria-label="Formatting"
              title="Formatting"
              aria-pressed={formatting}
              data-testid="toolbar-toggle"
              onClick={() => {
                setFormatting(!formatting);
                editor.current?.focus();
              }}
            >
              <Icon name="text-options" />
            </button>
            <button
              type="submit"
              className="btn btn--reversed composer__send-btn"
              aria-label="Send message"
              title="Send message"
              data-testid="send"
            >
              <Icon name="arrow-up" />
            </button>
            <Toolbar id={id} />
          </div>
        </fieldset>
        {disabled && (
          <p className="composer__offline for-screen-reader" role="status">
            The connection is lost. Your text is kept; sending works again once Campfire can be reached.
          </p>
        )}
      </form>
    </>
  );
}

function isPlainArrowUp(event: KeyboardEvent): boolean {
  const modified = event.shiftKey || event.altKey || event.metaKey || event.ctrlKey;
  return event.key === "ArrowUp" && !modified;
}

/** Opens the editor of one's own last message, if the list ends where the room does. */
function editLast(roomId: string): boolean {
  const { timeline, user } = current();
  if (timeline?.roomId !== roomId || timeline.hasNewer) return false;
  const last = timeline.messages.findLast((m) => m.creator?.id === user?.id);
  if (last) update({ editing: last.id });
  return last !== undefined;
}
