import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { fullAddress, Toolbar } from "./toolbar";

test("an address typed without its scheme gets one", () => {
  expect(fullAddress(" example.com/a?b ")).toBe("https://example.com/a?b");
  expect(fullAddress("http://example.com")).toBe("http://example.com");
  expect(fullAddress("localhost:8080/x")).toBe("https://localhost:8080/x");
  expect(fullAddress("ada@example.com")).toBe("mailto:ada@example.com");
  expect(fullAddress("mailto:ada@example.com")).toBe("mailto:ada@example.com");
});

test("what cannot be an address is none", () => {
  for (const text of [
    "two words",
    "javascript:alert(1)",
    "ftp://example.com",
    "data:text/html,x",
    "https://",
  ])
    expect(fullAddress(text), text).toBeUndefined();
});

test("120 the toolbar shows exactly the eleven formats, in order", () => {
  render(<Toolbar id="x" />);
  const names = screen
    .getAllByRole("button")
    .map((b) => b.getAttribute("aria-label") ?? b.getAttribute("value"));
  expect(names).toEqual([
    ...["Bold", "Italic", "Strikethrough", "Link"],
    ...["Heading", "Quote", "Code", "Bullets", "Numbers", "Decrease level", "Increase level"],
    ...["Link", "Unlink"],
  ]);
});
