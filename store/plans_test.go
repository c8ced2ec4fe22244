package store_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

// However many messages, rooms and sessions there are, each call finds its own by an index.
func TestNoStatementScansALargeTable(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	everyCall(t, campfire)
	statements := must(campfire.Statements(t.Context()))(t)
	if len(statements) < 40 {
		t.Errorf("got %d statements, want those of all calls", len(statements))
	}
	scan := regexp.MustCompile(`^SCAN (messages|memberships|mine|theirs|push_subscriptions|rooms|sessions|boosts|deletions|webhooks)\b|AUTOMATIC`)
	for _, statement := range statements {
		if strings.HasPrefix(statement.SQL, "UPDATE revisions SET forgotten") {
			continue // once at the start, over a month of deletions
		}
		if strings.HasPrefix(statement.SQL, "INSERT INTO users") || statement.SQL == "SELECT id FROM rooms WHERE kind = 'open'" ||
			strings.HasSuffix(statement.SQL, " LIMIT 1") && !strings.Contains(statement.SQL, "WHERE") {
			continue // the plan names checks that only a replacement makes; a join may look at all rooms; the first is any
		}
		plan := strings.Join(statement.Plan, "\n")
		for _, step := range statement.Plan {
			if scan.MatchString(step) {
				t.Errorf("got %q, want a search by an index, in\n%s\nwhose plan is\n%s", step, statement.SQL, plan)
			}
		}
		if strings.Contains(statement.SQL, "MATCH") && !strings.HasPrefix(plan, "SCAN message_search_index VIRTUAL TABLE INDEX 192:") {
			// 64 and 128: the index itself gives the order, downwards.
			t.Errorf("a search is not one walk down the index, but\n%s", plan)
		}
		if strings.Contains(statement.SQL, "revision > :since AND revision <> id") && !strings.Contains(plan, "USING INDEX messages_changed") {
			t.Errorf("old messages that have changed are not found by their index, but by\n%s", plan)
		}
	}
}

func TestEachStatementIsPlannedOnce(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for range 3 {
		everyCall(t, campfire)
	}
	for _, statement := range must(campfire.Statements(t.Context()))(t) {
		if statement.Reprepared > 0 && !strings.Contains(statement.SQL, "ExecuteScript") { // but for migrations
			t.Errorf("prepared anew %d times, want never: %s", statement.Reprepared, statement.SQL)
		}
	}
}

// everyCall makes each call once, in each of its ways.
func everyCall(t testing.TB, campfire *storetest.Campfire) {
	t.Helper()
	ctx, david, room := t.Context(), campfire.David.ID, campfire.Designers.ID
	did := func(err error) { t.Helper(); wantErr(t, "a call", err, nil) }
	token, _, err := campfire.SignIn(ctx, storetest.Email("David"), storetest.Password, store.Device{})
	did(err)
	who, err := campfire.Authenticate(ctx, token, store.Device{})
	did(err)
	did(campfire.RequireSession(ctx, who))
	since := now(t, campfire.Store, campfire.David)
	m := post(t, campfire.Store, campfire.David, room, "Hello")
	_, boost, err := campfire.AddBoost(ctx, david, m.ID, "👍")
	did(err)
	for _, page := range []store.MessagesPage{{}, {Anchor: store.Before, ID: m.ID}, {Anchor: store.After, ID: m.ID}, {Anchor: store.Around, ID: m.ID}} {
		_, _, _, err = campfire.ListMessages(ctx, david, room, page)
		did(err)
	}
	_, _, err = campfire.ChangesSince(ctx, david, &since)
	did(err)
	_, err = campfire.GetMessage(ctx, david, m.ID)
	did(err)
	_, err = campfire.EditMessage(ctx, david, m.ID, storetest.Body("Hello there"))
	did(err)
	_, err = campfire.SearchMessages(ctx, david, "hello there", 0, true)
	did(err)
	_, err = campfire.ListRecentSearches(ctx, david)
	did(err)
	_, err = campfire.RemoveBoost(ctx, david, boost.ID)
	did(err)
	did(campfire.DeleteMessage(ctx, david, m.ID))
	direct(t, campfire, campfire.David, campfire.Jason)
	direct(t, campfire, campfire.David, campfire.Jason)
	_, _, err = campfire.ListRooms(ctx, david, true)
	did(err)
	_, err = campfire.GetRoom(ctx, david, room)
	did(err)
	_, _, err = campfire.ListMembers(ctx, david, room, store.Page{})
	did(err)
	_, err = campfire.NamesOfMembers(ctx, david, room, []int64{campfire.Jason.ID})
	did(err)
	_, _, err = campfire.ListUsers(ctx, david, store.Page{})
	did(err)
	_, _, err = campfire.GetAccount(ctx)
	did(err)
	did(campfire.EnterRoom(ctx, david, room))
	did(campfire.StartTyping(ctx, david, room))
	browser, err := campfire.RegisterPushSubscription(ctx, who, store.PushSubscription{
		Endpoint: "https://push.example", AuthKey: "AAAAAAAAAAAAAAAAAAAAAA",
		P256DHKey: base64.RawURLEncoding.EncodeToString(must(campfire.PushKey(ctx))(t).PublicKey().Bytes()),
	})
	did(err)
	_, err = campfire.ListPushSubscriptions(ctx, david)
	did(err)
	_, err = campfire.GetPushSubscription(ctx, david, browser.ID)
	did(err)
	_, _, err = campfire.Notifications(ctx, store.Message{RoomID: room}, []int64{david}, []int64{david})
	did(err)
	did(campfire.NotePush(ctx, browser, false, false))
	did(campfire.RemovePushSubscription(ctx, david, browser.ID))
	_, err = campfire.BanUser(ctx, who, campfire.Kevin.ID)
	did(err)
	_, err = campfire.UnbanUser(ctx, david, campfire.Kevin.ID)
	did(err)
	did(campfire.SignOut(ctx, who, ""))
	bot, key, err := campfire.CreateBot(ctx, david, "Bender", "https://bots.example")
	did(err)
	_, err = campfire.AuthenticateBot(ctx, key)
	did(err)
	told, err := campfire.Webhook(ctx, bot.ID, post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "Hello Bender").ID)
	did(err)
	_, err = campfire.AuthenticateBotIn(ctx, campfire.AllTalk.ID, told.RoomKey)
	did(err)
	did(campfire.NoteDelivery(ctx, told.Bot, store.Delivery{At: time.Now()}))
	_, err = campfire.CountMessages(ctx, david, room)
	did(err)
	_, err = campfire.ListBots(ctx, david)
	did(err)
	_, err = campfire.UpdateBot(ctx, david, bot.ID, store.BotChanges{Name: new("Flexo"), WebhookURL: new("")})
	did(err)
	_, err = campfire.ResetBotKey(ctx, david, bot.ID)
	did(err)
	did(campfire.DeactivateBot(ctx, david, bot.ID))
}
