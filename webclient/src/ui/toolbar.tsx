import type { SyntheticEvent } from "react";

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
      onClickCapture={(event) => {
        const { target } = event;
        if (target instanceof HTMLElement && target.dataset["trixMethod"] === "setAttribute")
          completeLink(event);
      }}
      onKeyDownCapture={(event) => event.key === "Enter" && completeLink(event)}
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
      <input type="text" inputmode="url" name="href" class="trix-input trix-input--dialog" placeholder="example.com" aria-label="URL" required
        data-trix-input>
      <div class="trix-button-group">
        <input type="button" class="trix-button trix-button--dialog" value="Link" data-trix-method="setAttribute">
        <input type="button" class="trix-button trix-button--dialog" value="Unlink" data-trix-method="removeAttribute">
      </div>
    </div>
  </div>
</div>`;

/** Completes the address in the link dialog before Trix reads it, or says at it what is wrong. */
function completeLink(event: SyntheticEvent) {
  const input = event.currentTarget.querySelector<HTMLInputElement>("input[name=href]");
  if (!input?.value.trim()) return;
  const address = fullAddress(input.value);
  input.setCustomValidity(address ? "" : "This is not the address of a page or a mailbox.");
  if (address) input.value = address;
  else {
    event.preventDefault();
    event.stopPropagation();
    input.reportValidity();
  }
}

/** An address as a link needs it, with its scheme; undefined if nothing can be made of it. */
export function fullAddress(typed: string): string | undefined {
  const text = typed.trim();
  if (/^mailto:\S+@\S+$/i.test(text)) return text;
  if (/^[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+$/.test(text)) return `mailto:${text}`;
  const address = /^\w+:\/\//.test(text) ? text : `https://${text.replace(/^\/+/, "")}`;
  if (!/^https?:/i.test(address) || /\s/.test(address)) return undefined;
  return URL.canParse(address) ? address : undefined;
}
