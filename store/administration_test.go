package store_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestAdministratorsAloneChangeTheAccount(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason := t.Context(), campfire.David.ID, campfire.Jason.ID
	_, err := campfire.UpdateAccount(ctx, jason, store.AccountChanges{Name: new("Jason's")})
	wantErr(t, "Jason renames the account", err, store.ErrForbidden)
	_, err = campfire.ResetJoinCode(ctx, jason)
	wantErr(t, "Jason resets the join code", err, store.ErrForbidden)
	_, err = campfire.GetCustomStyles(ctx, jason)
	wantErr(t, "Jason reads the styles to edit", err, store.ErrForbidden)
	wantErr(t, "Jason changes the styles", campfire.UpdateCustomStyles(ctx, jason, "body {}"), store.ErrForbidden)

	_, err = campfire.UpdateAccount(ctx, david, store.AccountChanges{Name: new("  ")})
	wantInvalid(t, "no name", err, "name")
	renamed := must(campfire.UpdateAccount(ctx, david, store.AccountChanges{Name: new(" Honcho ")}))(t)
	wantEqual(t, "account", renamed, store.Account{Name: "Honcho"})
	restricted := must(campfire.UpdateAccount(ctx, david, store.AccountChanges{RestrictRoomCreation: new(true)}))(t)
	wantEqual(t, "account", restricted, store.Account{Name: "Honcho", RestrictRoomCreation: true})
	_, err = campfire.CreateRoom(ctx, jason, store.NewRoom{Kind: store.OpenRoom, Name: "Mine"})
	wantErr(t, "Jason creates a room", err, store.ErrForbidden)

	code := must(campfire.ResetJoinCode(ctx, david))(t)
	_, _, err = campfire.Join(ctx, campfire.JoinCode, store.Person{Name: "Late", EmailAddress: "late@example.com", Password: "x"}, store.Device{})
	wantErr(t, "joining by the old code", err, store.ErrNotFound)
	wantEqual(t, "join code", must(campfire.GetJoinCode(ctx))(t), code)

	wantInvalid(t, "endless styles", campfire.UpdateCustomStyles(ctx, david, strings.Repeat("x", 65537)), "styles")
	wantErr(t, "David changes the styles", campfire.UpdateCustomStyles(ctx, david, "body { color: red }"), nil)
	wantEqual(t, "styles", must(campfire.CustomStyles(ctx))(t), "body { color: red }")
	wantEqual(t, "styles to edit", must(campfire.GetCustomStyles(ctx, david))(t), "body { color: red }")
}

func TestAProfileIsOnesOwn(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	here := identity(t, campfire, "Jason")
	elsewhere := identity(t, campfire, "Jason")
	var ended []store.Change
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			if c, ok := change.(store.SessionEnded); ok {
				ended = append(ended, c)
			}
		}
	})
	changed := must(campfire.UpdateProfile(ctx, here, store.ProfileChanges{Name: new("Ångström"), Bio: new(strings.Repeat("ö", 200))}))(t)
	wantEqual(t, "name and address", changed.Name+" "+changed.EmailAddress, "Ångström "+strings.ToLower(storetest.Email("Jason")))
	suggested := must(campfire.SuggestUsers(ctx, campfire.David.ID, "ÅNGS", nil))(t)
	wantEqual(t, "found by the new name, without case", userNames(suggested), []string{"Ångström"})

	for field, c := range map[string]store.ProfileChanges{
		"name":          {Name: new("")},
		"bio":           {Bio: new(strings.Repeat("ö", 201))},
		"email_address": {EmailAddress: new("nowhere")},
		"password":      {Password: new(strings.Repeat("x", 1025))},
	} {
		_, err := campfire.UpdateProfile(ctx, here, c)
		wantInvalid(t, "a bad "+field, err, field)
	}
	_, err := campfire.UpdateProfile(ctx, here, store.ProfileChanges{EmailAddress: new(strings.ToUpper(storetest.Email("Kevin")))})
	wantErr(t, "Kevin's address", err, store.ErrTaken)

	must(campfire.UpdateProfile(ctx, here, store.ProfileChanges{Password: new("")}))(t)
	wantEqual(t, "sessions ended by an empty password", len(ended), 0)
	must(campfire.UpdateProfile(ctx, here, store.ProfileChanges{Password: new("another one")}))(t)
	wantEqual(t, "sessions ended by another password, with the one of joining", len(ended), 2)
	wantErr(t, "the session elsewhere", campfire.RequireSession(ctx, elsewhere), store.ErrUnauthenticated)
	wantErr(t, "this session", campfire.RequireSession(ctx, here), nil)
	_, _, err = campfire.SignIn(ctx, storetest.Email("Jason"), storetest.Password, store.Device{})
	wantErr(t, "the old password", err, store.ErrUnauthenticated)
	_, _, err = campfire.SignIn(ctx, storetest.Email("Jason"), "another one", store.Device{})
	wantErr(t, "the new password", err, nil)
}

func TestSuggestionsAreOfMembersAndTakeTheQueryLiterally(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, designers := t.Context(), campfire.Designers.ID
	ada := store.Person{Name: "100% Ada_B", EmailAddress: "ada@campfire.example", Password: storetest.Password}
	_, _, err := campfire.Join(ctx, campfire.JoinCode, ada, store.Device{})
	wantErr(t, "Ada joins", err, nil)
	for query, want := range map[string][]string{
		"":    {"100% Ada_B", "David", "Jason", "Kevin"},
		"a":   {"100% Ada_B", "David", "Jason"},
		"%":   {"100% Ada_B"},
		"_":   {"100% Ada_B"},
		"a_b": {"100% Ada_B"},
		"d%":  nil,
	} {
		wantEqual(t, "suggestions for "+query, userNames(must(campfire.SuggestUsers(ctx, campfire.Jason.ID, query, nil))(t)), want)
	}
	wantEqual(t, "of Designers", userNames(must(campfire.SuggestUsers(ctx, campfire.Jason.ID, "", &designers))(t)), []string{"David", "Jason"})
	_, err = campfire.SuggestUsers(ctx, campfire.Kevin.ID, "", &designers)
	wantErr(t, "Kevin asks for members of Designers", err, store.ErrNotFound)
	_, err = campfire.SuggestUsers(ctx, campfire.Kevin.ID, strings.Repeat("x", 101), nil)
	wantInvalid(t, "an endless query", err, "query")
}

func TestSuggestionsIgnoreAccentsAndBeginWithTheBestMatch(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	for i, name := range []string{"Élise", "Elke", "Mia Elsner", "Abel"} {
		person := store.Person{Name: name, EmailAddress: fmt.Sprintf("%d@campfire.example", i), Password: storetest.Password}
		_, _, err := campfire.Join(ctx, campfire.JoinCode, person, store.Device{})
		wantErr(t, name+" joins", err, nil)
	}
	for query, want := range map[string][]string{
		"el":  {"Elke", "Élise", "Mia Elsner", "Abel"},
		"Él":  {"Elke", "Élise", "Mia Elsner", "Abel"},
		"ELI": {"Élise"},
	} {
		wantEqual(t, "suggestions for "+query, userNames(must(campfire.SuggestUsers(ctx, campfire.Jason.ID, query, nil))(t)), want)
	}
}

func TestSuggestionsAreTwentyByNameBotsAndOneselfAmongThem(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	newBot(t, campfire, "dabbler", "")
	inDatabase(t, campfire.Folder, `WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT 30)
		INSERT INTO users (id, name, sort_name, created_at, updated_at) SELECT i, 'Person ' || i, 'person ' || i, 0, 0 FROM n`)
	suggested := func(query string) []string {
		return userNames(must(campfire.SuggestUsers(t.Context(), campfire.David.ID, query, nil))(t))
	}
	wantEqual(t, "for da", suggested("da"), []string{"dabbler", "David"})
	wantEqual(t, "for a part within a name", suggested("avi"), []string{"David"})
	many := suggested("person")
	wantEqual(t, "how many of thirty", len(many), 20)
	wantEqual(t, "the first and the last", many[0]+" and "+many[19], "Person 100 and Person 119")
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	phone, laptop := identity(t, campfire, "Kevin"), identity(t, campfire, "Kevin")
	ofKevin := func() (ids []int64) {
		for _, session := range must(campfire.ListSessions(ctx, campfire.Kevin.ID))(t) {
			ids = append(ids, session.ID)
		}
		return ids
	}
	if got := ofKevin(); len(got) != 3 || got[0] != laptop.SessionID || got[1] != phone.SessionID {
		t.Errorf("got sessions %v, want the laptop's %d, the phone's %d and the one of joining", got, laptop.SessionID, phone.SessionID)
	}
	wantErr(t, "Jason revokes Kevin's", campfire.RevokeSession(ctx, campfire.Jason.ID, phone.SessionID), store.ErrNotFound)
	wantErr(t, "Kevin revokes his", campfire.RevokeSession(ctx, campfire.Kevin.ID, phone.SessionID), nil)
	wantErr(t, "the phone", campfire.RequireSession(ctx, phone), store.ErrUnauthenticated)
	wantErr(t, "the laptop", campfire.RequireSession(ctx, laptop), nil)
}

func TestATransferLinkSignsInForFourHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		campfire := storetest.New(t)
		ctx := t.Context()
		claim := func(token string) (string, error) {
			_, u, err := campfire.ClaimTransfer(ctx, token, store.Device{})
			return u.Name, err
		}
		_, _, err := campfire.CreateTransfer(ctx, campfire.Jason.ID, campfire.Kevin.ID)
		wantErr(t, "Jason makes one for Kevin", err, store.ErrForbidden)
		token, _, err := campfire.CreateTransfer(ctx, campfire.David.ID, campfire.Kevin.ID)
		wantErr(t, "David makes one for Kevin", err, nil)
		for range 2 { // as often as one likes
			name, err := claim(token)
			wantErr(t, "claiming", err, nil)
			wantEqual(t, "signed in", name, "Kevin")
		}
		for _, altered := range []string{"", "rubbish", token[:len(token)-1], "B" + token[1:], strings.Repeat("A", len(token))} {
			_, err := claim(altered)
			wantInvalid(t, "claiming "+altered, err, "transfer_token")
		}
		time.Sleep(4*time.Hour + time.Second)
		_, err = claim(token)
		wantInvalid(t, "claiming after four hours", err, "transfer_token")
		own := func(userID, personID int64) string {
			t.Helper()
			token, _, err := campfire.CreateTransfer(ctx, userID, personID)
			wantErr(t, "making a link", err, nil)
			return token
		}
		stolen := own(campfire.Jason.ID, campfire.Jason.ID)
		_, err = campfire.UpdateProfile(ctx, identity(t, campfire, "Jason"), store.ProfileChanges{Password: new("another one")})
		wantErr(t, "Jason changes his password", err, nil)
		_, err = claim(stolen)
		wantInvalid(t, "claiming after another password", err, "transfer_token")
		must(campfire.SetUserRole(ctx, campfire.David.ID, campfire.Jason.ID, store.Administrator))(t)
		overreaching := own(campfire.Jason.ID, campfire.David.ID)
		must(campfire.SetUserRole(ctx, campfire.David.ID, campfire.Jason.ID, store.Member))(t)
		_, err = claim(overreaching)
		wantInvalid(t, "claiming by one who is no longer administrator", err, "transfer_token")
		fresh := own(campfire.Kevin.ID, campfire.Kevin.ID)
		must(campfire.DeactivateUser(ctx, campfire.David.ID, campfire.Kevin.ID))(t)
		_, err = claim(fresh)
		wantInvalid(t, "claiming for someone who has left", err, "transfer_token")
	})
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason := t.Context(), campfire.David.ID, campfire.Jason.ID
	_, err := campfire.SetUserRole(ctx, jason, jason, store.Administrator)
	wantErr(t, "Jason makes himself administrator", err, store.ErrForbidden)
	_, err = campfire.SetUserRole(ctx, david, jason, store.Bot)
	wantInvalid(t, "David makes Jason a bot", err, "role")
	_, err = campfire.SetUserRole(ctx, david, david, store.Member)
	wantErr(t, "David steps down", err, store.ErrConflict)
	_, err = campfire.DeactivateUser(ctx, david, david)
	wantErr(t, "David leaves", err, store.ErrConflict)
	_, err = campfire.SetUserRole(ctx, david, 4711, store.Member)
	wantErr(t, "a role for nobody", err, store.ErrNotFound)
	wantEqual(t, "Jason's role", must(campfire.SetUserRole(ctx, david, jason, store.Administrator))(t).Role, store.Administrator)
	must(campfire.SetUserRole(ctx, jason, david, store.Member))(t)
	_, err = campfire.SetUserRole(ctx, david, jason, store.Member)
	wantErr(t, "David, a member now, demotes Jason", err, store.ErrForbidden)
}

func TestWhoIsDeactivatedLeavesTheirWordsAndTheirPings(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason := t.Context(), campfire.David.ID, campfire.Jason.ID
	m := post(t, campfire.Store, campfire.Jason, campfire.Designers.ID, "Remember me")
	ping := direct(t, campfire, campfire.David, campfire.Jason)
	session := identity(t, campfire, "Jason")
	left := must(campfire.DeactivateUser(ctx, david, jason))(t)
	if left.Status != store.Deactivated || !strings.HasPrefix(left.EmailAddress, "jason-deactivated-") || !strings.HasSuffix(left.EmailAddress, "@campfire.example") {
		t.Errorf("got %+v, want Jason deactivated, at an address that was his", left)
	}
	wantErr(t, "Jason's session", campfire.RequireSession(ctx, session), store.ErrUnauthenticated)
	wantEqual(t, "Designers", members(t, campfire.Store, campfire.David, campfire.Designers.ID), []string{"David"})
	wantEqual(t, "the ping", members(t, campfire.Store, campfire.David, ping.ID), []string{"David", "Jason"})
	wantEqual(t, "his words", must(campfire.GetMessage(ctx, david, m.ID))(t).Creator.Name, "Jason")
	_, err := campfire.DeactivateUser(ctx, david, jason)
	wantErr(t, "once more", err, store.ErrNotFound)
	again := campfire.Joined(t, "Jason")
	if again.ID == jason {
		t.Errorf("Jason joins again as %d, want someone new", again.ID)
	}
}

func TestARoomIsChangedByItsCreatorAndAdministrators(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason, kevin := t.Context(), campfire.David.ID, campfire.Jason.ID, campfire.Kevin.ID
	designers := campfire.Designers.ID
	rename := func(userID int64) error {
		_, err := campfire.UpdateRoom(ctx, userID, designers, store.RoomChanges{Name: new("Drawers")})
		return err
	}
	wantErr(t, "a member renames", rename(jason), store.ErrForbidden)
	wantErr(t, "an outsider renames", rename(kevin), store.ErrNotFound)
	wantErr(t, "the creator renames", rename(david), nil)
	must(campfire.SetUserRole(ctx, david, kevin, store.Administrator))(t)
	wantErr(t, "an administrator outside renames", rename(kevin), store.ErrNotFound)
	_, err := campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Name: new("")})
	wantInvalid(t, "no name", err, "name")
	_, err = campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Kind: new(store.DirectRoom)})
	wantInvalid(t, "a direct room", err, "kind")
	_, err = campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Grant: []int64{4711}})
	wantInvalid(t, "nobody granted", err, "grant_user_ids")
	_, err = campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Grant: make([]int64, 1001)})
	wantInvalid(t, "1,001 granted", err, "grant_user_ids")
	_, err = campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Revoke: make([]int64, 1001)})
	wantInvalid(t, "1,001 revoked", err, "revoke_user_ids")

	var told []store.Change
	campfire.OnCommit(func(changes []store.Change) { told = append(told, changes...) })
	must(campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Grant: []int64{kevin}, Revoke: []int64{jason}}))(t)
	wantEqual(t, "Drawers", members(t, campfire.Store, campfire.David, designers), []string{"David", "Kevin"})
	wantEqual(t, "Kevin's unread", sidebar(t, campfire.Store, campfire.Kevin), []string{"All Talk", "Drawers"})
	removed, changed := 0, map[int64]bool{}
	for _, change := range told {
		switch c := change.(type) {
		case store.RoomRemoved:
			removed++
			wantEqual(t, "removed", c, store.RoomRemoved{UserID: jason, RoomID: designers, Left: true})
		case store.RoomChanged:
			changed[c.Room.ViewerID] = true
		}
	}
	if removed != 1 || len(changed) != 2 || !changed[david] || !changed[kevin] {
		t.Errorf("got %d removed and news for %v, want Jason removed and news for David and Kevin", removed, changed)
	}
	if got := must(campfire.UpdateRoom(ctx, david, designers, store.RoomChanges{Revoke: []int64{david}}))(t); got != nil {
		t.Errorf("David, who has left, got %+v, want no room", got)
	}
	must(campfire.UpdateRoom(ctx, kevin, designers, store.RoomChanges{Kind: new(store.OpenRoom), Revoke: []int64{kevin}}))(t)
	wantEqual(t, "opened", members(t, campfire.Store, campfire.Kevin, designers), []string{"David", "Jason", "Kevin"})
	must(campfire.UpdateRoom(ctx, kevin, designers, store.RoomChanges{Kind: new(store.ClosedRoom), Revoke: []int64{jason}}))(t)
	wantEqual(t, "closed again", members(t, campfire.Store, campfire.Kevin, designers), []string{"David", "Kevin"})
	ping := direct(t, campfire, campfire.David, campfire.Kevin)
	_, err = campfire.UpdateRoom(ctx, david, ping.ID, store.RoomChanges{Name: new("No")})
	wantErr(t, "a direct room renamed", err, store.ErrNotFound)
}

func TestADeletedRoomTakesItsMessagesAlong(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason, kevin := t.Context(), campfire.David.ID, campfire.Jason.ID, campfire.Kevin.ID
	m := post(t, campfire.Store, campfire.Jason, campfire.Designers.ID, "eels")
	must(boostOnly(campfire.AddBoost(ctx, david, m.ID, "🐍")))(t)
	kept := post(t, campfire.Store, campfire.Jason, campfire.AllTalk.ID, "eels everywhere")
	wantErr(t, "a member deletes", campfire.DeleteRoom(ctx, jason, campfire.Designers.ID), store.ErrForbidden)
	wantErr(t, "an outsider deletes", campfire.DeleteRoom(ctx, kevin, campfire.Designers.ID), store.ErrNotFound)
	var told []int64
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			if c, ok := change.(store.RoomRemoved); ok && c.Left {
				told = append(told, c.UserID)
			}
		}
	})
	wantErr(t, "the creator deletes", campfire.DeleteRoom(ctx, david, campfire.Designers.ID), nil)
	awaitRemovals(t, campfire)
	wantEqual(t, "told", sorted(told), []int64{david, jason})
	wantEqual(t, "found by search", inDatabase(t, campfire.Folder, "SELECT rowid FROM message_search_index WHERE message_search_index MATCH 'eel'"), []int64{kept.ID})
	wantEqual(t, "boosts", inDatabase(t, campfire.Folder, "SELECT count(*) FROM boosts"), []int{0})
	wantSearchIndexInStep(t, campfire)
	ping := direct(t, campfire, campfire.David, campfire.Jason)
	wantErr(t, "a participant deletes a ping", campfire.DeleteRoom(ctx, jason, ping.ID), nil)
}

func TestInvolvementSaysWhatOneHears(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, jason, designers := t.Context(), campfire.Jason.ID, campfire.Designers.ID
	var told []store.Change
	campfire.OnCommit(func(changes []store.Change) { told = append(told, changes...) })
	room := must(campfire.SetInvolvement(ctx, jason, designers, store.Invisible))(t)
	wantEqual(t, "involvement", room.Involvement, store.Invisible)
	wantEqual(t, "told", told, []store.Change{store.RoomRemoved{UserID: jason, RoomID: designers}})
	told = nil
	post(t, campfire.Store, campfire.David, designers, "unheard")
	wantEqual(t, "seen by", told[0].(store.MessageCreated).Visible, []int64{campfire.David.ID})
	wantEqual(t, "Jason's sidebar", sidebar(t, campfire.Store, campfire.Jason), []string{"All Talk"})
	must(campfire.SetInvolvement(ctx, jason, designers, store.Everything))(t)
	wantEqual(t, "Jason's sidebar, where nothing he did not want to hear is news", sidebar(t, campfire.Store, campfire.Jason), []string{"All Talk", "Designers"})
	post(t, campfire.Store, campfire.David, designers, "heard")
	wantEqual(t, "Jason's sidebar", sidebar(t, campfire.Store, campfire.Jason), []string{"All Talk", "Designers*"})
	_, err := campfire.SetInvolvement(ctx, jason, designers, "")
	wantInvalid(t, "no involvement", err, "involvement")
	_, err = campfire.SetInvolvement(ctx, campfire.Kevin.ID, designers, store.Nothing)
	wantErr(t, "Kevin, an outsider", err, store.ErrNotFound)
	ping := direct(t, campfire, campfire.David, campfire.Jason)
	_, err = campfire.SetInvolvement(ctx, jason, ping.ID, store.Invisible)
	wantInvalid(t, "an invisible ping", err, "involvement")
}

func identity(t testing.TB, campfire *storetest.Campfire, name string) store.Identity {
	t.Helper()
	token, _, err := campfire.SignIn(t.Context(), storetest.Email(name), storetest.Password, store.Device{})
	wantErr(t, name+" signs in", err, nil)
	return must(campfire.Authenticate(t.Context(), token, store.Device{}))(t)
}

func TestWhoIsDeactivatedIsInNoListAnyMore(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason := t.Context(), campfire.David.ID, campfire.Jason.ID
	inDatabase(t, campfire.Folder, `INSERT INTO push_subscriptions (user_id, endpoint, p256dh_key, auth_key, user_agent, created_at, updated_at)
		SELECT id, 'https://push.example/' || id, '', '', '', 0, 0 FROM users WHERE name IN ('Jason', 'Kevin')`)
	for _, id := range []int64{jason, campfire.Kevin.ID} {
		must(campfire.SearchMessages(ctx, id, "pizza", 0, true))(t)
	}
	must(campfire.DeactivateUser(ctx, david, jason))(t)
	wantEqual(t, "who still has push subscriptions", inDatabase(t, campfire.Folder, "SELECT user_id FROM push_subscriptions"), []int64{campfire.Kevin.ID})
	wantEqual(t, "who still has recent searches", inDatabase(t, campfire.Folder, "SELECT user_id FROM searches"), []int64{campfire.Kevin.ID})
	users, _, err := campfire.ListUsers(ctx, david, store.Page{})
	wantErr(t, "David lists users", err, nil)
	rooms, suggested, err := campfire.ListRooms(ctx, david, false)
	wantErr(t, "David lists rooms", err, nil)
	for list, got := range map[string][]string{
		"the directory":   userNames(users),
		"the completions": userNames(must(campfire.SuggestUsers(ctx, david, "", nil))(t)),
		"All Talk":        members(t, campfire.Store, campfire.David, rooms[0].ID),
	} {
		wantEqual(t, list, got, []string{"David", "Kevin"})
	}
	wantEqual(t, "whom to ping", userNames(suggested), []string{"Kevin"})
}

func TestAnAdministratorMayStepDownOrLeaveWhileAnotherStays(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason := t.Context(), campfire.David.ID, campfire.Jason.ID
	wantEqual(t, "David's role, set as it is", must(campfire.SetUserRole(ctx, david, david, store.Administrator))(t).Role, store.Administrator)
	must(campfire.SetUserRole(ctx, david, jason, store.Administrator))(t)
	wantEqual(t, "Jason's status", must(campfire.DeactivateUser(ctx, jason, jason))(t).Status, store.Deactivated)
	must(campfire.SetUserRole(ctx, david, campfire.Kevin.ID, store.Administrator))(t)
	wantEqual(t, "David's role", must(campfire.SetUserRole(ctx, david, david, store.Member))(t).Role, store.Member)
	_, err := campfire.SetUserRole(ctx, david, david, store.Administrator)
	wantErr(t, "David takes it back", err, store.ErrForbidden)
}

// Bots are kept by calls of their own. As people they could sign in, or be lost to the list of bots.
func TestABotIsNobodyToWhatAdministersPeople(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david := t.Context(), identity(t, campfire, "David")
	bender, key := newBot(t, campfire, "Bender", "")
	for _, role := range []store.Role{store.Member, store.Administrator} {
		_, err := campfire.SetUserRole(ctx, david.UserID, bender.ID, role)
		wantErr(t, "a role for Bender", err, store.ErrNotFound)
	}
	_, err := campfire.DeactivateUser(ctx, david.UserID, bender.ID)
	wantErr(t, "Bender deactivated as a person", err, store.ErrNotFound)
	_, err = campfire.BanUser(ctx, david, bender.ID)
	wantErr(t, "Bender banned", err, store.ErrNotFound)
	_, _, err = campfire.CreateTransfer(ctx, david.UserID, bender.ID)
	wantErr(t, "a link that signs Bender in", err, store.ErrNotFound)
	_, err = campfire.AuthenticateBot(ctx, key)
	wantErr(t, "Bender's key", err, nil)
	wantEqual(t, "bots", botNames(t, campfire), []string{"Bender"})
}
