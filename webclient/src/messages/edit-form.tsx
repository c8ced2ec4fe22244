import { useEffect, useRef, useState } from "react";
import { messageService, reasonOf } from "../api";
import type { Message } from "../gen/campfire/v1/message_pb";
import { removeMessage, saveMessage, update } from "../state";
import { confirm } from "../ui/dialog";
import { Editor, type EditorHandle } from "../ui/editor";
import { alertFlash, filesLater } from "../ui/flash";
import { Icon } from "../ui/icon";
import { Toolbar } from "../ui/toolbar";

/** A message being edited, in its bubble. */
export function EditForm({ message }: { message: Message }) {
  const id = `edit-${message.id}`;
  const editor = useRef<EditorHandle>(null);
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [emptied, setEmptied] = useState(false);
  const [initial] = useState(message.bodyHtml); // what is typed stays when the message changes elsewhere
  useEffect(() => {
    form.current?.scrollIntoView({ block: "center", behavior: "smooth" });
  }, []);

  useEffect(() => {
    if (emptied) form.current?.scrollIntoView({ block: "nearest" });
  }, [emptied]);

  const [fromComposer] = useState(() => document.activeElement?.closest(".composer") != null);
  const close = () => {
    const row = form.current?.closest(".message");
    update({ editing: undefined });
    // The options button is drawn again once the form is gone.
    requestAnimationFrame(() => {
      if (fromComposer) focusComposer();
      else row?.querySelector<HTMLElement>(".message__options-btn")?.focus();
    });
  };
  const save = async () => {
    const html = editor.current?.html() ?? "";
    if (busy) return;
    if (!html) {
      setEmptied(true);
      editor.current?.focus();
      return;
    }
    setBusy(true);
    try {
      const body = { case: "html", value: html } as const;
      const answer = await messageService.editMessage({ messageId: message.id, body });
      if (answer.message) saveMessage(answer.message);
      close();
    } catch (error) {
      setBusy(false);
      alertFlash(reasonOf(error));
    }
  };
  const remove = async () => {
    if (!(await confirm("Delete this message for everyone?", "Delete"))) return;
    try {
      await messageService.deleteMessage({ messageId: message.id });
      update({ editing: undefined });
      removeMessage(message.roomId, message.id);
      focusComposer();
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void save();
    else return false;
    return true;
  };

  return (
    <form
      ref={form}
      className="composer composer--edit"
      aria-label="Edit message"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Toolbar id={id} />
      <div className="composer__input">
        <Editor
          ref={editor}
          id={id}
          label="Edit message"
          initial={initial}
          autoFocus
          roomId={message.roomId}
          onKey={key}
          onChange={(empty) => !empty && setEmptied(false)}
          onFile={filesLater}
        />
      </div>
      {emptied && (
        <p className="composer__emptied" role="alert">
          A message needs a word or two. To take it away, delete it.
        </p>
      )}
      <div className="composer__edit-actions">
        <button
          type="submit"
          className="btn btn--reversed"
          aria-label="Save changes"
          title="Save changes"
          aria-busy={busy}
        >
          <Icon name="check" />
        </button>
        <button
          type="button"
          className="btn btn--negative"
          aria-label="Delete message"
          title="Delete message"
          onClick={() => void remove()}
        >
          <Icon name="trash" />
        </button>
      </div>
      <button
        type="button"
        className="btn composer__close"
        aria-label="Close editor and discard"
        title="Close editor and discard"
        onClick={close}
      >
        <Icon name="remove" />
      </button>
    </form>
  );
}

function focusComposer() {
  document.querySelector<HTMLElement>(".composer:not(.composer--edit) trix-editor")?.focus();
}
