package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
	"campfire.example/store/storetest"
)

// TestMain is also the other processes of the benchmark.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && parts[os.Args[1]] != nil {
		main()
		return
	}
	os.Exit(m.Run())
}

// talk lets David post to Designers, and answers what was acknowledged. The store is closed then.
func talk(t *testing.T) (file string, room int64, all []posted) {
	campfire := storetest.New(t)
	for _, word := range []string{"apple", "birch", "cedar", "daisy"} {
		p := posted{ClientID: "say-" + word, Text: "I have planted a " + word, Began: time.Now()}
		m, err := campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{
			RoomID: campfire.Designers.ID, ClientMessageID: p.ClientID, Body: storetest.Body(p.Text),
		})
		if err != nil {
			t.Fatal(err)
		}
		p.ID, p.End = m.ID, time.Now()
		all = append(all, p)
	}
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(campfire.Folder, store.FileName), campfire.Designers.ID, all
}

// A benchmark that does not look is a fast one. These are the ways in which a server could be fast by being less.
func TestTheAuditFindsWhatWasNotKept(t *testing.T) {
	t.Parallel()
	for _, wrong := range []struct{ how, sql, want string }{
		{"nothing is wrong", "", ""},
		{"a message is missing", "DELETE FROM messages WHERE body_text LIKE '%cedar'", "missing"},
		{"a message is there twice", `INSERT INTO messages (id, room_id, creator_id, client_message_id, body_html, body_text, kind, created_at, revision)
			SELECT 99, room_id, creator_id, 'again', body_html, body_text, kind, created_at, 99 FROM messages WHERE body_text LIKE '%cedar'`, "not acknowledged so"},
		{"a message says something else", "UPDATE messages SET body_text = 'Buy cheap' WHERE body_text LIKE '%cedar'", "not acknowledged so"},
		{"a message is in another room", "UPDATE messages SET room_id = 1 WHERE body_text LIKE '%cedar'", "missing"},
		{"nothing can be searched for", "INSERT INTO message_search_index (message_search_index) VALUES ('delete-all')", "searching for"},
	} {
		t.Run(wrong.how, func(t *testing.T) {
			t.Parallel()
			file, room, all := talk(t)
			conn, err := sqlite.OpenConn(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := sqlitex.ExecuteScript(conn, wrong.sql, nil); err != nil {
				t.Fatal(err)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			wantError(t, audit(file, room, all), wrong.want)
		})
	}
}

func TestTheAuditFindsWhatWasAcknowledgedWrongly(t *testing.T) {
	t.Parallel()
	file, room, all := talk(t)
	changed := func(change func([]posted)) []posted {
		changed := slices.Clone(all)
		change(changed)
		return changed
	}
	for _, wrong := range []struct {
		how  string
		all  []posted
		want string
	}{
		{"one more", append(slices.Clone(all), posted{ID: 4711, Text: "I have planted an elder"}), "missing"},
		{"one too few", all[1:], "not acknowledged so"},
		{"two as the same", changed(func(all []posted) { all[1].ID = all[0].ID }), "both acknowledged"},
		{"later ones before", changed(func(all []posted) {
			all[0].Began, all[0].End, all[3].Began, all[3].End = all[3].Began, all[3].End, all[0].Began, all[0].End
		}), "had been acknowledged"},
	} {
		if err := audit(file, room, wrong.all); err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%s: got %v, want %q", wrong.how, err, wrong.want)
		}
	}
}

func TestAStreamMustHearEachMessageOnceInOrderAndAsItIs(t *testing.T) {
	t.Parallel()
	all := []posted{{ID: 7, ClientID: "a-1", Text: "One"}, {ID: 8, ClientID: "b-2", Text: "Two"}, {ID: 9, ClientID: "c-3", Text: "Three"}}
	one, two, three := all[0], all[1], all[2]
	for _, c := range []struct {
		how                string
		heard              []posted
		wantLost, wantMore int
		want               string
	}{
		{how: "all", heard: []posted{one, two, three}},
		{how: "one too few", heard: []posted{one, three}, wantLost: 1, want: "heard 2 messages"},
		{how: "one twice", heard: []posted{one, two, two, three}, wantMore: 1, want: "heard 4 messages"},
		{how: "one twice for another", heard: []posted{one, one, three}, wantMore: 1, want: "1 of them again"},
		{how: "in another order", heard: []posted{one, three, two}, wantMore: 1, want: "1 of them again or late"},
		{how: "another text", heard: []posted{one, {ID: 8, ClientID: "b-2", Text: "Too"}, three}, want: "the same: false"},
		{how: "someone else's", heard: []posted{one, two, {ID: 10, ClientID: "c-3", Text: "Three"}}, want: "the same: false"},
	} {
		s := &stream{}
		for _, p := range c.heard {
			event, err := proto.Marshal(&campfirev1.SubscribeResponse{ResumeToken: "x", Event: &campfirev1.SubscribeResponse_MessageCreated{
				MessageCreated: &campfirev1.MessageCreated{Message: &campfirev1.Message{Id: p.ID, RoomId: 2, ClientMessageId: p.ClientID, BodyText: p.Text}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.heed(event); err != nil {
				t.Fatal(err)
			}
		}
		lost, doubled, err := verify([]*stream{s}, all)
		wantError(t, err, c.want)
		if lost != c.wantLost || doubled != c.wantMore {
			t.Errorf("%s: %d lost, %d doubled; want %d and %d", c.how, lost, doubled, c.wantLost, c.wantMore)
		}
	}
}

func TestNoStreamHasHeardLessThanTheSlowest(t *testing.T) {
	t.Parallel()
	streams := make([]*stream, 1000)
	for i := range streams {
		streams[i] = &stream{}
	}
	const messages = 500
	go func() {
		for range messages {
			for _, s := range streams {
				s.heard.Add(1)
			}
		}
	}()
	for least := int64(0); least < messages; {
		least = slowest(streams)
		for i, s := range streams {
			if heard := s.heard.Load(); heard < least {
				t.Fatalf("stream %d has heard %d messages, the slowest %d", i, heard, least)
			}
		}
	}
}

// The whole of it, against the real program, but short.
func TestTheBenchmarkMeasuresTheRealProgram(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	binary, output := filepath.Join(folder, "campfire"), filepath.Join(folder, "run.json")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../server/cmd/campfire").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	args := []string{"--binary", binary, "--rounds", "1", "--runs", "1", "--length", "100ms", "--only", "post,fanout,delivery,start", "--json", output}
	if err := run(t.Context(), args); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][2]string{{"post, 16 posters", "calls/s"}, {"delivery to 50 people, 20 messages/s", "p99 ms"}, {"cold start to /up", "ms"}} {
		i := slices.IndexFunc(r.Figures, func(f *figure) bool { return f.What == want[0] && f.Unit == want[1] })
		if i < 0 || r.Figures[i].Goal == nil || len(r.Figures[i].Bare) != 1 || median(r.Figures[i].ratios()) <= 0 {
			t.Errorf("no figure of %v beside a bare loop, with its goal", want)
		}
	}
	if err := compare(output, output); err != nil {
		t.Errorf("a run differs from itself: %v", err)
	}
	if err := run(context.Background(), []string{"--binary", filepath.Join(folder, "none")}); err == nil {
		t.Error("a program that is not there was measured")
	}
}

func TestRunsThatDoNotAgreeAreTold(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name string, bare float64) string {
		data, err := json.Marshal(report{Figures: []*figure{{What: "post", Unit: "calls/s", Campfire: []float64{100, 100}, Loop: "echo", Bare: []float64{bare, bare}}}})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	first := write("first", 200)
	wantError(t, compare(first, write("near", 220)), "")
	wantError(t, compare(first, write("far", 240)), "the ratios to echo lie 20 % apart")
}

// wantError: none if want is empty.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
