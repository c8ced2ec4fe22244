package server

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// door is the path by which a bot acts in a room.
func (p *person) door(room store.Room) string {
	return fmt.Sprintf("/rooms/%d/%s/messages", room.ID, p.token)
}

// knock sends a request without any credential but those in its path.
func (c *campfire) knock(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	return c.stranger().request(t, method, path, body, headers...)
}

// nobodysKeys are keys that never let anyone in.
func (c *campfire) nobodysKeys(bot *person) map[string]string {
	_, token, _ := strings.Cut(bot.token, "-")
	return map[string]string{
		"an invalid key":                   fmt.Sprintf("%d-%s", bot.id, "AAAAAAAAAAAA"),
		"a person's id and an empty token": fmt.Sprintf("%d-", c.David.ID),
		"a person's id and a bot's token":  fmt.Sprintf("%d-%s", c.David.ID, token),
		"a bot's id and an empty token":    fmt.Sprintf("%d-", bot.id),
		"a word":                           "key",
	}
}

func decode[T any](t testing.TB, body string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return value
}

// everything is what the database keeps of conversations.
func (c *campfire) everything() string {
	return c.query(`SELECT (SELECT group_concat(id || ' ' || revision || body_html) FROM messages) || (SELECT count(*) || ' boosts' FROM boosts)`)
}

func TestARawBodyPostedByKeyBecomesAMessage(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, bender := campfire.as("David"), campfire.bot("Bender")
	heard := david.listen(t)
	for _, c := range []struct{ kind, body, text, html string }{
		{"", "Hello!", "Hello!", "Hello!"},
		{"application/x-www-form-urlencoded", "Hello=1&b", "Hello=1&b", "Hello=1&amp;b"}, // as curl -d has it
		{"application/json", `{"a": 1}`, `{"a": 1}`, `{&#34;a&#34;: 1}`},
		{"application/proto", "Hello", "Hello", "Hello"},
		{"text/plain; charset=iso-8859-1", "Grüße 👋🏽", "Grüße 👋🏽", "Grüße 👋🏽"},
		{"", "<b>Deployed</b> &amp; done", "Deployed & done", "<strong>Deployed</strong> &amp; done"},
		{"", "one\ntwo", "one\ntwo", "one<br>two"},
		{"", "if a < b & c", "if a < b & c", "if a &lt; b &amp; c"},
		{"", "<script>alert(1)</script>Hi", "Hi", "Hi"},
		{"", fmt.Sprintf(`<span class="mention" data-user-id="%d">x</span> hi`, david.id), "@David hi", fmt.Sprintf(`<span class="mention" data-user-id="%d">@David</span> hi`, david.id)},
	} {
		got := campfire.knock(t, "POST", bender.door(campfire.AllTalk), c.body, "Content-Type: "+c.kind)
		wantEqual(t, c.body+": status and body", []any{got.status, got.body}, []any{201, ""})
		m := heard.next(t).GetMessageCreated().GetMessage()
		wantEqual(t, c.body+": text, HTML and author", []any{m.GetBodyText(), m.GetBodyHtml(), m.GetCreator().GetId()}, []any{c.text, c.html, bender.id})
		wantEqual(t, c.body+": where it is", got.header.Get("Location"), fmt.Sprintf("%s/rooms/%d/messages/%d", campfire.url, campfire.AllTalk.ID, m.GetId()))
	}
}

func TestTheAddressOfAMessageLeadsToItsPage(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Client = builtClient })
	bender := campfire.bot("Bender")
	posted := campfire.knock(t, "POST", bender.door(campfire.AllTalk), "Hello")
	page := campfire.knock(t, "GET", strings.TrimPrefix(posted.header.Get("Location"), campfire.url), "")
	wantEqual(t, "the page: status", page.status, 200)
	if !strings.Contains(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("got a %s, want a page", page.header.Get("Content-Type"))
	}
	for _, path := range []string{"/rooms/1/other/2", "/rooms/x/messages/2"} {
		wantEqual(t, path+": status", campfire.knock(t, "GET", path, "").status, 200)
	}
}

func TestABlankBodyPostedByKeyIsRefused(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	bender := campfire.bot("Bender")
	m := bender.post(t, campfire.AllTalk, "Hello")
	before := campfire.everything()
	for _, body := range []string{"", " \n\t ", "<p> </p>", "&nbsp;", strings.Repeat("x", maxHTMLBytes+1), strings.Repeat("x", maxTextBytes+1)} {
		for _, request := range []string{
			"POST " + bender.door(campfire.AllTalk),
			fmt.Sprintf("PUT %s/%d", bender.door(campfire.AllTalk), m.GetId()),
			fmt.Sprintf("POST %s/%d/boosts", bender.door(campfire.AllTalk), m.GetId()),
		} {
			method, path, _ := strings.Cut(request, " ")
			if strings.HasPrefix(body, "<") && strings.HasSuffix(path, "boosts") || body == "&nbsp;" {
				continue // a boost is plain text
			}
			got := campfire.knock(t, method, path, body)
			wantEqual(t, fmt.Sprintf("%s with %.20q: status", request, body), got.status, 422)
		}
	}
	wantEqual(t, "what is kept", campfire.everything(), before)
}

func TestAFilePostedByKeyIsForLater(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	bender := campfire.bot("Bender")
	form := "--x\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"a.txt\"\r\n\r\nHello\r\n--x--\r\n"
	for _, got := range []answer{
		campfire.knock(t, "POST", bender.door(campfire.AllTalk), form, "Content-Type: multipart/form-data; boundary=x"),
		campfire.knock(t, "POST", bender.door(campfire.AllTalk)+"?attachment=a.txt", "Hello"),
	} {
		wantEqual(t, "a file: status", got.status, 415)
		if !strings.Contains(got.body, "2.0") {
			t.Errorf("got %q, want it to say when files come", got.body)
		}
	}
	wantEqual(t, "messages", len(bender.conversation(t, campfire.AllTalk)), 0)
}

// What a key opens, and to whom it stays closed, whatever is asked.
func TestWithoutAKeyOrARoomNoDoorOpens(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, bender := campfire.as("David"), campfire.bot("Bender")
	calculon := campfire.bot("Calculon")
	inside := david.post(t, campfire.Designers, "for designers")
	davids := david.post(t, campfire.AllTalk, "by David")
	mine := bender.post(t, campfire.AllTalk, "by Bender")
	davidsBoost, myBoost := david.boost(t, mine, "👍"), bender.boost(t, mine, "👎")
	before := campfire.everything()
	requests := func(room store.Room, key string, message, boost int64) map[string]string {
		door := fmt.Sprintf("/rooms/%d/%s/messages", room.ID, key)
		one := fmt.Sprintf("%s/%d", door, message)
		return map[string]string{
			"list": "GET " + door, "page": "GET " + door + "?before=1", "post": "POST " + door,
			"edit": "PUT " + one, "edit by PATCH": "PATCH " + one, "delete": "DELETE " + one,
			"boost": "POST " + one + "/boosts", "remove a boost": fmt.Sprintf("DELETE %s/boosts/%d", one, boost),
		}
	}
	refused := func(what string, want int, requests map[string]string, except ...string) {
		t.Helper()
		for name, request := range requests {
			if slices.Contains(except, name) {
				continue
			}
			method, path, _ := strings.Cut(request, " ")
			wantEqual(t, what+": "+name+": status", campfire.knock(t, method, path, "Hello").status, want)
			// A person who is signed in, or another bot, is not asked.
			wantEqual(t, what+": "+name+" as David: status", david.request(t, method, path, "Hello").status, want)
			wantEqual(t, what+": "+name+" beside a good key: status", calculon.request(t, method, path, "Hello").status, want)
		}
	}
	for what, key := range campfire.nobodysKeys(bender) {
		refused(what, 401, requests(campfire.AllTalk, key, mine.GetId(), myBoost.GetId()))
		refused(what+" for what David wrote", 401, requests(campfire.AllTalk, key, davids.GetId(), davidsBoost.GetId()))
	}
	refused("a room it is not in", 404, requests(campfire.Designers, bender.token, inside.GetId(), 1))
	refused("a message of another room", 404, requests(campfire.AllTalk, bender.token, inside.GetId(), 1), "list", "page", "post")
	refused("no room", 404, requests(store.Room{ID: 4711}, bender.token, mine.GetId(), myBoost.GetId()))
	refused("no message", 404, requests(campfire.AllTalk, bender.token, 4711, 1), "list", "page", "post")
	refused("what another wrote", 403, requests(campfire.AllTalk, bender.token, davids.GetId(), 1), "list", "page", "post", "boost", "remove a boost")
	refused("a boost by another", 404, map[string]string{
		"remove a boost": fmt.Sprintf("DELETE %s/%d/boosts/%d", bender.door(campfire.AllTalk), mine.GetId(), davidsBoost.GetId()),
	})
	refused("its boost of another message", 404, map[string]string{
		"remove a boost": fmt.Sprintf("DELETE %s/%d/boosts/%d", bender.door(campfire.AllTalk), davids.GetId(), myBoost.GetId()),
	})
	wantEqual(t, "what is kept", campfire.everything(), before)
}

func TestAKeyEndsWhenItIsReset(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, bender := campfire.as("David"), campfire.bot("Bender")
	wantEqual(t, "before: status", campfire.knock(t, "GET", bender.door(campfire.AllTalk), "").status, 200)
	reset := must(david.ResetBotKey(t.Context(), &campfirev1.ResetBotKeyRequest{BotId: bender.id}))(t)
	wantEqual(t, "the old key: status", campfire.knock(t, "GET", bender.door(campfire.AllTalk), "").status, 401)
	bender.token = reset.GetBotKey()
	wantEqual(t, "the new key: status", campfire.knock(t, "GET", bender.door(campfire.AllTalk), "").status, 200)
}

func TestMessagesListedByKeyAreAsTheOriginalsBotsReadThem(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	bender, david := campfire.bot("Bender"), campfire.as("David")
	empty := campfire.knock(t, "GET", bender.door(campfire.AllTalk), "")
	wantEqual(t, "an empty room", []any{empty.status, strings.TrimSpace(empty.body), empty.header.Get("X-Total-Count"), empty.header.Get("Link")},
		[]any{200, "[]", "0", ""})

	first := bender.post(t, campfire.AllTalk, "Hello <you> & all")
	david.post(t, campfire.AllTalk, "Hello Bender")
	got := campfire.knock(t, "GET", bender.door(campfire.AllTalk), "")
	wantEqual(t, "type", got.header.Get("Content-Type"), "application/json; charset=utf-8")
	list := decode[[]map[string]any](t, got.body)
	wantEqual(t, "messages", []any{len(list), list[0]["body"].(map[string]any)["plain_text"], list[1]["body"].(map[string]any)["plain_text"]},
		[]any{2, "Hello <you> & all", "Hello Bender"})
	created := list[0]["created_at"].(string)
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(created) {
		t.Errorf("created_at is %q, want UTC with milliseconds", created)
	}
	creator := list[0]["creator"].(map[string]any)
	if at, _ := creator["avatar_url"].(string); !strings.HasPrefix(at, fmt.Sprintf("%s/users/%d/avatar?v=", campfire.url, bender.id)) {
		t.Errorf("avatar_url is %q, want an absolute one", at)
	}
	delete(creator, "avatar_url")
	wantEqual(t, "the first", list[0], map[string]any{
		"id": float64(first.GetId()), "created_at": created,
		"body":    map[string]any{"plain_text": "Hello <you> & all", "html": "Hello &lt;you&gt; &amp; all"},
		"creator": map[string]any{"id": float64(bender.id), "name": "Bender", "role": "bot"},
		"room":    map[string]any{"id": float64(campfire.AllTalk.ID)},
		"url":     fmt.Sprintf("%s/rooms/%d/messages/%d", campfire.url, campfire.AllTalk.ID, first.GetId()),
	})
	wantEqual(t, "David's role", list[1]["creator"].(map[string]any)["role"], "administrator")
}

func TestPagesListedByKeyFollowTheirLinks(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.messages = 85 })
	bender := campfire.bot("Bender")
	if _, err := campfire.UpdateRoom(t.Context(), campfire.David.ID, campfire.Designers.ID, store.RoomChanges{Grant: []int64{bender.id}}); err != nil {
		t.Fatal(err)
	}
	pages := func(path string) (ids [][]int64) {
		for path != "" {
			got := campfire.knock(t, "GET", path, "")
			wantEqual(t, path+": total", got.header.Get("X-Total-Count"), "85")
			var page []int64
			for _, m := range decode[[]plainMessage](t, got.body) {
				page = append(page, m.ID)
			}
			ids = append(ids, page)
			link := got.header.Get("Link")
			path = ""
			if found := regexp.MustCompile(`^<` + regexp.QuoteMeta(campfire.url) + `(/[^>]*)>; rel="next"$`).FindStringSubmatch(link); found != nil {
				path = found[1]
			} else if link != "" {
				t.Fatalf("got the link %q", link)
			}
		}
		return ids
	}
	from := func(first, last int64) (ids []int64) {
		for id := first; id <= last; id++ {
			ids = append(ids, id)
		}
		return ids
	}
	door := bender.door(campfire.Designers)
	wantEqual(t, "from the newest on", pages(door), [][]int64{from(46, 85), from(6, 45), from(1, 5)})
	wantEqual(t, "before one", pages(door+"?before=42"), [][]int64{from(2, 41), from(1, 1)})
	wantEqual(t, "after one", pages(door+"?after=4"), [][]int64{from(5, 44), from(45, 84), from(85, 85)})
	wantEqual(t, "after the last", pages(door+"?after=85"), [][]int64{nil})
	wantEqual(t, "before the first", pages(door+"?before=1"), [][]int64{nil})
	for _, query := range []string{"?before=x", "?after=", "?before=1&after=2"} {
		wantEqual(t, query+": status", campfire.knock(t, "GET", door+query, "").status, 422)
	}
}

func TestABotEditsAndDeletesItsOwnByKey(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, bender := campfire.as("David"), campfire.bot("Bender")
	heard := david.listen(t)
	m := bender.post(t, campfire.AllTalk, "Hello")
	one := fmt.Sprintf("%s/%d", bender.door(campfire.AllTalk), m.GetId())
	heard.hears(t, `created "Hello"`)
	for method, text := range map[string]string{"PUT": "Grüße 👋", "PATCH": "Bite my app 🤖"} {
		got := campfire.knock(t, method, one, text)
		edited := decode[plainMessage](t, got.body)
		wantEqual(t, method+": status, id, text, author and address", []any{got.status, edited.ID, edited.Body.PlainText, edited.Creator.ID, edited.URL},
			[]any{200, m.GetId(), text, bender.id, fmt.Sprintf("%s/rooms/%d/messages/%d", campfire.url, campfire.AllTalk.ID, m.GetId())})
		heard.hears(t, fmt.Sprintf("updated %q", text))
		wantEqual(t, method+": text kept", campfire.query("SELECT body_text FROM messages"), text)
	}
	wantEqual(t, "messages", len(bender.conversation(t, campfire.AllTalk)), 1)
	got := campfire.knock(t, "DELETE", one, "")
	wantEqual(t, "DELETE: status and body", []any{got.status, got.body}, []any{204, ""})
	heard.hears(t, fmt.Sprintf("deleted %d", m.GetId()))
	wantEqual(t, "messages", len(bender.conversation(t, campfire.AllTalk)), 0)
}

func TestABotBoostsByKey(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, bender := campfire.as("David"), campfire.bot("Bender")
	heard := david.listen(t)
	m := david.post(t, campfire.AllTalk, "Hello")
	heard.hears(t, `created "Hello"`)
	door := fmt.Sprintf("%s/%d/boosts", bender.door(campfire.AllTalk), m.GetId())
	var boosts []int64
	for _, content := range []string{"🎉", "Nice work"} {
		got := campfire.knock(t, "POST", door, content)
		boost := decode[map[string]any](t, got.body)
		booster := boost["booster"].(map[string]any)
		wantEqual(t, content+": status, content, booster and message", []any{got.status, boost["content"], booster["id"], boost["message"]},
			[]any{201, content, float64(bender.id), map[string]any{
				"id": float64(m.GetId()), "url": fmt.Sprintf("%s/rooms/%d/messages/%d", campfire.url, campfire.AllTalk.ID, m.GetId()),
			}})
		boosts = append(boosts, int64(boost["id"].(float64)))
		wantEqual(t, content+": kept", campfire.query("SELECT booster_id || content FROM boosts ORDER BY id"), fmt.Sprint(bender.id, content))
	}
	heard.hears(t, `updated "Hello" + 🎉`, `updated "Hello" + 🎉 + Nice work`)
	got := campfire.knock(t, "DELETE", fmt.Sprintf("%s/%d", door, boosts[0]), "")
	wantEqual(t, "removed: status and body", []any{got.status, got.body}, []any{204, ""})
	heard.hears(t, `updated "Hello" + Nice work`)
	david.post(t, campfire.AllTalk, "the end")
	heard.hears(t, `created "the end"`) // and nothing between
	wantEqual(t, "a boost too long: status", campfire.knock(t, "POST", door, strings.Repeat("x", 17)).status, 422)
}

// A page elsewhere may act by a key it knows: no cookie helps it.
func TestADoorAsksForNoOrigin(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	bender := campfire.bot("Bender")
	got := campfire.knock(t, "POST", bender.door(campfire.AllTalk), "Hello", "Origin: https://elsewhere.example", "Sec-Fetch-Site: cross-site")
	wantEqual(t, "from elsewhere: status", got.status, 201)
}

func TestABlockedAddressMayOnlyReadByKey(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, behindProxy)
	david, kevin, bender := campfire.from("David", "203.0.113.1"), campfire.from("Kevin", "198.51.100.7"), campfire.bot("Bender")
	must(david.BanUser(t.Context(), &campfirev1.BanUserRequest{UserId: kevin.id}))(t)
	for address, want := range map[string]int{"198.51.100.7": 429, "198.51.100.8": 201} {
		from := "X-Forwarded-For: " + address
		wantEqual(t, "a post from "+address+": status", campfire.knock(t, "POST", bender.door(campfire.AllTalk), "Hello", from).status, want)
		wantEqual(t, "a list from "+address+": status", campfire.knock(t, "GET", bender.door(campfire.AllTalk), "", from).status, 200)
	}
	wantEqual(t, "messages", len(david.conversation(t, campfire.AllTalk)), 1)
}
