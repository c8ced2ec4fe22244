import { type Ref, useEffect, useImperativeHandle, useRef } from "react";
import type { TrixEditor, TrixEditorElement } from "trix";

/** What others may do to an editor. */
export interface EditorHandle {
  /** What was written, as HTML; empty if that is nothing but space. */
  html(): string;
  clear(): void;
  focus(): void;
  /** Puts HTML in place of everything, so that undo brings the former text back. */
  replace(html: string): void;
}

interface EditorProps {
  readonly ref: Ref<EditorHandle>;
  readonly id: string;
  readonly label: string;
  /** What it holds at first, as HTML. Later changes are not followed. */
  readonly initial?: string;
  readonly autoFocus?: boolean;
  readonly placeholder?: string;
  /** Called on each key before Trix sees it; true keeps it from Trix. */
  readonly onKey: (event: KeyboardEvent, empty: boolean) => boolean;
  readonly onChange?: (empty: boolean) => void;
  /** The editor could not be loaded. */
  readonly onUnavailable?: () => void;
  /** Files were pasted or dropped; they never go into the text. */
  readonly onFile?: () => void;
}

/** A Trix editor, loaded when it is first needed. Its toolbar is a Toolbar of the same id. */
export function Editor(props: EditorProps) {
  const { ref, id, label, initial, autoFocus, placeholder } = props;
  const element = useRef<TrixEditorElement>(null);
  const handlers = useRef(props);
  useEffect(() => {
    handlers.current = props;
  });

  useImperativeHandle(ref, () => ({
    html: () => {
      if (!element.current || isEmpty(element.current)) return "";
      element.current.editorController?.render(); // else the last letters of a fast hand are missing
      return element.current.value;
    },
    clear: () => editorOf(element.current)?.loadHTML(""),
    focus: () => element.current?.focus(),
    replace: (html) => {
      const editor = editorOf(element.current);
      if (!editor) return;
      const end = () => editor.getDocument().getLength() - 1; // the last break cannot be selected away
      editor.recordUndoEntry("Reply");
      editor.setSelectedRange([0, end()]);
      if (end() > 0) editor.deleteInDirection("backward");
      editor.setSelectedRange(0);
      editor.insertHTML(html);
      editor.setSelectedRange(end());
    },
  }));

  useEffect(() => {
    const trix = element.current!;
    const ready = () => {
      const { editor } = trix;
      if (!editor) return;
      if (initial) editor.loadHTML(initial);
      trix.setAttribute("aria-label", label);
      trix.setAttribute("data-ready", "");
      if (!autoFocus) return;
      trix.focus();
      editor.setSelectedRange(editor.getDocument().getLength() - 1);
    };
    const changed = () => handlers.current.onChange?.(isEmpty(trix));
    const pressed = (event: KeyboardEvent) => {
      if (!handlers.current.onKey(event, isEmpty(trix))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    const refuse = (event: Event) => {
      event.preventDefault();
      handlers.current.onFile?.();
    };
    // A pasted file would put a picture into the text: its paste ends here, unless there is text with it.
    const pasted = (event: ClipboardEvent) => {
      const clipboard = event.clipboardData;
      if (!clipboard?.files.length) return;
      handlers.current.onFile?.();
      if (clipboard.types.includes("text/plain") || clipboard.types.includes("text/html")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    trix.addEventListener("trix-initialize", ready);
    trix.addEventListener("trix-change", changed);
    trix.addEventListener("trix-file-accept", refuse);
    trix.addEventListener("keydown", pressed, { capture: true });
    trix.addEventListener("paste", pasted, { capture: true });
    if (editorOf(trix)) ready();
    else loadTrix().catch(() => handlers.current.onUnavailable?.());
    return () => {
      trix.removeEventListener("trix-initialize", ready);
      trix.removeEventListener("trix-change", changed);
      trix.removeEventListener("trix-file-accept", refuse);
      trix.removeEventListener("keydown", pressed, { capture: true });
      trix.removeEventListener("paste", pasted, { capture: true });
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
    </>
  );
}

const buttons = [
  [
    ["attribute", "bold", "bold", "Bold", "b"],
    ["attribute", "italic", "italic", "Italic", "i"],
    ["attribute", "strike", "strike", "Strikethrough", ""],
    ["attribute", "href", "link", "Link", "k"],
  ],
  [
    ["attribute", "heading1", "heading-1", "Heading", ""],
    ["attribute", "quote", "quote", "Quote", ""],
    ["attribute", "code", "code", "Code", ""],
    ["attribute", "bullet", "bullet-list", "Bullets", ""],
    ["attribute", "number", "number-list", "Numbers", ""],
    ["action", "decreaseNestingLevel", "decrease-nesting-level", "Decrease level", ""],
    ["action", "increaseNestingLevel", "increase-nesting-level", "Increase level", ""],
  ],
] as const;

/** The formatting buttons of the Editor of the same id. Trix keeps them up to date, so React draws them once. */
export function Toolbar({ id }: { id: string }) {
  return (
    <trix-toolbar
      id={`${id}-toolbar`}
      role="toolbar"
      aria-label="Formatting"
      data-testid="toolbar"
      dangerouslySetInnerHTML={{ __html: toolbarHtml }}
    />
  );
}

const toolbarHtml = `<div class="trix-button-row">${buttons
  .map((group, at) => {
    const inner = group.map(
      ([kind, name, icon, title, key]) =>
        `<button type="button" class="trix-button trix-button--icon trix-button--icon-${icon}" data-trix-${kind}="${name}"
          ${key && `data-trix-key="${key}"`} title="${title}" aria-label="${title}"></button>`,
    );
    return `<span class="trix-button-group trix-button-group--${at === 0 ? "text" : "block"}-tools">${inner.join("")}</span>`;
  })
  .join("")}</div>
<div class="trix-dialogs" data-trix-dialogs>
  <div class="trix-dialog trix-dialog--link" data-trix-dialog="href" data-trix-dialog-attribute="href">
    <div class="trix-dialog__link-fields">
      <input type="url" name="href" class="trix-input trix-input--dialog" placeholder="https://" aria-label="URL" required
        data-trix-input>
      <div class="trix-button-group">
        <input type="button" class="trix-button trix-button--dialog" value="Link" data-trix-method="setAttribute">
        <input type="button" class="trix-button trix-button--dialog" value="Unlink" data-trix-method="removeAttribute">
      </div>
    </div>
  </div>
</div>`;

let loading: Promise<void> | undefined;

/** Starts loading the editor before the first one is shown. */
export function preloadEditor() {
  loadTrix().catch(() => undefined); // the editor itself will tell
}

/** Loads Trix, once, and teaches it the line that says whom a quote is from. */
function loadTrix(): Promise<void> {
  loading ??= import("trix").then(({ default: Trix }) => {
    Trix.config.blockAttributes["cite"] = { tagName: "cite", inheritable: false };
  });
  loading.catch(() => {
    loading = undefined; // the next editor tries again
  });
  return loading;
}

function editorOf(element: TrixEditorElement | null): TrixEditor | undefined {
  return element?.editor;
}

function isEmpty(element: TrixEditorElement | null): boolean {
  return !editorOf(element)?.getDocument().toString().trim();
}
