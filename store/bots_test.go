package store_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

func newBot(t testing.TB, campfire *storetest.Campfire, name, webhook string) (store.BotProfile, string) {
	t.Helper()
	b, key, err := campfire.CreateBot(t.Context(), campfire.David.ID, name, webhook)
	wantErr(t, "David creates "+name, err, nil)
	return b, key
}

func botNames(t testing.TB, campfire *storetest.Campfire) (names []string) {
	t.Helper()
	for _, b := range must(campfire.ListBots(t.Context(), campfire.David.ID))(t) {
		names = append(names, b.Name)
	}
	return names
}

func TestABotsKeyIsItsIDAHyphenAndAToken(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	bot, key := newBot(t, campfire, "Bender", "")
	form := regexp.MustCompile(fmt.Sprintf(`^%d-[A-Za-z0-9]{12}$`, bot.ID))
	if !form.MatchString(key) {
		t.Errorf("got the key %q, want %s", key, form)
	}
	reset := must(campfire.ResetBotKey(t.Context(), campfire.David.ID, bot.ID))(t)
	if !form.MatchString(reset) || reset == key {
		t.Errorf("after %q got the key %q, want another %s", key, reset, form)
	}
	_, err := campfire.AuthenticateBot(t.Context(), key)
	wantErr(t, "the old key", err, store.ErrUnauthenticated)
	who, err := campfire.AuthenticateBot(t.Context(), reset)
	wantErr(t, "the new key", err, nil)
	wantEqual(t, "whose it is", who.UserID, bot.ID)
}

func TestOnlyABotsWholeKeyIsAKey(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	bender, key := newBot(t, campfire, "Bender", "")
	_, other := newBot(t, campfire, "Calculon", "")
	_, token, _ := strings.Cut(key, "-")
	_, othersToken, _ := strings.Cut(other, "-")
	session, _, err := campfire.SignIn(t.Context(), storetest.Email("David"), storetest.Password, store.Device{})
	wantErr(t, "David signs in", err, nil)
	for what, tried := range map[string]string{
		"nothing":                          "",
		"a hyphen":                         "-",
		"an id alone":                      fmt.Sprint(bender.ID),
		"an id and an empty token":         fmt.Sprintf("%d-", bender.ID),
		"an id and a blank token":          fmt.Sprintf("%d-  ", bender.ID),
		"a token alone":                    token,
		"an empty id and a token":          "-" + token,
		"another bot's token":              fmt.Sprintf("%d-%s", bender.ID, othersToken),
		"a token in other case":            fmt.Sprintf("%d-%s", bender.ID, swapCase(token)),
		"most of a token":                  fmt.Sprintf("%d-%s", bender.ID, token[:11]),
		"more than a token":                key + "x",
		"a person's id and an empty token": fmt.Sprintf("%d-", campfire.David.ID),
		"a person's id and a bot's token":  fmt.Sprintf("%d-%s", campfire.David.ID, token),
		"a person's id and their session":  fmt.Sprintf("%d-%s", campfire.David.ID, session),
		"a negative id":                    "-1-" + token,
		"an id beyond all":                 "99999999999999999999-" + token,
	} {
		_, err := campfire.AuthenticateBot(t.Context(), tried)
		wantErr(t, what, err, store.ErrUnauthenticated)
	}
	for what, tried := range map[string]string{"the key": key, "the key with space around it": " " + key + "\n"} {
		who, err := campfire.AuthenticateBot(t.Context(), tried)
		wantErr(t, what, err, nil)
		wantEqual(t, what+": whose it is", who.UserID, bender.ID)
	}
}

func FuzzBotKey(f *testing.F) {
	campfire := storetest.New(f)
	bender, key := newBot(f, campfire, "Bender", "https://bots.example")
	room := campfire.AllTalk.ID
	told := must(campfire.Webhook(f.Context(), bender.ID, post(f, campfire.Store, campfire.David, room, "Hello").ID))(f)
	// Keys are random, what the fuzzer keeps is not: K and R stand for their secret parts.
	_, token, _ := strings.Cut(key, "-")
	_, roomToken, _ := strings.Cut(told.RoomKey, "-")
	secrets := strings.NewReplacer("K", token, "R", roomToken)
	for _, seed := range []string{
		"4-K", "4-R", " 4-K\n", "4-", "4- ", "-K", "K", "", "-", "1-", "1-K", "1-R", "+4-K", "04-K", "-4-K", "4-K-K", "4--K", "4-KK", "4-RK",
		"4.0-K", "4e0-K", "0x4-K", "4_0-K", "４-K", "4\u2010K", "4-K\x00", "4\x00-K", "\xff-K", "9223372036854775808-K", "4-%", "4-' OR 1=1 --",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tried string) {
		tried = secrets.Replace(tried)
		number, secret, _ := strings.Cut(strings.TrimSpace(tried), "-")
		benders := strings.TrimLeft(strings.TrimPrefix(number, "+"), "0") == fmt.Sprint(bender.ID) // however it is written
		check := func(door string, who store.Identity, err error, right bool) {
			t.Helper()
			switch {
			case right && (err != nil || who.UserID != bender.ID || !who.IsBot()):
				t.Errorf("%s by %q: got %+v, %v; want Bender let in", door, tried, who, err)
			case !right && (!errors.Is(err, store.ErrUnauthenticated) || who != store.Identity{}):
				t.Errorf("%s by %q: got %+v, %v; want %v", door, tried, who, err, store.ErrUnauthenticated)
			}
		}
		who, err := campfire.AuthenticateBot(t.Context(), tried)
		check("everywhere", who, err, benders && secret == token)
		who, err = campfire.AuthenticateBotIn(t.Context(), room, tried)
		check("in the room", who, err, benders && (secret == token || secret == roomToken))
		who, err = campfire.AuthenticateBotIn(t.Context(), campfire.Designers.ID, tried)
		check("in another room", who, err, benders && secret == token)
	})
}

func TestARoomKeyIsForOneBotInOneRoomUntilItsKeyIsReset(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, room, other := t.Context(), campfire.AllTalk.ID, campfire.Designers.ID
	bender, key := newBot(t, campfire, "Bender", "")
	calculon, _ := newBot(t, campfire, "Calculon", "")
	listens := store.BotChanges{WebhookURL: new("https://bots.example")}
	must(campfire.UpdateBot(ctx, campfire.David.ID, bender.ID, listens))(t)
	told := func() (string, error) {
		w, err := campfire.Webhook(ctx, bender.ID, post(t, campfire.Store, campfire.David, room, "Hello").ID)
		return w.RoomKey, err
	}
	roomKey := must(told())(t)
	_, token, _ := strings.Cut(roomKey, "-")
	wantEqual(t, "the key for the room once more", must(told())(t), roomKey)
	for what, key := range map[string]string{"the key for the room": roomKey, "the bot's own": key} {
		who, err := campfire.AuthenticateBotIn(ctx, room, key)
		wantErr(t, what, err, nil)
		wantEqual(t, what+": whose it is", who.UserID, bender.ID)
		wantErr(t, what+": who came by it", campfire.RequireSession(ctx, who), nil)
	}
	for what, tried := range map[string]struct {
		room int64
		key  string
	}{
		"in another room":          {other, roomKey},
		"as another bot":           {room, fmt.Sprintf("%d-%s", calculon.ID, token)},
		"as a person":              {room, fmt.Sprintf("%d-%s", campfire.David.ID, token)},
		"without its token":        {room, fmt.Sprintf("%d-", bender.ID)},
		"with another of its size": {room, fmt.Sprintf("%d-%s", bender.ID, strings.Repeat("0", len(token)))},
		"of nobody":                {room, "4711-" + token},
	} {
		_, err := campfire.AuthenticateBotIn(ctx, tried.room, tried.key)
		wantErr(t, what, err, store.ErrUnauthenticated)
	}
	_, err := campfire.AuthenticateBot(ctx, roomKey)
	wantErr(t, "everywhere", err, store.ErrUnauthenticated)
	must(campfire.ResetBotKey(ctx, campfire.David.ID, bender.ID))(t)
	_, err = campfire.AuthenticateBotIn(ctx, room, roomKey)
	wantErr(t, "after the bot's key was reset", err, store.ErrUnauthenticated)
	again := must(told())(t)
	wantErr(t, "David removes Bender", campfire.DeactivateBot(ctx, campfire.David.ID, bender.ID), nil)
	_, err = campfire.AuthenticateBotIn(ctx, room, again)
	wantErr(t, "after the bot was removed", err, store.ErrUnauthenticated)
	_, err = told()
	wantErr(t, "a key for one who is gone", err, store.ErrNotFound)
}

func swapCase(s string) string {
	if lower := strings.ToLower(s); lower != s {
		return lower
	}
	return strings.ToUpper(s)
}

func TestBotsAreListedByNameAndChanged(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var renamed []string
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			if c, ok := change.(store.UserChanged); ok {
				renamed = append(renamed, c.User.Name)
			}
		}
	})
	newBot(t, campfire, "calculon", "")
	bender, _ := newBot(t, campfire, " Bender ", "https://bots.example/bender")
	wantEqual(t, "bots", botNames(t, campfire), []string{"Bender", "calculon"})
	wantEqual(t, "the webhook", bender.WebhookURL, "https://bots.example/bender")
	if !strings.HasPrefix(bender.WebhookSecret, "whsec_") {
		t.Errorf("got the secret %q, want one of the Standard Webhooks", bender.WebhookSecret)
	}
	b := must(campfire.UpdateBot(t.Context(), campfire.David.ID, bender.ID, store.BotChanges{Name: new("Flexo")}))(t)
	wantEqual(t, "renamed, with the webhook as it was", b.Name+" "+b.WebhookURL+b.WebhookSecret, "Flexo "+bender.WebhookURL+bender.WebhookSecret)
	wantEqual(t, "bots", botNames(t, campfire), []string{"calculon", "Flexo"})
	wantEqual(t, "names told", renamed, []string{"calculon", "Bender", "Flexo"})
	for field, c := range map[string]store.BotChanges{
		"name":        {Name: new("")},
		"webhook_url": {WebhookURL: new("ftp://bots.example")},
	} {
		_, err := campfire.UpdateBot(t.Context(), campfire.David.ID, bender.ID, c)
		wantInvalid(t, "a bad "+field, err, field)
	}
	_, err := campfire.UpdateBot(t.Context(), campfire.David.ID, campfire.Kevin.ID, store.BotChanges{Name: new("Robot")})
	wantErr(t, "Kevin, who is no bot", err, store.ErrNotFound)
}

func TestAnEmptyWebhookIsNone(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	bender, _ := newBot(t, campfire, "Bender", " ")
	change := func(address string) store.BotProfile {
		return must(campfire.UpdateBot(t.Context(), campfire.David.ID, bender.ID, store.BotChanges{WebhookURL: &address}))(t)
	}
	wantEqual(t, "created with a blank one", bender.WebhookURL+bender.WebhookSecret, "")
	first := change("http://bots.example/1")
	second := change("http://bots.example/2")
	wantEqual(t, "the second", second.WebhookURL, "http://bots.example/2")
	wantEqual(t, "its secret", second.WebhookSecret, first.WebhookSecret)
	none := change("")
	wantEqual(t, "removed", none.WebhookURL+none.WebhookSecret, "")
	if again := change("http://bots.example/2"); again.WebhookSecret == first.WebhookSecret || again.WebhookSecret == "" {
		t.Errorf("the new webhook has the secret %q, want a new one", again.WebhookSecret)
	}
}

func TestAWebhookIsAnAddressOfTheWeb(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for address, good := range map[string]bool{
		"http://bots.example":                              true,
		"https://bots.example:8443/hook?room=1":            true,
		"https://user:secret@bots.example/":                true,
		"http://[2001:db8::1]:9000/":                       true,
		"http://127.0.0.1:9000":                            true, // whether it may be called is for the server to say
		"bots.example":                                     false,
		"//bots.example":                                   false,
		"http://":                                          false,
		"http://:80/":                                      false,
		"http:bots.example":                                false,
		"file:///etc/passwd":                               false,
		"gopher://bots.example":                            false,
		"javascript:alert(1)":                              false,
		"http://bots.example/\x00":                         false,
		"http://bots.example/\xff":                         false,
		"http://bots.example/" + strings.Repeat("x", 2048): false,
	} {
		_, _, err := campfire.CreateBot(t.Context(), campfire.David.ID, "Bender", address)
		if good {
			wantErr(t, address, err, nil)
		} else {
			wantInvalid(t, address, err, "webhook_url")
		}
	}
}

func TestADeactivatedBotIsGoneAndItsKeyToo(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	bender, key := newBot(t, campfire, "Bender", "")
	who := must(campfire.AuthenticateBot(t.Context(), key))(t)
	m := post(t, campfire.Store, bender.User, campfire.AllTalk.ID, "Hello")
	var ended []store.Identity
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			if c, ok := change.(store.SessionEnded); ok {
				ended = append(ended, c.Identity)
			}
		}
	})
	wantErr(t, "David removes Bender", campfire.DeactivateBot(t.Context(), campfire.David.ID, bender.ID), nil)
	wantEqual(t, "bots", len(botNames(t, campfire)), 0)
	wantEqual(t, "status", must(campfire.GetUser(t.Context(), bender.ID))(t).Status, store.Deactivated)
	_, err := campfire.AuthenticateBot(t.Context(), key)
	wantErr(t, "its key", err, store.ErrUnauthenticated)
	wantErr(t, "who came by it", campfire.RequireSession(t.Context(), who), store.ErrUnauthenticated)
	wantEqual(t, "whose streams end", ended, []store.Identity{{UserID: bender.ID}})
	_, err = campfire.PostMessage(t.Context(), bender.ID, store.Post{RoomID: campfire.AllTalk.ID, Body: storetest.Body("Hi")})
	wantErr(t, "it posts", err, store.ErrNotFound)
	wantEqual(t, "what it wrote", must(campfire.GetMessage(t.Context(), campfire.David.ID, m.ID))(t).Body.Text, "Hello")
	for what, err := range map[string]error{
		"removed again": campfire.DeactivateBot(t.Context(), campfire.David.ID, bender.ID),
		"a new key":     func() error { _, err := campfire.ResetBotKey(t.Context(), campfire.David.ID, bender.ID); return err }(),
	} {
		wantErr(t, what, err, store.ErrNotFound)
	}
}

func TestBotsAreForAdministrators(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	bender, _ := newBot(t, campfire, "Bender", "")
	for who, id := range map[string]int64{"Kevin": campfire.Kevin.ID, "Bender": bender.ID} {
		_, err := campfire.ListBots(ctx, id)
		wantErr(t, who+" lists bots", err, store.ErrForbidden)
		_, _, err = campfire.CreateBot(ctx, id, "Flexo", "")
		wantErr(t, who+" creates one", err, store.ErrForbidden)
		_, err = campfire.UpdateBot(ctx, id, bender.ID, store.BotChanges{Name: new("Flexo")})
		wantErr(t, who+" renames one", err, store.ErrForbidden)
		wantErr(t, who+" removes one", campfire.DeactivateBot(ctx, id, bender.ID), store.ErrForbidden)
		_, err = campfire.ResetBotKey(ctx, id, bender.ID)
		wantErr(t, who+" resets its key", err, store.ErrForbidden)
	}
	wantEqual(t, "bots", botNames(t, campfire), []string{"Bender"})
}

func TestABotBelongsToEveryOpenRoom(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	bender, _ := newBot(t, campfire, "Bender", "")
	later := must(campfire.CreateRoom(t.Context(), campfire.David.ID, store.NewRoom{Kind: store.OpenRoom, Name: "Later"}))(t)
	rooms, _, err := campfire.ListRooms(t.Context(), bender.ID, false)
	wantErr(t, "Bender lists rooms", err, nil)
	wantEqual(t, "rooms", []int64{rooms[0].ID, rooms[1].ID, int64(len(rooms))}, []int64{campfire.AllTalk.ID, later.ID, 2})
	_, err = campfire.UpdateRoom(t.Context(), campfire.David.ID, campfire.Designers.ID, store.RoomChanges{Grant: []int64{bender.ID}})
	wantErr(t, "it is put into Designers", err, nil)
	_, err = campfire.OpenDirectRoom(t.Context(), campfire.Kevin.ID, []int64{bender.ID})
	wantErr(t, "Kevin talks to it directly", err, nil)
}

func TestAMessageSpeaksToTheBotsItMentionsAndInADirectRoomToAll(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	bender, _ := newBot(t, campfire, "Bender", "")
	calculon, _ := newBot(t, campfire, "Calculon", "")
	var told []int64
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			if c, ok := change.(store.MessageCreated); ok {
				told = c.Bots
			}
		}
	})
	private := direct(t, campfire, campfire.David, bender.User, calculon.User).ID
	lonely := direct(t, campfire, campfire.David, campfire.Jason).ID
	both := []int64{calculon.ID, bender.ID, bender.ID, campfire.Kevin.ID}
	for _, c := range []struct {
		what     string
		author   store.User
		room     int64
		mentions []int64
		reply    bool
		want     []int64
	}{
		{"no mention", campfire.David, campfire.AllTalk.ID, nil, false, nil},
		{"a mention of both", campfire.David, campfire.AllTalk.ID, both, false, []int64{bender.ID, calculon.ID}},
		{"a bot's mention of both", bender.User, campfire.AllTalk.ID, both, false, []int64{calculon.ID}},
		{"a mention by a reply", bender.User, campfire.AllTalk.ID, both, true, nil},
		{"a mention where they are not", campfire.David, campfire.Designers.ID, both, false, nil},
		{"a direct room", campfire.David, private, nil, false, []int64{bender.ID, calculon.ID}},
		{"a bot's in a direct room", calculon.User, private, nil, false, []int64{bender.ID}},
		{"a reply in a direct room", calculon.User, private, nil, true, nil},
		{"a direct room without bots", campfire.David, lonely, both, false, nil},
	} {
		body := storetest.Body("Hello")
		body.Mentions = c.mentions
		told = nil
		must(campfire.PostMessage(t.Context(), c.author.ID, store.Post{RoomID: c.room, Body: body, IsReply: c.reply}))(t)
		wantEqual(t, c.what+": bots spoken to", told, c.want)
	}
}

func TestADeliveryIsNotedForTheWebhookItWentTo(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	bender, _ := newBot(t, campfire, "Bender", "https://bots.example/1")
	last := func() store.Delivery {
		return must(campfire.ListBots(t.Context(), campfire.David.ID))(t)[0].LastDelivery
	}
	if !last().At.IsZero() {
		t.Errorf("got a last delivery at %v before the first", last().At)
	}
	failed := store.Delivery{At: time.Now().UTC().Truncate(time.Microsecond), Status: 500, Error: "it answered 500"}
	wantErr(t, "a failure is noted", campfire.NoteDelivery(t.Context(), bender, failed), nil)
	wantEqual(t, "the last delivery", last(), failed)
	must(campfire.UpdateBot(t.Context(), campfire.David.ID, bender.ID, store.BotChanges{WebhookURL: new("https://bots.example/2")}))(t)
	wantErr(t, "a failure of the old webhook", campfire.NoteDelivery(t.Context(), bender, failed), nil)
	wantEqual(t, "the last delivery to the new one", last(), store.Delivery{})
}

func TestThereAreAtMostFiveHundredBots(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for i := range 500 {
		newBot(t, campfire, fmt.Sprint("Bot ", i), "")
	}
	_, _, err := campfire.CreateBot(t.Context(), campfire.David.ID, "One more", "")
	wantErr(t, "one more", err, store.ErrConflict)
}

// A webhook from before deliveries were signed is given a secret.
func TestAnOldWebhookIsGivenASecret(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	conn := must(sqlite.OpenConn(filepath.Join(folder, store.FileName)))(t)
	err := sqlitex.ExecuteScript(conn, string(must(os.ReadFile("migrations/0001_campfire.sql"))(t))+`;
		INSERT INTO users (id, name, sort_name, email_address, role, created_at, updated_at) VALUES (1, 'David', 'david', 'd@campfire.example', 1, 0, 0);
		INSERT INTO users (id, name, sort_name, role, created_at, updated_at) VALUES (2, 'Bender', 'bender', 2, 0, 0);
		INSERT INTO users (id, name, sort_name, role, created_at, updated_at) VALUES (3, 'Flexo', 'flexo', 2, 0, 0);
		INSERT INTO webhooks (user_id, url) VALUES (2, 'https://bots.example/2'), (3, 'https://bots.example/3');`, nil)
	if err := errors.Join(err, sqlitex.ExecuteTransient(conn, "PRAGMA application_id = 0x43616d70", nil),
		sqlitex.ExecuteTransient(conn, "PRAGMA user_version = 1", nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
	bots := must(storetest.Open(t, folder).ListBots(t.Context(), 1))(t)
	for _, bot := range bots {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(bot.WebhookSecret, "whsec_"))
		if err != nil || len(key) < 24 || !bot.LastDelivery.At.IsZero() {
			t.Errorf("%s has the secret %q (%v) and the last delivery %v", bot.Name, bot.WebhookSecret, err, bot.LastDelivery)
		}
	}
	if len(bots) != 2 || bots[0].WebhookSecret == bots[1].WebhookSecret {
		t.Errorf("got %v, want two bots with secrets of their own", bots)
	}
}
