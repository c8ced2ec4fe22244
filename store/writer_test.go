package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestPostsOfManyAtOnceAreKeptInTheOrderTheyAreTold(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var mu sync.Mutex
	var told []int64
	campfire.OnCommit(func(changes []store.Change) {
		mu.Lock()
		defer mu.Unlock()
		for _, change := range changes {
			told = append(told, change.(store.MessageCreated).Message.ID)
		}
	})
	before, release := campfire.Commits(), campfire.HoldWriter()
	var group sync.WaitGroup
	var posted, panicked atomic.Int64
	for i := range 500 {
		text := fmt.Sprintf("number %d", i)
		group.Go(func() {
			switch i % 5 {
			case 0, 1:
				m, err := campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{RoomID: campfire.AllTalk.ID, Body: storetest.Body(text)})
				wantErr(t, "David posts to All Talk", err, nil)
				mu.Lock()
				defer mu.Unlock()
				if !slices.Contains(told, m.ID) {
					t.Errorf("David was answered message %d before it was told", m.ID)
				}
				posted.Add(1)
			case 2:
				_, err := campfire.PostMessage(t.Context(), campfire.Kevin.ID, store.Post{RoomID: campfire.Designers.ID, Body: storetest.Body(text)})
				wantErr(t, "Kevin, an outsider, posts to Designers", err, store.ErrNotFound)
			case 3:
				_, err := campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{RoomID: campfire.AllTalk.ID})
				wantInvalid(t, "David posts nothing", err, "body")
			case 4:
				err := campfire.PostAndPanic(t.Context(), campfire.David.ID, store.Post{
					RoomID: campfire.AllTalk.ID, ClientMessageID: text, Body: storetest.Body(text),
				})
				if err == nil {
					t.Error("a post that panics: got no error, want one")
				}
				panicked.Add(1)
			}
		})
	}
	campfire.AwaitQueue(200)
	release()
	group.Wait()

	if posted.Load() != 200 || panicked.Load() != 100 {
		t.Errorf("got %d posts and %d panics, want 200 and 100", posted.Load(), panicked.Load())
	}
	wantEqual(t, "messages in the order they were told", told, slices.Sorted(slices.Values(told)))
	var kept []int64
	for _, row := range inDatabase(t, campfire.Folder, "SELECT id FROM messages ORDER BY revision") {
		kept = append(kept, must(strconv.ParseInt(row, 10, 64))(t))
	}
	wantEqual(t, "messages kept", kept, told)
	wantSearchIndexInStep(t, campfire)
	if commits := campfire.Commits() - before; commits > 20 {
		t.Errorf("got %d commits for 200 posts that wait together, want at most 20", commits)
	}
}

func TestAFailingWriteTakesBackItsRowsAndWhatIsRememberedOfMembers(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var heard [][]int64
	campfire.OnCommit(func(changes []store.Change) {
		for _, change := range changes {
			if c, ok := change.(store.MessageCreated); ok {
				heard = append(heard, sorted(c.Audience))
			}
		}
	})
	both := []int64{campfire.David.ID, campfire.Jason.ID}

	// All of it in one batch: a post, a grant that fails, another post.
	release := campfire.HoldWriter()
	var group sync.WaitGroup
	group.Go(func() { post(t, campfire.Store, campfire.David, campfire.Designers.ID, "before") })
	campfire.AwaitQueue(1)
	group.Go(func() {
		wantErr(t, "a grant that fails", campfire.GrantAndFail(t.Context(), campfire.Kevin.ID, campfire.Designers.ID), store.ErrForbidden)
	})
	campfire.AwaitQueue(2)
	group.Go(func() { post(t, campfire.Store, campfire.David, campfire.Designers.ID, "after") })
	campfire.AwaitQueue(3)
	release()
	group.Wait()
	wantEqual(t, "who heard the two posts", heard, [][]int64{both, both})

	// A room whose creation fails half-way leaves nothing to the next one, which gets its id.
	_, err := campfire.CreateRoom(t.Context(), campfire.David.ID, store.NewRoom{
		Kind: store.ClosedRoom, Name: "Half", MemberIDs: []int64{campfire.Kevin.ID, 4711},
	})
	wantInvalid(t, "a room with somebody who does not exist", err, "member_ids")
	whole := must(campfire.CreateRoom(t.Context(), campfire.Jason.ID, store.NewRoom{
		Kind: store.ClosedRoom, Name: "Whole", MemberIDs: []int64{campfire.David.ID},
	}))(t)
	heard = nil
	post(t, campfire.Store, campfire.Jason, whole.ID, "Hello")
	wantEqual(t, "who heard the post in Whole", heard, [][]int64{both})
	wantEqual(t, "rooms", inDatabase(t, campfire.Folder, "SELECT name FROM rooms ORDER BY id"), []string{"All Talk", "Designers", "Whole"})
}

func TestAWriteThatFailsGivesItsRevisionsBack(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for range 5 {
		wantErr(t, "a grant that fails", campfire.GrantAndFail(t.Context(), campfire.Kevin.ID, campfire.Designers.ID), store.ErrForbidden)
	}
	sam := campfire.Joined(t, "Sam") // who has read what there is, and not what comes
	wantErr(t, "close", campfire.Close(), nil)
	reopened := storetest.Open(t, campfire.Folder)
	post(t, reopened, campfire.David, campfire.AllTalk.ID, "Welcome, Sam")
	if room := must(reopened.GetRoom(t.Context(), sam.ID, campfire.AllTalk.ID))(t); !room.Unread {
		t.Error("All Talk is read to Sam after David's post, want unread")
	}
}

func TestAPostCancelledBeforeItsTurnWritesNothing(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, hangUp := context.WithCancel(t.Context())
	release := campfire.HoldWriter()
	answer := make(chan error)
	go func() {
		_, err := campfire.PostMessage(ctx, campfire.David.ID, store.Post{RoomID: campfire.AllTalk.ID, Body: storetest.Body("Never mind")})
		answer <- err
	}()
	campfire.AwaitQueue(1)
	hangUp()
	release()
	wantErr(t, "a post cancelled while it waits", <-answer, context.Canceled)
	wantEqual(t, "messages", inDatabase(t, campfire.Folder, "SELECT count(*) FROM messages"), []string{"0"})
}

func TestClosingDuringTrafficKeepsExactlyWhatWasAnswered(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var mu sync.Mutex
	var answered []int64
	enough := make(chan struct{})
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for {
				m, err := campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{RoomID: campfire.AllTalk.ID, Body: storetest.Body("Hello")})
				if err != nil {
					wantErr(t, "a post after closing", err, store.ErrClosed)
					return
				}
				mu.Lock()
				if answered = append(answered, m.ID); len(answered) == 200 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	wantErr(t, "close", campfire.Close(), nil)
	group.Wait()

	storetest.Open(t, campfire.Folder)
	var kept []int64
	for _, row := range inDatabase(t, campfire.Folder, "SELECT id FROM messages ORDER BY id") {
		kept = append(kept, must(strconv.ParseInt(row, 10, 64))(t))
	}
	wantEqual(t, "messages kept", kept, sorted(answered))
}

func TestReadersAtClosingAreAnsweredOrToldSo(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var group sync.WaitGroup
	started := make(chan struct{}, 16)
	for range 16 {
		group.Go(func() {
			for first := true; ; first = false {
				_, _, err := campfire.ListRooms(t.Context(), campfire.David.ID, false)
				if first {
					started <- struct{}{}
				}
				if err != nil {
					wantErr(t, "listing rooms after closing", err, store.ErrClosed)
					return
				}
			}
		})
	}
	for range 16 {
		<-started
	}
	wantErr(t, "close", campfire.Close(), nil)
	group.Wait()
}

func TestIDsAreNeverUsedTwice(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	first := post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "first")
	newest := post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "newest")
	wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, newest.ID), nil)
	_, before, err := campfire.ChangesSince(t.Context(), campfire.David.ID, nil)
	wantErr(t, "position", err, nil)
	wantErr(t, "close", campfire.Close(), nil)

	reopened := storetest.Open(t, campfire.Folder)
	_, after, err := reopened.ChangesSince(t.Context(), campfire.David.ID, nil)
	wantErr(t, "position", err, nil)
	wantEqual(t, "position after reopening", after, before)
	next := post(t, reopened, campfire.David, campfire.AllTalk.ID, "next")
	if next.ID != newest.ID+2 { // the deletion took one
		t.Errorf("after messages %d and %d (deleted) and reopening the next one got %d, want %d", first.ID, newest.ID, next.ID, newest.ID+2)
	}
}

// A commit that fails is of nobody's doing, and nobody is told anything but that.
func TestWhenTheDatabaseCannotBeWrittenNothingIsTold(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var told int
	campfire.OnCommit(func(changes []store.Change) { told += len(changes) })
	inDatabase(t, campfire.Folder, "CREATE TRIGGER broken BEFORE UPDATE ON revisions BEGIN SELECT raise(ROLLBACK, 'disk full'); END")
	_, err := campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{RoomID: campfire.AllTalk.ID, Body: storetest.Body("Hello")})
	if err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("a post that cannot be committed: got %v, want an error of the database", err)
	}
	if told != 0 {
		t.Errorf("%d changes were told, want none", told)
	}
	inDatabase(t, campfire.Folder, "DROP TRIGGER broken")
	if m := post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "Hello again"); m.ID != 1 || told != 1 {
		t.Errorf("the next post got id %d and %d changes told, want 1 and 1", m.ID, told)
	}
}

// Whoever is told that a message was posted finds it after a power cut. Weaker settings are faster, and would lose it.
func TestWhatIsAnsweredIsOnTheDisk(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} { // 2 is FULL
		if got, err := campfire.Pragma(t.Context(), pragma); err != nil || got != want {
			t.Errorf("%s of the writer is %q, %v; want %s", pragma, got, err, want)
		}
	}
}

func TestAMessageThatTheIndexDoesNotKnowFailsNobodyElse(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, room := t.Context(), campfire.Designers.ID
	unknown := post(t, campfire.Store, campfire.David, room, "alpha")
	inDatabase(t, campfire.Folder, `INSERT INTO message_search_index (message_search_index, rowid, body_text, room_id)
		VALUES ('delete', ?, 'alpha', ?)`, unknown.ID, room)
	release := campfire.HoldWriter()
	var writing sync.WaitGroup
	writing.Go(func() {
		if err := campfire.DeleteMessage(ctx, campfire.David.ID, unknown.ID); err == nil {
			t.Error("the index did not complain, so this shows nothing")
		}
	})
	campfire.AwaitQueue(1)
	writing.Go(func() { post(t, campfire.Store, campfire.Jason, room, "beta") })
	campfire.AwaitQueue(2)
	release()
	writing.Wait()
	wantEqual(t, "messages", inDatabase(t, campfire.Folder, "SELECT body_text FROM messages ORDER BY id"), []string{"alpha", "beta"})
	post(t, campfire.Store, campfire.David, room, "gamma")
	wantEqual(t, "found", len(found(t, campfire, "gamma")), 1)
}

func BenchmarkPost(b *testing.B) {
	for _, posters := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("posters=%d", posters), func(b *testing.B) {
			campfire := storetest.New(b)
			before := campfire.Commits()
			var left atomic.Int64
			left.Store(int64(b.N))
			var group sync.WaitGroup
			b.ResetTimer()
			for range posters {
				group.Go(func() {
					for left.Add(-1) >= 0 {
						post(b, campfire.Store, campfire.David, campfire.AllTalk.ID, "The quick brown fox jumps over the lazy dog")
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
			b.ReportMetric(float64(b.N)/float64(campfire.Commits()-before), "posts/commit")
		})
	}
}
