import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { isEmojiOnly, PendingText, plainText, quotable } from "./rich-text";

function shown(html: string): string {
  const { container, unmount } = render(<PendingText html={html} />);
  const inner = container.firstElementChild!.innerHTML;
  unmount();
  return inner;
}

test("a pending post keeps the formatting that Trix makes", () => {
  expect(shown("<div>one<br><strong>two</strong></div>")).toBe("<div>one<br><strong>two</strong></div>");
  expect(shown("<blockquote>so</blockquote><ul><li>a</li></ul><pre>x</pre>")).toBe(
    "<blockquote>so</blockquote><ul><li>a</li></ul><pre>x</pre>",
  );
});

test("a pending post keeps links that lead somewhere safe, and only those", () => {
  expect(shown('<a href="https://example.com/">x</a>')).toContain('href="https://example.com/"');
  expect(shown('<a href="mailto:a@example.com">x</a>')).toContain("mailto:");
  for (const href of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:x",
    "data:text/html,x",
    "//x",
    "/x",
  ]) {
    expect(shown(`<a href="${href}">x</a>`)).toBe("<a>x</a>");
  }
});

test("what is not on the list is dropped, its text stays", () => {
  expect(shown('<img src=x onerror="boom()">hi')).toBe("hi");
  expect(shown("<script>boom()</script><style>*{}</style>hi")).toBe("hi");
  expect(shown('<custom-thing onclick="boom()">hi</custom-thing>')).toBe("hi");
  expect(shown('<div onclick="boom()" style="position:fixed" class="flash" id="root">hi</div>')).toBe(
    "<div>hi</div>",
  );
  expect(shown("a < b & c")).toBe("a &lt; b &amp; c");
});

test("only emoji and nothing else is shown large", () => {
  for (const text of ["😄🤘", "❤️", "👩🏽‍🚀", "🇫🇷🔥", "1️⃣"]) expect(isEmojiOnly(text), text).toBe(true);
  for (const text of ["Haha 😄", "🔥 💯", "🔥\n💯", "", "1", "#"])
    expect(isEmojiOnly(text), text).toBe(false);
});

test("in a quote, mentions are plain names", () => {
  expect(quotable('Hi <span class="mention" data-user-id="7">@Ben</span>!')).toBe("Hi Ben!");
});

test("in a quote, paragraphs are lines", () => {
  expect(quotable("<p>one</p><p>two <b>three</b></p>")).toBe("one<br>two <b>three</b>");
  expect(quotable("<div>one<br>two</div>")).toBe("one<br>two");
  expect(quotable("<div>one</div><ul><li>a</li></ul>")).toBe("one<br><ul><li>a</li></ul>");
});

test("plain text has no markup", () => {
  expect(plainText("<div>/play <b>tada</b></div>")).toBe("/play tada");
});
