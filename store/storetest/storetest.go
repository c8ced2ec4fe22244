// Package storetest gives tests a Campfire with people and rooms in it.
package storetest

import (
	"context"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"campfire.example/store"
)

// Password is everyone's password.
const Password = "secret123456"

// Campfire is a store in a folder of its own. David is its administrator; Jason and Kevin have joined.
type Campfire struct {
	*store.Store
	Folder              string
	JoinCode            string
	David, Jason, Kevin store.User
	AllTalk             store.Room // open, by the first run, as David sees it
	Designers           store.Room // closed: David and Jason, as David sees it
}

// New opens such a store and closes it when the test ends.
func New(t testing.TB) *Campfire {
	t.Helper()
	c := &Campfire{Folder: t.TempDir()}
	c.Store = Open(t, c.Folder)
	ctx := context.Background()
	var err error
	_, c.David, err = c.SetUp(ctx, person("David"), store.Device{})
	must(t, err)
	c.JoinCode, err = c.GetJoinCode(ctx)
	must(t, err)
	c.Jason = c.Joined(t, "Jason")
	c.Kevin = c.Joined(t, "Kevin")
	rooms, _, err := c.ListRooms(ctx, c.David.ID, false)
	must(t, err)
	c.AllTalk = rooms[0]
	c.Designers, err = c.CreateRoom(ctx, c.David.ID, store.NewRoom{
		Kind: store.ClosedRoom, Name: "Designers", MemberIDs: []int64{c.Jason.ID},
	})
	must(t, err)
	return c
}

// Open opens the store in a folder and closes it when the test ends. Its passwords are hashed fast.
func Open(t testing.TB, folder string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), folder, store.Options{PasswordCost: bcrypt.MinCost})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// Joined lets one more person join.
func (c *Campfire) Joined(t testing.TB, name string) store.User {
	t.Helper()
	_, u, err := c.Join(context.Background(), c.JoinCode, person(name), store.Device{})
	must(t, err)
	return u
}

// Email is a person's address.
func Email(name string) string { return name + "@campfire.example" }

// Body is a message's body of plain words.
func Body(text string) store.Body {
	return store.Body{HTML: text, Text: text, Kind: store.Text}
}

func person(name string) store.Person {
	return store.Person{Name: name, EmailAddress: Email(name), Password: Password}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
