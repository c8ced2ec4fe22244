package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestABackupOfABusyStoreIsWholeAndOpens(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	var posting sync.WaitGroup
	var mu sync.Mutex
	acknowledged := map[int64]bool{}
	for poster := range 4 {
		posting.Go(func() {
			for i := 0; ; i++ {
				text := fmt.Sprint("eel ", poster, " ", i)
				m, err := campfire.PostMessage(ctx, campfire.David.ID, store.Post{RoomID: campfire.Designers.ID, Body: storetest.Body(text)})
				if err != nil {
					return
				}
				mu.Lock()
				acknowledged[m.ID] = true
				mu.Unlock()
			}
		})
	}
	for round := range 3 {
		mu.Lock()
		var before []int64
		for id := range acknowledged {
			before = append(before, id)
		}
		mu.Unlock()
		folder := t.TempDir()
		wantErr(t, "a backup", store.Backup(t.Context(), campfire.Folder, filepath.Join(folder, store.FileName)), nil)
		info := must(os.Stat(filepath.Join(folder, store.FileName)))(t)
		wantEqual(t, "who may read it", info.Mode().Perm(), os.FileMode(0o600))
		entries := must(os.ReadDir(folder))(t)
		wantEqual(t, "files", len(entries), 1)
		copied := storetest.Open(t, folder)
		for _, id := range before {
			if _, err := copied.GetMessage(t.Context(), campfire.David.ID, id); err != nil {
				t.Errorf("round %d: message %d, acknowledged before the backup: %v", round, id, err)
			}
		}
		wantErr(t, "its search index", copied.CheckSearchIndex(t.Context()), nil)
	}
	stop()
	posting.Wait()
	file := filepath.Join(t.TempDir(), "there.db")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Backup(t.Context(), campfire.Folder, file); err == nil || string(must(os.ReadFile(file))(t)) != "mine" {
		t.Errorf("a backup over another file: got %v, want it refused and the file left alone", err)
	}
	for what, err := range map[string]error{
		"of no database":     store.Backup(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "b.db")),
		"into no folder":     store.Backup(t.Context(), campfire.Folder, filepath.Join(t.TempDir(), "no", "b.db")),
		"by one who hung up": store.Backup(ctx, campfire.Folder, filepath.Join(t.TempDir(), "b.db")),
	} {
		if err == nil {
			t.Errorf("a backup %s succeeded", what)
		}
	}
}

func TestRestoringKeepsTheOldDatabaseAndStartsANewLife(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	post(t, campfire.Store, campfire.David, campfire.Designers.ID, "before")
	file := filepath.Join(t.TempDir(), "backup.db")
	wantErr(t, "a backup", store.Backup(t.Context(), campfire.Folder, file), nil)
	post(t, campfire.Store, campfire.David, campfire.Designers.ID, "after")
	epoch := campfire.Epoch()
	if _, err := store.Restore(t.Context(), campfire.Folder, file); err == nil || !strings.Contains(err.Error(), "another Campfire") {
		t.Fatalf("a restore under a running server: got %v, want it refused", err)
	}
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	kept := must(store.Restore(t.Context(), campfire.Folder, file))(t)
	old := t.TempDir()
	if err := os.Rename(kept, filepath.Join(old, store.FileName)); err != nil {
		t.Fatal(err)
	}
	said := func(s *store.Store) []string {
		messages, _, _, err := s.ListMessages(t.Context(), campfire.David.ID, campfire.Designers.ID, store.MessagesPage{})
		if err != nil {
			t.Fatal(err)
		}
		return texts(messages)
	}
	restored := storetest.Open(t, campfire.Folder)
	wantEqual(t, "restored", said(restored), []string{"before"})
	wantEqual(t, "kept", said(storetest.Open(t, old)), []string{"before", "after"})
	if restored.Epoch() == epoch {
		t.Error("the restored database goes on with the positions of the old one")
	}
	empty := t.TempDir()
	wantEqual(t, "kept of nothing", must(store.Restore(t.Context(), filepath.Join(empty, "new"), file))(t), "")
	wantEqual(t, "restored on a new machine", said(storetest.Open(t, filepath.Join(empty, "new"))), []string{"before"})
}

func TestWhatIsNoBackupIsNotRestored(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	postMany(t, campfire.Store, campfire.David, campfire.Designers.ID, 200)
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(campfire.Folder, store.FileName)
	whole := must(os.ReadFile(path))(t)
	folder := t.TempDir()
	for name, content := range map[string][]byte{
		"text": []byte("not a database at all, but long enough to be read as one, perhaps"), "empty": nil,
		"cut": whole[:len(whole)/2], "damaged": damaged(whole),
	} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Restore(t.Context(), campfire.Folder, file); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
	if _, err := store.Restore(t.Context(), campfire.Folder, filepath.Join(folder, "absent")); err == nil {
		t.Error("nothing was restored")
	}
	if string(must(os.ReadFile(path))(t)) != string(whole) {
		t.Error("the database is another one")
	}
}

// damaged overwrites pages in the middle of a database.
func damaged(whole []byte) []byte {
	bad := append([]byte(nil), whole...)
	for page := 4; page < len(bad)/4096; page += 2 {
		for i := range 4096 {
			bad[page*4096+i] = byte(i * 7)
		}
	}
	return bad
}

func TestALargeDatabaseIsExaminedWhileItIsUsed(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for range 300 {
		post(t, campfire.Store, campfire.David, campfire.Designers.ID, strings.Repeat("a long story ", 2500))
	}
	path := filepath.Join(campfire.Folder, store.FileName)
	unclean := t.TempDir() // as a power cut leaves it
	if err := os.CopyFS(unclean, os.DirFS(campfire.Folder)); err != nil {
		t.Fatal(err)
	}
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	campfire.Store = storetest.Open(t, campfire.Folder)
	wantErr(t, "a sound one", campfire.Examine(t.Context()), nil)
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	const met = 100 * 4096 // what an opening meets is in the first pages
	whole := must(os.ReadFile(path))(t)
	if err := os.WriteFile(path, slices.Concat(whole[:met], damaged(whole)[met:]), 0o600); err != nil {
		t.Fatal(err)
	}
	campfire.Store = storetest.Open(t, campfire.Folder)
	var found *store.DamagedError
	if err := campfire.Examine(t.Context()); !errors.As(err, &found) {
		t.Errorf("a damaged one: got %v, want the damage", err)
	}
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), campfire.Folder, store.Options{}); !errors.As(err, &found) {
		t.Errorf("once known to be damaged: got %v, want the damage", err)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	storetest.Open(t, campfire.Folder)
	if _, err := os.Stat(path + "-suspect"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a sound one in its place is still suspected (%v)", err)
	}
	path = filepath.Join(unclean, store.FileName)
	if err := os.WriteFile(path, damaged(must(os.ReadFile(path))(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), unclean, store.Options{}); !errors.As(err, &found) {
		t.Errorf("a damaged one that was not closed: got %v, want the damage", err)
	}
}

func TestAnExaminationAndReadersDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, hangUp := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}), make(chan error)
	for range campfire.Readers() {
		go func() { ended <- campfire.ReadForever(ctx, begun) }()
		<-begun
	}
	within, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	wantErr(t, "an examination beside all readers", campfire.Verify(within), nil)
	hangUp()
	for range campfire.Readers() {
		wantErr(t, "a long read", <-ended, context.Canceled)
	}
}

func TestADamagedDatabaseIsRefusedWithTheWayOut(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	postMany(t, campfire.Store, campfire.David, campfire.Designers.ID, 200)
	made := must(store.BackUpDaily(t.Context(), campfire.Folder, 3, time.Now()))(t)
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(campfire.Folder, store.FileName)
	bad := damaged(must(os.ReadFile(path))(t))
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), campfire.Folder, store.Options{})
	var found *store.DamagedError
	if !errors.As(err, &found) || found.Backup != made || !strings.Contains(err.Error(), "campfire restore "+made) {
		t.Fatalf("got %v, want the damage, and how to restore %s", err, made)
	}
	if string(must(os.ReadFile(path))(t)) != string(bad) {
		t.Error("the damaged database was written to")
	}
	report := must(store.Check(t.Context(), campfire.Folder, true))(t)
	if len(report.Problems) == 0 {
		t.Error("a check finds nothing")
	}
	must(store.Restore(t.Context(), campfire.Folder, made))(t)
	storetest.Open(t, campfire.Folder)
	for name, content := range map[string]string{"a text": strings.Repeat("no database ", 1000), "a header": string(bad[:100])} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, store.FileName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(t.Context(), folder, store.Options{}); err == nil || !strings.Contains(err.Error(), "campfire.db") {
			t.Errorf("%s: got %v, want an error that names the file", name, err)
		}
		if string(must(os.ReadFile(filepath.Join(folder, store.FileName)))(t)) != content {
			t.Errorf("%s was written to", name)
		}
	}
}

func TestACheckFindsAStaleSearchIndexAndARepairMendsIt(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	post(t, campfire.Store, campfire.David, campfire.Designers.ID, "eels")
	wantEqual(t, "a check under a running server", must(store.Check(t.Context(), campfire.Folder, false))(t).Stale, false)
	if _, err := store.Check(t.Context(), campfire.Folder, true); err == nil {
		t.Error("a repair under a running server is not refused")
	}
	post(t, campfire.Store, campfire.David, campfire.Designers.ID, "sharks")
	inDatabase(t, campfire.Folder, "INSERT INTO message_search_index (message_search_index) VALUES ('delete-all')")
	running := must(store.Check(t.Context(), campfire.Folder, false))(t)
	wantEqual(t, "stale, under a running server", running.Stale, true)
	wantEqual(t, "what is left in the folder", len(must(filepath.Glob(filepath.Join(campfire.Folder, "check-*")))(t)), 0)
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	found := must(store.Check(t.Context(), campfire.Folder, false))(t)
	wantEqual(t, "stale", []any{found.Stale, found.Messages, len(found.Problems)}, []any{true, 2, 0})
	must(store.Check(t.Context(), campfire.Folder, true))(t)
	wantEqual(t, "stale, once repaired", must(store.Check(t.Context(), campfire.Folder, false))(t).Stale, false)
	campfire.Store = storetest.Open(t, campfire.Folder)
	wantEqual(t, "found", search(t, campfire.Store, campfire.David, "shark"), []string{"sharks"})
}

func TestDailyBackupsAreKeptForSomeDays(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	day := time.Now().Add(-10 * 24 * time.Hour)
	var made []string
	for range 6 {
		name := must(store.BackUpDaily(t.Context(), campfire.Folder, 3, day))(t)
		if name == "" {
			t.Fatalf("no backup on %v", day)
		}
		if err := os.Chtimes(name, day, day); err != nil {
			t.Fatal(err)
		}
		made = append(made, name)
		wantEqual(t, "a second one on the same day", must(store.BackUpDaily(t.Context(), campfire.Folder, 3, day.Add(23*time.Hour)))(t), "")
		day = day.Add(25 * time.Hour)
	}
	wantEqual(t, "kept", must(filepath.Glob(filepath.Join(campfire.Folder, "backups", "*")))(t), made[3:])
}

func TestAResetPasswordEndsTheSessions(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	who := identity(t, campfire, "Jason")
	u := must(campfire.ResetPassword(t.Context(), " Jason@campfire.EXAMPLE", "another secret"))(t)
	wantEqual(t, "whose", u.Name, "Jason")
	wantErr(t, "his session", campfire.RequireSession(t.Context(), who), store.ErrUnauthenticated)
	_, _, err := campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{})
	wantErr(t, "by the old password", err, store.ErrUnauthenticated)
	_, _, err = campfire.SignIn(t.Context(), storetest.Email("Jason"), "another secret", store.Device{})
	wantErr(t, "by the new one", err, nil)
	_, err = campfire.ResetPassword(t.Context(), "nobody@campfire.example", "another secret")
	wantErr(t, "nobody's", err, store.ErrNotFound)
	_, err = campfire.ResetPassword(t.Context(), storetest.Email("Jason"), "")
	wantInvalid(t, "to nothing", err, "password")
}
