package server

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
	"github.com/rivo/uniseg"
	"golang.org/x/net/html"

	"campfire.example/store"
)

// body is a message's rich text as parsed: clean, its mentions still to be settled.
type body struct {
	root      *node
	mentioned []*node
	open      []*node // while it is parsed: the elements that have not ended
}

// node is one element of a body, or a run of text. It has no place for an attribute of the sender's choosing.
type node struct {
	tag      string // "" for text
	text     string
	href     string // of a link
	userID   int64  // of a mention
	hidden   bool   // not to be shown, with all it contains
	children []*node
}

// kept names what each element becomes. Any other leaves only its content behind.
var kept = map[string]string{
	"p": "p", "div": "div", "blockquote": "blockquote", "pre": "pre", "ul": "ul", "ol": "ol", "li": "li",
	"h1": "h1", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h5", "h6": "h6",
	"strong": "strong", "b": "strong", "em": "em", "i": "em", "del": "del", "s": "del", "strike": "del",
	"u": "u", "sub": "sub", "sup": "sup", "cite": "cite", "code": "code", "a": "a", "span": "span",
	"br": "br", "hr": "br", "figure": "figure", "table": "div", "caption": "div", "tr": "tr", "td": "td", "th": "td",
	"article": "div", "section": "div", "header": "div", "footer": "div", "form": "div", "dl": "div", "dt": "div", "dd": "div",
}

// unreadable are the elements whose content nobody was meant to read, or cannot read without them.
var unreadable = regexp.MustCompile(`^(script|style|svg|math|template|iframe|object|applet|canvas|noscript|noembed|` +
	`noframes|title|textarea|xmp|plaintext|select|datalist|button|video|audio|picture|action-text-attachment)$`)

// blocks end the paragraph they meet, as they do in a browser. In plain text this follows each of them.
var blocks = map[string]string{
	"div": "\n", "li": "\n", "figure": "\n", "tr": "\n", "td": "\n", "p": "\n\n", "blockquote": "\n\n", "pre": "\n\n",
	"ul": "\n\n", "ol": "\n\n", "h1": "\n\n", "h2": "\n\n", "h3": "\n\n", "h4": "\n\n", "h5": "\n\n", "h6": "\n\n",
}

const (
	maxDepth   = 100 // how many elements may stand inside one another
	relOfLinks = "noopener noreferrer nofollow"
)

// safeLink is the only kind of address a link may have. Letters are spelt out: (?i)s would be the long ſ too.
var safeLink = regexp.MustCompile(`^([Hh][Tt][Tt][Pp][Ss]?://|[Mm][Aa][Ii][Ll][Tt][Oo]:)[^\x00-\x20\x7f]+$`)

// wall says once more, in another's words, what may be shown, and is the last to see it. What we build passes it
// unchanged: it stands there for the day one of us makes a mistake.
var wall = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "div", "blockquote", "pre", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "br",
		"strong", "em", "del", "u", "sub", "sup", "cite", "code")
	p.AllowAttrs("href").Matching(safeLink).OnElements("a")
	p.AllowAttrs("rel", "target").Matching(regexp.MustCompile("^(" + relOfLinks + "|_blank)$")).OnElements("a")
	p.AllowAttrs("class", "data-user-id").Matching(regexp.MustCompile("^(mention|[1-9][0-9]*)$")).OnElements("span")
	return p
}()

// parseHTML reads HTML from anyone. It rebuilds the elements one by one in the shape a browser would give them, so that
// cleaning the result again changes nothing. html.Parse would do so too, but repeats open formatting in each paragraph:
// a message of 60 kB could fill the memory.
func parseHTML(source string) (*body, error) {
	b := &body{root: &node{tag: "body"}}
	b.open = []*node{b.root}
	for tokens := html.NewTokenizer(strings.NewReader(strings.ToValidUTF8(source, "\uFFFD"))); ; {
		switch tokens.Next() {
		case html.ErrorToken: // the end
			b.root.tidy()
			return b, nil
		case html.TextToken:
			over, text := b.open[len(b.open)-1], printable(string(tokens.Text()))
			if over.tag == "pre" && len(over.children) == 0 {
				text = strings.TrimPrefix(text, "\n") // does not count in HTML
			}
			over.children = append(over.children, &node{text: text})
		case html.StartTagToken, html.SelfClosingTagToken:
			if err := b.start(tokens.Token()); err != nil {
				return nil, err
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			b.end(cmp.Or(kept[string(name)], string(name)))
		}
	}
}

// parseText reads plain text.
func parseText(text string) *body {
	root := &node{tag: "body"}
	for i, line := range strings.Split(newlines.Replace(strings.TrimRight(text, "\r\n")), "\n") {
		if i > 0 {
			root.children = append(root.children, &node{tag: "br"})
		}
		if line = printable(strings.ToValidUTF8(line, "\uFFFD")); line != "" {
			root.children = append(root.children, &node{text: line})
		}
	}
	return &body{root: root}
}

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// start opens an element.
func (b *body) start(t html.Token) error {
	attrs := map[string]string{}
	for _, a := range slices.Backward(t.Attr) { // of two of one name the first counts
		attrs[a.Key] = a.Val
	}
	n, id := &node{tag: kept[t.Data]}, ""
	switch {
	case n.tag == "a":
		n.href = safeLink.FindString(strings.ReplaceAll(strings.TrimSpace(attrs["href"]), " ", "%20"))
	case n.tag == "span" && slices.Contains(strings.Fields(attrs["class"]), "mention"):
		id = attrs["data-user-id"]
	case n.tag == "figure" && attrs["data-trix-attachment"] != "":
		id, n.hidden = mentionedBy(attrs["data-trix-attachment"]), true
	case t.Type == html.SelfClosingTagToken && (t.Data == "svg" || t.Data == "math"): // no other can close itself
	case unreadable.MatchString(t.Data):
		n.tag, n.hidden = t.Data, true
	}
	if userID, err := strconv.ParseInt(id, 10, 64); err == nil && userID > 0 {
		n.userID, n.hidden = userID, false
	}
	switch opaque := slices.ContainsFunc(b.open, func(n *node) bool { return n.isMention() || n.hidden }); {
	case n.tag == "":
		return nil
	case !opaque && n.isMention():
		b.mentioned = append(b.mentioned, n)
	case !opaque && !n.hidden: // as in a browser, some end others
		if blocks[n.tag] != "" {
			b.end("p")
		}
		if n.tag == "a" || n.tag == "li" || n.tag == "tr" || n.tag == "td" || isHeading(n.tag) {
			b.end(n.tag)
		}
	}
	if depth := len(b.open); depth > maxDepth+1 || depth > maxDepth && n.tag != "a" { // a bare address may become a link
		return errors.New("is nested too deeply; paste it as plain text")
	}
	over := b.open[len(b.open)-1]
	if over.children = append(over.children, n); n.tag != "br" {
		b.open = append(b.open, n)
	}
	return nil
}

// end ends the innermost element of that name and all within it. Items end within their own list only.
func (b *body) end(tag string) {
	for i := len(b.open) - 1; i > 0; i-- {
		switch over := b.open[i].tag; {
		case over == tag, isHeading(over) && isHeading(tag):
			b.open = b.open[:i]
			return
		case tag == "li" && (over == "ul" || over == "ol"):
			b.open = b.open[:i+1]
			return
		}
	}
}

func isHeading(tag string) bool { return len(tag) == 2 && tag[0] == 'h' }

// mentionedBy answers the id of the user whom one of Trix's attachments mentions, if it mentions any.
func mentionedBy(attachment string) string {
	var a struct {
		ContentType string      `json:"contentType"`
		UserID      json.Number `json:"userId"` // in quotes or without
	}
	if err := json.Unmarshal([]byte(attachment), &a); err != nil || a.ContentType != "application/vnd.campfire.mention" {
		return ""
	}
	return a.UserID.String()
}

// printable leaves out control characters.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

func oneLine(text string) string { return strings.Join(strings.Fields(printable(text)), " ") }

func (n *node) isMention() bool { return n.userID != 0 }

// tidy takes out what only stood there to be ended: plain spans, links to nowhere, the cells of a table.
func (n *node) tidy() {
	var children []*node
	for _, c := range n.children {
		c.tidy()
		switch {
		case c.hidden, n.tag == "tr" && c.tag == "" && store.IsBlank(c.text):
		case c.tag == "td", n.tag == "td" && (c.tag == "p" || c.tag == "div"): // a row is one line
			if len(children) > 0 {
				children = append(children, &node{text: " | "})
			}
			children = append(children, c.children...)
		case c.tag == "span" && !c.isMention(), c.tag == "a" && c.href == "":
			children = append(children, c.children...)
		case c.tag == "tr", c.tag == "figure", c.tag == "li" && n.tag != "ul" && n.tag != "ol":
			c.tag = "div"
			fallthrough
		default:
			children = append(children, c)
		}
	}
	n.children = joined(children)
	if n.isMention() {
		text := string(appendText(nil, &node{tag: "span", children: n.children}, 0))
		n.tag, n.children = "span", []*node{{text: oneLine(text)}}
	}
}

// joined makes one of the texts that stand side by side, as they will when read again.
func joined(nodes []*node) []*node {
	out := nodes[:0]
	for len(nodes) > 0 {
		var text []string
		for ; len(nodes) > 0 && nodes[0].tag == ""; nodes = nodes[1:] {
			text = append(text, nodes[0].text)
		}
		if all := strings.Join(text, ""); all != "" {
			out = append(out, &node{text: all})
		}
		if len(nodes) > 0 {
			out, nodes = append(out, nodes[0]), nodes[1:]
		}
	}
	return out
}

// mentions answers the ids of the users referred to, each once, in order of appearance.
func (b *body) mentions() []int64 {
	var ids []int64
	for _, n := range b.mentioned {
		if !slices.Contains(ids, n.userID) {
			ids = append(ids, n.userID)
		}
	}
	return ids
}

// settleMentions gives the mentions of these users their names, and leaves of every other mention its plain text.
func (b *body) settleMentions(names map[int64]string) {
	for _, n := range b.mentioned {
		if name, ok := names[n.userID]; ok {
			n.children = []*node{{text: "@" + oneLine(name)}}
		} else {
			n.userID = 0 // a plain span
		}
	}
	b.mentioned = slices.DeleteFunc(b.mentioned, func(n *node) bool { return !n.isMention() })
	b.root.tidy()
}

// html answers the body as it is shown.
func (b *body) html() string {
	var w strings.Builder
	for _, n := range b.root.children {
		n.render(&w, true)
	}
	if clean := w.String(); !strings.Contains(clean, "<") {
		return clean // no element, so nothing to look at
	}
	return wall.Sanitize(w.String())
}

// render writes n. Where bare is set, addresses in the text become links.
func (n *node) render(w *strings.Builder, bare bool) {
	if n.tag == "" {
		writeText(w, n.text, bare)
		return
	}
	w.WriteString("<" + n.tag)
	switch n.tag {
	case "a":
		fmt.Fprintf(w, ` href="%s" rel="%s" target="_blank"`, html.EscapeString(n.href), relOfLinks)
	case "span":
		fmt.Fprintf(w, ` class="mention" data-user-id="%d"`, n.userID)
	}
	w.WriteString(">")
	if n.tag == "br" {
		return
	}
	if n.tag == "pre" && len(n.children) > 0 && strings.HasPrefix(n.children[0].text, "\n") {
		w.WriteString("\n") // the first does not count
	}
	for _, c := range n.children {
		c.render(w, bare && n.tag != "a" && n.tag != "span" && n.tag != "pre" && n.tag != "code")
	}
	w.WriteString("</" + n.tag + ">")
}

// bareLink is what looks, in text, like the address of a page or of a mailbox. In that of a page brackets stand in pairs;
// it does not end in a mark, which belongs to the sentence.
var bareLink = regexp.MustCompile(`\b(?:[Hh][Tt][Tt][Pp][Ss]?://|[Ww][Ww][Ww]\.)[\pL\pN]` +
	`(?:(?:` + inBrackets + `|[^()\[\]` + noLink + `])*(?:` + inBrackets + `|[^()\[\].,:;!?'*~’` + noLink + `]))?` +
	`|[0-9A-Za-z_][0-9A-Za-z_.+-]*@(?:[0-9A-Za-z][0-9A-Za-z-]*\.)+[A-Za-z]{2,}`)

const (
	noLink     = `\s\pZ<>{}"“”«»…\x{200B}\x{3001}-\x{301F}\x{FF01}-\x{FF1F}` // are in no address
	inBrackets = `\([^()` + noLink + `]*\)|\[[^\[\]` + noLink + `]*\]`
)

// writeText writes text. Where bare is set, addresses in it become links.
func writeText(w *strings.Builder, text string, bare bool) {
	if bare && (strings.Contains(text, "://") || strings.Contains(text, "@") || strings.Contains(text, "ww.")) {
		for at := bareLink.FindStringIndex(text); at != nil; at = bareLink.FindStringIndex(text) {
			link := text[at[0]:at[1]]
			href := safeLink.FindString(link)
			if href == "" && strings.EqualFold(link[:4], "www.") {
				href = "https://" + link
			}
			writeText(w, text[:at[0]], false)
			(&node{tag: "a", href: cmp.Or(href, "mailto:"+link), children: []*node{{text: link}}}).render(w, false)
			text = text[at[1]:]
		}
	}
	w.WriteString(html.EscapeString(text))
}

// text answers what the body says, as plain text.
func (b *body) text() string { return strings.TrimRight(string(appendText(nil, b.root, 0)), "\n") }

// appendText adds what n says, which stands in so many lists.
func appendText(buf []byte, n *node, lists int) []byte {
	switch {
	case n.tag == "":
		return append(buf, n.text...)
	case n.tag == "br":
		return append(buf, '\n')
	case n.tag == "ul" || n.tag == "ol":
		lists++
	}
	start, position := len(buf), 0
	for i, c := range n.children {
		if next := n.children[i+1:]; c.tag == "" && len(next) > 0 && (next[0].tag == "br" || blocks[next[0].tag] != "") {
			buf = append(buf, strings.TrimRight(c.text, "\n")...) // the next one starts a line anyway
			continue
		}
		if isNestedList := lists > 0 && (c.tag == "ul" || c.tag == "ol"); isNestedList ||
			blocks[c.tag] != "" && len(buf) > start && buf[len(buf)-1] != '\n' {
			buf = append(buf, '\n')
		}
		if c.tag == "li" {
			bullet := "•"
			if position++; n.tag == "ol" {
				bullet = strconv.Itoa(position) + "."
			}
			buf = append(buf, strings.Repeat("  ", min(lists-1, 8))+bullet+" "...) // further in is too far
		}
		buf = appendText(buf, c, lists)
	}
	if blocks[n.tag] == "" {
		return buf
	}
	said := strings.TrimRight(string(buf[start:]), "\n")
	if n.tag == "blockquote" {
		said = "“" + strings.TrimSpace(said) + "”"
	}
	return append(append(buf[:start], said...), blocks[n.tag]...)
}

// emoji is the shape of one: a keycap, a sign asked to be one, a flag or tone of skin, or a picture and what may follow.
var emoji = regexp.MustCompile(`^(?:[0-9#*]\x{FE0F}?\x{20E3}|[©®™]\x{FE0F}|[\x{1F1E6}-\x{1F1FF}\x{1F3FB}-\x{1F3FF}]+|` +
	`([^0-9#*©®™])(?:[\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]|\x{200D}\PM)*)$`)

// onlyEmoji tells whether a text is emoji and nothing else, not even a space between them. Go does not know which
// characters are pictures, but uniseg does: to those alone a joiner holds the picture that follows.
func onlyEmoji(text string) bool {
	for cluster, rest := "", text; rest != ""; {
		cluster, rest, _, _ = uniseg.FirstGraphemeClusterInString(rest, -1)
		shape := emoji.FindStringSubmatch(cluster)
		if shape == nil {
			return false
		}
		joined, _, _, _ := uniseg.FirstGraphemeClusterInString(shape[1]+"\u200D❤", -1)
		if shape[1] != "" && !strings.HasSuffix(joined, "❤") {
			return false
		}
	}
	return text != ""
}

// sound is what is shown beside a sound's play button: a picture of this size, in CSS pixels, or a caption.
type sound struct {
	caption       string
	width, height int
}

// sounds are the sounds /play knows, by name.
var sounds = map[string]sound{
	"56k":           {width: 79, height: 33},
	"ballmer":       {caption: "works up the crowd"},
	"bell":          {caption: "🛎️"},
	"bezos":         {caption: "🤣"},
	"bueller":       {caption: "Anybody?"},
	"butts":         {caption: "🍑"},
	"clowntown":     {width: 210, height: 150},
	"cottoneyejoe":  {caption: "🎻"},
	"crickets":      {caption: "hears the grass grow"},
	"curb":          {width: 150, height: 101},
	"dadgummit":     {caption: "mutters into the beard 🧔"},
	"dangerzone":    {width: 157, height: 32},
	"danielsan":     {caption: "🥋"},
	"deeper":        {width: 188, height: 80},
	"donotwant":     {width: 150, height: 150},
	"drama":         {width: 300, height: 16},
	"flawless":      {caption: "Spotless"},
	"glados":        {caption: "🤖"},
	"gogogo":        {caption: "is off already"},
	"greatjob":      {width: 79, height: 16},
	"greyjoy":       {caption: "📯"},
	"guarantee":     {caption: "shakes hands on it 🤝"},
	"heygirl":       {caption: "😏"},
	"honk":          {caption: "Beep"},
	"horn":          {caption: "📢"},
	"horror":        {caption: "😱"},
	"incoming":      {caption: "has something for you"},
	"inconceivable": {caption: "had not thought of that"},
	"letitgo":       {caption: "❄️"},
	"live":          {caption: "is on the air, and furious"},
	"loggins":       {width: 200, height: 151},
	"makeitso":      {caption: "nods to the bridge 🖖"},
	"mario_coin":    {caption: "🪙"},
	"maybe":         {caption: "waits by the phone ☎️"},
	"noooo":         {caption: "😭"},
	"nyan":          {width: 36, height: 15},
	"ohmy":          {caption: "raises an eyebrow 🤨"},
	"ohyeah":        {caption: "could not agree more"},
	"pushit":        {width: 104, height: 15},
	"rimshot":       {caption: "will be here all week"},
	"rollout":       {caption: "starts the engine 🚗"},
	"rumble":        {width: 220, height: 150},
	"sax":           {caption: "🎷"},
	"secret":        {caption: "finds a hidden door 🗝️"},
	"sexyback":      {caption: "🕺"},
	"story":         {caption: "closes the book"},
	"tada":          {caption: "pulls it out of the hat 🎩"},
	"tmyk":          {caption: "learned something today 🌠"},
	"totes":         {caption: "💁"},
	"trololo":       {caption: "Ля-ля"},
	"trombone":      {caption: "had hoped for more"},
	"unix":          {caption: "feels at home in here 🐚"},
	"vuvuzela":      {caption: "♪♪♪♪♪♪"},
	"what":          {width: 100, height: 131},
	"whoomp":        {caption: "🙌"},
	"wups":          {caption: "Slipped"},
	"yay":           {width: 103, height: 50},
	"yeah":          {width: 104, height: 15},
	"yodel":         {caption: "🏔️"},
}

// soundOf answers the name of the sound a message plays, if it is the command for one and nothing else.
func soundOf(text string) (name string, ok bool) {
	name, ok = strings.CutPrefix(text, "/play ")
	if _, known := sounds[name]; !ok || !known {
		return "", false
	}
	return name, true
}
