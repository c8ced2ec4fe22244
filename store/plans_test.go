package store_test

import (
	"regexp"
	"strings"
	"testing"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

// However many messages, rooms and sessions there are, each call finds its own by an index.
func TestNoStatementScansALargeTable(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	everyCall(t, campfire)
	plans := must(campfire.Statements(t.Context()))(t)
	if len(plans) < 40 {
		t.Errorf("got the plans of %d statements, want those of all calls", len(plans))
	}
	scan := regexp.MustCompile(`^SCAN (messages|memberships|mine|theirs|rooms|sessions|boosts|deletions)\b`)
	for sql, plan := range plans {
		if strings.HasPrefix(sql, "INSERT INTO users") || sql == "SELECT id FROM rooms WHERE kind = 'open'" {
			continue // the plan names checks that only a replacement makes; a join may look at all rooms
		}
		for _, step := range plan {
			if scan.MatchString(step) || strings.Contains(step, "AUTOMATIC") {
				t.Errorf("got %q, want a search by an index, in\n%s\nwhose plan is\n%s", step, sql, strings.Join(plan, "\n"))
			}
		}
		if strings.Contains(sql, "revision > :since AND revision <> id") && !strings.Contains(strings.Join(plan, "\n"), "USING INDEX messages_changed") {
			t.Errorf("old messages that have changed are not found by their index, but by\n%s", strings.Join(plan, "\n"))
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
	for _, page := range []store.MessagesPage{{}, {Before: m.ID}, {After: m.ID}, {Around: m.ID}} {
		_, _, _, err = campfire.ListMessages(ctx, david, room, page)
		did(err)
	}
	_, _, err = campfire.ChangesSince(ctx, david, &since)
	did(err)
	_, err = campfire.GetMessage(ctx, david, m.ID)
	did(err)
	_, err = campfire.EditMessage(ctx, david, m.ID, storetest.Body("Hello there"))
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
	did(campfire.SignOut(ctx, who))
}
