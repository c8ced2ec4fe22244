import type { User } from "../gen/campfire/v1/user_pb";

/** What Trix calls a mention in its text: an attachment of this type, with the user's id and name. */
const MENTION = "application/vnd.campfire.mention";

type Mentioned = Pick<User, "id" | "name">;

/** A mention as an attachment for Trix. */
export function mentionAttachment({ id, name }: Mentioned) {
  const { outerHTML: content } = chipOf({ id, name }, document.implementation.createHTMLDocument());
  return { contentType: MENTION, userId: id, name, content };
}

/** A message's HTML as Trix can edit it: its mentions are attachments. */
export function withAttachments(html: string): string {
  return rewritten(html, "span.mention[data-user-id]", (mention) => {
    const figure = mention.ownerDocument.createElement("figure");
    const user = { id: mention.dataset["userId"] ?? "", name: mention.textContent.replace(/^@/, "") };
    figure.setAttribute("data-trix-attachment", JSON.stringify(mentionAttachment(user)));
    figure.setAttribute("data-trix-content-type", MENTION);
    return figure;
  });
}

/** HTML that Trix made as a message's: its mentions are spans, and other attachments are gone. */
export function withoutAttachments(html: string): string {
  return rewritten(html, "[data-trix-attachment]", (figure) => {
    const attachment = JSON.parse(figure.dataset["trixAttachment"] ?? "{}") as Partial<
      Mentioned & { contentType: string; userId: string }
    >;
    if (attachment.contentType !== MENTION || !attachment.userId) return "";
    const mention = figure.ownerDocument.createElement("span");
    mention.className = "mention";
    mention.dataset["userId"] = attachment.userId;
    mention.textContent = `@${attachment.name ?? ""}`;
    return mention;
  });
}

/** A message's HTML as it is shown: its mentions have their pictures, which lead to the person. */
export function withPictures(html: string): string {
  return rewritten(html, "span.mention[data-user-id]", (mention) => {
    const { userId = "" } = mention.dataset;
    const name = mention.textContent.replace(/^@/, "");
    const chip = chipOf({ id: userId, name }, mention.ownerDocument);
    chip.dataset["userId"] = userId;
    const avatar = chip.querySelector(".avatar")!;
    const link = mention.ownerDocument.createElement("a");
    link.href = `/users/${encodeURIComponent(userId)}`;
    link.setAttribute("aria-label", name);
    link.append(...avatar.childNodes);
    avatar.append(link);
    return chip;
  });
}

/** The picture and the name. Made in a document that shows nothing, so that the picture is not loaded on the way. */
function chipOf({ id, name }: Mentioned, blank: Document): HTMLElement {
  const chip = blank.createElement("span");
  chip.className = "mention";
  const avatar = chip.appendChild(blank.createElement("span"));
  avatar.className = "avatar";
  const picture = avatar.appendChild(blank.createElement("img"));
  picture.setAttribute("src", `/users/${encodeURIComponent(id)}/avatar`);
  picture.alt = "";
  chip.append(name);
  return chip;
}

function rewritten(html: string, which: string, become: (element: HTMLElement) => Node | string): string {
  if (!/mention|data-trix-attachment/.test(html)) return html;
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const element of body.querySelectorAll<HTMLElement>(which)) element.replaceWith(become(element));
  return body.innerHTML;
}
