import { createElement, Fragment, type ReactNode, useEffect, useMemo, useRef } from "react";
import { withPictures } from "../ui/mentions";
import { colourCode } from "./code";

const allowed = new Set(
  "A B BLOCKQUOTE BR CITE CODE DEL DIV EM H1 H2 H3 H4 H5 H6 HR I LI OL P PRE S SPAN STRONG SUB SUP U UL".split(
    " ",
  ),
);
const dropped = new Set("SCRIPT STYLE TEMPLATE IFRAME OBJECT NOSCRIPT TEXTAREA TITLE FIGURE".split(" "));
const emojiOnly = new RegExp("^\\p{RGI_Emoji}+$", "v");

/** The body of a message as the server keeps it: HTML that passed the server's allow-list. */
export function RichText({ html }: { html: string }) {
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => withPictures(withTargets(html)), [html]);
  useEffect(() => colourCode(box.current!), [shown]);
  return (
    <div
      ref={box}
      className="message__content trix-content"
      dir="auto"
      data-testid="message-body"
      dangerouslySetInnerHTML={{ __html: shown }}
    />
  );
}

/** The body of a post that no server has seen yet: rebuilt from an allow-list, element by element. */
export function PendingText({ html }: { html: string }) {
  return (
    <div className="message__content trix-content" dir="auto" data-testid="message-body">
      {safeNodes(parse(html))}
    </div>
  );
}

/** The plain text of some HTML. */
export function plainText(html: string): string {
  return parse(html).textContent.trim();
}

/** Whether a text is emoji and nothing else, so that it is shown large. */
export function isEmojiOnly(text: string): boolean {
  return emojiOnly.test(text);
}

/** HTML of a body to quote: mentions become plain names, and paragraphs become lines, which the editor can quote. */
export function quotable(html: string): string {
  const body = parse(html);
  for (const mention of body.querySelectorAll(".mention")) {
    mention.replaceWith(mention.textContent.replace(/^@/, ""));
  }
  for (const block of body.querySelectorAll("p, div, h1, h2, h3, h4, h5, h6")) {
    if (block.nextSibling) block.append(document.createElement("br"));
    block.replaceWith(...block.childNodes);
  }
  return body.innerHTML;
}

/** Text as it must be written inside HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Foreign pages open beside ours. */
function targetOf(href: string): string {
  return new URL(href, location.origin).origin === location.origin ? "" : "_blank";
}

/** Links to our own pages open here, others beside. */
function withTargets(html: string): string {
  if (!html.includes("<a ")) return html;
  const body = parse(html);
  for (const link of body.querySelectorAll("a")) link.target = targetOf(link.getAttribute("href") ?? "");
  return body.innerHTML;
}

function parse(html: string): HTMLElement {
  return new DOMParser().parseFromString(html, "text/html").body;
}

function safeNodes(parent: Node): ReactNode[] {
  return Array.from(parent.childNodes, (node, key) => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent;
    if (!(node instanceof Element) || dropped.has(node.tagName)) return null;
    if (node.matches("span.mention[data-user-id]")) return <Mention key={key} mention={node} />;
    const children = node.hasChildNodes() ? safeNodes(node) : undefined;
    if (!allowed.has(node.tagName)) return <Fragment key={key}>{children}</Fragment>;
    return createElement(node.tagName.toLowerCase(), { key, ...safeAttributes(node) }, children);
  });
}

function Mention({ mention }: { mention: Element }) {
  const path = `/users/${encodeURIComponent(mention.getAttribute("data-user-id") ?? "")}`;
  return (
    <span className="mention">
      <span className="avatar">
        <img src={`${path}/avatar`} alt="" />
      </span>
      {mention.textContent.replace(/^@/, "")}
    </span>
  );
}

function safeAttributes(element: Element): Record<string, string> {
  const href = element.getAttribute("href") ?? "";
  if (element.tagName === "A" && /^(https?:|mailto:)/i.test(href)) {
    return { href, rel: "noopener noreferrer nofollow", target: targetOf(href) };
  }
  return {};
}
