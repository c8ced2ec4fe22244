package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

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

	post(t, campfire.Store, jason, campfire.Designers.ID, "two")
	wantEqual(t, "Jason after his own post", sidebar(t, campfire.Store, jason), []string{"All Talk", "Designers"})
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
