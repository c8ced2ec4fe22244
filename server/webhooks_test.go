package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// farEnd is where a webhook leads: a real HTTP server, which notes what it is told before it answers.
type farEnd struct {
	*httptest.Server
	told chan delivered
}

// delivered is one request that a far end got.
type delivered struct {
	header  http.Header
	body    string
	payload payload
}

func newFarEnd(t testing.TB, answer http.HandlerFunc) *farEnd {
	t.Helper()
	far := &farEnd{told: make(chan delivered, 1000)}
	far.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := delivered{header: r.Header, body: string(body)}
		_ = json.Unmarshal(body, &got.payload)
		got.header.Set("Method", r.Method)
		select {
		case far.told <- got:
		case <-r.Context().Done():
		}
		answer(w, r)
	}))
	t.Cleanup(func() {
		far.CloseClientConnections()
		far.Close()
	})
	return far
}

func (far *farEnd) next(t testing.TB) delivered {
	t.Helper()
	select {
	case got := <-far.told:
		return got
	case <-time.After(patience):
		t.Fatal("nobody called the webhook")
		return delivered{}
	}
}

// answering is a far end that always answers the same.
func answering(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if w.Header()["Content-Type"] = nil; kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

var heard = answering(200, "", "")

// withFarEnds lets webhooks reach the far ends of a test, which are all on this machine.
func withFarEnds(s *setup) {
	s.OutboundNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

// listeningBot is a bot with a webhook.
func (c *campfire) listeningBot(name, url string) *person {
	c.t.Helper()
	bot := c.bot(name)
	if _, err := c.UpdateBot(c.t.Context(), c.David.ID, bot.id, store.BotChanges{WebhookURL: &url}); err != nil {
		c.t.Fatal(err)
	}
	return bot
}

// speakTo mentions bots in a message.
func (p *person) speakTo(t testing.TB, room store.Room, text string, bots ...*person) *campfirev1.Message {
	t.Helper()
	html := ""
	for _, bot := range bots {
		html += fmt.Sprintf(`<span class="mention" data-user-id="%d">x</span> `, bot.id)
	}
	res, err := p.PostMessage(t.Context(), &campfirev1.PostMessageRequest{
		RoomId: room.ID, Body: &campfirev1.PostMessageRequest_Html{Html: html + text},
	})
	if err != nil {
		t.Fatalf("%s posts %.40q: %v", p.name, text, err)
	}
	return res.GetMessage()
}

// settled waits until every webhook was called that was to be.
func (c *campfire) settled(t testing.TB) {
	t.Helper()
	eventually(t, "nothing is to be delivered", func() bool {
		couriers := c.server.couriers
		couriers.mu.Lock()
		defer couriers.mu.Unlock()
		return len(couriers.lines) == 0
	})
}

// lastDelivery waits for a bot's webhook to have been called, and answers how that went.
func (c *campfire) lastDelivery(t testing.TB, bot *person) *campfirev1.WebhookDelivery {
	t.Helper()
	c.settled(t)
	for _, b := range must(c.again("David").ListBots(t.Context(), &campfirev1.ListBotsRequest{}))(t).GetBots() {
		if b.GetUser().GetId() == bot.id {
			return b.GetLastDelivery()
		}
	}
	t.Fatalf("there is no bot %d", bot.id)
	return nil
}

func TestAMentionAndADirectMessageReachTheWebhookWithTheOriginalsFields(t *testing.T) {
	t.Parallel()
	campfire, far := newCampfire(t, withFarEnds), newFarEnd(t, heard)
	david, bender := campfire.as("David"), campfire.listeningBot("Bender", far.URL+"/hook?secret=1")
	private := must(david.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{bender.id}}))(t).GetRoom().GetId()
	for _, c := range []struct {
		room      store.Room
		name      any
		html      string
		mentioned []*person
		plain     string
	}{
		{campfire.AllTalk, "All Talk", "hello \u2003 ", []*person{bender}, "hello"},
		{store.Room{ID: private}, nil, "<b>hi</b> there", nil, "hi there"},
		{campfire.AllTalk, "All Talk", "and @Bender, again", []*person{bender}, "and , again"},
	} {
		m := david.speakTo(t, c.room, c.html, c.mentioned...)
		got := far.next(t) // several at once would come in any order
		wantEqual(t, "method and type", got.header.Get("Method")+" "+got.header.Get("Content-Type"), "POST application/json")
		sent := decode[map[string]any](t, got.body)
		room := sent["room"].(map[string]any)
		path := room["path"].(string)
		delete(room, "path")
		wantEqual(t, "what is told", sent, map[string]any{
			"user": map[string]any{"id": float64(david.id), "name": "David"},
			"room": map[string]any{"id": float64(c.room.ID), "name": c.name},
			"message": map[string]any{
				"id": float64(m.GetId()), "body": map[string]any{"html": m.GetBodyHtml(), "plain": c.plain},
				"path": fmt.Sprintf("/rooms/%d/@%d", c.room.ID, m.GetId()),
			},
		})
		if want := fmt.Sprintf("/rooms/%d/%d-", c.room.ID, bender.id); !strings.HasPrefix(path, want) || !strings.HasSuffix(path, "/messages") {
			t.Errorf("the path is %q, want %s…/messages", path, want)
		}
		wantEqual(t, "a post to the path: status", campfire.knock(t, "POST", path, "On my way").status, 201)
		messages := david.conversation(t, c.room)
		last := messages[len(messages)-1]
		wantEqual(t, "who posted by it", last.GetCreator().GetName()+": "+last.GetBodyText(), "Bender: On my way")
	}
}

func TestOnlyBotsThatAreSpokenToAreTold(t *testing.T) {
	t.Parallel()
	campfire, far := newCampfire(t, withFarEnds), newFarEnd(t, answering(200, "text/plain", "I hear"))
	david, bender := campfire.as("David"), campfire.listeningBot("Bender", far.URL)
	calculon, gone := campfire.listeningBot("Calculon", far.URL), campfire.listeningBot("Gone", far.URL)
	deaf := campfire.bot("Deaf")
	direct := must(david.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{calculon.id, bender.id}}))(t).GetRoom().GetId()
	goneToo := must(david.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{gone.id}}))(t).GetRoom().GetId()
	must(david.DeactivateBot(t.Context(), &campfirev1.DeactivateBotRequest{BotId: gone.id}))(t)

	david.speakTo(t, campfire.AllTalk, "to nobody")
	m := david.speakTo(t, campfire.AllTalk, "to a deaf one, and one who is gone", deaf, gone)
	david.speakTo(t, campfire.Designers, "where Bender is not", bender)
	david.speakTo(t, store.Room{ID: goneToo}, "to one who is gone")
	_, err := david.EditMessage(t.Context(), &campfirev1.EditMessageRequest{MessageId: m.GetId(), Body: &campfirev1.EditMessageRequest_Html{
		Html: fmt.Sprintf(`edited to mention <span class="mention" data-user-id="%d">x</span>`, bender.id),
	}})
	wantEqual(t, "the edit", err, nil)
	bender.speakTo(t, campfire.AllTalk, "to itself", bender)
	campfire.settled(t)
	wantEqual(t, "told of what is not for them", len(far.told), 0)

	got := func(n int) map[string]int {
		campfire.settled(t)
		texts := map[string]int{}
		for range n {
			texts[far.next(t).payload.Message.Body.Plain]++
		}
		wantEqual(t, "told beside that", len(far.told), 0) // not even of the replies
		return texts
	}
	bender.speakTo(t, campfire.AllTalk, "from a bot", bender, calculon)
	wantEqual(t, "a bot's mention of itself and another", len(got(1)), 1)
	david.speakTo(t, store.Room{ID: direct}, "to all who are here")
	wantEqual(t, "in a direct room", got(2), map[string]int{"to all who are here": 2})
	bender.speakTo(t, store.Room{ID: direct}, "to the others")
	wantEqual(t, "by a bot in a direct room", got(1), map[string]int{"to the others": 1})
}

func TestWhatAWebhookAnswers(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, withFarEnds)
	for _, c := range []struct {
		what          string
		status        int
		kind, body    string
		html, failure string
	}{
		{what: "nothing, without a type", status: 200},
		{what: "no content", status: 204},
		{what: "text", status: 200, kind: "text/plain", body: "Hello back", html: "Hello back"},
		{what: "text with a charset", status: 200, kind: "text/plain; charset=utf-8", body: "Grüße 👋", html: "Grüße 👋"},
		{what: "text in another status", status: 201, kind: "text/plain", body: "Made", html: "Made"},
		{what: "text that looks like HTML", status: 200, kind: "text/plain", body: "<b>x</b>", html: "&lt;b&gt;x&lt;/b&gt;"},
		{what: "HTML", status: 200, kind: "text/html", body: "<p>Hello <b>back</b></p>", html: "<p>Hello <strong>back</strong></p>"},
		{what: "harmful HTML", status: 200, kind: "text/html", body: `<img src=x onerror=alert(1)>Hi<script>x</script>`, html: "Hi"},
		{what: "HTML of lines alone", status: 200, kind: "text/html", body: "one\ntwo", html: "one<br>two"},
		{what: "empty text", status: 200, kind: "text/plain"},
		{what: "blank text", status: 200, kind: "text/plain", body: " \n "},
		{what: "HTML that shows nothing", status: 200, kind: "text/html", body: "<p></p>", failure: "its reply was not posted: body must not be empty"},
		{what: "an acknowledgement", status: 200, kind: "application/json", body: `{"ok": true}`},
		{what: "an unknown type", status: 200, kind: "x", body: "Hello"},
		{what: "a picture", status: 200, kind: "image/jpeg", body: "\xff\xd8\xff", failure: "it replied with a file (image/jpeg): files come with Campfire 2.0"},
		{what: "an error", status: 500, failure: "it answered 500 Internal Server Error"},
		{what: "an error with a text", status: 500, kind: "text/plain", body: "stack trace", failure: "it answered 500 Internal Server Error"},
		{what: "not found", status: 404, kind: "text/html", body: "<h1>Not found</h1>", failure: "it answered 404 Not Found"},
		{what: "not modified", status: 304, failure: "it answered 304 Not Modified"},
		{what: "bytes that are no text", status: 200, kind: "text/plain", body: "a\xffb", html: "a\uFFFDb"},
	} {
		far := newFarEnd(t, answering(c.status, c.kind, c.body))
		david, bender := campfire.again("David"), campfire.listeningBot("Bender", far.URL)
		listening := david.listen(t)
		david.speakTo(t, campfire.AllTalk, c.what, bender)
		listening.next(t)
		last := campfire.lastDelivery(t, bender)
		wantEqual(t, c.what+": status and error", []any{last.GetStatus(), last.GetError()}, []any{c.status, c.failure})
		if since := time.Since(last.GetDeliveredAt().AsTime()); since < 0 || since > patience {
			t.Errorf("%s: delivered %v ago", c.what, since)
		}
		david.post(t, campfire.AllTalk, "the end")
		m := listening.next(t).GetMessageCreated().GetMessage()
		if c.html == "" {
			wantEqual(t, c.what+": what comes next", m.GetBodyText(), "the end")
			continue
		}
		wantEqual(t, c.what+": the reply", []any{m.GetBodyHtml(), m.GetCreator().GetId(), m.GetRoomId()}, []any{c.html, bender.id, campfire.AllTalk.ID})
		listening.hears(t, `created "the end"`)
		listening.hangUp()
	}
}

// short lets a bot have less time than the seven seconds it has.
func (c *campfire) short(d time.Duration) { c.server.webhookTimeout = d }

func TestABotHasSevenSeconds(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	campfire, far := newCampfire(t, withFarEnds), newFarEnd(t, func(http.ResponseWriter, *http.Request) { <-done })
	defer close(done)
	david, bender := campfire.as("David"), campfire.listeningBot("Bender", far.URL)
	listening, start := david.listen(t), time.Now()
	david.speakTo(t, campfire.AllTalk, "hello", bender)
	listening.hears(t, `created "@Bender hello"`, `created "This bot has not answered within 7 seconds."`)
	if took := time.Since(start); took < 7*time.Second {
		t.Errorf("it said so after %v", took)
	}
	last := campfire.lastDelivery(t, bender)
	wantEqual(t, "status and error", []any{last.GetStatus(), last.GetError()}, []any{0, "it did not answer in time"})
}

func TestABotThatIsTooSlowSaysSoAndHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	defer close(done)
	campfire := newCampfire(t, withFarEnds)
	campfire.short(500 * time.Millisecond)
	silent := must(net.Listen("tcp", "127.0.0.1:0"))(t) // takes connections, and says nothing
	defer silent.Close()
	quick := newFarEnd(t, answering(200, "text/plain", "here"))
	for what, url := range map[string]string{
		"a far end that says nothing":         "http://" + silent.Addr().String(),
		"a far end that does not shake hands": "https://" + silent.Addr().String(),
		"headers only": newFarEnd(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_ = http.NewResponseController(w).Flush()
			<-done
		}).URL,
		"a letter now and then": newFarEnd(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}).URL,
	} {
		david := campfire.again("David")
		slow, other := campfire.listeningBot("Slow", url), campfire.listeningBot("Quick", quick.URL)
		listening := david.listen(t)
		david.speakTo(t, campfire.AllTalk, what, slow, other)
		listening.hears(t, fmt.Sprintf("created %q", "@Slow @Quick "+what), `created "here"`,
			`created "This bot has not answered within 0.5 seconds."`)
		wantEqual(t, what+": error", campfire.lastDelivery(t, slow).GetError(), "it did not answer in time")
		listening.hangUp()
	}
}

func TestWhatIsTooLongOrMalformedIsNotPosted(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, withFarEnds)
	raw := func(answer string) string {
		listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 64<<10))
				_, _ = io.WriteString(conn, answer)
				_ = conn.Close()
			}
		}()
		return "http://" + listener.Addr().String()
	}
	closed := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	refused := "http://" + closed.Addr().String()
	_ = closed.Close()
	for what, c := range map[string]struct{ url, failure string }{
		"a reply without end": {newFarEnd(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 8192)); err != nil {
					return
				}
			}
		}).URL, "its reply has more than 65536 bytes"},
		"a reply that is packed well": {newFarEnd(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, strings.Repeat("x", maxHTMLBytes+1))
		}).URL, "its reply has more than 65536 bytes"},
		"a text that is too long":   {newFarEnd(t, answering(200, "text/plain", strings.Repeat("x", maxTextBytes+1))).URL, "its reply was not posted: text must have"},
		"no HTTP":                   {raw("SSH-2.0-OpenSSH_9.2\r\n"), "malformed HTTP"},
		"nothing at all":            {raw(""), "EOF"},
		"half an answer":            {raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nHello"), "unexpected EOF"},
		"a length that lies":        {raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: -1\r\n\r\nHello"), "bad Content-Length"},
		"headers without end":       {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 128<<10) + "\r\n\r\n"), "server response headers exceeded"},
		"a bad chunk":               {raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "invalid byte in chunk length"},
		"nobody there":              {refused, "connection refused"},
		"a name that leads nowhere": {"http://nowhere.invalid/", "its host name leads nowhere"},
		"TLS without a certificate": {strings.Replace(newFarEnd(t, heard).URL, "http:", "https:", 1), "HTTP response to HTTPS client"},
	} {
		david, bender := campfire.again("David"), campfire.listeningBot("Bender", c.url)
		listening := david.listen(t)
		david.speakTo(t, campfire.AllTalk, what, bender)
		failure := campfire.lastDelivery(t, bender).GetError()
		if !strings.Contains(failure, c.failure) || len([]rune(failure)) > maxErrorLength {
			t.Errorf("%s: administrators read %q, want %q", what, failure, c.failure)
		}
		david.post(t, campfire.AllTalk, "the end")
		listening.hears(t, fmt.Sprintf("created %q", "@Bender "+what), `created "the end"`)
		listening.hangUp()
	}
	if log := campfire.log.String(); strings.Count(log, "webhook failed") < 12 || strings.Contains(log, "127.0.0.1:") {
		t.Errorf("the log must tell each failure, and no address:\n%s", log)
	}
}

func TestAWebhookMayNotLeadInside(t *testing.T) {
	t.Parallel()
	campfire, far := newCampfire(t), newFarEnd(t, answering(200, "text/plain", "secret"))
	david := campfire.as("David")
	_, port, _ := net.SplitHostPort(far.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"} {
		bender := campfire.listeningBot("Bender at "+host, "http://"+host+":"+port)
		listening := david.listen(t)
		david.speakTo(t, campfire.AllTalk, "hello", bender)
		if failure := campfire.lastDelivery(t, bender).GetError(); !strings.Contains(failure, "not a public address") || !strings.Contains(failure, "--outbound-networks") {
			t.Errorf("%s: administrators read %q, want what is wrong and which setting allows it", host, failure)
		}
		david.post(t, campfire.AllTalk, "the end")
		listening.next(t)
		listening.hears(t, `created "the end"`)
		listening.hangUp()
	}
	wantEqual(t, "what was told there", len(far.told), 0)
}

func TestARedirectIsFollowedOnlyWhereAWebhookMayLead(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, withFarEnds)
	inside := must(net.Listen("tcp", "127.0.0.2:0"))(t) // this machine's too, but not allowed
	called := make(chan struct{}, 10)
	go func() {
		_ = http.Serve(inside, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called <- struct{}{} }))
	}()
	defer inside.Close()
	end := newFarEnd(t, answering(200, "text/plain", "here"))
	to := func(status int, url string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, url, status) }
	}
	var loop *farEnd
	loop = newFarEnd(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, loop.URL, http.StatusTemporaryRedirect)
	})
	for what, c := range map[string]struct {
		answer         http.HandlerFunc
		reply, failure string
	}{
		"to another of its own":       {to(307, end.URL), "here", ""},
		"for good":                    {to(308, end.URL), "here", ""},
		"that would lose the message": {to(302, end.URL), "", "it answered 302 Found"},
		"that asks for a page":        {to(303, end.URL), "", "it answered 303 See Other"},
		"to the inside":               {to(307, "http://"+inside.Addr().String()), "", "not a public address"},
		"to the inside, oddly spelt":  {to(307, "http://2130706434:80/"), "", "not a public address"},
		"to a file":                   {to(307, "file:///etc/passwd"), "", "no scheme of the web"},
		"without end":                 {to(307, loop.URL), "", "it redirects more than 3 times"},
		"to nowhere":                  {answering(307, "", ""), "", "it answered 307 Temporary Redirect"},
	} {
		far := newFarEnd(t, c.answer)
		david, bender := campfire.again("David"), campfire.listeningBot("Bender", far.URL)
		listening := david.listen(t)
		david.speakTo(t, campfire.AllTalk, what, bender)
		last := campfire.lastDelivery(t, bender)
		if !strings.Contains(last.GetError(), c.failure) || (c.failure == "") != (last.GetError() == "") {
			t.Errorf("a redirect %s: administrators read %q, want %q", what, last.GetError(), c.failure)
		}
		listening.next(t)
		if c.reply != "" {
			wantEqual(t, "a redirect "+what+": told", end.next(t).body, far.next(t).body)
			listening.hears(t, fmt.Sprintf("created %q", c.reply))
		}
		listening.hangUp()
	}
	wantEqual(t, "told at the end beside that", len(end.told), 0)
	wantEqual(t, "told inside", len(called), 0)
}

func TestADeliveryIsSignedAsTheStandardWebhooksHaveIt(t *testing.T) {
	t.Parallel()
	// An example that implementations of the standard share.
	header := http.Header{}
	must(0, signWebhook(header, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
		time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)))(t)
	wantEqual(t, "the shared example", header.Get("Webhook-Signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")

	campfire, far := newCampfire(t, withFarEnds), newFarEnd(t, heard)
	david, bender := campfire.as("David"), campfire.listeningBot("Bender", far.URL)
	secret := must(david.ListBots(t.Context(), &campfirev1.ListBotsRequest{}))(t).GetBots()[0].GetWebhookSecret()
	key := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")))(t)
	ids := map[string]bool{}
	for range 3 {
		david.speakTo(t, campfire.AllTalk, "hello", bender)
		got := far.next(t)
		id, at := got.header.Get("Webhook-Id"), got.header.Get("Webhook-Timestamp")
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "." + got.body))
		wantEqual(t, "the signature", got.header.Get("Webhook-Signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		if seconds := must(strconv.ParseInt(at, 10, 64))(t); time.Since(time.Unix(seconds, 0)) > patience {
			t.Errorf("it was signed at %s", at)
		}
		if ids[id] || id == "" {
			t.Errorf("the delivery's id is %q, want a new one", id)
		}
		ids[id] = true
	}
}

func TestWhatWaitsForABotIsBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	campfire, far := newCampfire(t, withFarEnds), newFarEnd(t, func(http.ResponseWriter, *http.Request) { <-release })
	david, bender := campfire.as("David"), campfire.listeningBot("Bender", far.URL)
	for i := range maxCouriers + maxWaiting + 3 {
		david.speakTo(t, campfire.AllTalk, fmt.Sprint(i), bender)
	}
	for range maxCouriers {
		far.next(t)
	}
	wantEqual(t, "told at once beside these", len(far.told), 0)
	close(release)
	campfire.settled(t)
	wantEqual(t, "told after these", len(far.told), maxWaiting)
	if log := campfire.log.String(); !strings.Contains(log, "3 messages before were not told") {
		t.Errorf("the log does not tell what was missed:\n%s", log)
	}
}

func TestAMessageDeletedMeanwhileIsNotTold(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	campfire, far := newCampfire(t, withFarEnds), newFarEnd(t, func(http.ResponseWriter, *http.Request) { <-release })
	david, bender := campfire.as("David"), campfire.listeningBot("Bender", far.URL)
	for range maxCouriers {
		david.speakTo(t, campfire.AllTalk, "hello", bender)
	}
	secret, open := david.speakTo(t, campfire.AllTalk, "secret", bender), david.speakTo(t, campfire.AllTalk, "draft", bender)
	david.delete(t, secret)
	david.edit(t, open, "final")
	for range maxCouriers {
		far.next(t)
	}
	close(release)
	campfire.settled(t)
	wantEqual(t, "what is told after that", far.next(t).payload.Message.Body.Plain, "final")
	wantEqual(t, "and beside that", len(far.told), 0)
}

func TestStoppingLetsDeliveriesFinish(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	campfire, far := newCampfire(t, withFarEnds), newFarEnd(t, func(w http.ResponseWriter, _ *http.Request) {
		<-release
		answering(200, "text/plain", "Good night")(w, nil)
	})
	david, bender := campfire.as("David"), campfire.listeningBot("Bender", far.URL)
	david.speakTo(t, campfire.AllTalk, "hello", bender)
	far.next(t)
	stopped := make(chan error)
	go func() { stopped <- campfire.stop() }()
	<-campfire.server.stopping
	close(release)
	wantEqual(t, "Serve answers", <-stopped, nil)
	wantEqual(t, "the last message", campfire.query("SELECT body_text FROM messages ORDER BY id"), "Good night")
}

func TestStoppingDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	ended, started := make(chan error, 1), make(chan struct{})
	c := newCouriers(func(ctx context.Context, _, _ int64, _ int) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
	})
	for i := range int64(1) {
		c.send(1, i)
	}
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.stop(ctx)
	wantEqual(t, "what was under way", <-ended, context.Canceled)
	c.send(1, 2) // which nobody takes any more
	c.busy.Wait()
}

// However fast messages come, a bot has a few couriers, who all go home.
func TestCouriersAreFewAndGoHome(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	busy, most, delivered := 0, 0, 0
	c := newCouriers(func(_ context.Context, _, _ int64, missed int) {
		mu.Lock()
		busy++
		most, delivered = max(most, busy), delivered+1+missed
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		busy--
		mu.Unlock()
	})
	for i := range int64(300) {
		c.send(1, i)
	}
	c.stop(t.Context())
	if most > maxCouriers || most == 0 {
		t.Errorf("%d couriers were busy at once, want at most %d", most, maxCouriers)
	}
	wantEqual(t, "delivered or known to be missed", delivered, 300)
	wantEqual(t, "lines left", len(c.lines), 0)
}
