package store_test

import (
	"reflect"
	"strings"
	"testing"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestABoostsContent(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	m := post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "Hello")
	const family = "👨‍👩‍👧‍👦" // one character of 25 bytes
	for _, c := range []struct {
		what, content, kept string
		refused             bool
	}{
		{"a thumb", "👍", "👍", false},
		{"words to trim", " \tWell done\n", "Well done", false},
		{"16 letters", strings.Repeat("ä", 16), strings.Repeat("ä", 16), false},
		{"10 families of 250 bytes", strings.Repeat(family, 10), strings.Repeat(family, 10), false},
		{"16 flags", strings.Repeat("🇩🇰", 16), strings.Repeat("🇩🇰", 16), false},
		{"a heart with its selector", "❤️", "❤️", false},
		{"17 letters", strings.Repeat("a", 17), "", true},
		{"17 flags", strings.Repeat("🇩🇰", 17), "", true},
		{"11 families of 275 bytes", strings.Repeat(family, 11), "", true},
		{"one letter with marks without end", "z" + strings.Repeat("\u0301", 128), "", true},
		{"nothing", "", "", true},
		{"spaces", "  \u00a0 ", "", true},
		{"nothing to see", "\u200b\u200e\ufe0f", "", true},
		{"two lines", "a\nb", "", true},
		{"broken text", "a\xff", "", true},
		{"far too much", strings.Repeat("a", 100_000), "", true},
	} {
		_, boost, err := campfire.AddBoost(t.Context(), campfire.Jason.ID, m.ID, c.content)
		field := ""
		if c.refused {
			field = "content"
		}
		wantInvalid(t, c.what, err, field)
		wantEqual(t, c.what+", as it is kept", boost.Content, c.kept)
	}
	_, _, err := campfire.AddBoost(t.Context(), campfire.Jason.ID, m.ID, strings.Repeat("a", 300))
	wantEqual(t, "what 300 letters are told", err, "content must have at most 16 characters, in 256 bytes")
}

func TestBoostsAreToldWithTheirMessage(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	m := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "Hello")
	var told []store.Change
	campfire.OnCommit(func(changes []store.Change) { told = append(told, changes...) })
	for range 2 { // the same person, the same content
		must(boostOnly(campfire.AddBoost(t.Context(), campfire.Jason.ID, m.ID, "👍")))(t)
	}
	boosted, last, err := campfire.AddBoost(t.Context(), campfire.David.ID, m.ID, "🎉")
	wantErr(t, "David boosts his own", err, nil)
	if len(boosted.Boosts) != 3 || !reflect.DeepEqual(boosted.Boosts[2], last) {
		t.Errorf("got %+v with the new boost %+v, want three boosts, the new one last", boosted.Boosts, last)
	}
	if !boosted.EditedAt.IsZero() {
		t.Errorf("boosted, the message was edited at %v, want never", boosted.EditedAt)
	}
	updated := told[len(told)-1].(store.MessageUpdated)
	if len(told) != 3 || !reflect.DeepEqual(updated.Message, boosted) {
		t.Errorf("got %d changes told, the last %+v; want 3, the last with %+v", len(told), updated, boosted)
	}
	wantEqual(t, "audience", sorted(updated.Audience), []int64{campfire.David.ID, campfire.Jason.ID})
	page, _, _, err := campfire.ListMessages(t.Context(), campfire.Jason.ID, campfire.Designers.ID, store.MessagesPage{})
	wantErr(t, "Jason reads", err, nil)
	if !reflect.DeepEqual(page, []store.Message{boosted}) {
		t.Errorf("Jason read %+v, want %+v", page, boosted)
	}
}

func TestOnlyItsBoosterRemovesABoost(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	m := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "Hello")
	jasons := must(boostOnly(campfire.AddBoost(t.Context(), campfire.Jason.ID, m.ID, "👍")))(t)
	_, err := campfire.RemoveBoost(t.Context(), campfire.David.ID, jasons.ID)
	wantErr(t, "David, administrator and author, removes Jason's boost", err, store.ErrNotFound)
	left := must(campfire.RemoveBoost(t.Context(), campfire.Jason.ID, jasons.ID))(t)
	if len(left.Boosts) != 0 || left.Revision <= m.Revision {
		t.Errorf("got %d boosts and revision %d, want none and more than %d", len(left.Boosts), left.Revision, m.Revision)
	}
	_, err = campfire.RemoveBoost(t.Context(), campfire.Jason.ID, jasons.ID)
	wantErr(t, "Jason removes it again", err, store.ErrNotFound)
}

func TestAMessageHasAtMost200Boosts(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	m := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "Hello")
	inDatabase(t, campfire.Folder, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 199)
		INSERT INTO boosts (message_id, booster_id, content, created_at) SELECT ?, ?, 'Hello', 0 FROM n`, m.ID, campfire.Kevin.ID)
	last := must(boostOnly(campfire.AddBoost(t.Context(), campfire.Jason.ID, m.ID, "number 200")))(t)
	_, _, err := campfire.AddBoost(t.Context(), campfire.David.ID, m.ID, "one more")
	wantErr(t, "boost 201", err, store.ErrConflict)
	must(campfire.RemoveBoost(t.Context(), campfire.Jason.ID, last.ID))(t)
	must(boostOnly(campfire.AddBoost(t.Context(), campfire.David.ID, m.ID, "in its place")))(t)

	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, m.ID), nil)
	wantEqual(t, "boosts of the message that is gone", inDatabase(t, campfire.Folder, "SELECT count(*) FROM boosts"), []string{"0"})
}

func boostOnly(_ store.Message, b store.Boost, err error) (store.Boost, error) { return b, err }
