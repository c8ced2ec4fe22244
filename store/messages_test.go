package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestPostingReachesTheRoomAndNobodyElse(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var told []store.Change
	campfire.OnCommit(func(changes []store.Change) { told = append(told, changes...) })
	posted := must(campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{
		RoomID: campfire.Designers.ID, ClientMessageID: "one", Body: store.Body{
			HTML: "<p>Hello <b>Jason</b></p>", Text: "Hello Jason", Kind: store.Text,
			Mentions: []int64{campfire.Jason.ID, campfire.Kevin.ID, campfire.Jason.ID},
		},
	}))(t)
	if len(told) != 1 {
		t.Fatalf("got %d changes told, want 1", len(told))
	}
	created := told[0].(store.MessageCreated)
	wantEqual(t, "audience", sorted(created.Audience), []int64{campfire.David.ID, campfire.Jason.ID})
	wantEqual(t, "who is mentioned: members only, each once", created.Mentions, []int64{campfire.Jason.ID})
	if !reflect.DeepEqual(created.Message, posted) {
		t.Errorf("told %+v, want what David was answered: %+v", created.Message, posted)
	}
	read := must(campfire.GetMessage(t.Context(), campfire.Jason.ID, posted.ID))(t)
	if !reflect.DeepEqual(read, posted) {
		t.Errorf("Jason read %+v, want what David was answered: %+v", read, posted)
	}
	if read.Creator.EmailAddress != "" {
		t.Errorf("the message holds David's address %q, want none", read.Creator.EmailAddress)
	}
}

func TestARepeatedPostIsOneMessage(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var told int
	campfire.OnCommit(func(changes []store.Change) { told += len(changes) })
	answers := make([]store.Message, 50)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			answers[i], _ = campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{
				RoomID: campfire.Designers.ID, ClientMessageID: "again and again", Body: storetest.Body("Hello"),
			})
		})
	}
	group.Wait()
	for _, answer := range answers {
		if answer.ID == 0 || !reflect.DeepEqual(answer, answers[0]) {
			t.Fatalf("got answers %+v and %+v, want equal ones", answers[0], answer)
		}
	}
	wantEqual(t, "messages", inDatabase(t, campfire.Folder, "SELECT count(*) FROM messages"), []string{"1"})
	wantEqual(t, "changes told", told, 1)

	again := store.Post{RoomID: campfire.Designers.ID, ClientMessageID: "again and again", Body: storetest.Body("Mine")}
	_, err := campfire.PostMessage(t.Context(), campfire.Jason.ID, again)
	wantErr(t, "Jason repeats David's client_message_id", err, store.ErrTaken)
	again.RoomID = campfire.AllTalk.ID
	elsewhere := must(campfire.PostMessage(t.Context(), campfire.Jason.ID, again))(t)
	if elsewhere.ID == answers[0].ID {
		t.Error("the same client_message_id in another room answered David's message, want one of Jason's own")
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	m := post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "Hello")
	for what, body := range map[string]store.Body{
		"nothing":             {},
		"spaces":              storetest.Body(" \t\r\n "),
		"no-break spaces":     storetest.Body("\u00a0\u2007\u202f"),
		"zero width":          storetest.Body("\u200b\u200c\u200d\u2060\ufeff"),
		"bidi marks":          storetest.Body("\u200e\u200f\u202a\u202e\u2066\u2069\u061c"),
		"line separators":     storetest.Body("\u2028\u2029\u0085"),
		"fillers":             storetest.Body("\u3164\u2800\u115f\u1160\uffa0\u3000"),
		"variation selectors": storetest.Body("\ufe0f\ufe0e"),
		"joiners of marks":    storetest.Body("\u034f\u180e\u00ad"),
		"tags":                storetest.Body("\U000e0020\U000e007f"),
		"control characters":  storetest.Body("\x00\x01\x7f"),
		"markup without text": {HTML: "<p><br></p>", Kind: store.Text},
		"too much text":       {HTML: "a", Text: strings.Repeat("a", 65537), Kind: store.Text},
		"too much HTML":       {HTML: strings.Repeat("a", 256<<10+1), Text: "a", Kind: store.Text},
		"broken text":         {HTML: "a", Text: "a\xff", Kind: store.Text},
		"broken HTML":         {HTML: "\xff", Text: "a", Kind: store.Text},
	} {
		_, err := campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{RoomID: campfire.AllTalk.ID, Body: body})
		wantInvalid(t, "posting "+what, err, "body")
		_, err = campfire.EditMessage(t.Context(), campfire.David.ID, m.ID, body)
		wantInvalid(t, "editing to "+what, err, "body")
	}
	for _, text := range []string{"a", "👍", "\u200d👩", ".", strings.Repeat("ä", 65536/2)} {
		post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, text)
	}
}

func TestClientMessageIDsHaveABound(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for id, field := range map[string]string{
		strings.Repeat("ä", 64): "",
		strings.Repeat("ä", 65): "client_message_id",
		"line\nbreak":           "client_message_id",
		"broken\xff":            "client_message_id",
	} {
		_, err := campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{
			RoomID: campfire.AllTalk.ID, ClientMessageID: id, Body: storetest.Body("Hello"),
		})
		wantInvalid(t, fmt.Sprintf("the client_message_id %q", id), err, field)
	}
	one, two := post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "one"), post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "two")
	if one.ClientMessageID == "" || one.ClientMessageID == two.ClientMessageID {
		t.Errorf("got client_message_ids %q and %q, want two that were made", one.ClientMessageID, two.ClientMessageID)
	}
}

func TestPagesOfAConversation(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var ids []int64
	for i := range 10 {
		ids = append(ids, post(t, campfire.Store, campfire.David, campfire.Designers.ID, fmt.Sprint(i)).ID)
		post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "elsewhere")
	}
	// One of those pages are asked by is gone, and so are the ends of the room; 1 to 8 without 5 are left.
	for _, gone := range []int{0, 5, 9} {
		wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, ids[gone]), nil)
	}
	page := func(p store.MessagesPage) string {
		messages, older, newer, err := campfire.ListMessages(t.Context(), campfire.Jason.ID, campfire.Designers.ID, p)
		if err != nil {
			return err.Error()
		}
		text := strings.Join(texts(messages), "")
		if older {
			text = "<" + text
		}
		if newer {
			text += ">"
		}
		return text
	}
	for _, c := range []struct {
		what string
		page store.MessagesPage
		want string // the messages; < and > say that there are older and newer ones
	}{
		{"the newest", store.MessagesPage{}, "1234678"},
		{"the newest 7", store.MessagesPage{Size: 7}, "1234678"},
		{"the newest 3", store.MessagesPage{Size: 3}, "<678"},
		{"3 before the fourth", store.MessagesPage{Anchor: store.Before, ID: ids[4], Size: 3}, "123>"},
		{"2 before the fourth", store.MessagesPage{Anchor: store.Before, ID: ids[4], Size: 2}, "<23>"},
		{"before the last", store.MessagesPage{Anchor: store.Before, ID: ids[8], Size: 1}, "<7>"},
		{"before the first", store.MessagesPage{Anchor: store.Before, ID: ids[1]}, ">"},
		{"before one that is gone", store.MessagesPage{Anchor: store.Before, ID: ids[5], Size: 2}, "<34>"},
		{"before the last that is gone", store.MessagesPage{Anchor: store.Before, ID: ids[9], Size: 2}, "<78"},
		{"before the first that is gone", store.MessagesPage{Anchor: store.Before, ID: ids[0]}, ">"},
		{"before all", store.MessagesPage{Anchor: store.Before, ID: -1}, ">"},
		{"2 after the fourth", store.MessagesPage{Anchor: store.After, ID: ids[4], Size: 2}, "<67>"},
		{"3 after the fourth", store.MessagesPage{Anchor: store.After, ID: ids[4], Size: 3}, "<678"},
		{"after the first", store.MessagesPage{Anchor: store.After, ID: ids[1], Size: 1}, "<2>"},
		{"after the last", store.MessagesPage{Anchor: store.After, ID: ids[8]}, "<"},
		{"after one that is gone", store.MessagesPage{Anchor: store.After, ID: ids[5], Size: 1}, "<6>"},
		{"after the first that is gone", store.MessagesPage{Anchor: store.After, ID: ids[0], Size: 1}, "1>"},
		{"after the last that is gone", store.MessagesPage{Anchor: store.After, ID: ids[9]}, "<"},
		{"after all", store.MessagesPage{Anchor: store.After, ID: 1 << 62}, "<"},
		{"around the fourth", store.MessagesPage{Anchor: store.Around, ID: ids[4], Size: 2}, "<23467>"},
		{"around the fourth, all", store.MessagesPage{Anchor: store.Around, ID: ids[4], Size: 3}, "1234678"},
		{"around the first", store.MessagesPage{Anchor: store.Around, ID: ids[1], Size: 1}, "12>"},
		{"around the last", store.MessagesPage{Anchor: store.Around, ID: ids[8], Size: 1}, "<78"},
		{"around one that is gone", store.MessagesPage{Anchor: store.Around, ID: ids[5]}, "message not found"},
		{"around one of another room", store.MessagesPage{Anchor: store.Around, ID: ids[4] + 1}, "message not found"},
		{"of a negative size", store.MessagesPage{Size: -1}, "page_size must not be negative"},
	} {
		wantEqual(t, c.what, page(c.page), c.want)
	}
	_, _, _, err := campfire.ListMessages(t.Context(), campfire.Kevin.ID, campfire.Designers.ID, store.MessagesPage{})
	wantErr(t, "Kevin, an outsider, reads Designers", err, store.ErrNotFound)
}

func TestAPageHasABound(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	postMany(t, campfire.Store, campfire.David, campfire.AllTalk.ID, 103)
	for size, want := range map[int]int{0: 40, 1: 1, 100: 100, 101: 100, 1 << 40: 100} {
		messages, older, newer, err := campfire.ListMessages(t.Context(), campfire.David.ID, campfire.AllTalk.ID, store.MessagesPage{Size: size})
		if err != nil || len(messages) != want || !older || newer {
			t.Errorf("a page of %d: got %d messages, older %v, newer %v, %v; want %d, true, false", size, len(messages), older, newer, err, want)
		}
	}
	messages, _, _, _ := campfire.ListMessages(t.Context(), campfire.David.ID, campfire.AllTalk.ID, store.MessagesPage{Anchor: store.After, ID: 1, Size: 2})
	if len(messages) != 2 || messages[0].ID != 2 || messages[1].ID != 3 {
		t.Errorf("2 after the first: got %+v, want messages 2 and 3", messages)
	}
}

func TestWhoMayChangeAMessage(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	sam := campfire.Joined(t, "Sam")
	// David, the administrator, is in Designers but not in Kevin's room.
	kevins := must(campfire.CreateRoom(t.Context(), campfire.Kevin.ID, store.NewRoom{
		Kind: store.ClosedRoom, Name: "Kevin's", MemberIDs: []int64{campfire.Jason.ID, sam.ID},
	}))(t)
	for _, c := range []struct {
		what string
		user store.User
		room int64
		want error
	}{
		{"its author", campfire.Jason, campfire.AllTalk.ID, nil},
		{"an administrator in the room", campfire.David, campfire.AllTalk.ID, nil},
		{"another member", campfire.Kevin, campfire.AllTalk.ID, store.ErrForbidden},
		{"the room's creator", campfire.Kevin, kevins.ID, store.ErrForbidden},
		{"an administrator outside the room", campfire.David, kevins.ID, store.ErrNotFound},
		{"an outsider", sam, campfire.Designers.ID, store.ErrNotFound},
	} {
		m := post(t, campfire.Store, campfire.Jason, c.room, "Hello")
		_, err := campfire.EditMessage(t.Context(), c.user.ID, m.ID, storetest.Body("Hello there"))
		wantErr(t, c.what+" edits", err, c.want)
		wantErr(t, c.what+" deletes", campfire.DeleteMessage(t.Context(), c.user.ID, m.ID), c.want)
		if c.want != nil {
			if kept := must(campfire.GetMessage(t.Context(), campfire.Jason.ID, m.ID))(t); kept.Body.Text != "Hello" {
				t.Errorf("%s left %q, want Hello", c.what, kept.Body.Text)
			}
		}
	}
	wantErr(t, "deleting what is not there", campfire.DeleteMessage(t.Context(), campfire.David.ID, 1<<40), store.ErrNotFound)
	_, err := campfire.EditMessage(t.Context(), campfire.David.ID, 1<<40, storetest.Body("Hello"))
	wantErr(t, "editing what is not there", err, store.ErrNotFound)
}

func TestAnEditKeepsAuthorPlaceAndTime(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	m := post(t, campfire.Store, campfire.Jason, campfire.AllTalk.ID, "Hello")
	edited := must(campfire.EditMessage(t.Context(), campfire.David.ID, m.ID, store.Body{
		HTML: "/play trombone", Text: "/play trombone", Kind: store.Sound, Sound: "trombone",
	}))(t)
	if edited.EditedAt.IsZero() || edited.Revision <= m.Revision {
		t.Errorf("got edited at %v with revision %d, want a time and more than %d", edited.EditedAt, edited.Revision, m.Revision)
	}
	want := m
	want.Body = store.Body{HTML: "/play trombone", Text: "/play trombone", Kind: store.Sound, Sound: "trombone"}
	want.EditedAt, want.Revision = edited.EditedAt, edited.Revision
	if !reflect.DeepEqual(edited, want) {
		t.Errorf("got %+v, want %+v", edited, want)
	}
}

func TestTheSearchIndexIsKeptInStep(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	one := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "Eels in the harbour")
	two := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "An eel and a zero\x00byte, naïve Ünïcödé 日本")
	wantEqual(t, "found for eel", found(t, campfire, "eel"), []int64{one.ID, two.ID})
	wantSearchIndexInStep(t, campfire)

	must(campfire.EditMessage(t.Context(), campfire.David.ID, one.ID, storetest.Body("Boats in the harbour")))(t)
	must(campfire.EditMessage(t.Context(), campfire.David.ID, two.ID, storetest.Body("Another\x00 naïve Ünïcödé 日本")))(t)
	wantEqual(t, "found for eel after the edits", found(t, campfire, "eel"), []int64{})
	wantEqual(t, "found for boat", found(t, campfire, "boat"), []int64{one.ID})
	wantSearchIndexInStep(t, campfire)

	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, one.ID), nil)
	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, two.ID), nil)
	wantEqual(t, "found for harbour after the deletions", found(t, campfire, "harbour"), []int64{})
	wantSearchIndexInStep(t, campfire)
}

func TestOutsidersFindNoMessage(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	m, boost, err := campfire.AddBoost(t.Context(), campfire.David.ID, post(t, campfire.Store, campfire.David, campfire.Designers.ID, "Hello").ID, "👍")
	wantErr(t, "boost", err, nil)
	for what, act := range map[string]func() error{
		"post": func() error {
			_, err := campfire.PostMessage(t.Context(), campfire.Kevin.ID, store.Post{RoomID: campfire.Designers.ID, Body: storetest.Body("Hi")})
			return err
		},
		"read": func() error { _, err := campfire.GetMessage(t.Context(), campfire.Kevin.ID, m.ID); return err },
		"edit": func() error {
			_, err := campfire.EditMessage(t.Context(), campfire.Kevin.ID, m.ID, storetest.Body("Hi"))
			return err
		},
		"delete": func() error { return campfire.DeleteMessage(t.Context(), campfire.Kevin.ID, m.ID) },
		"boost":  func() error { _, _, err := campfire.AddBoost(t.Context(), campfire.Kevin.ID, m.ID, "👍"); return err },
		"remove a boost": func() error {
			_, err := campfire.RemoveBoost(t.Context(), campfire.Kevin.ID, boost.ID)
			return err
		},
		"list members": func() error {
			_, _, err := campfire.ListMembers(t.Context(), campfire.Kevin.ID, campfire.Designers.ID, store.Page{})
			return err
		},
		"learn names": func() error {
			_, err := campfire.NamesOfMembers(t.Context(), campfire.Kevin.ID, campfire.Designers.ID, []int64{campfire.Jason.ID})
			return err
		},
		"get the room": func() error {
			_, err := campfire.GetRoom(t.Context(), campfire.Kevin.ID, campfire.Designers.ID)
			return err
		},
	} {
		wantErr(t, "Kevin, an outsider, wants to "+what, act(), store.ErrNotFound)
	}
}

func TestMessagesOfOneMomentAreEachOnAPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // in which no time passes between posts
		campfire := storetest.New(t)
		var want []int64
		for i := range 7 {
			want = append(want, post(t, campfire.Store, campfire.David, campfire.Designers.ID, fmt.Sprint(i)).ID)
		}
		list := func(page store.MessagesPage) []store.Message {
			page.Size = 2
			messages, _, _, err := campfire.ListMessages(t.Context(), campfire.Jason.ID, campfire.Designers.ID, page)
			wantErr(t, "a page", err, nil)
			return messages
		}
		var back, forth []int64
		for page := list(store.MessagesPage{}); len(page) > 0; page = list(store.MessagesPage{Anchor: store.Before, ID: page[0].ID}) {
			for _, m := range slices.Backward(page) {
				back = append(back, m.ID)
			}
			if page[0].CreatedAt != page[len(page)-1].CreatedAt {
				t.Fatal("the messages are not of one moment")
			}
		}
		slices.Reverse(back)
		wantEqual(t, "backwards", back, want)
		for page := list(store.MessagesPage{Anchor: store.After}); len(page) > 0; page = list(store.MessagesPage{Anchor: store.After, ID: page[len(page)-1].ID}) {
			for _, m := range page {
				forth = append(forth, m.ID)
			}
		}
		wantEqual(t, "forwards", forth, want)
		wantEqual(t, "around the fourth", texts(list(store.MessagesPage{Anchor: store.Around, ID: want[3]})), []string{"1", "2", "3", "4", "5"})
	})
}

func TestTheNewestPageFollowsEveryChange(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, room := t.Context(), campfire.David.ID, campfire.Designers.ID
	first := post(t, campfire.Store, campfire.Jason, room, "first")
	gone := post(t, campfire.Store, campfire.David, room, "to be deleted")
	newestPage := func() []store.Message {
		t.Helper()
		messages, _, _, err := campfire.ListMessages(ctx, david, room, store.MessagesPage{})
		wantErr(t, "the newest page", err, nil)
		return messages
	}
	for _, change := range []struct {
		what string
		make func() error
	}{
		{"nothing", func() error { return nil }},
		{"a post", func() error { post(t, campfire.Store, campfire.David, room, "second"); return nil }},
		{"an edit", func() error {
			_, err := campfire.EditMessage(ctx, campfire.Jason.ID, first.ID, storetest.Body("first, edited"))
			return err
		}},
		{"a boost", func() error { _, _, err := campfire.AddBoost(ctx, david, first.ID, "👍"); return err }},
		{"a deletion", func() error { return campfire.DeleteMessage(ctx, david, gone.ID) }},
		{"a new name", func() error {
			name := "Jason Z."
			_, err := campfire.UpdateProfile(ctx, identity(t, campfire, "Jason"), store.ProfileChanges{Name: &name})
			return err
		}},
	} {
		newestPage() // so that it is remembered
		wantErr(t, change.what, change.make(), nil)
		fresh, _, _, err := campfire.ListMessages(ctx, david, room, store.MessagesPage{Size: 100}) // which never is
		wantErr(t, "a page of another size", err, nil)
		wantEqual(t, "after "+change.what, newestPage(), fresh)
	}
	_, err := campfire.UpdateRoom(ctx, david, room, store.RoomChanges{Revoke: []int64{campfire.Jason.ID}})
	wantErr(t, "David takes Jason out", err, nil)
	_, _, _, err = campfire.ListMessages(ctx, campfire.Jason.ID, room, store.MessagesPage{})
	wantErr(t, "the page, for one who is out", err, store.ErrNotFound)
}

func TestWhoHasPostedFindsItOnTheNewestPage(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, room := t.Context(), campfire.Designers.ID
	var posting, reading sync.WaitGroup
	var over atomic.Bool
	for range 4 {
		reading.Go(func() {
			for !over.Load() {
				_, _, _, err := campfire.ListMessages(ctx, campfire.Jason.ID, room, store.MessagesPage{})
				wantErr(t, "Jason reads", err, nil)
			}
		})
	}
	for range 2 {
		posting.Go(func() {
			for range 200 {
				mine := post(t, campfire.Store, campfire.David, room, "is it there?")
				page, _, _, err := campfire.ListMessages(ctx, campfire.David.ID, room, store.MessagesPage{})
				wantErr(t, "David reads", err, nil)
				if !slices.ContainsFunc(page, func(m store.Message) bool { return m.ID == mine.ID }) {
					t.Errorf("message %d is not on the newest page", mine.ID)
				}
			}
		})
	}
	posting.Wait()
	over.Store(true)
	reading.Wait()
}
