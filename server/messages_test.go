package server

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
)

func TestPostingReachesTheRoomAndNobodyElse(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	heard, overheard := jason.listen(t), kevin.listen(t)
	david.post(t, campfire.Designers, "Hello")
	if got := heard.next(t).GetMessageCreated().GetMessage().GetBodyText(); got != "Hello" {
		t.Errorf("Jason heard %q, want Hello", got)
	}
	if code := connect.CodeOf(kevin.read(t, campfire.Designers)); code != connect.CodeNotFound {
		t.Errorf("Kevin, an outsider, got %v, want not_found", code)
	}
	david.post(t, campfire.AllTalk, "Hello all")
	overheard.hears(t, `created "Hello all"`)
}

// Everything the server has stands in the way: origins, proxies, a client to serve.
func TestEachProtocolCarriesTheSame(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) {
		s.Origins = []string{"https://elsewhere.example"}
		s.TrustedProxies = loopback
		s.Client = fstest.MapFS{"index.html": {Data: []byte("<title>Campfire</title>")}}
	})
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	heard, overheard := map[string]*listener{}, map[string]*listener{}
	for _, way := range allWays {
		heard[way.name] = jason.by(way).listen(t)
		overheard[way.name] = kevin.by(way).listen(t)
	}
	var posted []*campfirev1.Message
	for _, way := range allWays {
		_, err := david.by(way).PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: campfire.Designers.ID, Body: textOf(" ")})
		wantInvalid(t, "a blank post by "+way.name, err, "body")
		posted = append(posted, david.by(way).post(t, campfire.Designers, "Grüße 🔥 by "+way.name+strings.Repeat(".", 2*compressMinBytes)))
	}
	david.post(t, campfire.AllTalk, "the end")
	for _, way := range allWays {
		for i, want := range posted {
			e := heard[way.name].next(t)
			wantSame(t, fmt.Sprintf("message %d by %s", i+1, way.name), e.GetMessageCreated().GetMessage(), want)
		}
		heard[way.name].hears(t, `created "the end"`)
		overheard[way.name].hears(t, `created "the end"`)
		list, err := kevin.by(way).ListMessages(t.Context(), &campfirev1.ListMessagesRequest{RoomId: campfire.Designers.ID})
		wantCode(t, fmt.Sprintf("Kevin reads %v by %s", list, way.name), err, connect.CodeNotFound)
	}
}

func TestAPostRepeatedFiftyTimesAtOnceIsOneMessage(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	byH2C := david.by(overH2C)
	heard := jason.listen(t)
	const times = 50
	start, answers := make(chan struct{}), make([]*campfirev1.Message, times)
	var group sync.WaitGroup
	for i := range times {
		group.Go(func() {
			<-start
			browser := david
			if i%2 == 1 {
				browser = byH2C
			}
			res, err := browser.PostMessage(t.Context(), &campfirev1.PostMessageRequest{
				RoomId: campfire.Designers.ID, ClientMessageId: "once", Body: textOf("Hello"),
			})
			if err != nil {
				t.Errorf("post %d: %v", i, err)
			}
			answers[i] = res.GetMessage()
		})
	}
	close(start)
	group.Wait()
	david.post(t, campfire.Designers, "the end")

	first := heard.next(t).GetMessageCreated().GetMessage()
	wantEqual(t, "its client_message_id", first.GetClientMessageId(), "once")
	heard.hears(t, `created "the end"`)
	for i, m := range answers {
		wantSame(t, fmt.Sprintf("answer %d", i), m, first)
	}
	wantEqual(t, "the room", texts(jason.conversation(t, campfire.Designers)), []string{"Hello", "the end"})
}

func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	davids, jasons := david.post(t, campfire.Designers, "David's"), jason.post(t, campfire.Designers, "Jason's")
	davidsBoost := david.boost(t, jasons, "👍")
	jason.post(t, campfire.AllTalk, "Hello all")
	heard := david.listen(t)
	before := conversations(t, david)

	ctx, designers := t.Context(), campfire.Designers.ID
	post := func(p *person, req *campfirev1.PostMessageRequest) func() error {
		return func() error {
			_, err := p.PostMessage(ctx, req)
			return err
		}
	}
	text := func(text string) *campfirev1.PostMessageRequest {
		return &campfirev1.PostMessageRequest{RoomId: designers, Body: textOf(text)}
	}
	html := func(html string) *campfirev1.PostMessageRequest {
		return &campfirev1.PostMessageRequest{RoomId: designers, Body: &campfirev1.PostMessageRequest_Html{Html: html}}
	}
	edit := func(p *person, id int64, text string) func() error {
		return func() error {
			_, err := p.EditMessage(ctx, &campfirev1.EditMessageRequest{MessageId: id, Body: &campfirev1.EditMessageRequest_Text{Text: text}})
			return err
		}
	}
	remove := func(p *person, id int64) func() error {
		return func() error {
			_, err := p.DeleteMessage(ctx, &campfirev1.DeleteMessageRequest{MessageId: id})
			return err
		}
	}
	boost := func(p *person, id int64, content string) func() error {
		return func() error {
			_, err := p.AddBoost(ctx, &campfirev1.AddBoostRequest{MessageId: id, Content: content})
			return err
		}
	}
	removeBoost := func(p *person, id int64) func() error {
		return func() error {
			_, err := p.RemoveBoost(ctx, &campfirev1.RemoveBoostRequest{BoostId: id})
			return err
		}
	}
	list := func(p *person, req *campfirev1.ListMessagesRequest) func() error {
		return func() error {
			_, err := p.ListMessages(ctx, req)
			return err
		}
	}
	const nowhere = 4711
	for _, c := range []struct {
		what  string
		call  func() error
		code  connect.Code
		field string // of the violation
	}{
		{"a post to no room", post(david, &campfirev1.PostMessageRequest{Body: textOf("Hello")}), connect.CodeNotFound, ""},
		{"a post to an unknown room", post(david, &campfirev1.PostMessageRequest{RoomId: nowhere, Body: textOf("Hello")}), connect.CodeNotFound, ""},
		{"a post to a room of others", post(kevin, text("Hello")), connect.CodeNotFound, ""},
		{"a post of nothing", post(david, &campfirev1.PostMessageRequest{RoomId: designers}), 0, "body"},
		{"a post of an empty text", post(david, text("")), 0, "body"},
		{"a post of blanks", post(david, text(" \n\t\u00a0\u200b")), 0, "body"},
		{"a post of empty HTML", post(david, html("<div><br></div>&nbsp;")), 0, "body"},
		{"a post of what is dropped", post(david, html("<script>alert(1)</script>")), 0, "body"},
		{"a post of too long a text", post(david, text(strings.Repeat("a", maxTextBytes+1))), 0, "text"},
		{"a post of too much HTML", post(david, html(strings.Repeat("a", maxHTMLBytes+1))), 0, "html"},
		{"a post of HTML too long once cleaned", post(david, html(strings.Repeat(`"`, maxHTMLBytes-1))), 0, "body"},
		{"a post beyond what any request may have", post(david, text(strings.Repeat("a", maxRequestBytes+1))), connect.CodeResourceExhausted, ""},
		{"a post with too long a client_message_id", post(david, &campfirev1.PostMessageRequest{
			RoomId: designers, ClientMessageId: strings.Repeat("a", 65), Body: textOf("Hello"),
		}), 0, "client_message_id"},
		{"a post with another's client_message_id", post(david, &campfirev1.PostMessageRequest{
			RoomId: designers, ClientMessageId: jasons.GetClientMessageId(), Body: textOf("Hello"),
		}), connect.CodeAlreadyExists, ""},

		{"an edit of no message", edit(david, 0, "Hello"), connect.CodeNotFound, ""},
		{"an edit of another's message", edit(jason, davids.GetId(), "Hello"), connect.CodePermissionDenied, ""},
		{"an edit in a room of others", edit(kevin, davids.GetId(), "Hello"), connect.CodeNotFound, ""},
		{"an edit to nothing", edit(jason, jasons.GetId(), " "), 0, "body"},
		{"an edit to too long a text", edit(jason, jasons.GetId(), strings.Repeat("a", maxTextBytes+1)), 0, "text"},
		{"a deletion of no message", remove(david, nowhere), connect.CodeNotFound, ""},
		{"a deletion of another's message", remove(jason, davids.GetId()), connect.CodePermissionDenied, ""},
		{"a deletion in a room of others", remove(kevin, davids.GetId()), connect.CodeNotFound, ""},

		{"a boost of no message", boost(david, nowhere, "👍"), connect.CodeNotFound, ""},
		{"a boost in a room of others", boost(kevin, davids.GetId(), "👍"), connect.CodeNotFound, ""},
		{"an empty boost", boost(jason, davids.GetId(), ""), 0, "content"},
		{"a blank boost", boost(jason, davids.GetId(), " \u200b"), 0, "content"},
		{"too long a boost", boost(jason, davids.GetId(), strings.Repeat("👍", 17)), 0, "content"},
		{"a boost of one endless letter", boost(jason, davids.GetId(), "a"+strings.Repeat("\u0301", 200)), 0, "content"},
		{"removing no boost", removeBoost(david, nowhere), connect.CodeNotFound, ""},
		{"removing another's boost", removeBoost(jason, davidsBoost.GetId()), connect.CodeNotFound, ""},

		{"a page of an unknown room", list(david, &campfirev1.ListMessagesRequest{RoomId: nowhere}), connect.CodeNotFound, ""},
		{"a page of a negative size", list(david, &campfirev1.ListMessagesRequest{RoomId: designers, PageSize: -1}), 0, "page_size"},
		{"a page around no message", list(david, &campfirev1.ListMessagesRequest{
			RoomId: designers, Anchor: &campfirev1.ListMessagesRequest_Around{Around: nowhere},
		}), connect.CodeNotFound, ""},
	} {
		err := c.call()
		if c.field != "" {
			wantInvalid(t, c.what, err, c.field)
		} else {
			wantCode(t, c.what, err, c.code)
		}
	}

	const postMessage = "/campfire.v1.MessageService/PostMessage"
	hello := fmt.Sprintf(`{"roomId": "%d", "text": "Hello"}`, designers)
	for _, c := range []struct {
		what, method, path, kind, body string
		status                         int
	}{
		{"an id that is no number", "POST", postMessage, "application/json", `{"roomId": "abc", "text": "Hello"}`, 400},
		{"an id beyond 64 bits", "POST", postMessage, "application/json", `{"roomId": "9223372036854775808", "text": "Hello"}`, 400},
		{"no JSON", "POST", postMessage, "application/json", `{"roomId": `, 400},
		{"no body", "POST", postMessage, "application/json", "", 400},
		{"text that is not UTF-8", "POST", postMessage, "application/json", strings.Replace(hello, "Hello", "\xff", 1), 400},
		{"no protobuf", "POST", postMessage, "application/proto", "\xff\xff", 400},
		{"plain text", "POST", postMessage, "text/plain", hello, 415},
		{"a form", "POST", postMessage, "application/x-www-form-urlencoded", hello, 415},
		{"a form with files", "POST", postMessage, "multipart/form-data; boundary=x", hello, 415},
		{"a GET that would post", "GET", postMessage + "?encoding=json&message=%7B%22roomId%22%3A%221%22%2C%22text%22%3A%22Hello%22%7D&connect=v1", "", "", 405},
		{"a PUT", "PUT", postMessage, "application/json", hello, 405},
		{"an unknown method", "POST", "/campfire.v1.MessageService/Explode", "application/json", "{}", 404},
	} {
		got := david.request(t, c.method, c.path, c.body, "Content-Type: "+c.kind)
		wantEqual(t, c.what+": status", got.status, c.status)
	}

	theEnd := jason.post(t, campfire.Designers, "the end")
	heard.hears(t, `created "the end"`) // and nothing of what was refused
	after := conversations(t, david)
	for room, messages := range before {
		if room == designers {
			messages = append(messages, theEnd)
		}
		if len(after[room]) != len(messages) {
			t.Errorf("room %d: got %q, want %q", room, texts(after[room]), texts(messages))
			continue
		}
		for i, m := range messages {
			wantSame(t, fmt.Sprintf("message %d in room %d", i, room), after[room][i], m)
		}
	}
}

// conversations are all there is in both rooms, by their ids.
func conversations(t testing.TB, p *person) map[int64][]*campfirev1.Message {
	t.Helper()
	all := map[int64][]*campfirev1.Message{}
	all[p.campfire.Designers.ID] = p.conversation(t, p.campfire.Designers)
	all[p.campfire.AllTalk.ID] = p.conversation(t, p.campfire.AllTalk)
	return all
}

func texts(messages []*campfirev1.Message) (texts []string) {
	for _, m := range messages {
		texts = append(texts, m.GetBodyText())
	}
	return texts
}
