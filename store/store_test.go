package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

// post posts some words.
func post(t testing.TB, s *store.Store, user store.User, roomID int64, text string) store.Message {
	t.Helper()
	m, err := s.PostMessage(t.Context(), user.ID, store.Post{RoomID: roomID, Body: storetest.Body(text)})
	if err != nil {
		t.Fatalf("%s posts %q: %v", user.Name, text, err)
	}
	return m
}

// postMany posts n times at once, so that few commits are enough.
func postMany(t testing.TB, s *store.Store, user store.User, roomID int64, n int) {
	t.Helper()
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { post(t, s, user, roomID, fmt.Sprint(i)) })
	}
	group.Wait()
}

// wantErr checks that what was done answered an error that is want; nil for none.
func wantErr(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// wantInvalid checks that what was done answered an InvalidError at a field; an empty field is for no error.
func wantInvalid(t testing.TB, what string, got error, field string) {
	t.Helper()
	var invalid *store.InvalidError
	switch {
	case field == "" && got != nil:
		t.Errorf("%s: got %v, want no error", what, got)
	case field != "" && (!errors.As(got, &invalid) || invalid.Field != field):
		t.Errorf("%s: got %v, want an error at %s", what, got, field)
	}
}

// must answers a value that was got without an error.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// wantEqual compares lists, and anything else by how it prints.
func wantEqual(t testing.TB, what string, got, want any) {
	t.Helper()
	if got, want := fmt.Sprint(got), fmt.Sprint(want); got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

// inDatabase carries out SQL behind the store's back, and answers what it finds.
func inDatabase(t testing.TB, folder, sql string, args ...any) (rows []string) {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(folder, store.FileName), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
		text := ""
		for col := range row.ColumnCount() {
			if col > 0 {
				text += " "
			}
			text += row.ColumnText(col)
		}
		rows = append(rows, text)
		return nil
	}})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

func roomNames(rooms []store.Room) (names []string) {
	for _, r := range rooms {
		names = append(names, r.Name)
	}
	return names
}

func userNames(users []store.User) (names []string) {
	for _, u := range users {
		names = append(names, u.Name)
	}
	return names
}

func texts(messages []store.Message) (texts []string) {
	for _, m := range messages {
		texts = append(texts, m.Body.Text)
	}
	return texts
}

func sorted(ids []int64) []int64 { return slices.Sorted(slices.Values(ids)) }

func TestClosingTwiceDoesNoHarm(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, t.TempDir())
	for range 2 {
		wantErr(t, "close", s.Close(), nil)
	}
	wantErr(t, "reading from a closed store", s.Ping(t.Context()), store.ErrClosed)
	wantErr(t, "writing to a closed store", s.SignOut(t.Context(), store.Identity{}, ""), store.ErrClosed)
}

func TestAClosedStoreIsOneFile(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	wantErr(t, "close", campfire.Close(), nil)
	files := must(filepath.Glob(filepath.Join(campfire.Folder, store.FileName+"*")))(t)
	wantEqual(t, "files after closing", files, []string{filepath.Join(campfire.Folder, store.FileName)})
}

func TestAReaderWhoHangsUpIsToldSo(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	for range 20 { // it may notice before or within its queries
		_, _, err := campfire.ListRooms(ctx, campfire.David.ID, false)
		wantErr(t, "listing rooms after hanging up", err, context.Canceled)
	}
}

func TestALongReadEndsWhenItsCallerHangsUp(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for range 20 {
		ctx, hangUp := context.WithCancel(t.Context())
		begun, ended := make(chan struct{}), make(chan error)
		go func() { ended <- campfire.ReadForever(ctx, begun) }()
		<-begun
		hangUp()
		wantErr(t, "a long read", <-ended, context.Canceled)
		for range campfire.Readers() { // on each connection, among them that one
			wantErr(t, "the next read", campfire.Ping(t.Context()), nil)
		}
	}
}

func TestWhoHangsUpWhileAReadIsPreparedLeavesNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		campfire := storetest.New(t)
		ctx, hangUp := context.WithCancel(t.Context())
		err := campfire.ReadAndHangUp(ctx, func() {
			hangUp()
			synctest.Wait() // until SQLite knows
		})
		wantErr(t, "what was being prepared", err, context.Canceled)
	})
}

func TestADatabaseOfANewerCampfireIsLeftAlone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	wantErr(t, "close", storetest.Open(t, folder).Close(), nil)
	inDatabase(t, folder, "PRAGMA user_version = 1000")
	_, err := store.Open(t.Context(), folder, store.Options{PasswordCost: 4})
	if err == nil {
		t.Error("opening a database of version 1000: got no error, want one")
	}
	wantEqual(t, "its version", inDatabase(t, folder, "PRAGMA user_version"), []string{"1000"})
}

func TestAnotherProgramsDatabaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	wantErr(t, "close", storetest.Open(t, folder).Close(), nil)
	inDatabase(t, folder, "PRAGMA application_id = 7")
	if _, err := store.Open(t.Context(), folder, store.Options{PasswordCost: 4}); err == nil {
		t.Error("opening another program's database: got no error, want one")
	}
}
