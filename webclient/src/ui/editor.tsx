import { type Ref, useEffect, useImperativeHandle, useRef } from "react";
import type Trix from "trix";
import type { TrixEditor, TrixEditorElement } from "trix";
import { useCompletion } from "./completion";
import { HeldKeys } from "./held-keys";
import { mentionAttachment, withAttachments, withoutAttachments } from "./mentions";
import { fullAddress } from "./toolbar";
import type { Choice, Token } from "./tokens";

/** What others may do to an editor. */
export interface EditorHandle {
  /** Whether all it holds can be seen: what it holds at first, and what was put into it, waits for Trix. */
  allSeen(): boolean;
  /** What it holds, as HTML; empty if that is nothing but space. */
  html(): string;
  clear(): void;
  focus(): void;
  /**
   * Puts HTML in place of everything, so that undo brings the former text back: at once, or when Trix is there, before what
   * is written meanwhile. The promise is kept only then.
   */
  replace(by: string): Promise<void>;
}

interface EditorProps {
  readonly ref: Ref<EditorHandle>;
  readonly id: string;
  readonly label: string;
  /** What it holds at first, as HTML. Later changes are not followed. */
  readonly initial?: string | undefined;
  readonly autoFocus?: boolean;
  readonly placeholder?: string;
  /** Nothing can be written for the time being. */
  readonly disabled?: boolean;
  /** The room whose members are offered after "@". */
  readonly roomId?: string;
  /** The words offered to complete a text. */
  readonly words?: (text: string) => readonly string[];
  /** Called on each key before Trix sees it; true keeps it from Trix. */
  readonly onKey: (event: KeyboardEvent, empty: boolean) => boolean;
  readonly onChange?: (empty: boolean) => void;
  /** The editor could not be loaded. */
  readonly onUnavailable?: () => void;
  /** Files were pasted or dropped; they never go into the text. */
  readonly onFile?: () => void;
  /** A lone address was pasted, and has become a link. */
  readonly onLink?: () => void;
  /** A key has opened the window of the toolbar in which a link's address is written. */
  readonly onDialog?: () => void;
}

/** HTML that waits for Trix, and what it is to replace. */
interface Replacement {
  readonly former: string;
  readonly by: string;
  readonly done: () => void;
}

/**
 * A Trix editor, loaded when it is first needed. Until then its element takes plain text, which Trix then goes on with.
 * Its toolbar is a Toolbar of the same id.
 */
export function Editor(props: EditorProps) {
  const { ref, id, label, initial, autoFocus, placeholder, disabled = false, roomId, words } = props;
  const element = useRef<TrixEditorElement>(null);
  const replacement = useRef<Replacement>(undefined);
  const handlers = useRef(props);
  useEffect(() => {
    handlers.current = props;
  });
  const completion = useCompletion(element, { roomId, words }, (token, choice, after) => {
    const editor = editorOf(element.current);
    if (editor) complete(editor, token, choice, after);
  });
  const completing = useRef(completion);
  useEffect(() => {
    completing.current = completion;
  });

  const html = () => {
    const trix = element.current;
    if (trix && !trix.editor) return (replacement.current?.former ?? initial ?? "") + plainHtml(trix);
    if (!trix || isEmpty(trix)) return "";
    trix.editorController?.render(); // else the last letters of a fast hand are missing
    return withoutAttachments(trix.value);
  };
  useImperativeHandle(ref, () => ({
    allSeen: () => Boolean(editorOf(element.current)) || !(initial || replacement.current),
    html,
    clear: () => {
      const trix = element.current;
      if (trix?.editor) trix.editor.loadHTML("");
      else trix?.replaceChildren();
    },
    focus: () => element.current?.focus(),
    replace: (by) =>
      new Promise((done) => {
        const trix = element.current!;
        if (trix.editor) {
          replaceAll(trix.editor, by);
          return done();
        }
        replacement.current = { former: html(), by, done };
        trix.replaceChildren();
      }),
  }));

  useEffect(() => {
    const trix = element.current!;
    const written = document.activeElement === trix;
    setEditable(trix, !disabled);
    trix.ariaDisabled = disabled ? "true" : null;
    if (!disabled) return;
    return () => {
      setEditable(trix, true);
      if (written && document.activeElement === document.body) trix.focus();
    };
  }, [disabled]);

  useEffect(() => {
    const trix = element.current!;
    let early = "";
    // Trix is about to take the element over, and draws it anew.
    const loaded = () => {
      early = plainHtml(trix);
      void loadTrix().then(ready);
    };
    const ready = () => {
      const { editor } = trix;
      if (!editor) return;
      const waiting = replacement.current;
      const first = waiting?.former ?? (initial ?? "") + early;
      if (first) editor.loadHTML(withAttachments(first));
      if (waiting) {
        replaceAll(editor, waiting.by);
        if (early) editor.insertHTML(early);
        waiting.done();
        replacement.current = undefined;
      }
      setEditable(trix, !handlers.current.disabled);
      trix.setAttribute("aria-label", label);
      trix.setAttribute("data-ready", "");
      if (autoFocus && document.activeElement === document.body) trix.focus();
      if (document.activeElement === trix) editor.setSelectedRange(editor.getDocument().getLength() - 1);
    };
    const changed = () => handlers.current.onChange?.(isEmpty(trix));
    const typed = () => {
      if (!trix.editor) changed();
    };
    const taken = (event: KeyboardEvent, waited = false): boolean => {
      if (completing.current.key(event)) return true;
      const names = isPlainEnter(event) && !waited && completing.current.hurry();
      if (!names) return handlers.current.onKey(event, isEmpty(trix));
      held.hold(event, names); // for the first of them
      return true;
    };
    const held = new HeldKeys((event, waited) => {
      if (taken(event, waited)) return;
      if (isPlainEnter(event)) trix.editor?.insertLineBreak();
      else trix.editor?.insertString(event.key === "Enter" ? "\n" : event.key);
    });
    const pressed = (event: KeyboardEvent) => {
      const composing = event.isComposing || event.keyCode === 229; // an input method has the key
      if (composing) return held.release();
      if (!held.follows(event) && !taken(event)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    const refuse = (event: Event) => {
      event.preventDefault();
      handlers.current.onFile?.();
    };
    const pasted = (event: ClipboardEvent) => {
      if (!trix.editor) return; // it takes plain text alone
      held.release();
      const clipboard = event.clipboardData;
      const end = () => {
        event.preventDefault();
        event.stopImmediatePropagation();
      };
      if (clipboard?.files.length) {
        // A pasted file would put a picture into the text: its paste ends here, and only text that is with it goes on.
        handlers.current.onFile?.();
        end();
        const html = clipboard.getData("text/html");
        if (html) trix.editor.insertHTML(withoutPictures(html));
        else trix.editor.insertString(clipboard.getData("text/plain"));
      } else if (pasteLink(trix.editor, clipboard?.getData("text/plain").trim() ?? "")) {
        end();
        handlers.current.onLink?.();
      }
    };
    const cleaned = (event: Event) => {
      const { paste } = event as Event & { paste?: { html?: string } };
      if (paste?.html) paste.html = withoutPictures(paste.html);
    };
    const dialog = () => handlers.current.onDialog?.();
    const heard: [string, (event: never) => void, boolean][] = [
      ["trix-before-initialize", loaded, false],
      ["input", typed, false],
      ["trix-change", changed, false],
      ["trix-file-accept", refuse, false],
      ["trix-before-paste", cleaned, false],
      ["trix-toolbar-dialog-show", dialog, false],
      ["keydown", pressed, true],
      ["paste", pasted, true],
      ["blur", held.release, false],
    ];
    for (const [name, listener, capture] of heard)
      trix.addEventListener(name, listener as EventListener, { capture });
    if (autoFocus) trix.focus();
    if (trix.editor) ready();
    else loadTrix().catch(() => handlers.current.onUnavailable?.());
    return () => {
      for (const [name, listener, capture] of heard)
        trix.removeEventListener(name, listener as EventListener, { capture });
    };
  }, [initial, autoFocus, label]);

  return (
    <>
      <input type="hidden" id={`${id}-input`} />
      <trix-editor
        ref={element}
        class="trix-content"
        input={`${id}-input`}
        toolbar={`${id}-toolbar`}
        role="textbox"
        aria-label={label}
        aria-multiline="true"
        data-testid="editor"
        {...(placeholder ? { placeholder } : {})}
      />
      {completion.list}
    </>
  );
}

let trixModule: typeof Trix | undefined;
let loading: Promise<void> | undefined;

/** Starts loading the editor before the first one is shown. */
export function preloadEditor() {
  loadTrix().catch(() => undefined); // the editor itself will tell
}

/** Loads Trix, once, and teaches it the line that says whom a quote is from. */
function loadTrix(): Promise<void> {
  loading ??= import("trix").then((loaded) => {
    trixModule = loaded.default;
    trixModule.config.blockAttributes["cite"] = { tagName: "cite", inheritable: false };
  });
  loading.catch(() => {
    loading = undefined; // the next editor tries again
  });
  return loading;
}

/** Puts a chosen name or word in place of what was written of it. */
function complete(editor: TrixEditor, { start, end }: Token, { label, user }: Choice, after: string) {
  editor.recordUndoEntry("Complete");
  editor.setSelectedRange([start, end]);
  if (!user || !trixModule) return editor.insertString(label);
  editor.insertAttachment(new trixModule.Attachment(mentionAttachment(user)));
  editor.insertString(after);
}

/** Puts HTML in place of everything. */
function replaceAll(editor: TrixEditor, html: string) {
  const end = () => editor.getDocument().getLength() - 1; // the last break cannot be selected away
  editor.recordUndoEntry("Reply");
  editor.setSelectedRange([0, end()]);
  if (end() > 0) editor.deleteInDirection("backward");
  editor.setSelectedRange(0);
  editor.insertHTML(withAttachments(html));
  editor.setSelectedRange(end());
}

/** Puts a lone address into the text as a link; not in code, which shows it as it is. */
function pasteLink(editor: TrixEditor, text: string): boolean {
  const href = /^(https?:\/\/|www\.)\S+$/i.test(text) ? fullAddress(text) : undefined;
  if (!href || editor.attributeIsActive("code")) return false;
  const link = document.createElement("a");
  link.href = href;
  link.textContent = text;
  editor.recordUndoEntry("Paste");
  editor.insertHTML(link.outerHTML);
  return true;
}

/** Pictures would be loaded from wherever they are, and cannot be sent. */
function withoutPictures(html: string): string {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  body.querySelectorAll("img, picture, video, audio, svg").forEach((picture) => picture.remove());
  return body.innerHTML;
}

function editorOf(element: TrixEditorElement | null): TrixEditor | undefined {
  return element?.editor;
}

function isEmpty(trix: TrixEditorElement): boolean {
  return !(trix.editor ? trix.editor.getDocument().toString() : trix.innerText).trim();
}

function isPlainEnter(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
}

/** Lets one write, or not: plain text until Trix is there, where a browser has that. */
function setEditable(trix: TrixEditorElement, editable: boolean) {
  const how = trix.editor ? "true" : "plaintext-only";
  trix.setAttribute("contenteditable", editable ? how : "false");
}

/** What was written in an element that Trix has not taken over yet, as Trix would have it. */
function plainHtml(trix: TrixEditorElement): string {
  if (isEmpty(trix)) return "";
  const lines = document.createElement("div");
  lines.innerText = trix.innerText.replace(/\n$/, ""); // a break that holds the last line open
  return lines.outerHTML;
}
