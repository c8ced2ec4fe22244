package store_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestTheFirstRunHappensOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := storetest.Open(t, folder)
	_, _, err := s.GetAccount(t.Context())
	wantErr(t, "the account before the first run", err, store.ErrNotFound)
	_, _, err = s.Join(t.Context(), "", store.Person{Name: "Eve", EmailAddress: "eve@campfire.example", Password: "secret"}, store.Device{})
	wantErr(t, "joining before the first run", err, store.ErrNotFound)

	var won atomic.Int64
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			token, u, err := s.SetUp(t.Context(), store.Person{
				Name: fmt.Sprintf("Person %d", i), EmailAddress: fmt.Sprintf("person%d@campfire.example", i), Password: "secret",
			}, store.Device{})
			switch {
			case err == nil:
				won.Add(1)
				if who, err := s.Authenticate(t.Context(), token, store.Device{}); err != nil || who.UserID != u.ID {
					t.Errorf("the session of %s: got %+v, %v; want theirs", u.Name, who, err)
				}
			case !errors.Is(err, store.ErrConflict) || token != "":
				t.Errorf("a first run that came second: got token %q and %v, want none and %v", token, err, store.ErrConflict)
			}
		})
	}
	group.Wait()
	wantEqual(t, "first runs that succeeded", won.Load(), 1)
	for query, want := range map[string]string{
		"SELECT count(*), min(name) FROM accounts":                      "1 Campfire",
		"SELECT count(*), min(role), min(status) FROM users":            "1 1 0",
		"SELECT count(*), min(kind), min(name) FROM rooms":              "1 open All Talk",
		"SELECT count(*), min(involvement) FROM memberships":            "1 mentions",
		"SELECT count(*) FROM sessions":                                 "1",
		"SELECT rooms.creator_id = users.id FROM rooms, users":          "1",
		"SELECT memberships.user_id = users.id FROM memberships, users": "1",
	} {
		wantEqual(t, query, inDatabase(t, folder, query), []string{want})
	}
	_, _, err = s.SetUp(t.Context(), store.Person{Name: "Eve", EmailAddress: "eve@campfire.example", Password: "secret"}, store.Device{})
	wantErr(t, "a first run later", err, store.ErrConflict)
}

func TestTheAccountNamesItsFirstActiveAdministrator(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	account, contact, err := campfire.GetAccount(t.Context())
	wantErr(t, "the account", err, nil)
	wantEqual(t, "account and contact", []any{account, contact.Name}, []any{store.Account{Name: "Campfire"}, "David"})
	inDatabase(t, campfire.Folder, "UPDATE users SET role = 1 WHERE name = 'Kevin'")
	inDatabase(t, campfire.Folder, "UPDATE users SET status = 1 WHERE name = 'David'")
	_, contact, err = campfire.GetAccount(t.Context())
	wantErr(t, "the account", err, nil)
	wantEqual(t, "contact after David left", contact.Name, "Kevin")
	inDatabase(t, campfire.Folder, "UPDATE users SET status = 1 WHERE name = 'Kevin'")
	_, contact, err = campfire.GetAccount(t.Context())
	wantErr(t, "the account", err, nil)
	wantEqual(t, "contact after Kevin left too", contact, store.User{})
}

func TestAJoinCodeCanBeReadOut(t *testing.T) {
	t.Parallel()
	code := storetest.New(t).JoinCode
	if !regexp.MustCompile(`^[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}$`).MatchString(code) {
		t.Errorf("got the join code %q, want three groups of four letters and digits", code)
	}
	if other := storetest.New(t).JoinCode; other == code {
		t.Errorf("two accounts have the join code %q, want two", code)
	}
}

func TestJoining(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	must(campfire.CreateRoom(t.Context(), campfire.Kevin.ID, store.NewRoom{Kind: store.OpenRoom, Name: "Watercooler"}))(t)
	post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "Hello")
	var told []string
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			told = append(told, change.(store.UserChanged).User.Name)
		}
	})
	sam := store.Person{Name: " Sam ", EmailAddress: " Sam@Campfire.Example ", Password: "secret"}
	for _, code := range []string{"", "AAAA-AAAA-AAAA", swapCase(campfire.JoinCode), campfire.JoinCode + " ", "%"} {
		_, _, err := campfire.Join(t.Context(), code, sam, store.Device{})
		wantErr(t, fmt.Sprintf("the join code %q", code), err, store.ErrNotFound)
	}
	token, u, err := campfire.Join(t.Context(), campfire.JoinCode, sam, store.Device{})
	wantErr(t, "Sam joins", err, nil)
	if u.Name != "Sam" || u.EmailAddress != "sam@campfire.example" || u.Role != store.Member || u.Status != store.Active || u.CreatedAt.IsZero() {
		t.Errorf("got %+v, want the active member Sam of sam@campfire.example", u)
	}
	who := must(campfire.Authenticate(t.Context(), token, store.Device{}))(t)
	wantEqual(t, "whose session it is", who.UserID, u.ID)
	wantEqual(t, "Sam's rooms: the open ones, all read", sidebar(t, campfire.Store, u), []string{"All Talk", "Watercooler"})
	wantEqual(t, "told", told, []string{"Sam"})

	for _, address := range []string{"sam@campfire.example", "SAM@CAMPFIRE.EXAMPLE", " david@campfire.example"} {
		_, _, err = campfire.Join(t.Context(), campfire.JoinCode, store.Person{Name: "Eve", EmailAddress: address, Password: "secret"}, store.Device{})
		wantErr(t, "joining as "+address, err, store.ErrTaken)
	}
	wantEqual(t, "people", inDatabase(t, campfire.Folder, "SELECT count(*) FROM users"), []string{"4"})
}

func TestOneAddressJoinsOnceHoweverManyTry(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var joined atomic.Int64
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, _, err := campfire.Join(t.Context(), campfire.JoinCode, store.Person{Name: "Sam", EmailAddress: "sam@campfire.example", Password: "secret"}, store.Device{})
			if err == nil {
				joined.Add(1)
			} else {
				wantErr(t, "Sam joins again", err, store.ErrTaken)
			}
		})
	}
	group.Wait()
	wantEqual(t, "joined", joined.Load(), 1)
}

func TestWhatPeopleMayBeCalled(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	long := strings.Repeat("a", 200) + "@" + strings.Repeat("b", 53) // 254 characters
	for i, c := range []struct{ name, address, password, field string }{
		{"Sam", "a@b", "secret", ""},
		{"Sam", long, "secret", ""},
		{"Sam", "sam+tag@mail.campfire.example", "s", ""},
		{"Sam", "sam@bücher.example", "secret", ""},
		{"Ünïcödé 日本 👩‍👩‍👧", "c@b", " ", ""},
		{strings.Repeat("ä", 100), "d@b", strings.Repeat("ä", 512), ""},
		{"", "x@b", "secret", "name"},
		{" \u200b\u2066", "x@b", "secret", "name"},
		{strings.Repeat("ä", 101), "x@b", "secret", "name"},
		{"Sam\x00", "x@b", "secret", "name"},
		{"Sam\nEve", "x@b", "secret", "name"},
		{"Sam\xff", "x@b", "secret", "name"},
		{"Sam", "", "secret", "email_address"},
		{"Sam", "sam", "secret", "email_address"},
		{"Sam", "@b", "secret", "email_address"},
		{"Sam", "a@", "secret", "email_address"},
		{"Sam", "a@b@c", "secret", "email_address"},
		{"Sam", "a b@c", "secret", "email_address"},
		{"Sam", "Sam <a@b>", "secret", "email_address"},
		{"Sam", "a@b, c@d", "secret", "email_address"},
		{"Sam", "a@b\r\nBcc: c@d", "secret", "email_address"},
		{"Sam", "a" + long, "secret", "email_address"},
		{"Sam", "x@b", "", "password"},
		{"Sam", "x@b", strings.Repeat("a", 1025), "password"},
	} {
		_, _, err := campfire.Join(t.Context(), campfire.JoinCode, store.Person{Name: c.name, EmailAddress: c.address, Password: c.password}, store.Device{})
		wantInvalid(t, fmt.Sprintf("%d: joining as %.20q, %.20q", i, c.name, c.address), err, c.field)
	}
}
