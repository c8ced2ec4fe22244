import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { Message } from "../gen/campfire/v1/message_pb";
import type { Room } from "../gen/campfire/v1/room_pb";
import { addPost, current, discardPost, update, useCampfire } from "../state";
import { confirm } from "../ui/dialog";
import { Editor, type EditorHandle } from "../ui/editor";
import { alertFlash, comingLater, filesLater } from "../ui/flash";
import { Icon } from "../ui/icon";
import { Toolbar } from "../ui/toolbar";
import { Draft } from "./draft";
import { roomGone } from "./outbox";
import { TypingIndicator } from "./typing-indicator";
import { TypingNotice } from "./typing";

interface Props {
  readonly room: Room;
  readonly userId: string;
  /** Brings the list to the end of the room before something is posted. */
  readonly onPost: () => void;
  /** A message as HTML to quote. */
  readonly quote: (message: Message) => string;
  /** The words a text may be completed to. */
  readonly words: (text: string) => readonly string[];
}

/** Whether one points with a finger here, so that Enter makes a line and a keyboard would cover half of the screen. */
const touch = matchMedia("(pointer: coarse)").matches;

/** Where a message to the room is written. Key it by the room: what was typed stays with it. */
export function Composer({ room, userId, onPost, quote, words }: Props) {
  const id = useId();
  const editor = useRef<EditorHandle>(null);
  const [formatting, setFormatting] = useState(false);
  const [typing] = useState(() => new TypingNotice(room.id));
  const [draft] = useState(() => new Draft(userId, room.id));
  const [initial] = useState(() => draft.kept);
  const quoting = useCampfire((s) => s.quoting);
  const recalled = useCampfire((s) => s.recalled);
  const away = useCampfire((s) => s.connection === "away" || s.connection === "lost");
  const disabled = useCampfire((s) => s.connection === "lost");
  const gone = useCampfire((s) => s.posts.some((p) => p.roomId === room.id && p.failure === roomGone));

  useEffect(() => () => typing.stopped(), [typing]);
  useLayoutEffect(() => {
    window.addEventListener("pagehide", draft.keep);
    return () => {
      window.removeEventListener("pagehide", draft.keep);
      draft.keep(); // while the editor is still there
    };
  }, [draft]);
  useEffect(() => {
    if (!quoting && !recalled) return;
    update({ quoting: undefined, recalled: undefined });
    void startWith(quoting ? quote(quoting) : recalled!.html);
    async function startWith(html: string) {
      const replace = !editor.current?.html() || (await confirm("Replace what you have written?", "Replace"));
      const replaced = replace ? editor.current?.replace(html) : undefined;
      editor.current?.focus();
      await replaced;
      if (replaced && recalled) discardPost(recalled.clientMessageId); // not before: until then it is all there is
    }
  }, [quoting, recalled, quote]);
  useEffect(() => {
    const up = (event: KeyboardEvent) => {
      if (document.activeElement === document.body && isPlainArrowUp(event) && editLast(room.id)) {
        event.preventDefault();
      }
    };
    document.addEventListener("keydown", up);
    return () => document.removeEventListener("keydown", up);
  }, [room.id]);

  const read = () => editor.current?.html() ?? "";
  const send = () => {
    const html = read();
    if (!html || disabled || !editor.current?.allSeen()) return; // nobody sends what cannot be seen
    onPost();
    addPost(room.id, html);
    editor.current.clear();
    draft.changed(() => "");
    draft.keep();
    typing.stopped();
    setFormatting(false);
    editor.current?.focus();
  };
  const key = (event: KeyboardEvent, empty: boolean) => {
    if (empty && isPlainArrowUp(event)) return editLast(room.id);
    if (event.key !== "Enter") return false;
    const plain = !event.shiftKey && !formatting && !touch;
    if (!plain && !event.metaKey && !event.ctrlKey) return false;
    send();
    return true;
  };
  const changed = (empty: boolean) => {
    draft.changed(read);
    if (empty) typing.stopped();
    else typing.typed();
  };
  // The window for a link's address belongs to the toolbar, which may be hidden when Ctrl+K asks for it.
  const showDialog = () => {
    flushSync(() => setFormatting(true));
    document.getElementById(`${id}-toolbar`)?.querySelector<HTMLElement>("[data-trix-active] input")?.focus();
  };
  if (gone) {
    return (
      <div className="composer__gone shake" role="alert">
        This room no longer exists.
      </div>
    );
  }
  return (
    <>
      <TypingIndicator roomId={room.id} />
      {away && (
        <p className="composer__offline" role="status" data-testid="offline">
          <span className="spinner" aria-hidden="true" />
          <span>
            {disabled
              ? "The connection is lost. Your text is kept, and sending works again once Campfire is back."
              : "Connecting again…"}
          </span>
        </p>
      )}
      <form
        className={formatting ? "composer composer--rich-text" : "composer"}
        aria-label="New message"
        data-testid="composer"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <a
          className="btn composer__context-btn"
          href="/searches"
          data-opens=""
          aria-label="Search"
          title="Search"
        >
          <Icon name="search" />
        </a>
        <fieldset className="composer__fieldset" disabled={disabled}>
          <div className="composer__input">
            <Icon name="messages-outlined" className="composer__input-hint" />
            <Editor
              ref={editor}
              id={id}
              label="Write a message"
              initial={initial}
              autoFocus={!touch}
              disabled={disabled}
              roomId={room.id}
              words={words}
              onKey={key}
              onChange={changed}
              onFile={filesLater}
              onLink={previewsLater}
              onDialog={showDialog}
              onUnavailable={() => alertFlash("The editor could not be loaded. Load the page again.")}
            />
            <button
              type="button"
              className="btn btn--borderless composer__attachment-btn"
              aria-label="Attach files"
              title="Attach files"
              data-testid="attach"
              onClick={filesLater}
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
      </form>
    </>
  );
}

/** Says once a session that links will have previews. */
function previewsLater() {
  if (sessionStorage.getItem("campfire.previews-later")) return;
  sessionStorage.setItem("campfire.previews-later", "told");
  comingLater("Link previews coming in v2.0");
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
