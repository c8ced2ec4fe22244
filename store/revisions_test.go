package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

// missed says in short what the user has missed since a position, and where that leads to.
func missed(t testing.TB, s *store.Store, user store.User, since store.Position) (string, store.Position) {
	t.Helper()
	changes, latest, err := s.ChangesSince(t.Context(), user.ID, &since)
	if err != nil {
		return err.Error(), latest
	}
	var said []string
	last := since.Revision
	for _, change := range changes {
		var revision int64
		switch c := change.(type) {
		case store.MessageCreated:
			said, revision = append(said, "+"+c.Message.Body.Text), c.Message.ID
		case store.MessageUpdated:
			said, revision = append(said, fmt.Sprintf("~%s(%d)", c.Message.Body.Text, len(c.Message.Boosts))), c.Message.Revision
		case store.MessageDeleted:
			said, revision = append(said, fmt.Sprintf("-%d", c.MessageID)), c.Revision
		}
		if revision <= last || revision > latest.Revision {
			t.Errorf("got revision %d after %d, want them to grow up to %d", revision, last, latest.Revision)
		}
		last = revision
	}
	return strings.Join(said, " "), latest
}

func now(t testing.TB, s *store.Store, user store.User) store.Position {
	t.Helper()
	_, latest, err := s.ChangesSince(t.Context(), user.ID, nil)
	wantErr(t, "position", err, nil)
	return latest
}

func TestChangesSinceTellsWhatWasMissedInOrder(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	old := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "old")
	older := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "older")
	gone := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "gone")
	boosted := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "boosted")
	since := now(t, campfire.Store, campfire.Jason)
	nothing, latest := missed(t, campfire.Store, campfire.Jason, since)
	wantEqual(t, "missed at once", nothing, "")
	wantEqual(t, "position", latest, since)

	edit := func(m store.Message, text string) {
		t.Helper()
		must(campfire.EditMessage(t.Context(), campfire.David.ID, m.ID, storetest.Body(text)))(t)
	}
	edit(old, "once")
	one := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "one")
	fleeting := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "fleeting")
	two := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "two")
	edit(older, "older indeed")
	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, gone.ID), nil)
	must(boostOnly(campfire.AddBoost(t.Context(), campfire.Jason.ID, boosted.ID, "👍")))(t)
	edit(one, "one indeed")
	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, fleeting.ID), nil)
	edit(old, "twice")
	post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "to all")

	for user, want := range map[store.User]string{
		campfire.Jason: fmt.Sprintf("+one indeed +two ~older indeed(0) -%d ~boosted(1) ~one indeed(0) -%d ~twice(0) +to all", gone.ID, fleeting.ID),
		campfire.Kevin: "+to all",
	} {
		got, latest := missed(t, campfire.Store, user, since)
		wantEqual(t, user.Name+" missed", got, want)
		wantEqual(t, "position", latest, now(t, campfire.Store, user))
		again, _ := missed(t, campfire.Store, user, latest)
		wantEqual(t, user.Name+" missed after that", again, "")
	}
	got, _ := missed(t, campfire.Store, campfire.Jason, store.Position{Epoch: since.Epoch, Revision: two.ID})
	if !strings.HasPrefix(got, "~older indeed(0) ") || !strings.Contains(got, " ~one indeed(0) ") {
		t.Errorf("since two Jason missed %q, want it to begin after two, and one updated", got)
	}
}

func TestRoomsOneHasLeftTellNothing(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	m := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "old")
	since := now(t, campfire.Store, campfire.Jason)
	post(t, campfire.Store, campfire.David, campfire.Designers.ID, "new")
	must(campfire.EditMessage(t.Context(), campfire.David.ID, m.ID, storetest.Body("edited")))(t)
	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, post(t, campfire.Store, campfire.David, campfire.Designers.ID, "gone").ID), nil)
	inDatabase(t, campfire.Folder, "DELETE FROM memberships WHERE room_id = ? AND user_id = ?", campfire.Designers.ID, campfire.Jason.ID)
	got, latest := missed(t, campfire.Store, campfire.Jason, since)
	wantEqual(t, "Jason, no longer in Designers, missed", got, "")
	wantEqual(t, "position", latest, now(t, campfire.Store, campfire.David))
}

func TestWhatCannotBeTold(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	since := now(t, campfire.Store, campfire.Jason)
	wantErr(t, "close", campfire.Close(), nil)
	inDatabase(t, campfire.Folder, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 990)
		INSERT INTO messages (id, room_id, creator_id, client_message_id, body_html, body_text, kind, created_at, revision)
		SELECT i, ?, ?, i, 'Hello', 'Hello', 'text', 0, i FROM n`, campfire.Designers.ID, campfire.David.ID)
	inDatabase(t, campfire.Folder, "UPDATE revisions SET latest = 990")
	campfire.Store = storetest.Open(t, campfire.Folder)
	for range 10 { // 990 messages and 10 deletions, of others, are the most that is told
		m := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "Hello")
		wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, m.ID), nil)
	}
	changes, latest, err := campfire.ChangesSince(t.Context(), campfire.Jason.ID, &since)
	if err != nil || len(changes) != 1000 {
		t.Errorf("got %d changes, %v; want 1000", len(changes), err)
	}
	last := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "one too many")
	for what, c := range map[string]struct {
		since store.Position
		want  error
	}{
		"1,001 changes":    {since, store.ErrTooFarBehind},
		"another epoch":    {store.Position{Epoch: "another", Revision: latest.Revision}, store.ErrUnknownEpoch},
		"no epoch":         {store.Position{}, store.ErrUnknownEpoch},
		"the future":       {store.Position{Epoch: since.Epoch, Revision: last.Revision + 1}, store.ErrUnknownEpoch},
		"before beginning": {store.Position{Epoch: since.Epoch, Revision: -5}, store.ErrTooFarBehind},
	} {
		changes, position, err := campfire.ChangesSince(t.Context(), campfire.Jason.ID, &c.since)
		wantErr(t, what, err, c.want)
		if len(changes) != 0 || position.Revision != last.Revision {
			t.Errorf("%s: got %d changes and revision %d, want none and %d to go on from", what, len(changes), position.Revision, last.Revision)
		}
	}
	if got, _ := missed(t, campfire.Store, campfire.Kevin, since); got != "" {
		t.Errorf("Kevin, whom none of it concerns, missed %q, want nothing", got)
	}
	// Deletions of long ago are forgotten.
	inDatabase(t, campfire.Folder, "UPDATE revisions SET forgotten = ?", latest.Revision)
	got, _ := missed(t, campfire.Store, campfire.Jason, store.Position{Epoch: since.Epoch, Revision: latest.Revision - 1})
	wantEqual(t, "before what is forgotten", got, store.ErrTooFarBehind.Error())
	got, _ = missed(t, campfire.Store, campfire.Jason, latest)
	wantEqual(t, "since what is forgotten", got, "+one too many")
}

func TestAResumerSeesEachMessageOnceWhileOthersPost(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	position := now(t, campfire.Store, campfire.Jason)
	posting, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for _, user := range []store.User{campfire.David, campfire.Jason, campfire.Kevin} {
		group.Go(func() {
			for i := range 50 {
				m := post(t, campfire.Store, user, campfire.AllTalk.ID, "Hello")
				if i%10 == 0 {
					must(campfire.EditMessage(t.Context(), user.ID, m.ID, storetest.Body("Hello there")))(t)
				}
			}
		})
	}
	go func() {
		group.Wait()
		stop()
	}()
	var seen []int64
	for last := false; !last; {
		last = posting.Err() != nil // once more after the last post
		changes, latest, err := campfire.ChangesSince(t.Context(), campfire.Jason.ID, &position)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range changes {
			if c, ok := change.(store.MessageCreated); ok {
				seen = append(seen, c.Message.ID)
			}
		}
		position = latest
	}
	group.Wait()
	wantEqual(t, "messages seen", len(seen), 150)
	wantEqual(t, "messages seen, each once and in order", strings.Fields(strings.Trim(fmt.Sprint(seen), "[]")),
		inDatabase(t, campfire.Folder, "SELECT id FROM messages ORDER BY id"))
}
