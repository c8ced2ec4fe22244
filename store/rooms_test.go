package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

// direct opens the direct room of a user and some others.
func direct(t testing.TB, campfire *storetest.Campfire, user store.User, others ...store.User) store.Room {
	t.Helper()
	var ids []int64
	for _, other := range others {
		ids = append(ids, other.ID)
	}
	return must(campfire.OpenDirectRoom(t.Context(), user.ID, ids))(t)
}

// sidebar lists the names of a user's rooms, with a star at unread ones.
func sidebar(t testing.TB, s *store.Store, user store.User) (names []string) {
	t.Helper()
	rooms, _, err := s.ListRooms(t.Context(), user.ID, false)
	wantErr(t, user.Name+" lists rooms", err, nil)
	for _, r := range rooms {
		if r.Unread {
			r.Name += "*"
		}
		names = append(names, r.Name)
	}
	return names
}

func members(t testing.TB, s *store.Store, user store.User, roomID int64) []string {
	t.Helper()
	users, _, err := s.ListMembers(t.Context(), user.ID, roomID, store.Page{})
	wantErr(t, user.Name+" lists members", err, nil)
	return userNames(users)
}

func TestAnOpenRoomHasEveryone(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var told []string
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			if c, ok := change.(store.RoomChanged); ok {
				told = append(told, fmt.Sprintln(c.Room.ViewerID, c.Room.Name, c.Room.Involvement))
			}
		}
	})
	room := must(campfire.CreateRoom(t.Context(), campfire.Jason.ID, store.NewRoom{
		Kind: store.OpenRoom, Name: " Watercooler ", MemberIDs: []int64{4711}, // ignored for an open room
	}))(t)
	if room.Kind != store.OpenRoom || room.Name != "Watercooler" || room.CreatorID != campfire.Jason.ID ||
		room.ViewerID != campfire.Jason.ID || room.Involvement != store.Mentions || room.Unread || room.Participants != nil {
		t.Errorf("got %+v, want the open room Watercooler of Jason's", room)
	}
	wantEqual(t, "told", told, []string{"1 Watercooler mentions\n", "2 Watercooler mentions\n", "3 Watercooler mentions\n"})
	wantEqual(t, "members", members(t, campfire.Store, campfire.Kevin, room.ID), []string{"David", "Jason", "Kevin"})
	sam := campfire.Joined(t, "Sam")
	wantEqual(t, "members after Sam joined", members(t, campfire.Store, sam, room.ID), []string{"David", "Jason", "Kevin", "Sam"})
}

func TestAClosedRoomHasTheChosenAndItsCreator(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	room := must(campfire.CreateRoom(t.Context(), campfire.Jason.ID, store.NewRoom{
		Kind: store.ClosedRoom, Name: "Plans", MemberIDs: []int64{campfire.Kevin.ID, campfire.Kevin.ID, campfire.Jason.ID},
	}))(t)
	wantEqual(t, "members", members(t, campfire.Store, campfire.Kevin, room.ID), []string{"Jason", "Kevin"})
	_, err := campfire.GetRoom(t.Context(), campfire.David.ID, room.ID)
	wantErr(t, "David, an administrator outside, gets the room", err, store.ErrNotFound)
	alone := must(campfire.CreateRoom(t.Context(), campfire.Jason.ID, store.NewRoom{Kind: store.ClosedRoom, Name: "Alone"}))(t)
	wantEqual(t, "members of a room without others", members(t, campfire.Store, campfire.Jason, alone.ID), []string{"Jason"})
}

func TestRoomsThatAreRefused(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	inDatabase(t, campfire.Folder, "UPDATE users SET status = 1 WHERE id = ?", campfire.Kevin.ID)
	for _, c := range []struct {
		what, field string
		room        store.NewRoom
	}{
		{"no name", "name", store.NewRoom{Kind: store.OpenRoom}},
		{"a blank name", "name", store.NewRoom{Kind: store.OpenRoom, Name: " \u200b "}},
		{"a name of 101 characters", "name", store.NewRoom{Kind: store.OpenRoom, Name: strings.Repeat("ä", 101)}},
		{"a name of two lines", "name", store.NewRoom{Kind: store.OpenRoom, Name: "a\nb"}},
		{"no kind", "kind", store.NewRoom{Name: "Room"}},
		{"a direct room", "kind", store.NewRoom{Kind: store.DirectRoom, Name: "Room"}},
		{"somebody who does not exist", "member_ids", store.NewRoom{Kind: store.ClosedRoom, Name: "Room", MemberIDs: []int64{4711}}},
		{"somebody deactivated", "member_ids", store.NewRoom{Kind: store.ClosedRoom, Name: "Room", MemberIDs: []int64{campfire.Kevin.ID}}},
		{"1,001 members", "member_ids", store.NewRoom{Kind: store.ClosedRoom, Name: "Room", MemberIDs: make([]int64, 1001)}},
		{"a name of 100 characters", "", store.NewRoom{Kind: store.ClosedRoom, Name: strings.Repeat("ä", 100)}},
	} {
		_, err := campfire.CreateRoom(t.Context(), campfire.David.ID, c.room)
		wantInvalid(t, "a room with "+c.what, err, c.field)
	}
	_, err := campfire.OpenDirectRoom(t.Context(), campfire.David.ID, []int64{campfire.Kevin.ID})
	wantInvalid(t, "a direct room with somebody deactivated", err, "user_ids")
	_, err = campfire.OpenDirectRoom(t.Context(), campfire.David.ID, []int64{0})
	wantInvalid(t, "a direct room with nobody", err, "user_ids")
	many := make([]int64, 102)
	for i := range many {
		many[i] = int64(i)
	}
	_, err = campfire.OpenDirectRoom(t.Context(), campfire.David.ID, many)
	wantInvalid(t, "a direct room of too many", err, "user_ids")
	wantEqual(t, "rooms", inDatabase(t, campfire.Folder, "SELECT count(*) FROM rooms"), []string{"3"})
}

func TestTheAccountMayKeepTheCreationOfRoomsToAdministrators(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	inDatabase(t, campfire.Folder, "UPDATE accounts SET restrict_room_creation = 1")
	_, err := campfire.CreateRoom(t.Context(), campfire.Jason.ID, store.NewRoom{Kind: store.OpenRoom, Name: "Jason's"})
	wantErr(t, "Jason creates a room", err, store.ErrForbidden)
	must(campfire.CreateRoom(t.Context(), campfire.David.ID, store.NewRoom{Kind: store.OpenRoom, Name: "David's"}))(t)
	direct(t, campfire, campfire.Jason, campfire.Kevin)
}

func TestADirectRoomIsOneForEachSetOfPeople(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	david, jason, kevin := campfire.David, campfire.Jason, campfire.Kevin
	three := direct(t, campfire, david, jason, kevin)
	for what, same := range map[string]store.Room{
		"in another order": direct(t, campfire, david, kevin, jason),
		"by another":       direct(t, campfire, jason, david, kevin),
		"with duplicates":  direct(t, campfire, kevin, jason, david, jason, kevin),
	} {
		wantEqual(t, "the room of the three, asked for "+what, same.ID, three.ID)
	}
	two, alone := direct(t, campfire, david, jason), direct(t, campfire, david)
	if two.ID == three.ID || alone.ID == two.ID {
		t.Errorf("got rooms %d, %d and %d for three sets of people, want three rooms", three.ID, two.ID, alone.ID)
	}
	if three.Kind != store.DirectRoom || three.Involvement != store.Everything {
		t.Errorf("got %+v, want a direct room with everything", three)
	}

	// Its name is the viewer's: the others, by name; alone, oneself.
	wantEqual(t, "the name of the three to David", three.Name, "Jason and Kevin")
	wantEqual(t, "its participants to David", userNames(three.Participants), []string{"Jason", "Kevin"})
	wantEqual(t, "the name of the three to Kevin", must(campfire.GetRoom(t.Context(), kevin.ID, three.ID))(t).Name, "David and Jason")
	wantEqual(t, "the name of the two to Jason", must(campfire.GetRoom(t.Context(), jason.ID, two.ID))(t).Name, "David")
	wantEqual(t, "the name of David's own", alone.Name, "David")
	wantEqual(t, "its participants", userNames(alone.Participants), []string{"David"})
	sam := campfire.Joined(t, "sam")
	wantEqual(t, "the name of four", direct(t, campfire, david, kevin, sam, jason).Name, "Jason, Kevin, and sam")
	if email := three.Participants[0].EmailAddress; email != "" {
		t.Errorf("David sees Jason's address %q among the participants, want none", email)
	}
	_, err := campfire.GetRoom(t.Context(), kevin.ID, two.ID)
	wantErr(t, "Kevin, an outsider, gets the room of the two", err, store.ErrNotFound)
}

func TestADirectRoomThatManyOpenAtOnceIsOne(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var told int
	campfire.OnCommit(func(changes []store.Change) { told += len(changes) })
	ids := make([]int64, 50)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			one, other := campfire.Jason, campfire.Kevin
			if i%2 == 0 {
				one, other = other, one
			}
			ids[i] = direct(t, campfire, one, other).ID
		})
	}
	group.Wait()
	for _, id := range ids {
		wantEqual(t, "the room", id, ids[0])
	}
	wantEqual(t, "direct rooms", inDatabase(t, campfire.Folder, "SELECT count(*) FROM rooms WHERE kind = 'direct'"), []string{"1"})
	wantEqual(t, "changes told, one to each of the two", told, 2)
}

func TestADirectRoomIsFoundAmongThousands(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	inDatabase(t, campfire.Folder, `WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n LIMIT 2000)
		INSERT INTO rooms (id, kind, name, sort_name, creator_id, member_key, created_at, updated_at)
		SELECT i, 'direct', '', '', 1, '1,' || i, 0, 0 FROM n`)
	inDatabase(t, campfire.Folder, `INSERT INTO users (id, name, sort_name, created_at, updated_at) VALUES (2500, 'Sam', 'sam', 0, 0)`)
	inDatabase(t, campfire.Folder, `INSERT INTO memberships (room_id, user_id, involvement, last_read_message_id, created_at)
		VALUES (2500, 1, 'everything', 0, 0), (2500, 2500, 'everything', 0, 0)`)
	room := direct(t, campfire, campfire.David, store.User{ID: 2500}) // by an index: see plans_test.go
	wantEqual(t, "the room with Sam", []any{room.ID, room.Name}, []any{2500, "Sam"})
	wantEqual(t, "rooms", inDatabase(t, campfire.Folder, "SELECT count(*) FROM rooms"), []string{"2002"})
}

func TestTheSidebarsOrder(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for _, name := range []string{"zebra", "Ärger", "apple", "Banana"} {
		must(campfire.CreateRoom(t.Context(), campfire.David.ID, store.NewRoom{Kind: store.ClosedRoom, Name: name}))(t)
	}
	jasons, kevins := direct(t, campfire, campfire.David, campfire.Jason), direct(t, campfire, campfire.David, campfire.Kevin)
	shared := []string{"All Talk", "apple", "Banana", "Designers", "zebra", "Ärger"}
	wantEqual(t, "the newest direct room first", sidebar(t, campfire.Store, campfire.David), append([]string{"Kevin", "Jason"}, shared...))
	m := post(t, campfire.Store, campfire.David, jasons.ID, "Hello")
	wantEqual(t, "after a post", sidebar(t, campfire.Store, campfire.David), append([]string{"Jason", "Kevin"}, shared...))
	last := post(t, campfire.Store, campfire.David, kevins.ID, "Hello")
	must(boostOnly(campfire.AddBoost(t.Context(), campfire.Jason.ID, m.ID, "👍")))(t)
	wantEqual(t, "after a boost", sidebar(t, campfire.Store, campfire.David), append([]string{"Jason", "Kevin"}, shared...))
	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, last.ID), nil)
	wantEqual(t, "after a deletion", sidebar(t, campfire.Store, campfire.David), append([]string{"Kevin", "Jason"}, shared...))
}

func TestARoomIsUnreadBeyondTheCursor(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	david, jason, kevin := campfire.David, campfire.Jason, campfire.Kevin
	wantEqual(t, "Jason at first", sidebar(t, campfire.Store, jason), []string{"All Talk", "Designers"})
	one := post(t, campfire.Store, david, campfire.Designers.ID, "one")
	wantEqual(t, "Jason after David's post", sidebar(t, campfire.Store, jason), []string{"All Talk", "Designers*"})
	wantEqual(t, "David after his own post", sidebar(t, campfire.Store, david), []string{"All Talk", "Designers"})
	wantEqual(t, "Kevin, an outsider", sidebar(t, campfire.Store, kevin), []string{"All Talk"})

	two := post(t, campfire.Store, jason, campfire.Designers.ID, "two")
	wantEqual(t, "Jason after his own post", sidebar(t, campfire.Store, jason), []string{"All Talk", "Designers"})
	wantEqual(t, "what Jason has read", must(campfire.GetRoom(t.Context(), jason.ID, campfire.Designers.ID))(t).LastReadID, two.ID)
	wantEqual(t, "what David has read", must(campfire.GetRoom(t.Context(), david.ID, campfire.Designers.ID))(t).LastReadID, one.ID)
	wantEqual(t, "David after Jason's post", sidebar(t, campfire.Store, david), []string{"All Talk", "Designers*"})

	// Edits and boosts mark nothing unread; the deletion of what is unread unmarks it.
	must(campfire.EditMessage(t.Context(), david.ID, one.ID, storetest.Body("edited")))(t)
	must(boostOnly(campfire.AddBoost(t.Context(), david.ID, one.ID, "👍")))(t)
	wantEqual(t, "Jason after an edit and a boost", sidebar(t, campfire.Store, jason), []string{"All Talk", "Designers"})
	three := post(t, campfire.Store, david, campfire.Designers.ID, "three")
	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), david.ID, three.ID), nil)
	wantEqual(t, "Jason after a post that was deleted", sidebar(t, campfire.Store, jason), []string{"All Talk", "Designers"})

	post(t, campfire.Store, david, campfire.Designers.ID, "four")
	sam := campfire.Joined(t, "Sam")
	wantEqual(t, "Sam, a newcomer", sidebar(t, campfire.Store, sam), []string{"All Talk"})
	late := must(campfire.CreateRoom(t.Context(), sam.ID, store.NewRoom{Kind: store.OpenRoom, Name: "Late"}))(t)
	post(t, campfire.Store, david, late.ID, "Hello")
	inDatabase(t, campfire.Folder, "UPDATE memberships SET involvement = 'invisible' WHERE room_id = ? AND user_id = ?", late.ID, kevin.ID)
	wantErr(t, "close", campfire.Close(), nil)

	reopened := storetest.Open(t, campfire.Folder)
	wantEqual(t, "Jason after reopening", sidebar(t, reopened, jason), []string{"All Talk", "Designers*", "Late*"})
	wantEqual(t, "Kevin, to whom Late is invisible", sidebar(t, reopened, kevin), []string{"All Talk"})
	rooms, _, err := reopened.ListRooms(t.Context(), kevin.ID, true)
	wantErr(t, "Kevin lists all rooms", err, nil)
	wantEqual(t, "Kevin's rooms with the invisible one", roomNames(rooms), []string{"All Talk", "Late"})
	if rooms[1].Unread {
		t.Error("an invisible room is unread, want never")
	}

	wantErr(t, "Jason enters Designers", reopened.EnterRoom(t.Context(), jason.ID, campfire.Designers.ID), nil)
	wantEqual(t, "Jason in Designers", sidebar(t, reopened, jason), []string{"All Talk", "Designers", "Late*"})
	wantErr(t, "Kevin, an outsider, enters Designers", reopened.EnterRoom(t.Context(), kevin.ID, campfire.Designers.ID), store.ErrNotFound)
}

func TestSuggestedUsersAreThoseOneHasNoDirectRoomWith(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	suggested := func() []string {
		t.Helper()
		_, users, err := campfire.ListRooms(t.Context(), campfire.David.ID, false)
		wantErr(t, "David lists rooms", err, nil)
		return userNames(users)
	}
	wantEqual(t, "at first, oldest first", suggested(), []string{"Jason", "Kevin"})
	direct(t, campfire, campfire.David)
	wantEqual(t, "with a room of one's own", suggested(), []string{"Jason", "Kevin"})
	direct(t, campfire, campfire.David, campfire.Jason)
	wantEqual(t, "with a room with Jason", suggested(), []string{"Kevin"})
	inDatabase(t, campfire.Folder, "UPDATE users SET status = 1 WHERE id = ?", campfire.Kevin.ID)
	wantEqual(t, "without Kevin, who left", suggested(), []string{})

	// 20 less one less the two whom David's direct rooms hold, himself among them.
	inDatabase(t, campfire.Folder, `WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT 30)
		INSERT INTO users (id, name, sort_name, created_at, updated_at) SELECT i, 'Person ' || i, 'person ' || i, 0, 0 FROM n`)
	wantEqual(t, "how many", len(suggested()), 17)
	inDatabase(t, campfire.Folder, `INSERT INTO memberships (room_id, user_id, involvement, last_read_message_id, created_at)
		SELECT rooms.id, users.id, 'everything', 0, 0 FROM rooms, users WHERE rooms.member_key = '1' AND users.id BETWEEN 100 AND 120`)
	wantEqual(t, "how many when David has direct rooms with 23", len(suggested()), 0)
}

func TestMembersArePagedByName(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for _, name := range []string{"anna", "Émile", "Jason", "Zoe"} { // another Jason
		_, _, err := campfire.Join(t.Context(), campfire.JoinCode, store.Person{
			Name: name, EmailAddress: fmt.Sprintf("%s@2.example", name), Password: storetest.Password,
		}, store.Device{})
		wantErr(t, name+" joins", err, nil)
	}
	want := []string{"anna", "David", "Jason", "Jason", "Kevin", "Zoe", "Émile"}
	wantEqual(t, "members", members(t, campfire.Store, campfire.Kevin, campfire.AllTalk.ID), want)
	for _, list := range map[string]func(store.Page) ([]store.User, string, error){
		"members": func(p store.Page) ([]store.User, string, error) {
			return campfire.ListMembers(t.Context(), campfire.Kevin.ID, campfire.AllTalk.ID, p)
		},
		"users": func(p store.Page) ([]store.User, string, error) {
			return campfire.ListUsers(t.Context(), campfire.Kevin.ID, p)
		},
	} {
		var got []store.User
		for token, more := "", true; more; more = token != "" {
			users, next, err := list(store.Page{Size: 3, Token: token})
			wantErr(t, "a page", err, nil)
			got, token = append(got, users...), next
		}
		wantEqual(t, "page by page", userNames(got), want)
		for _, token := range []string{"x", "%%%", "YWJj", "MQ", "eCB5"} {
			_, _, err := list(store.Page{Token: token})
			wantInvalid(t, "a page by the token "+token, err, "page_token")
		}
		_, _, err := list(store.Page{Size: -1})
		wantInvalid(t, "a page of -1", err, "page_size")
	}
	inDatabase(t, campfire.Folder, "UPDATE users SET status = 2 WHERE name = 'Zoe'")
	for user, want := range map[store.User]int{campfire.David: 7, campfire.Kevin: 6} {
		users, _, err := campfire.ListUsers(t.Context(), user.ID, store.Page{})
		wantErr(t, user.Name+" lists users", err, nil)
		wantEqual(t, "users as "+user.Name+" sees them, Zoe being banned", len(users), want)
	}
}

func TestNamesAreToldOfActiveMembersOnly(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	asked := []int64{campfire.David.ID, campfire.Jason.ID, campfire.Kevin.ID, 4711}
	names := must(campfire.NamesOfMembers(t.Context(), campfire.David.ID, campfire.Designers.ID, asked))(t)
	wantEqual(t, "names", names, map[int64]string{campfire.David.ID: "David", campfire.Jason.ID: "Jason"})
	inDatabase(t, campfire.Folder, "UPDATE users SET status = 2 WHERE id = ?", campfire.Jason.ID)
	names = must(campfire.NamesOfMembers(t.Context(), campfire.David.ID, campfire.Designers.ID, asked))(t)
	wantEqual(t, "names when Jason is banned", names, map[int64]string{campfire.David.ID: "David"})
}

// A call that is under way when its caller is banned or removed comes too late.
func TestWhoNoLongerTakesPartCanDoNothing(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	room := direct(t, campfire, campfire.David, campfire.Jason) // which those who are removed keep
	m := post(t, campfire.Store, campfire.Jason, room.ID, "Hello")
	for status := 1; status <= 2; status++ {
		inDatabase(t, campfire.Folder, "UPDATE users SET status = ? WHERE id = ?", status, campfire.Jason.ID)
		_, err := campfire.PostMessage(t.Context(), campfire.Jason.ID, store.Post{RoomID: room.ID, Body: storetest.Body("Still here")})
		wantErr(t, "post", err, store.ErrNotFound)
		_, err = campfire.EditMessage(t.Context(), campfire.Jason.ID, m.ID, storetest.Body("Still here"))
		wantErr(t, "edit", err, store.ErrNotFound)
		_, _, err = campfire.AddBoost(t.Context(), campfire.Jason.ID, m.ID, "👍")
		wantErr(t, "boost", err, store.ErrNotFound)
		_, _, _, err = campfire.ListMessages(t.Context(), campfire.Jason.ID, room.ID, store.MessagesPage{})
		wantErr(t, "read", err, store.ErrNotFound)
		_, err = campfire.CreateRoom(t.Context(), campfire.Jason.ID, store.NewRoom{Kind: store.ClosedRoom, Name: "Mine"})
		wantErr(t, "create a room", err, store.ErrUnauthenticated)
	}
}

func TestAClosedRoomIsToldToItsMembersAlone(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	campfire.Joined(t, "Sam")
	var told []string
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			c := change.(store.RoomChanged)
			told = append(told, fmt.Sprintf("%d: %s, unread %v", c.Room.ViewerID, c.Room.Name, c.Room.Unread))
		}
	})
	room := must(campfire.CreateRoom(t.Context(), campfire.David.ID, store.NewRoom{
		Kind: store.ClosedRoom, Name: "Plans", MemberIDs: []int64{campfire.David.ID, campfire.Jason.ID, campfire.Kevin.ID},
	}))(t)
	wantEqual(t, "told of the new room", told, []string{"1: Plans, unread false", "2: Plans, unread false", "3: Plans, unread false"})
	wantEqual(t, "memberships", inDatabase(t, campfire.Folder, "SELECT count(*) FROM memberships WHERE room_id = ?", room.ID), []int{3})

	// Whoever has not read it has not read it under its new name.
	campfire.OnCommit(func([]store.Change) {})
	post(t, campfire.Store, campfire.David, room.ID, "Hello")
	told = nil
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			if c, ok := change.(store.RoomChanged); ok {
				told = append(told, fmt.Sprintf("%d: %s, unread %v", c.Room.ViewerID, c.Room.Name, c.Room.Unread))
			}
		}
	})
	must(campfire.UpdateRoom(t.Context(), campfire.David.ID, room.ID, store.RoomChanges{
		Name: new("Plots"), Revoke: []int64{campfire.Kevin.ID},
	}))(t)
	wantEqual(t, "told of the new name", told, []string{"1: Plots, unread false", "2: Plots, unread true"})
}

func TestWhoIsGrantedARoomAgainKeepsWhatTheyHave(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, jason, designers := t.Context(), campfire.Jason, campfire.Designers.ID
	must(campfire.SetInvolvement(ctx, jason.ID, designers, store.Everything))(t)
	post(t, campfire.Store, campfire.David, designers, "Hello")
	kept := func(what string) {
		t.Helper()
		room := must(campfire.GetRoom(ctx, jason.ID, designers))(t)
		wantEqual(t, "involvement and unread, "+what, []any{room.Involvement, room.Unread}, []any{store.Everything, true})
	}
	kept("before")
	grant := []int64{jason.ID, campfire.Kevin.ID}
	must(campfire.UpdateRoom(ctx, campfire.David.ID, designers, store.RoomChanges{Grant: grant}))(t)
	kept("granted again")
	opened, closed := store.OpenRoom, store.ClosedRoom
	must(campfire.UpdateRoom(ctx, campfire.David.ID, designers, store.RoomChanges{Kind: &opened}))(t)
	kept("the room opened")
	must(campfire.UpdateRoom(ctx, campfire.David.ID, designers, store.RoomChanges{Kind: &closed}))(t)
	kept("the room closed again")
	room := must(campfire.GetRoom(ctx, campfire.Kevin.ID, designers))(t)
	wantEqual(t, "a new member's involvement and unread", []any{room.Involvement, room.Unread}, []any{store.Mentions, false})
}

func TestADirectRoomStaysTheRoomOfItsPeople(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	ping := direct(t, campfire, campfire.Jason, campfire.David) // which David, an administrator, takes part in
	opened, closed := store.OpenRoom, store.ClosedRoom
	for what, c := range map[string]store.RoomChanges{
		"opened":     {Kind: &opened},
		"closed":     {Kind: &closed, Grant: []int64{campfire.Kevin.ID}},
		"renamed":    {Name: new("Ours")},
		"made three": {Grant: []int64{campfire.Kevin.ID}},
		"made one":   {Revoke: []int64{campfire.David.ID}},
	} {
		for _, u := range []store.User{campfire.Jason, campfire.David} {
			_, err := campfire.UpdateRoom(ctx, u.ID, ping.ID, c)
			wantErr(t, what+" by "+u.Name, err, store.ErrNotFound)
		}
	}
	room := must(campfire.GetRoom(ctx, campfire.Jason.ID, ping.ID))(t)
	wantEqual(t, "its kind and name", []any{room.Kind, room.Name}, []any{store.DirectRoom, "David"})
	wantEqual(t, "its people", members(t, campfire.Store, campfire.Jason, ping.ID), []string{"David", "Jason"})
}

func TestWhoTakesThemselvesOutOfARoomHasItNoMore(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, jason := t.Context(), campfire.Jason
	room := must(campfire.CreateRoom(ctx, jason.ID, store.NewRoom{Kind: store.ClosedRoom, Name: "Plans", MemberIDs: []int64{campfire.Kevin.ID}}))(t)
	wantEqual(t, "Jason's rooms", sidebar(t, campfire.Store, jason), []string{"All Talk", "Designers", "Plans"})
	must(campfire.UpdateRoom(ctx, jason.ID, room.ID, store.RoomChanges{Revoke: []int64{jason.ID}}))(t)
	wantEqual(t, "Jason's rooms", sidebar(t, campfire.Store, jason), []string{"All Talk", "Designers"})
	_, err := campfire.GetRoom(ctx, jason.ID, room.ID)
	wantErr(t, "Jason looks the room up", err, store.ErrNotFound)
	_, err = campfire.UpdateRoom(ctx, jason.ID, room.ID, store.RoomChanges{Grant: []int64{jason.ID}})
	wantErr(t, "Jason, its creator, takes himself in again", err, store.ErrNotFound)
	wantErr(t, "Jason enters it", campfire.EnterRoom(ctx, jason.ID, room.ID), store.ErrNotFound)
	wantEqual(t, "who is left", members(t, campfire.Store, campfire.Kevin, room.ID), []string{"Kevin"})
}

func TestWhoMayDeleteARoom(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	sam := campfire.Joined(t, "Sam")
	must(campfire.SetUserRole(t.Context(), campfire.David.ID, sam.ID, store.Administrator))(t)
	open := func() store.Room {
		return must(campfire.CreateRoom(t.Context(), campfire.Jason.ID, store.NewRoom{Kind: store.OpenRoom, Name: "Jason's"}))(t)
	}
	closed := func() store.Room {
		return must(campfire.CreateRoom(t.Context(), campfire.Jason.ID, store.NewRoom{
			Kind: store.ClosedRoom, Name: "Jason's", MemberIDs: []int64{campfire.David.ID, campfire.Kevin.ID},
		}))(t)
	}
	ping := func() store.Room { return direct(t, campfire, campfire.Jason, campfire.Kevin) }
	for _, c := range []struct {
		what string
		room func() store.Room
		user store.User
		want error
	}{
		{"an open room by a member", open, campfire.Kevin, store.ErrForbidden},
		{"an open room by its creator", open, campfire.Jason, nil},
		{"an open room by an administrator", open, campfire.David, nil},
		{"a closed room by a member", closed, campfire.Kevin, store.ErrForbidden},
		{"a closed room by its creator", closed, campfire.Jason, nil},
		{"a closed room by an administrator in it", closed, campfire.David, nil},
		{"a closed room by an administrator outside", closed, sam, store.ErrNotFound},
		{"a direct room by an administrator outside", ping, campfire.David, store.ErrNotFound},
		{"a direct room by whom it was opened with", ping, campfire.Kevin, nil},
		{"a direct room by who opened it", ping, campfire.Jason, nil},
	} {
		room := c.room()
		wantErr(t, c.what, campfire.DeleteRoom(t.Context(), c.user.ID, room.ID), c.want)
		_, err := campfire.GetRoom(t.Context(), campfire.Jason.ID, room.ID)
		if (err == nil) != (c.want != nil) {
			t.Errorf("%s: looking it up then got %v", c.what, err)
		}
	}
}

func TestANewCreatorMayDeleteTheirRoom(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	wantErr(t, "Jason, a member", campfire.DeleteRoom(t.Context(), campfire.Jason.ID, campfire.Designers.ID), store.ErrForbidden)
	inDatabase(t, campfire.Folder, "UPDATE rooms SET creator_id = ? WHERE id = ?", campfire.Jason.ID, campfire.Designers.ID)
	wantErr(t, "Jason, made its creator", campfire.DeleteRoom(t.Context(), campfire.Jason.ID, campfire.Designers.ID), nil)
}

// Whoever is removed from a room while others post, and while they post themselves, has part in it until that moment and
// not a message longer.
func TestARevocationRacingPostsLetsNoneThrough(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason, designers := t.Context(), campfire.David.ID, campfire.Jason.ID, campfire.Designers.ID
	heard, inside := 0, true // by the writer, which tells in the order of commits
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			switch c := change.(type) {
			case store.RoomRemoved:
				inside = false
			case store.RoomChanged:
				inside = inside || c.Room.ViewerID == jason
			case store.MessageCreated:
				if slices.Contains(c.Audience, jason) != inside {
					t.Errorf("message %d: Jason hears it: %v; he is in the room: %v", c.Message.ID, !inside, inside)
				}
				if c.Message.Creator.ID == jason && !inside {
					t.Errorf("message %d is Jason's, who is not in the room", c.Message.ID)
				}
				heard++
			}
		}
	})
	var posting sync.WaitGroup
	done := make(chan struct{})
	for _, poster := range []int64{david, david, jason, jason} {
		posting.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				_, err := campfire.PostMessage(ctx, poster, store.Post{RoomID: designers, Body: storetest.Body(fmt.Sprint(i))})
				if err != nil && (poster == david || !errors.Is(err, store.ErrNotFound)) {
					t.Errorf("%d posts: %v", poster, err)
				}
			}
		})
	}
	for range 50 {
		must(campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Revoke: []int64{jason}}))(t)
		_, err := campfire.PostMessage(ctx, jason, store.Post{RoomID: designers, Body: storetest.Body("too late")})
		wantErr(t, "Jason posts, revoked", err, store.ErrNotFound)
		must(campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Grant: []int64{jason}}))(t)
		post(t, campfire.Store, campfire.Jason, designers, "back again")
	}
	close(done)
	posting.Wait()
	campfire.OnCommit(func([]store.Change) {})
	wantEqual(t, "messages told, as many as there are", fmt.Sprint(heard), inDatabase(t, campfire.Folder, "SELECT count(*) FROM messages")[0])
}

func TestARoomIsNoLongerUnreadWithoutTheMessageThatMadeItSo(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, designers := t.Context(), campfire.David, campfire.Designers.ID
	var read []int64
	campfire.OnCommit(func(changes []store.Change) {
		for _, c := range changes {
			if c, ok := c.(store.RoomRead); ok {
				read = append(read, c.UserID)
			}
		}
	})
	first, second := post(t, campfire.Store, david, designers, "one"), post(t, campfire.Store, david, designers, "two")
	read = nil
	wantErr(t, "one of two is deleted", campfire.DeleteMessage(ctx, david.ID, first.ID), nil)
	wantEqual(t, "told as read, while the other is there", read, []int64(nil))
	wantErr(t, "the other is deleted", campfire.DeleteMessage(ctx, david.ID, second.ID), nil)
	wantEqual(t, "told as read", read, []int64{campfire.Jason.ID})
	wantEqual(t, "Jason's sidebar", sidebar(t, campfire.Store, campfire.Jason), []string{"All Talk", "Designers"})
	wantErr(t, "Jason enters", campfire.EnterRoom(ctx, campfire.Jason.ID, designers), nil)
	third := post(t, campfire.Store, campfire.Jason, designers, "mine")
	read = nil
	wantErr(t, "Jason deletes his own", campfire.DeleteMessage(ctx, campfire.Jason.ID, third.ID), nil)
	wantEqual(t, "told as read", read, []int64{david.ID})
}

// awaitRemovals waits until nothing is left of deleted rooms and of banned people's messages.
func awaitRemovals(t testing.TB, campfire *storetest.Campfire) {
	t.Helper()
	left := func() []string {
		return inDatabase(t, campfire.Folder, "SELECT room_id FROM removed_rooms UNION ALL SELECT user_id FROM removals")
	}
	for late := time.Now().Add(20 * time.Second); len(left()) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not removed yet: %v", left())
		}
	}
}

func TestALongRoomGoesInParts(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	postMany(t, campfire.Store, campfire.David, campfire.Designers.ID, 250)
	kept := post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "kept")
	// As if the program had ended after the first write.
	hurried, hangUp := context.WithCancel(ctx)
	writes := 0
	campfire.OnCommit(func([]store.Change) { writes++; hangUp() })
	wantErr(t, "David deletes", campfire.DeleteRoom(hurried, campfire.David.ID, campfire.Designers.ID), nil)
	awaitRemovals(t, campfire)
	wantEqual(t, "rooms, though David hung up", inDatabase(t, campfire.Folder, "SELECT id FROM rooms"), []int64{campfire.AllTalk.ID})
	wantEqual(t, "messages", inDatabase(t, campfire.Folder, "SELECT id FROM messages"), []int64{kept.ID})
	wantEqual(t, "commits that told something", writes, 1)
	wantSearchIndexInStep(t, campfire)
}

func TestADeletionThatWasInterruptedIsFinished(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	ping := must(campfire.OpenDirectRoom(ctx, campfire.David.ID, []int64{campfire.Jason.ID}))(t)
	postMany(t, campfire.Store, campfire.David, ping.ID, 150)
	for _, sql := range []string{ // what the first write does
		"DELETE FROM memberships WHERE room_id = ?",
		"UPDATE rooms SET kind = 'closed', member_key = NULL WHERE id = ?",
		"INSERT INTO removed_rooms (room_id) VALUES (?)",
	} {
		inDatabase(t, campfire.Folder, sql, ping.ID)
	}
	anew := must(campfire.OpenDirectRoom(ctx, campfire.David.ID, []int64{campfire.Jason.ID}))(t)
	if anew.ID == ping.ID {
		t.Error("the same people's new ping is the one that is being deleted")
	}
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	campfire.Store = storetest.Open(t, campfire.Folder)
	awaitRemovals(t, campfire)
	wantEqual(t, "rooms of the old ping", inDatabase(t, campfire.Folder, "SELECT id FROM rooms WHERE id = ?", ping.ID), []int64(nil))
	wantEqual(t, "messages", inDatabase(t, campfire.Folder, "SELECT id FROM messages"), []int64(nil))
	wantSearchIndexInStep(t, campfire)
}
