import { expect, test } from "vitest";
import { withAttachments, withoutAttachments, withPictures } from "./mentions";

const body = '<div>Hi <span class="mention" data-user-id="7">@Ben "B" Okri</span>, so?</div>';

test("a mention is an attachment while it is edited, and a mention again afterwards", () => {
  const edited = withAttachments(body);
  expect(edited).not.toContain("@Ben");
  const figure = new DOMParser().parseFromString(edited, "text/html").querySelector("figure");
  expect(JSON.parse(figure?.getAttribute("data-trix-attachment") ?? "")).toMatchObject({
    contentType: "application/vnd.campfire.mention",
    userId: "7",
    name: 'Ben "B" Okri',
  });
  expect(withoutAttachments(edited)).toBe(body);
});

test("other attachments do not leave the editor", () => {
  const picture = `<div>a<figure data-trix-attachment='{"contentType":"image/png"}'><img src="x"></figure>b</div>`;
  expect(withoutAttachments(picture)).toBe("<div>ab</div>");
  expect(withoutAttachments(`<div>a<figure data-trix-attachment='{"userId":"7"}'></figure></div>`)).toBe(
    "<div>a</div>",
  );
});

test("64 a mention is shown as the picture, which leads to the person, and the name", () => {
  const shown = new DOMParser().parseFromString(withPictures(body), "text/html").querySelector(".mention");
  expect(shown?.textContent).toBe('Ben "B" Okri');
  expect(shown?.getAttribute("data-user-id")).toBe("7");
  expect(shown?.querySelector(".avatar > a")?.getAttribute("href")).toBe("/users/7");
  expect(shown?.querySelector(".avatar img")?.getAttribute("src")).toBe("/users/7/avatar");
});

test("a message without mentions is left as it is", () => {
  expect(withPictures("<p>mentions of <b>nobody</p>")).not.toContain("avatar");
  expect(withAttachments("<p>plain</p>")).toBe("<p>plain</p>");
});
