import { type Message, MessageKind } from "../gen/campfire/v1/message_pb";
import { escapeHtml, quotable } from "./rich-text";

/** A message as the start of a reply: what it says, who said it and where, and a line to write on. */
export function quoteHtml(message: Message): string {
  const { bodyHtml, bodyText, creator, roomId, id } = message;
  const said = message.kind === MessageKind.SOUND ? escapeHtml(bodyText) : quotable(bodyHtml);
  const link = new URL(`/rooms/${roomId}/@${id}`, location.origin).href;
  return `<blockquote>${said}</blockquote><cite>${escapeHtml(creator?.name ?? "")} <a href="${link}">#</a></cite>`;
}
