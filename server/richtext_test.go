package server

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"campfire.example/store"
)

// cleaned answers the HTML that is shown for what someone sent, without what all links carry, after checking that it is safe
// to show.
func cleaned(t *testing.T, sent string) string {
	t.Helper()
	b, err := parseHTML(sent)
	if err != nil {
		t.Fatalf("cleaning %.200q: %v", sent, err)
	}
	requireClean(t, b)
	return short(b.html())
}

// short leaves out what every link carries.
func short(html string) string {
	return strings.ReplaceAll(html, ` rel="noopener noreferrer nofollow" target="_blank"`, "")
}

// requireClean fails unless a browser sees in the body's HTML just what was meant, all of it allowed, and cleaning it again
// changes nothing.
func requireClean(t *testing.T, b *body) {
	t.Helper()
	got := b.html()
	within := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(got), within)
	if err != nil {
		t.Fatalf("a browser cannot read %.200q: %v", got, err)
	}
	var seen strings.Builder
	for _, n := range nodes {
		requireAllowed(t, n)
		if err := html.Render(&seen, n); err != nil {
			t.Fatalf("rendering %.200q: %v", got, err)
		}
	}
	if seen := strings.ReplaceAll(seen.String(), "<br/>", "<br>"); seen != got {
		t.Errorf("a browser sees %.300q, want %.300q", seen, got)
	}
	if unwalled := b.unwalled(); unwalled != got {
		t.Errorf("the wall made %.300q of %.300q, want it to find nothing", got, unwalled)
	}
	again, err := parseHTML(got)
	if err != nil {
		t.Fatalf("cleaning %.200q again: %v", got, err)
	}
	if again.html() != got {
		t.Errorf("cleaned again got %.300q, want %.300q", again.html(), got)
	}
	if again.text() != b.text() {
		t.Errorf("cleaned again it says %.300q, want %.300q", again.text(), b.text())
	}
	if !slices.Equal(again.mentions(), b.mentions()) {
		t.Errorf("cleaned again it mentions %v, want %v", again.mentions(), b.mentions())
	}
}

// unwalled answers the body's HTML as it comes to the wall.
func (b *body) unwalled() string {
	var w strings.Builder
	for _, n := range b.root.children {
		n.render(&w, true)
	}
	return w.String()
}

// requireAllowed fails if there is anything in what a browser sees that nobody should be shown. It knows nothing of the
// code it checks.
func requireAllowed(t *testing.T, n *html.Node) {
	t.Helper()
	attributes := map[string]string{}
	for _, a := range n.Attr {
		if _, twice := attributes[a.Key]; twice || a.Namespace != "" {
			t.Errorf("got the attribute %s:%s on <%s>", a.Namespace, a.Key, n.Data)
		}
		attributes[a.Key] = a.Val
	}
	switch {
	case n.Type == html.TextNode:
		if strings.ContainsAny(n.Data, "\x00\x01\x08\x0b\x0c\r\x1b\x7f") {
			t.Errorf("got control characters in %.100q", n.Data)
		}
	case n.Type != html.ElementNode || n.Namespace != "":
		t.Errorf("got the node %+v", n)
	case n.Data == "a":
		href := attributes["href"]
		scheme, _, _ := strings.Cut(href, ":")
		if !slices.Contains([]string{"http", "https", "mailto"}, strings.ToLower(scheme)) || strings.ContainsAny(href, " \t\n\r\x00\f\v") {
			t.Errorf("got a link to %q", href)
		}
		if len(attributes) != 3 || attributes["rel"] != "noopener noreferrer nofollow" || attributes["target"] != "_blank" {
			t.Errorf("got a link with %v", attributes)
		}
		for over := n.Parent; over != nil; over = over.Parent {
			if over.Data == "a" {
				t.Error("got a link within a link")
			}
		}
	case n.Data == "span":
		id, err := strconv.ParseInt(attributes["data-user-id"], 10, 64)
		if len(attributes) != 2 || attributes["class"] != "mention" || err != nil || id <= 0 {
			t.Errorf("got a span with %v", attributes)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type != html.TextNode {
				t.Errorf("got %+v within a mention", c)
			}
		}
	case !slices.Contains(strings.Fields("div p br strong em del u sub sup cite code blockquote ul ol li h1 h2 h3 h4 h5 h6 pre"), n.Data):
		t.Errorf("got the element <%s>", n.Data)
	case len(attributes) > 0:
		t.Errorf("got <%s> with %v", n.Data, attributes)
	}
	for c := range n.ChildNodes() {
		requireAllowed(t, c)
	}
}

// hostile are bodies nobody wrote with the composer, and what is shown for them.
var hostile = []struct{ sent, shown string }{
	// Scripts in many spellings.
	{"<script>alert(1)</script>Hello", "Hello"},
	{"<SCRIPT>alert(1)</SCRIPT>Hello", "Hello"},
	{"<ScRiPt>alert(1)</sCrIpT>Hello", "Hello"},
	{"<script src=//evil.example/x.js></script>Hello", "Hello"},
	{`<script/src="//evil.example/x.js"></script>Hello`, "Hello"},
	{"<script\nsrc=//evil.example>alert(1)</script\n>Hello", "Hello"},
	{`<script>alert(1)</script foo="bar">Hello`, "Hello"},
	{"<script>alert(1)</script/>Hello", "Hello"},
	{"<script>alert(1)", ""},
	{"Hello<script>alert(1)", "Hello"},
	{"<script/>alert(1)</script>Hello", "Hello"},
	{"<script><script>alert(1)</script></script>Hello", "Hello"},
	{"<script><!--<script></script>alert(1)</script>Hello", "Hello"},
	{`<script>"</div>"</script>Hello`, "Hello"},
	{"<scr<script>ipt>alert(1)</scr</script>ipt>Hello", "ipt&gt;alert(1)ipt&gt;Hello"},
	{"<scr<script></script>ipt>alert(1)</script>", "ipt&gt;alert(1)"},
	{"<<script>alert(1)//<</script>Hello", "&lt;Hello"},
	{"<script\x00>alert(1)</script>Hello", "alert(1)Hello"},
	{"<s\x00cript>alert(1)</script>Hello", "alert(1)Hello"},
	{"< script>alert(1)</ script>Hello", "&lt; script&gt;alert(1)Hello"},
	{"<\fscript>alert(1)</script>Hello", "&lt;script&gt;alert(1)Hello"},
	{"<script >alert(1)</script >Hello", "Hello"},
	{"<script\f>alert(1)</script>Hello", "Hello"},
	{"<scrİpt>alert(1)</scrİpt>Hello", "alert(1)Hello"},
	{"<ſcript>alert(1)</ſcript>Hello", "&lt;ſcript&gt;alert(1)Hello"},
	{"<x:script>alert(1)</x:script>Hello", "alert(1)Hello"},
	{`<script type="text/template"><img src=x onerror=alert(1)></script>Hello`, "Hello"},
	{"&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"},
	{"&amp;lt;script&amp;gt;alert(1)", "&amp;lt;script&amp;gt;alert(1)"},
	{"&#60;script&#62;alert(1)&#60;/script&#62;", "&lt;script&gt;alert(1)&lt;/script&gt;"},
	{"&#x3c;script&#x3e;alert(1)", "&lt;script&gt;alert(1)"},
	{"&#0000060script&#0000062alert(1)", "&lt;script&gt;alert(1)"},
	{"%3Cscript%3Ealert(1)%3C/script%3E", "%3Cscript%3Ealert(1)%3C/script%3E"},
	{"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"},
	{"\xc0\xbcscript\xc0\xbealert(1)", "�script�alert(1)"},
	{"＜script＞alert(1)＜/script＞", "＜script＞alert(1)＜/script＞"},

	// Event handlers.
	{"<div onclick=alert(1)>Hello</div>", "<div>Hello</div>"},
	{`<div ONCLICK="alert(1)">Hello</div>`, "<div>Hello</div>"},
	{"<div/onmouseover=alert(1)>Hello</div>", "<div>Hello</div>"},
	{`<div x="y"onmouseover=alert(1)>Hello</div>`, "<div>Hello</div>"},
	{"<b onfocus=alert(1) autofocus tabindex=1 contenteditable>Hello</b>", "<strong>Hello</strong>"},
	{`<p onanimationstart=alert(1) style="animation:x">Hello</p>`, "<p>Hello</p>"},
	{`<a href="https://example.com" onclick="alert(1)">Hello</a>`, `<a href="https://example.com">Hello</a>`},
	{`<a onclick="alert(1)" href="https://example.com">Hello</a>`, `<a href="https://example.com">Hello</a>`},
	{"<img src=x onerror=alert(1)>Hello", "Hello"},
	{"<img/src/onerror=alert(1)>Hello", "Hello"},
	{`<IMG """><SCRIPT>alert(1)</SCRIPT>">Hello`, "&#34;&gt;Hello"},
	{"<img src=\"x` `<script>alert(1)</script>\"` `>Hello", "Hello"},
	{"<body onload=alert(1)>Hello", "Hello"},
	{"<br onclick=alert(1)>", "<br>"},
	{`<span class="mention" data-user-id="7" onclick="alert(1)">@David</span>`, `<span class="mention" data-user-id="7">@David</span>`},
	{"<details ontoggle=alert(1) open>Hello</details>", "Hello"},
	{"<marquee onstart=alert(1)>Hello</marquee>", "Hello"},
	{"<div on\x00click=alert(1)>Hello</div>", "<div>Hello</div>"},
	{"<li onclick=alert(1)>Hello", "<div>Hello</div>"},

	// Addresses.
	{`<a href="javascript:alert(1)">Hello</a>`, "Hello"},
	{`<a href="JaVaScRiPt:alert(1)">Hello</a>`, "Hello"},
	{`<a href=" javascript:alert(1)">Hello</a>`, "Hello"},
	{"<a href=\"\x01javascript:alert(1)\">Hello</a>", "Hello"},
	{"<a href=\"\x1f javascript:alert(1)\">Hello</a>", "Hello"},
	{`<a href="java	script:alert(1)">Hello</a>`, "Hello"},
	{"<a href=\"java\nscript:alert(1)\">Hello</a>", "Hello"},
	{"<a href=\"java\rscript:alert(1)\">Hello</a>", "Hello"},
	{`<a href="java&#9;script:alert(1)">Hello</a>`, "Hello"},
	{`<a href="java&#x0A;script:alert(1)">Hello</a>`, "Hello"},
	{`<a href="java&NewLine;script&colon;alert(1)">Hello</a>`, "Hello"},
	{`<a href="&Tab;javascript:alert(1)">Hello</a>`, "Hello"},
	{`<a href="&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;:alert(1)">Hello</a>`, "Hello"},
	{`<a href="&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1)">Hello</a>`, "Hello"},
	{`<a href="javascript&#58;alert(1)">Hello</a>`, "Hello"},
	{"<a href=\"java\x00script:alert(1)\">Hello</a>", "Hello"},
	{"<a href=\"javascript\x00:alert(1)\">Hello</a>", "Hello"},
	{`<a href="%6Aavascript:alert(1)">Hello</a>`, "Hello"},
	{"<a href=javascript:alert(1)>Hello</a>", "Hello"},
	{`<a href='javascript:alert("x")'>Hello</a>`, "Hello"},
	{"<a href=`javascript:alert(1)`>Hello</a>", "Hello"},
	{`<a href="javascript://example.com/%0aalert(1)">Hello</a>`, "Hello"},
	{`<a href="vbscript:msgbox(1)">Hello</a>`, "Hello"},
	{`<a href="data:text/html,<script>alert(1)</script>">Hello</a>`, "Hello"},
	{`<a href="data:text/html;base64,PHNjcmlwdD4=">Hello</a>`, "Hello"},
	{`<a href="blob:https://example.com/1">Hello</a>`, "Hello"},
	{`<a href="filesystem:https://example.com/1">Hello</a>`, "Hello"},
	{`<a href="view-source:https://example.com">Hello</a>`, "Hello"},
	{`<a href="file:///etc/passwd">Hello</a>`, "Hello"},
	{`<a href="ftp://example.com">Hello</a>`, "Hello"},
	{`<a href="tel:123">Hello</a>`, "Hello"},
	{`<a href="intent://x#Intent;end">Hello</a>`, "Hello"},
	{`<a href="//evil.example">Hello</a>`, "Hello"},
	{`<a href="/rooms/1">Hello</a>`, "Hello"},
	{`<a href="?x">Hello</a>`, "Hello"},
	{`<a href="#x">Hello</a>`, "Hello"},
	{`<a href="\\evil.example">Hello</a>`, "Hello"},
	{`<a href="">Hello</a>`, "Hello"},
	{"<a href>Hello</a>", "Hello"},
	{`<a href="https:evil.example">Hello</a>`, "Hello"},
	{`<a href="httpſ://example.com">Hello</a>`, "Hello"},
	{`<a href="https://">Hello</a>`, "Hello"},
	{`<a href="mailto:">Hello</a>`, "Hello"},
	{"<a href=\"https://example.com/\x00\">Hello</a>", `<a href="https://example.com/�">Hello</a>`},
	{`<a href="https://example.com/&#10;x">Hello</a>`, "Hello"},
	{`<a href="https://example.com/&quot;onclick=&quot;alert(1)">Hello</a>`, `<a href="https://example.com/&#34;onclick=&#34;alert(1)">Hello</a>`},
	{`<a href='https://example.com/"><script>alert(1)</script>'>Hello</a>`, `<a href="https://example.com/&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">Hello</a>`},
	{`<a href="javascript:alert(1)" href="https://example.com">Hello</a>`, "Hello"},
	{`<a href="https://example.com" href="javascript:alert(1)">Hello</a>`, `<a href="https://example.com">Hello</a>`},
	{`<a HREF="https://example.com" target="_top" rel="opener" download ping="https://evil.example">Hello</a>`, `<a href="https://example.com">Hello</a>`},
	{`<a xlink:href="javascript:alert(1)">Hello</a>`, "Hello"},
	{`<a href="https://example.com" style="position:fixed;inset:0">Hello</a>`, `<a href="https://example.com">Hello</a>`},
	{`<a href="javascript:alert(1)">https://example.com</a>`, `<a href="https://example.com">https://example.com</a>`},
	{`<blockquote cite="javascript:alert(1)">Hello</blockquote>`, "<blockquote>Hello</blockquote>"},
	{`<form action="javascript:alert(1)">Hello</form>`, "<div>Hello</div>"},
	{`https://example.com/"onmouseover="alert(1)`, `<a href="https://example.com/">https://example.com/</a>&#34;onmouseover=&#34;alert(1)`},
	{"https://example.com/<script>alert(1)</script>", `<a href="https://example.com/">https://example.com/</a>`},
	{"javascript://example.com/%0aalert(1)", "javascript://example.com/%0aalert(1)"},
	{`www.example.com"><script>alert(1)</script>`, `<a href="https://www.example.com">www.example.com</a>&#34;&gt;`},

	// Foreign content and namespaces.
	{"<svg onload=alert(1)>Hello", ""},
	{"<svg/onload=alert(1)>Hello", ""},
	{"<svg><script>alert(1)</script></svg>Hello", "Hello"},
	{`<svg><script xlink:href="data:,alert(1)"/></svg>Hello`, ""},
	{`<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>Hello`, "Hello"},
	{"<svg><animate attributeName=href to=javascript:alert(1) /></svg>Hello", "Hello"},
	{"<svg><foreignObject><div>in</div></foreignObject></svg>Hello", "Hello"},
	{"<svg><style><img src=x onerror=alert(1)></style></svg>Hello", "Hello"},
	{`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>"></svg>Hello`, "Hello"},
	{`<svg><p><style><g title="</style><img src onerror=alert(1)>"></svg>Hello`, "Hello"},
	{"<svg/>Hello", "Hello"},
	{"<svg><desc><table><svg></desc></svg>Hello", ""},
	{"<svg><![CDATA[<img src=x onerror=alert(1)>]]></svg>Hello", "Hello"},
	{`<svg><use href="data:image/svg+xml,<svg onload=alert(1)>"/></svg>Hello`, "Hello"},
	{"<math><mtext><img src=x onerror=alert(1)></mtext></math>Hello", "Hello"},
	{`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;"></math>Hello`, "Hello"},
	{"<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)></style></mglyph></form>Hello", "<div></div><div></div>Hello"},
	{`<math><annotation-xml encoding="text/html"><style><img src=x onerror=alert(1)></style></annotation-xml></math>Hello`, "Hello"},
	{`<math href="javascript:alert(1)">x</math>Hello`, "Hello"},
	{`<math><mi><mglyph><svg><mtext><style><path id="</style><img onerror=alert(1) src>"></mtext></svg></mglyph></mi></math>Hello`, "Hello"},
	{"<table><svg><tr><td>x</td></tr></svg>Hello</table>", "<div>Hello</div>"},
	{"<p><svg><p>Hello", "<p></p>"},

	// Elements that swallow or hide text.
	{`<noscript><p title="</noscript><img src=x onerror=alert(1)>">Hello`, "&#34;&gt;Hello"},
	{"<noscript><style></noscript><img src=x onerror=alert(1)>Hello", "Hello"},
	{"<template><script>alert(1)</script></template>Hello", "Hello"},
	{`<template shadowrootmode="open"><slot></slot></template>Hello`, "Hello"},
	{"<plaintext><b>Hello", ""},
	{"Hello<plaintext></plaintext><script>alert(1)</script>", "Hello"},
	{"<textarea></textarea><img src=x onerror=alert(1)>Hello", "Hello"},
	{"<textarea><b>x</textarea>Hello", "Hello"},
	{"<textarea><!--</textarea><img src=x onerror=alert(1)>-->Hello", "--&gt;Hello"},
	{"<title></title><img src=x onerror=alert(1)>Hello", "Hello"},
	{`<title><a title="</title><img src=x onerror=alert(1)>">Hello`, "&#34;&gt;Hello"},
	{`<xmp><p title="</xmp><svg/onload=alert(1)>">Hello`, ""},
	{`<noembed><img title="</noembed><img src onerror=alert(1)>"></noembed>Hello`, "&#34;&gt;Hello"},
	{"<noframes><style></noframes><script>alert(1)</script>Hello", "Hello"},
	{`<iframe src="javascript:alert(1)"></iframe>Hello`, "Hello"},
	{`<iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe>Hello`, "Hello"},
	{"<iframe><img src=x onerror=alert(1)></iframe>Hello", "Hello"},
	{"<iframe srcdoc='<body onload=alert(1)>'/>Hello", ""},
	{`<object data="javascript:alert(1)"><b>fallback</b></object>Hello`, "Hello"},
	{`<embed src="javascript:alert(1)">Hello`, "Hello"},
	{"<applet code=evil></applet>Hello", "Hello"},
	{`<frameset><frame src="javascript:alert(1)"></frameset>Hello`, "Hello"},
	{"<video><source onerror=alert(1)></video>Hello", "Hello"},
	{"<audio src=x onerror=alert(1)>x</audio>Hello", "Hello"},
	{`<picture><source srcset="x"><img src=x></picture>Hello`, "Hello"},
	{"<canvas>fallback</canvas>Hello", "Hello"},
	{"<select><option><script>alert(1)</script></option></select>Hello", "Hello"},
	{"<select><style></select><img src=x onerror=alert(1)>Hello", ""},
	{"<button formaction=javascript:alert(1)>Press</button>Hello", "Hello"},
	{"<input autofocus onfocus=alert(1)>Hello", "Hello"},
	{"<input type=image src=x onerror=alert(1)>Hello", "Hello"},
	{"<isindex action=javascript:alert(1)>Hello", "Hello"},
	{"<form id=x></form><button form=x formaction=javascript:alert(1)>Press</button>Hello", "<div></div>Hello"},
	{"<keygen autofocus onfocus=alert(1)>Hello", "Hello"},
	{"<dialog open>Hello</dialog>", "Hello"},
	{"<slot>Hello</slot>", "Hello"},
	{`<portal src="https://evil.example"></portal>Hello`, "Hello"},
	{"<custom-element>Hello</custom-element>", "Hello"},
	{"<div><style>*{display:none}</style>Hello</div>", "<div>Hello</div>"},
	{`<style>@import "//evil.example";</style>Hello`, "Hello"},
	{"<style><!--</style><script>alert(1)</script>-->Hello", "--&gt;Hello"},
	{`<link rel=stylesheet href="//evil.example">Hello`, "Hello"},
	{`<meta http-equiv="refresh" content="0;url=javascript:alert(1)">Hello`, "Hello"},
	{`<base href="//evil.example/">Hello`, "Hello"},
	{"<head><title>x</title></head><body>Hello</body>", "Hello"},
	{`<html manifest="x">Hello</html>`, "Hello"},
	{`<bgsound src="javascript:alert(1)">Hello`, "Hello"},
	{`<layer src="x">Hello</layer>`, "Hello"},
	{"<param name=x value=y>Hello", "Hello"},
	{`<map name=x><area href="javascript:alert(1)"></map>Hello`, "Hello"},
	{`<img srcset="https://evil.example/pixel 1x" alt="x">Hello`, "Hello"},
	{"<image src=x onerror=alert(1)>Hello", "Hello"},
	{"<mark>Hello</mark>", "Hello"},

	// Style, names and other attributes.
	{`<div style="background:url(javascript:alert(1))">Hello</div>`, "<div>Hello</div>"},
	{`<div style="width:expression(alert(1))">Hello</div>`, "<div>Hello</div>"},
	{`<div style="position:fixed;top:0;left:0">Hello</div>`, "<div>Hello</div>"},
	{`<p align=center dir=rtl lang=de title="x" hidden>Hello</p>`, "<p>Hello</p>"},
	{`<div id="app">Hello</div>`, "<div>Hello</div>"},
	{`<a id=config href="https://example.com" name=body>Hello</a>`, `<a href="https://example.com">Hello</a>`},
	{"<form name=body><input name=appendChild></form>Hello", "<div></div>Hello"},
	{`<div class="message--deleted mention">Hello</div>`, "<div>Hello</div>"},
	{`<span class="icon">Hello</span>`, "Hello"},
	{`<div data-controller="messages" data-action="click->x#y">Hello</div>`, "<div>Hello</div>"},
	{`<div data-turbo-frame="x" data-user-id="7">Hello</div>`, "<div>Hello</div>"},
	{`<div contenteditable is="x-y" slot="z" part="p" nonce="n">Hello</div>`, "<div>Hello</div>"},
	{`<div xmlns="http://www.w3.org/2000/svg">Hello</div>`, "<div>Hello</div>"},
	{`<div xml:base="javascript:alert(1)//">Hello</div>`, "<div>Hello</div>"},
	{`<pre language="ruby" data-language="ruby">Hello</pre>`, "<pre>Hello</pre>"},
	{`<ol start="-1" type="i" reversed><li value="9">Hello</ol>`, "<ol><li>Hello</li></ol>"},
	{`<div "onclick=alert(1)">Hello</div>`, "<div>Hello</div>"},
	{`<div '=">" onclick=alert(1)>Hello</div>`, "<div>Hello</div>"},
	{`<div a=">"onclick=alert(1)>Hello</div>`, "<div>Hello</div>"},
	{`<div a='">' onclick=alert(1) b='">Hello</div>`, ""},
	{"<div a=`>` onclick=alert(1)>Hello</div>", "<div>` onclick=alert(1)&gt;Hello</div>"},
	{"<div =onclick=alert(1)>Hello</div>", "<div>Hello</div>"},
	{"<div/ /onclick=alert(1)/>Hello</div>", "<div>Hello</div>"},

	// Comments, declarations and broken markup.
	{"<!-- <script>alert(1)</script> -->Hello", "Hello"},
	{"<!--><script>alert(1)</script>-->Hello", "--&gt;Hello"},
	{"<!---><img src=x onerror=alert(1)>-->Hello", "--&gt;Hello"},
	{"<!--!><img src=x onerror=alert(1)>-->Hello", "Hello"},
	{"<!-- x --!><img src=x onerror=alert(1)>-->Hello", "--&gt;Hello"},
	{"<!--[if IE]><script>alert(1)</script><![endif]-->Hello", "Hello"},
	{"<![CDATA[<script>alert(1)</script>]]>Hello", "alert(1)]]&gt;Hello"},
	{"<![CDATA[ x ]]>Hello", "Hello"},
	{`<!DOCTYPE html [<!ENTITY x "<script>">]>Hello`, "&#34;&gt;]&gt;Hello"},
	{`<?xml version="1.0"?><?php echo 1 ?>Hello`, "Hello"},
	{`<?import namespace="t" implementation="#default#time2">Hello`, "Hello"},
	{"<%<script>alert(1)</script>%>Hello", "&lt;%%&gt;Hello"},
	{"</script>Hello", "Hello"},
	{"</div></div>Hello", "Hello"},
	{"</p>Hello</br>", "Hello"},
	{"Hello<", "Hello&lt;"},
	{"Hello<b", "Hello"},
	{`Hello<b class="`, "Hello"},
	{"Hello<!--", "Hello"},
	{"Hello</", "Hello&lt;/"},
	{`Hello<a href="https://example.com`, "Hello"},
	{"a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"},
	{"1<2", "1&lt;2"},
	{"<>Hello</>", "&lt;&gt;Hello"},
	{"<3 you", "&lt;3 you"},
	{"<b><i>Hello</b> there</i>", "<strong><em>Hello</em></strong> there"},
	{"<p><div>Hello</p></div>", "<p></p><div>Hello</div>"},
	{"<p>one<p>two", "<p>one</p><p>two</p>"},
	{"<h1>one<h2>two", "<h1>one</h1><h2>two</h2>"},
	{"<li>one<li>two", "<div>one</div><div>two</div>"},
	{"<ul><li>one<ul><li>two</ul><li>three</ul>", "<ul><li>one<ul><li>two</li></ul></li><li>three</li></ul>"},
	{"<ul><li><blockquote>one<li>two</ul>", "<ul><li><blockquote>one</blockquote></li><li>two</li></ul>"},
	{`<a href="https://one.example">one <a href="https://two.example">two</a></a>`, `<a href="https://one.example">one </a><a href="https://two.example">two</a>`},
	{`<a href="https://one.example"><div>one<a href="javascript:x">two</a></div></a>three`, `<a href="https://one.example"><div>one</div></a>twothree`},
	{`<p><a href="https://one.example"><div>one</div></a></p>`, `<p><a href="https://one.example"></a></p><div>one</div>`},
	{"<strong><p>one</p>two", "<strong><p>one</p>two</strong>"},
	{`<table><a href="https://one.example"><tr><td>x<a href="https://two.example">y</table>Hello`, `<div><a href="https://one.example"><div>x</div></a><a href="https://two.example">y</a></div>Hello`},
	{"<b><table><td><i>one</b></table>two", "<strong><div><em>one</em></div></strong>two"},
	{"\ufeff<b>Hello</b>", "\ufeff<strong>Hello</strong>"},
	{"Hel\x00lo", "Hello"},
	{"Hel\xfflo \xed\xa0\x80", "Hel�lo �"},
	{"&#0;&#x80;&#xD800;&#x110000;&#1;Hello", "�€��Hello"},
	{"&notanentity; &amp &copy", "¬anentity; &amp; ©"},
	{"\b\x1b[31mHello\x7f", "[31mHello"},
	{"<pre>\n\nHello</pre>", "<pre>\n\nHello</pre>"},

	// Mentions and attachments.
	{`<span class="mention" data-user-id="7"><img src=x onerror=alert(1)>@David</span>`, `<span class="mention" data-user-id="7">@David</span>`},
	{`<span class="mention" data-user-id="7"><script>alert(1)</script>@David</span>`, `<span class="mention" data-user-id="7">@David</span>`},
	{`<span class="mention" data-user-id="7"><a href="https://evil.example">@David</a></span>`, `<span class="mention" data-user-id="7">@David</span>`},
	{`<span class="mention" data-user-id="7"><b>@<span>Dav</span>id</b> and</span> more`, `<span class="mention" data-user-id="7">@David and</span> more`},
	{`<span class="mention" data-user-id="7">@David<div>more</div>`, `<span class="mention" data-user-id="7">@David more</span>`},
	{`<span class="mention" data-user-id="7">@<span class="mention" data-user-id="8">Jason</span></span>`, `<span class="mention" data-user-id="7">@Jason</span>`},
	{`<span class="mention" data-user-id="7"></span>`, `<span class="mention" data-user-id="7"></span>`},
	{`<span class="x mention y" data-user-id="7" title="x" style="x">@David</span>`, `<span class="mention" data-user-id="7">@David</span>`},
	{`<span class="mention" data-user-id="007">@David</span>`, `<span class="mention" data-user-id="7">@David</span>`},
	{`<span class="mention" data-user-id="0">@David</span>`, "@David"},
	{`<span class="mention" data-user-id="-7">@David</span>`, "@David"},
	{`<span class="mention" data-user-id="7 ">@David</span>`, "@David"},
	{`<span class="mention" data-user-id="7&quot; onclick=&quot;alert(1)">@David</span>`, "@David"},
	{`<span class="mention" data-user-id="99999999999999999999">@David</span>`, "@David"},
	{`<span class="mention" data-user-id="">@David</span>`, "@David"},
	{`<span class="mention">@David</span>`, "@David"},
	{`<span class="mentioned" data-user-id="7">@David</span>`, "@David"},
	{`<div class="mention" data-user-id="7">@David</div>`, "<div>@David</div>"},
	{`<p>Hi <figure data-trix-attachment='{"contentType":"application/vnd.campfire.mention","userId":"7","content":"<img src=x onerror=alert(1)>"}'><div>@David</div></figure>, hello</p>`, `<p>Hi <span class="mention" data-user-id="7">@David</span>, hello</p>`},
	{`<figure data-trix-attachment='{"contentType":"application/vnd.campfire.mention","userId":7}' data-trix-content-type="x" class="attachment"><img src=x onerror=alert(1)>David</figure>`, `<span class="mention" data-user-id="7">David</span>`},
	{`<figure data-trix-attachment='{"contentType":"application/vnd.campfire.mention","userId":{"a":1}}'>@David</figure>Hello`, "Hello"},
	{`<figure data-trix-attachment='{"contentType":"application/vnd.campfire.mention","userId":"7e0"}'>@David</figure>Hello`, "Hello"},
	{`<figure data-trix-attachment='{"contentType":"application/vnd.campfire.mention"}'>@David</figure>Hello`, "Hello"},
	{`<figure data-trix-attachment='{"contentType":"text/html","content":"<img src=x onerror=alert(1)>"}'>x</figure>Hello`, "Hello"},
	{`<figure data-trix-attachment='{"contentType":"text/html5","content":"<svg onload=alert(1)>"}'><svg onload=alert(1)></figure>Hello`, "Hello"},
	{`<figure data-trix-attachment='{"contentType":"image/png","url":"https://evil.example/pixel.png","width":1}'><img src="https://evil.example/pixel.png"><figcaption>x</figcaption></figure>Hello`, "Hello"},
	{`<figure data-trix-attachment='{"href":"javascript:alert(1)"}' data-trix-attributes='{"caption":"<img src=x onerror=alert(1)>"}'>x<figure>y</figure>z</figure>Hello`, "Hello"},
	{`<figure data-trix-attachment='{"contentType":"application/vnd.actiontext.opengraph-embed","href":"https://evil.example"}'>x</figure>Hello`, "Hello"},
	{`<figure data-trix-attachment="not json">x</figure>Hello`, "Hello"},
	{`<figure data-trix-attachment="[]">x</figure>Hello`, "Hello"},
	{`<figure data-trix-attachment='{"contentType":"application/vnd.campfire.mention","userId":"7"}'>`, `<span class="mention" data-user-id="7"></span>`},
	{`<div data-trix-attachment='{"contentType":"text/html","content":"<img src=x onerror=alert(1)>"}'>Hello</div>`, "<div>Hello</div>"},
	{`<div data-trix-serialized-attributes='{"onclick":"alert(1)"}' data-trix-attributes='{"href":"javascript:alert(1)"}'>Hello</div>`, "<div>Hello</div>"},
	{`<a data-trix-attachment='{"contentType":"text/html"}' href="https://example.com">Hello</a>`, `<a href="https://example.com">Hello</a>`},
	{`<action-text-attachment content-type="text/html" content="<img src=x onerror=alert(1)>">x</action-text-attachment>Hello`, "Hello"},
	{`<action-text-attachment sgid="x"></action-text-attachment>Hello`, "Hello"},
	{`<figure><img src="https://evil.example/pixel.png"><figcaption>Caption</figcaption></figure>Hello`, "<div>Caption</div>Hello"},
}

func TestNothingHarmfulIsShown(t *testing.T) {
	t.Parallel()
	for _, c := range hostile {
		if got := cleaned(t, c.sent); got != c.shown {
			t.Errorf("for %q\n got %q\nwant %q", c.sent, got, c.shown)
		}
	}
}

func TestManyAreCleanedAtOnceAndNoneAffectsAnother(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range hostile {
				c := hostile[(i*7+worker*31)%len(hostile)]
				if b, err := parseHTML(c.sent); err != nil || short(b.html()) != c.shown {
					t.Errorf("for %q got %v, %v; want %q", c.sent, b, err, c.shown)
				}
			}
		})
	}
	group.Wait()
}

func TestHarmInsideOtherThingsIsNotShownEither(t *testing.T) {
	t.Parallel()
	for _, around := range []string{
		"<div>%</div>", "<p>%", "<ul><li>%</ul>", "<pre>%</pre>", "<h1>%", "<b><a href='https://example.com'>%", "<table><tr><td>%</table>",
		"<span class=mention data-user-id=7>%</span>", "<svg>%</svg>", "<math><mtext>%", "<select>%", "<template>%", "<figure>%<figcaption>%",
		"<!-- % -->", "<title>%</title>", "<div title='%'>", "<div title=\"%\">", "<div title=%>", "<%", "</%", "<noscript>%", "<svg><style>%",
	} {
		for _, c := range hostile {
			cleaned(t, strings.ReplaceAll(around, "%", c.sent))
		}
	}
}

func TestWhatTheComposerMakesIsKept(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{
		"<div>Hello</div>",
		"<div>one<br>two<br><br>three</div>",
		"<div><strong>bold</strong>, <em>italic</em>, <del>gone</del> and <strong><em>both</em></strong></div>",
		"<div>see <a href=\"https://example.com/a?b=c&amp;d=e#f\">the page</a></div>",
		"<div>write <a href=\"mailto:david@example.com\">to David</a></div>",
		"<div><a href=\"http://campfire.example/rooms/1/@2\">a message</a></div>",
		"<blockquote>quoted</blockquote><div>answered</div>",
		"<ul><li>one<ul><li>one and a half</li></ul></li><li>two</li></ul>",
		"<ol><li>first</li><li>second<ol><li>inner</li></ol></li></ol>",
		"<h1>Title</h1><div>text</div>",
		"<h2>two</h2><h3>three</h3><h4>four</h4><h5>five</h5><h6>six</h6>",
		"<pre>if a &lt; b {\n\treturn\n}\n</pre>",
		"<pre>\n\nhttps://example.com starts after two blank lines</pre>",
		"<div><code>https://example.com</code></div>",
		"<p>Lexxy writes <u>paragraphs</u>,</p><p>H<sub>2</sub>O, x<sup>2</sup> and <cite>titles</cite></p>",
		"<div>Hi <span class=\"mention\" data-user-id=\"7\">@David</span>, and <strong><span class=\"mention\" data-user-id=\"8\">@Jason</span></strong>!</div>",
		"<div>👩‍💻 日本語 العربية \u00a0 é</div>",
		"<blockquote><div>one</div><ul><li><pre>two</pre></li></ul></blockquote>",
	} {
		if got := cleaned(t, sent); got != sent {
			t.Errorf("got  %q\nwant %q", got, sent)
		}
	}
}

func TestOtherSpellingsBecomeOurs(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"<b>a</b><i>b</i><s>c</s><strike>d</strike>":   "<strong>a</strong><em>b</em><del>c</del><del>d</del>",
		"<DIV>Hello<BR/>there</DIV>":                   "<div>Hello<br>there</div>",
		"<section>one</section><article>two</article>": "<div>one</div><div>two</div>",
		"one<hr>two":                                                "one<br>two",
		"It's \"so\" &mdash;&nbsp;5 &gt; 4":                         "It&#39;s &#34;so&#34; —\u00a05 &gt; 4",
		"<a href=\" HTTPS://Example.com/a b \">x</a>":               "<a href=\"HTTPS://Example.com/a%20b\">x</a>",
		"<a href=\"https://example.com/100%\">x</a>":                "<a href=\"https://example.com/100%\">x</a>",
		"<font color=red>red</font> <mark>marked</mark>":            "red marked",
		"<dl><dt>term</dt><dd>meaning</dd></dl>":                    "<div><div>term</div><div>meaning</div></div>",
		"<table><tr>\n<th>A</th>\n<td>B</td>\n</tr></table>":        "<div><div>A | B</div></div>",
		"<table><tbody><tr><th><p>A</p></th><td><p>B</p></td></tr>": "<div><div>A | B</div></div>",
		"<table><tr><td>1<td>2<tr><td>3<td><b>4</b></table>":        "<div><div>1 | 2</div><div>3 | <strong>4</strong></div></div>",
		"<table><tr><td><ul><li>x</ul></td></tr></table>after":      "<div><div><ul><li>x</li></ul></div></div>after",
		"<figure class=\"table\"><table><tr><td>x</table></figure>": "<div><div><div>x</div></div></div>",
	} {
		if got := cleaned(t, sent); got != want {
			t.Errorf("for %q\n got %q\nwant %q", sent, got, want)
		}
	}
}

func TestAMentionIsShownUnderTheNameOnRecord(t *testing.T) {
	t.Parallel()
	b, err := parseHTML(`<div>Hi <span class="mention" data-user-id="7">@Somebody</span> and ` +
		`<figure data-trix-attachment='{"contentType":"application/vnd.campfire.mention","userId":"8"}'><img src=x> Jason</figure>, ` +
		`not <span class="mention" data-user-id="9">@Kevin</span>.<br>` +
		`<span class="mention" data-user-id="7">@Somebody else</span></div>`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := b.mentions(), []int64{7, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("it mentions %v, want %v", got, want)
	}
	b.settleMentions(map[int64]string{7: "David", 8: "Jason <b>Fried</b>", 10: "Nobody"})
	if got, want := b.mentions(), []int64{7, 8}; !slices.Equal(got, want) {
		t.Errorf("settled, it mentions %v, want %v", got, want)
	}
	want := `<div>Hi <span class="mention" data-user-id="7">@David</span> and ` +
		`<span class="mention" data-user-id="8">@Jason &lt;b&gt;Fried&lt;/b&gt;</span>, not @Kevin.<br>` +
		`<span class="mention" data-user-id="7">@David</span></div>`
	if got := b.html(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := b.text(), "Hi @David and @Jason <b>Fried</b>, not @Kevin.\n@David"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	requireClean(t, b)
}

func TestAMentionSurvivesEditing(t *testing.T) {
	t.Parallel()
	names := map[int64]string{7: "David  Heinemeier\nHansson"}
	b, err := parseHTML(`<div><span class="mention" data-user-id="7">@D</span></div>`)
	if err != nil {
		t.Fatal(err)
	}
	b.settleMentions(names)
	edited, err := parseHTML(b.html())
	if err != nil {
		t.Fatal(err)
	}
	edited.settleMentions(names)
	if got, want := edited.html(), `<div><span class="mention" data-user-id="7">@David Heinemeier Hansson</span></div>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatIsLeftOfAMentionIsOnlyText(t *testing.T) {
	t.Parallel()
	b, err := parseHTML(`me<span class="mention" data-user-id="9">@example.com &lt;script&gt;</span>, www.<span class="mention" data-user-id="9">example.com</span>`)
	if err != nil {
		t.Fatal(err)
	}
	b.settleMentions(nil)
	requireClean(t, b)
	want := `<a href="mailto:me@example.com">me@example.com</a> &lt;script&gt;, <a href="https://www.example.com">www.example.com</a>`
	if got := short(b.html()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := b.mentions(); len(got) != 0 {
		t.Errorf("it mentions %v, want nobody", got)
	}
}

func TestHTMLReadAsPlainText(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"":                                             "",
		"Hello":                                        "Hello",
		"<div>Hello</div>":                             "Hello",
		"<div>one<br>two</div>":                        "one\ntwo",
		"<div>one</div><div>two</div>":                 "one\ntwo",
		"<p>one</p><p>two</p>":                         "one\n\ntwo",
		"<h1>Title</h1><div>text</div>":                "Title\n\ntext",
		"<div>one<br><br></div>two":                    "one\ntwo",
		"<div>one</div>\n\n<div>two</div>":             "one\ntwo",
		"one\n<b>two</b>":                              "one\ntwo",
		"<b>one</b> <i>two</i>":                        "one two",
		"a &lt; b &amp;&amp; &quot;c&quot;":            "a < b && \"c\"",
		"<ul><li>one</li><li>two</li></ul>":            "• one\n• two",
		"<ol><li>one</li><li>two</li></ol>":            "1. one\n2. two",
		"<ul>\n<li>one</li>\n<li>two</li>\n</ul>after": "• one\n• two\n\nafter",
		"<ol>\n<li>one</li>\n<li>two</li>\n</ol>":      "1. one\n2. two",
		"<ul><li>one<ul><li>two<ol><li>three</li></ol></li></ul></li><li>four</li></ul>": "• one\n  • two\n    1. three\n• four",
		"<div>before</div><ul><li>one</li></ul><div>after</div>":                         "before\n• one\n\nafter",
		"<blockquote>quoted</blockquote><div>answered</div>":                             "“quoted”\n\nanswered",
		"<blockquote></blockquote>":                                                      "“”",
		"<blockquote> <br> </blockquote>":                                                "“”",
		"<blockquote><div>one</div><div>two</div></blockquote>":                          "“one\ntwo”",
		"<blockquote>one<blockquote>two</blockquote></blockquote>":                       "“one\n“two””",
		"<pre>a\n  b\n</pre>after":                                                       "a\n  b\n\nafter",
		"<a href=\"https://example.com\">a page</a>":                                     "a page",
		"<script>no</script><style>no</style>yes":                                        "yes",
		"<span class=\"mention\" data-user-id=\"7\">@David</span>, hi":                   "@David, hi",
		"<figure data-trix-attachment='{\"contentType\":\"image/png\"}'>no</figure>yes":  "yes",
		"<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>":      "1 | 2\n3 | 4",
		"<div>" + strings.Repeat("<ul><li>", 12) + "x":                                   "• \n  • \n    • \n      • \n        • \n          • \n            • \n              • \n                • \n                • \n                • \n                • x",
		"Done:<ul><li>one</li></ul>":                                                     "Done:\n• one",
		"<b>one</b><div>two</div>three":                                                  "one\ntwo\nthree",
		"<ul><li>one<p>two</p></li></ul>":                                                "• one\ntwo",
		"<ul>one<ul><li>two</li></ul></ul>":                                              "one\n  • two",
		"<div>\u00a0</div>":                                                              "\u00a0",
		"<br><br>":                                                                       "",
	} {
		b, err := parseHTML(sent)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.text(); got != want {
			t.Errorf("for %q\n got %q\nwant %q", sent, got, want)
		}
	}
}

func TestPlainTextIsShownAsItIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sent, shown, text string }{
		{"Hello", "Hello", "Hello"},
		{"one\ntwo\r\nthree\rfour", "one<br>two<br>three<br>four", "one\ntwo\nthree\nfour"},
		{"one\n\n\n", "one", "one"},
		{"<b>&amp;</b> it's \"x\"", "&lt;b&gt;&amp;amp;&lt;/b&gt; it&#39;s &#34;x&#34;", "<b>&amp;</b> it's \"x\""},
		{"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"},
		{"see https://example.com.", "see <a href=\"https://example.com\">https://example.com</a>.", "see https://example.com."},
		{"  kept  \tas it is", "  kept  \tas it is", "  kept  \tas it is"},
		{"a\x00b\x1bc\xff", "abc\uFFFD", "abc\uFFFD"},
		{"<!-- <plaintext> <span class=mention data-user-id=7>", "&lt;!-- &lt;plaintext&gt; &lt;span class=mention data-user-id=7&gt;", "<!-- <plaintext> <span class=mention data-user-id=7>"},
		{"", "", ""},
	} {
		b := parseText(c.sent)
		requireClean(t, b)
		if got := short(b.html()); got != c.shown {
			t.Errorf("for %q got %q, want %q", c.sent, got, c.shown)
		}
		if got := b.text(); got != c.text {
			t.Errorf("for %q it says %q, want %q", c.sent, got, c.text)
		}
		if got := b.mentions(); len(got) != 0 {
			t.Errorf("%q mentions %v, want nobody", c.sent, got)
		}
	}
}

func TestAddressesInTextBecomeLinks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://example.com":                      "[https://example.com]",
		"see http://example.com/a?b=c&d=e#f, or":   "see [http://example.com/a?b=c&d=e#f], or",
		"HTTPS://EXAMPLE.COM":                      "[HTTPS://EXAMPLE.COM]",
		"www.example.com":                          "[www.example.com]",
		"Www.example.com":                          "[Www.example.com]",
		"me@example.com":                           "[me@example.com]",
		"me.too+tag@mail.example.co.uk.":           "[me.too+tag@mail.example.co.uk].",
		"mailto:me@example.com":                    "mailto:[me@example.com]",
		"https://example.com.":                     "[https://example.com].",
		"https://example.com?!...":                 "[https://example.com]?!...",
		"https://example.com…":                     "[https://example.com]…",
		"'https://example.com'":                    "'[https://example.com]'",
		"“https://example.com”":                    "“[https://example.com]”",
		"(https://example.com)":                    "([https://example.com])",
		"(see https://example.com/a_(b))":          "(see [https://example.com/a_(b)])",
		"https://example.com/a_(b)":                "[https://example.com/a_(b)]",
		"https://example.com/a_(b).":               "[https://example.com/a_(b)].",
		"[https://example.com/a[1]]":               "[[https://example.com/a[1]]]",
		"[x](https://example.com)":                 "[x]([https://example.com])",
		"{\"url\":\"https://example.com\"}":        "{\"url\":\"[https://example.com]\"}",
		"https://example.com/a,b;c":                "[https://example.com/a,b;c]",
		"https://example.com/ünïcode/日本":           "[https://example.com/ünïcode/日本]",
		"看https://example.com。好":                   "看[https://example.com]。好",
		"（https://example.com）":                    "（[https://example.com]）",
		"https://example.com\u00a0next":            "[https://example.com]\u00a0next",
		"https://münchen.example":                  "[https://münchen.example]",
		"https://example.com:8080/x":               "[https://example.com:8080/x]",
		"https://user@example.com/":                "[https://user@example.com/]",
		"https://a.example https://b.example":      "[https://a.example] [https://b.example]",
		"https://a.example,https://b.example":      "[https://a.example,https://b.example]",
		"<https://example.com>":                    "<[https://example.com]>",
		"https://":                                 "https://",
		"www.":                                     "www.",
		"http://.":                                 "http://.",
		"ftp://example.com":                        "ftp://example.com",
		"javascript:alert(1)":                      "javascript:alert(1)",
		"xhttps://example.com":                     "xhttps://example.com",
		"example.com":                              "example.com",
		"httpſ://example.com":                      "httpſ://example.com",
		"@david":                                   "@david",
		"a@b":                                      "a@b",
		"a @ b.example":                            "a @ b.example",
		"3.5@2.0":                                  "3.5@2.0",
		"\"onmouseover=alert(1) https://x.example": "\"onmouseover=alert(1) [https://x.example]",
	} {
		b := parseText(text)
		requireClean(t, b)
		got := html.UnescapeString(linkParts.Replace(marked(b.html())))
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// marked puts the links of some HTML in square brackets.
func marked(html string) string {
	for {
		before, rest, found := strings.Cut(html, "<a ")
		if !found {
			return html
		}
		_, rest, _ = strings.Cut(rest, ">")
		html = before + "[" + rest
	}
}

var linkParts = strings.NewReplacer("</a>", "]")

func TestABareAddressLeadsWhereItSays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://example.com/a?b=c&d": "https://example.com/a?b=c&amp;d",
		"http://example.com":          "http://example.com",
		"www.example.com/x":           "https://www.example.com/x",
		"me@example.com":              "mailto:me@example.com",
		"www.example.com/?u=http://x": "https://www.example.com/?u=http://x",
	} {
		if got := parseText(text).html(); !strings.HasPrefix(got, `<a href="`+want+`" `) {
			t.Errorf("got %s, want a link to %s", got, want)
		}
	}
}

func TestAddressesInCodeAndLinksAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{
		"<pre>https://example.com</pre>",
		"<code>me@example.com</code>",
		"<pre><strong>www.example.com</strong></pre>",
		"<a href=\"https://other.example\">https://example.com</a>",
		"<a href=\"https://other.example\"><strong>www.example.com</strong></a>",
		"<span class=\"mention\" data-user-id=\"7\">@me@example.com</span>",
	} {
		if got := cleaned(t, sent); got != sent {
			t.Errorf("got %s, want %s", got, sent)
		}
	}
	if got, want := cleaned(t, "www.ex<x></x>ample.com <em>https://example.com</em>"),
		`<a href="https://www.example.com">www.example.com</a> <em><a href="https://example.com">https://example.com</a></em>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOnlyEmojiAreEmoji(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"😀":         true,
		"👍👏":        true,
		"❤️":        true,
		"❤":         true,
		"☀️🌧️":      true,
		"👍🏽":        true, // a tone of skin
		"🏽":         true,
		"👩‍💻":       true, // joined
		"👨‍👩‍👧‍👦":   true,
		"🏳️‍🌈🏴‍☠️":  true,
		"❤️‍🔥":      true,
		"🧑🏿‍🤝‍🧑🏻":   true,
		"1️⃣#️⃣*️⃣": true, // keycaps
		"1⃣":        true,
		"🇩🇰🇺🇸":      true, // flags
		"🇩":         true,
		"🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F": true, // Scotland
		"©️®️™️":        true,
		"🫠🪿":            true,
		"":              false,
		" ":             false,
		"😀 😀":           false,
		"😀\n😀":          false,
		" 😀":            false,
		"😀\u00a0":       false,
		"😀!":            false,
		"wow 😀":         false,
		"a":             false,
		"1":             false,
		"#":             false,
		"*":             false,
		"12":            false,
		"1\uFE0F":       false,
		"a\u20E3":       false,
		"©":             false,
		"®":             false,
		"™":             false,
		"日本":            false,
		"é":             false,
		"❤\uFE0E":       false, // asked to be text
		"\uFE0F":        false,
		"\u200D":        false,
		"😀\u0301":       false,
		"😀\u200D\u0301": false,
		"a\u200D😀":      false,
		"\U000E0067":    false,
		"➕":             true,
		"+":             false,
		"→":             false,
		"★":             true, // as in the original
	} {
		if got := onlyEmoji(text); got != want {
			t.Errorf("onlyEmoji(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestWhatShowsNothingIsBlank(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                                     true,
		" \t\n":                                true,
		"\u00a0\u3000\u2003":                   true,
		"\u200b\u200c\u200d\u2060\ufeff\u00ad": true,
		"\u202e\u2066\u180e\u034f":             true,
		"\u115f\u3164\u2800\ufe0f":             true,
		"\U000E0020\x00":                       true,
		".":                                    false,
		"\u200b.":                              false,
		"😀":                                    false,
		"👩‍💻":                                  false,
		"日":                                    false,
		"\u0301":                               false,
	} {
		if got := store.IsBlank(text); got != want {
			t.Errorf("IsBlank(%q) = %v, want %v", text, got, want)
		}
	}
	for _, sent := range []string{"<div><br></div>", "<div>&nbsp;</div>", "\ufeff", "<b>&#x200b;</b>", "<img src=x>", "<script>x</script>"} {
		b, err := parseHTML(sent)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.text(); !store.IsBlank(got) {
			t.Errorf("%q says %q, want nothing", sent, got)
		}
	}
}

func TestFormattingNestedTooDeeplyIsRefused(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{
		strings.Repeat("<div>", 10_000), strings.Repeat("<div>", 10_000) + "x" + strings.Repeat("</div>", 10_000),
		strings.Repeat("<b>", 101), strings.Repeat("<span>", 101), strings.Repeat("<ul><li>", 51), strings.Repeat("<svg>", 101),
		strings.Repeat("<div>", 101) + "<a>", "<svg>" + strings.Repeat("<a>", 10_000),
	} {
		if _, err := parseHTML(sent); err == nil || !strings.Contains(err.Error(), "too deeply") {
			t.Errorf("for %.20q got %v, want it refused as nested too deeply", sent, err)
		}
	}
	deep := strings.Repeat("<div>", 100) + "x" + strings.Repeat("</div>", 100)
	if got := cleaned(t, deep); got != deep {
		t.Errorf("got %q, want a hundred kept", got)
	}
	cleaned(t, strings.ReplaceAll(deep, "x", "www.example.com"))
}

// Twice the largest body the wire lets through: enough to tell a line from a square.
func TestNonsenseOfAnySortTakesNoLonger(t *testing.T) {
	t.Parallel()
	const size = 1 << 17
	for _, part := range []string{
		"<", "<<<a", "</", "<!", "<!--", "&", "&a", "&#", "<b", "<b ", "<b a", "<b a=", "<b a='", "<a href=", "\x00", "\xff", "\r",
		"<p>", "<p", "<li>", "<br>", "</p>", "</b>", "<script>", "<svg/>", "<x>a", "a<x>", "<a href=https://x.example>", "<p><b>",
		"<span class=mention data-user-id=7>a</span>", "<figure data-trix-attachment='{'>", "<figure data-trix-attachment='{}'></figure>",
		"www.a ", "www.a", "https://a(", "https://a)", "https://a..", "(https://a", "a@b.co ", "a@b.co-.", "a@", "@a.", "a.", "://", "h",
		"<b a=1></b>", "<tr><td>x", "<table><td>", "<h1><h2>", "<pre>\n", "<blockquote>a</blockquote>", "👩‍💻",
	} {
		// Milliseconds, but for the race detector on a busy machine: then it must at least be no square.
		all := strings.Repeat(part, size/len(part))
		if timeOf(all) > 5*time.Second {
			if whole, quarter := leastTimeOf(all), leastTimeOf(all[:len(all)/4]); whole > 10*quarter {
				t.Errorf("%d bytes of %q took %v and a quarter of them %v, want a moment", size, part, whole, quarter)
			}
		}
	}
}

// timeOf is how long a body takes to be cleaned.
func timeOf(sent string) time.Duration {
	began := time.Now()
	b, err := parseHTML(sent)
	if err == nil {
		b.settleMentions(map[int64]string{})
		b.html()
		onlyEmoji(b.text())
	}
	return time.Since(began)
}

// leastTimeOf is that of three times: others may have had the processor during one.
func leastTimeOf(sent string) time.Duration {
	return min(timeOf(sent), timeOf(sent), timeOf(sent))
}

func FuzzCleaning(f *testing.F) {
	for _, c := range hostile {
		f.Add(c.sent)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		requireClean(t, parseText(sent))
		b, err := parseHTML(sent)
		if err != nil {
			return
		}
		requireClean(t, b)
		b.settleMentions(map[int64]string{7: "David"})
		requireClean(t, b)
	})
}

func BenchmarkCleaning(b *testing.B) {
	for name, sent := range map[string]string{
		"short": "<div>Hello</div>",
		"usual": "<div>Hi <span class=\"mention\" data-user-id=\"7\">@David</span>, it's <strong>done</strong>: see https://example.com/a.<br>Bye</div>",
		"long":  strings.Repeat("<div>A paragraph of some length, with <em>formatting</em> &amp; more.</div>", 100),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parsed, err := parseHTML(sent)
				if err != nil {
					b.Fatal(err)
				}
				parsed.settleMentions(map[int64]string{7: "David"})
				parsed.html()
				parsed.text()
			}
		})
	}
}
