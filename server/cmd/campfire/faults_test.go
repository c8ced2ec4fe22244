//go:build unix

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
)

// campsite is the program on a data folder, with David in its first room.
type campsite struct {
	program, data string
	server        *process
	at            address
	room          int64
}

func newCampsite(t *testing.T, data string) *campsite {
	t.Helper()
	c := &campsite{program: build(t), data: data, at: address{host: new(atomic.Pointer[string])}}
	c.start(t)
	c.at.token = setUp(t, c.at)
	c.room = firstRoom(t, c.at)
	return c
}

func (c *campsite) start(t *testing.T, settings ...string) {
	t.Helper()
	c.server = start(t, c.program, c.data, append([]string{"--backups", "0"}, settings...)...)
	c.at.host.Store(&c.server.host)
}

func (c *campsite) stop(t *testing.T) {
	t.Helper()
	if err := c.server.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("told to stop, the program exits with %v", err)
	}
}

// says posts something of David's.
func (c *campsite) says(t *testing.T, text string) error {
	t.Helper()
	messages, _ := c.at.client(t, 0)
	_, err := messages.PostMessage(t.Context(), &campfirev1.PostMessageRequest{
		RoomId: c.room, Body: &campfirev1.PostMessageRequest_Text{Text: text},
	})
	return err
}

// wantThere wants messages to be there, by what they say.
func (c *campsite) wantThere(t *testing.T, texts ...string) {
	t.Helper()
	messages, _ := c.at.client(t, 0)
	there := map[string]bool{}
	for _, m := range conversation(t, messages, c.room) {
		there[m.GetBodyText()] = true
	}
	lost := 0
	for _, text := range texts {
		if !there[text] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged messages are lost", lost, len(texts))
	}
}

// does carries out a command of the program itself, and answers what it prints and how it exits.
func (c *campsite) does(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.Command(c.program, args...)
	cmd.Env = append(os.Environ(), "CAMPFIRE_DATA="+c.data)
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	return string(must(out, err)(t)), 0
}

// refusesToStart wants the program to end at once, by one line that says why.
func (c *campsite) refusesToStart(t *testing.T, want string, settings ...string) {
	t.Helper()
	output, code := c.does(t, append([]string{"--addr", "127.0.0.1:0"}, settings...)...)
	if code != 1 || !regexp.MustCompile(`^campfire: `+want+`\n$`).MatchString(output) {
		t.Errorf("the program exits with %d, %q; want 1 and %s", code, output, want)
	}
}

// up asks whether the server is up.
func (c *campsite) up(t *testing.T, query string) (status int, body string) {
	t.Helper()
	res := must(http.Get("http://" + c.server.host + "/up" + query))(t)
	defer res.Body.Close()
	return res.StatusCode, string(must(io.ReadAll(res.Body))(t))
}

// sql changes the database behind the program's back.
func sql(t *testing.T, file, statement string) {
	t.Helper()
	conn := must(sqlite.OpenConn(file, sqlite.OpenReadWrite))(t)
	defer conn.Close()
	if err := sqlitex.ExecScript(conn, statement); err != nil {
		t.Fatal(err)
	}
}

func copyFolder(t *testing.T, from string) (to string) {
	t.Helper()
	to = t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// The power fails at any moment: whatever is on the disk then opens, is sound, and holds what was acknowledged. What the disk
// had not been told to keep may be there, or not, or be noise.
func TestThePowerFailsAtAnyMoment(t *testing.T) {
	t.Parallel()
	const posters, moments = 8, 16
	c := newCampsite(t, t.TempDir())
	var mu sync.Mutex
	var acknowledged []string
	done := make(chan struct{})
	var posting sync.WaitGroup
	for i := range posters {
		messages, _ := c.at.client(t, i)
		posting.Go(func() {
			for j := 0; ; j++ {
				select {
				case <-done:
					return
				default:
				}
				text := fmt.Sprintf("%d of poster %d", j, i)
				if post(t.Context(), t, messages, c.room, text) == nil {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, text)
				mu.Unlock()
			}
		})
	}
	type copied struct {
		folder       string
		acknowledged []string
	}
	var copies []copied
	spoiled := int64(0)
	for range moments {
		time.Sleep(time.Duration(rand.Int64N(int64(100 * time.Millisecond))))
		mu.Lock()
		before := acknowledged[:len(acknowledged):len(acknowledged)]
		mu.Unlock()
		life, kept := logEnd(t, filepath.Join(c.data, "campfire.db-wal")) // at least so far it is on the disk, as they are
		if err := c.server.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		folder := copyFolder(t, c.data)
		if err := c.server.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		spoiled += spoil(t, filepath.Join(folder, "campfire.db-wal"), life, kept)
		copies = append(copies, copied{folder, before})
	}
	close(done)
	posting.Wait()
	c.stop(t)
	for i, copy := range copies {
		there := *c
		there.data = copy.folder
		if output, code := there.does(t, "check"); code != 0 && !strings.Contains(output, "--repair") { // a start repairs the index
			t.Errorf("copy %d: %s", i, output)
		}
		there.start(t)
		there.wantThere(t, copy.acknowledged...)
		if err := there.says(t, "on we go"); err != nil {
			t.Errorf("copy %d: %v", i, err)
		}
		there.stop(t)
		if output, code := there.does(t, "check"); code != 0 {
			t.Errorf("copy %d, after a start: %s", i, output)
		}
	}
	t.Logf("%d copies; %d messages were acknowledged before the last; %d bytes were not sure to be on the disk",
		len(copies), len(copies[moments-1].acknowledged), spoiled)
}

// logEnd reads where a write-ahead log ends, in its present life, and which life that is. Beyond are the remains of earlier ones.
func logEnd(t *testing.T, file string) (life string, end int64) {
	t.Helper()
	log := must(os.ReadFile(file))(t)
	const header, frameHeader = 32, 24
	if len(log) < header {
		return "", 0
	}
	life, end = string(log[16:24]), header
	frame := frameHeader + int64(binary.BigEndian.Uint32(log[8:]))
	for end+frame <= int64(len(log)) && string(log[end+8:end+16]) == life {
		end += frame
	}
	return life, end
}

// spoil has the end of a log be lost, or noise, or in part nothing, or as it is: what came after a place in some life of it.
func spoil(t *testing.T, file, life string, kept int64) (bytes int64) {
	t.Helper()
	now, end := logEnd(t, file)
	if now != life {
		kept = 0 // what was acknowledged has gone into the database
	}
	if end <= kept {
		return 0
	}
	f := must(os.OpenFile(file, os.O_RDWR, 0))(t)
	defer f.Close()
	from := kept + rand.Int64N(end-kept)
	var err error
	switch remains := make([]byte, (end-from+1)/2); rand.IntN(4) {
	case 0:
		err = f.Truncate(from)
	case 1:
		_, err = f.WriteAt(remains, from)
	case 2:
		for i := range remains {
			remains[i] = byte(rand.Uint32())
		}
		_, err = f.WriteAt(remains, from)
	}
	if err != nil {
		t.Fatal(err)
	}
	return end - kept
}

// Damaged pages are found at the start, and the way out that the program names works as printed.
func TestADamagedDatabaseAndTheWayOut(t *testing.T) {
	t.Parallel()
	c := newCampsite(t, t.TempDir())
	for i := range 200 {
		if err := c.says(t, fmt.Sprint("message ", i)); err != nil {
			t.Fatal(err)
		}
	}
	c.stop(t)
	c.start(t, "--backups", "7")
	c.server.says(t, `msg="backed up"`)
	if err := c.says(t, "after the backup"); err != nil {
		t.Fatal(err)
	}
	c.stop(t)
	database := filepath.Join(c.data, "campfire.db")
	whole := must(os.ReadFile(database))(t)
	for i := len(whole) / 2; i < len(whole)*3/4; i++ {
		whole[i] = byte(i * 7)
	}
	if err := os.WriteFile(database, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, code := c.does(t, "check"); code != 1 || !strings.Contains(output, "the database is damaged; campfire restore FILE brings back a backup") {
		t.Errorf("check exits with %d: %s", code, output)
	}
	c.refusesToStart(t, `open \S+: the database \S+ is damaged: (?s:.+); the newest backup is \S+: campfire restore \S+ brings it back, and keeps the damaged one`)
	output, _ := c.does(t, "--addr", "127.0.0.1:0")
	command := regexp.MustCompile(`campfire (restore \S+) brings it back`).FindStringSubmatch(output)
	if command == nil {
		t.Fatalf("no way out: %s", output)
	}
	if output, code := c.does(t, strings.Fields(command[1])...); code != 0 {
		t.Fatalf("campfire %s: %s", command[1], output)
	}
	c.start(t)
	c.wantThere(t, "message 0", "message 199")
	if status, body := c.up(t, "?full"); status != 200 {
		t.Errorf("/up?full: %d %s", status, body)
	}
	c.stop(t)
	if kept := must(filepath.Glob(database + ".*"))(t); len(kept) != 1 {
		t.Errorf("the damaged database is kept as %q", kept)
	}
}

// A large database is examined after the start, which need not wait for that; if it is damaged, the program ends and says so.
func TestALargeDamagedDatabaseEndsTheProgram(t *testing.T) {
	t.Parallel()
	c := newCampsite(t, t.TempDir())
	for i := range 200 {
		if err := c.says(t, strings.Repeat(fmt.Sprint("story ", i, " "), 2500)); err != nil {
			t.Fatal(err)
		}
	}
	c.stop(t)
	database := filepath.Join(c.data, "campfire.db")
	whole := must(os.ReadFile(database))(t)
	if len(whole) < 8<<20 {
		t.Fatalf("the database has %d bytes, which is not large", len(whole))
	}
	for i := len(whole) / 2; i < len(whole)*3/4; i++ {
		whole[i] = byte(i * 7)
	}
	if err := os.WriteFile(database, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	output, code := c.does(t, "--addr", "127.0.0.1:0", "--backups", "0")
	if code != 1 || !strings.Contains(output, "the database "+database+" is damaged: ") {
		t.Errorf("the program exits with %d: %s", code, output)
	}
}

// Damage that comes while the server runs is not seen by a plain /up, but by a full one.
func TestAFullUpSeesDamageThatComesLater(t *testing.T) {
	t.Parallel()
	c := newCampsite(t, t.TempDir())
	for i := range 100 {
		if err := c.says(t, strings.Repeat(fmt.Sprint("message ", i, " "), 50)); err != nil {
			t.Fatal(err)
		}
	}
	c.stop(t) // so that all is in the one file
	c.start(t)
	database := filepath.Join(c.data, "campfire.db")
	f := must(os.OpenFile(database, os.O_RDWR, 0))(t)
	defer f.Close()
	size := must(f.Stat())(t).Size()
	if _, err := f.WriteAt(make([]byte, size/4), size/2); err != nil {
		t.Fatal(err)
	}
	status, _ := c.up(t, "")
	fullStatus, body := c.up(t, "?full")
	if status != 200 || fullStatus != 503 || !strings.Contains(body, "damaged") {
		t.Errorf("/up: %d, /up?full: %d %s", status, fullStatus, body)
	}
	id := regexp.MustCompile(`request (\S+)`).FindStringSubmatch(body)
	if id == nil {
		t.Fatalf("/up?full names no request: %s", body)
	}
	c.server.says(t, `msg="not up" request=`+id[1])
}

func TestADamagedSearchIndexIsRepaired(t *testing.T) {
	t.Parallel()
	c := newCampsite(t, t.TempDir())
	for _, text := range []string{"the first lantern", "the second lantern"} {
		if err := c.says(t, text); err != nil {
			t.Fatal(err)
		}
	}
	found := func() int {
		t.Helper()
		a := c.at
		a.RoundTripper = http.DefaultTransport
		search := campfirev1connect.NewSearchServiceClient(&http.Client{Transport: a}, "http://campfire")
		return len(must(search.SearchMessages(t.Context(), &campfirev1.SearchMessagesRequest{Query: "lantern"}))(t).GetResults())
	}
	if got := found(); got != 2 {
		t.Fatalf("found %d", got)
	}
	c.stop(t)
	for _, damage := range []string{
		"DELETE FROM message_search_index_data WHERE id > 10",
		"DELETE FROM message_search_index_docsize",
		"INSERT INTO message_search_index (message_search_index) VALUES ('delete-all')",
		"UPDATE message_search_index_data SET block = zeroblob(20) WHERE id > 10",
	} {
		sql(t, filepath.Join(c.data, "campfire.db"), damage)
		if output, code := c.does(t, "check"); code != 1 || !strings.Contains(output, "campfire check --repair builds it anew") {
			t.Errorf("%s: check exits with %d: %s", damage, code, output)
		}
		if output, code := c.does(t, "check", "--repair"); code != 0 || !strings.Contains(output, "the search index was built anew") {
			t.Errorf("%s: the repair exits with %d: %s", damage, code, output)
		}
		c.start(t)
		if got := found(); got != 2 {
			t.Errorf("%s, repaired: found %d", damage, got)
		}
		c.stop(t)
		if output, code := c.does(t, "check"); code != 0 {
			t.Errorf("%s, repaired: %s", damage, output)
		}
	}
}

// smallDisk mounts a disk of a few bytes, or skips the test where that is not for us.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	folder := t.TempDir()
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", folder).CombinedOutput(); err != nil {
		t.Skipf("no disk can be mounted here: %v %s", err, output)
	}
	t.Cleanup(func() {
		if output, err := exec.Command("umount", "-l", folder).CombinedOutput(); err != nil {
			t.Errorf("umount %s: %v %s", folder, err, output)
		}
	})
	return folder
}

// The disk fills up: writers are told to come back, readers notice nothing, and with space all goes on by itself.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "8m")
	c := newCampsite(t, filepath.Join(disk, "data"))
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var kept []string
	say := func() error {
		text := fmt.Sprint("message ", len(kept), strings.Repeat(" is long", 200))
		err := c.says(t, text)
		if err == nil {
			kept = append(kept, text)
		}
		return err
	}
	var err error
	for err == nil && len(kept) < 10_000 {
		err = say()
	}
	if connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), "disk is full") || strings.Contains(err.Error(), "sqlite") {
		t.Fatalf("after %d messages: %v, want unavailable, and why", len(kept), err)
	}
	fill(t, filepath.Join(disk, "the rest"))
	for range 20 {
		if err := say(); err != nil && connect.CodeOf(err) != connect.CodeUnavailable {
			t.Errorf("again: %v", err)
		}
	}
	c.wantThere(t, kept...)
	status, _ := c.up(t, "")
	fullStatus, _ := c.up(t, "?full")
	if status != 200 || fullStatus != 503 {
		t.Errorf("/up: %d, /up?full: %d; want 200 and 503", status, fullStatus)
	}
	c.server.says(t, `level=ERROR msg="nothing can be written" request=`)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := say(); err != nil {
			t.Errorf("with space again: %v", err)
		}
	}
	c.wantThere(t, kept...)
	c.stop(t)
	if output, code := c.does(t, "check"); code != 0 {
		t.Errorf("check: %s", output)
	}
	c.start(t)
	c.wantThere(t, kept...)
	t.Logf("the disk was full after %d messages", len(kept)-20)
}

// fill takes the last byte of a disk.
func fill(t *testing.T, file string) {
	t.Helper()
	f := must(os.Create(file))(t)
	defer f.Close()
	for size := 1 << 16; size > 0; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
}

// A disk that becomes read-only under the server, and folders that are not the server's to write.
func TestFoldersThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	t.Run("a disk that turns read-only", func(t *testing.T) {
		t.Parallel()
		disk := smallDisk(t, "16m")
		c := newCampsite(t, disk)
		if err := c.says(t, "before"); err != nil {
			t.Fatal(err)
		}
		c.stop(t)
		if output, err := exec.Command("mount", "-o", "remount,ro", disk).CombinedOutput(); err != nil {
			t.Fatalf("remount: %v %s", err, output)
		}
		c.refusesToStart(t, `.*`+disk+`.*read-only file system.*`)
	})
	t.Run("of somebody else", func(t *testing.T) {
		t.Parallel()
		if os.Getuid() != 0 {
			t.Skip("only root can give files away")
		}
		c := newCampsite(t, openTempDir(t))
		c.stop(t)
		const nobody = 65534
		as := func(uid int, want string) {
			t.Helper()
			cmd := exec.Command(c.program, "--addr", "127.0.0.1:0", "--data", c.data)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
			output, err := cmd.CombinedOutput()
			if err == nil || !regexp.MustCompile(want).Match(output) || strings.Count(string(output), "\n") != 1 {
				t.Errorf("as user %d: %v, %q; want %s", uid, err, output, want)
			}
		}
		for folder := filepath.Dir(c.program); folder != os.TempDir(); folder = filepath.Dir(folder) {
			if err := os.Chmod(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		as(nobody, `^campfire: .*`+c.data+`.*permission denied`)
		if err := os.Chown(c.data, nobody, nobody); err != nil { // but not what is in it, as after a restore by root
			t.Fatal(err)
		}
		as(nobody, `^campfire: .*`+c.data+`/campfire.*permission denied`)
		if err := os.Chmod(c.data, 0o500); err != nil {
			t.Fatal(err)
		}
		for _, file := range must(filepath.Glob(filepath.Join(c.data, "*")))(t) {
			if err := os.Chown(file, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		as(nobody, `^campfire: .*`+c.data+`.*`)
	})
	t.Run("that are none", func(t *testing.T) {
		t.Parallel()
		c := &campsite{program: build(t), data: "/dev/null/campfire"}
		c.refusesToStart(t, `.*data folder.*`)
	})
}

// openTempDir is a folder that every user of this machine finds the way to.
func openTempDir(t *testing.T) string {
	t.Helper()
	folder := must(os.MkdirTemp("", "campfire"))(t)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

func TestASecondInstanceIsRefused(t *testing.T) {
	t.Parallel()
	c := newCampsite(t, t.TempDir())
	c.refusesToStart(t, "another Campfire is using the data folder "+c.data)
	if err := c.says(t, "undisturbed"); err != nil {
		t.Error(err)
	}
	_ = c.server.end(t, syscall.SIGKILL)
	c.start(t) // what a killed one leaves does not keep the next one out
	c.wantThere(t, "undisturbed")
}

// The clock was wrong by years, one way or the other, and is right again.
func TestTheClockJumps(t *testing.T) {
	t.Parallel()
	for _, years := range []int{-10, 10} {
		t.Run(fmt.Sprintf("%+d years", years), func(t *testing.T) {
			t.Parallel()
			c := newCampsite(t, t.TempDir())
			for _, text := range []string{"first", "second"} {
				if err := c.says(t, text); err != nil {
					t.Fatal(err)
				}
			}
			c.stop(t)
			c.start(t, "--backups", "2")
			c.server.says(t, `msg="backed up"`)
			c.stop(t)
			jump := time.Duration(years) * 365 * 24 * time.Hour
			shift(t, filepath.Join(c.data, "campfire.db"), jump)
			for _, backup := range must(filepath.Glob(filepath.Join(c.data, "backups", "*.db")))(t) {
				then := time.Now().Add(jump)
				if err := errors.Join(os.Chtimes(backup, then, then),
					os.Rename(backup, filepath.Join(filepath.Dir(backup), then.UTC().Format("campfire-20060102-150405.db")))); err != nil {
					t.Fatal(err)
				}
			}
			c.start(t, "--backups", "2")
			c.server.says(t, `msg="backed up"`)        // a backup from the future does not keep today's from being made
			if err := c.says(t, "third"); err != nil { // by the session from then
				t.Fatal(err)
			}
			messages, _ := c.at.client(t, 0)
			var said []string
			for _, m := range conversation(t, messages, c.room) {
				said = append(said, m.GetBodyText())
			}
			if fmt.Sprint(said) != "[first second third]" {
				t.Errorf("the conversation is %v", said)
			}
			a := c.at
			a.token, a.RoundTripper = "", http.DefaultTransport
			sessions := campfirev1connect.NewSessionServiceClient(&http.Client{Transport: a}, "http://campfire")
			if _, err := sessions.SignIn(t.Context(), &campfirev1.SignInRequest{EmailAddress: "david@campfire.example", Password: "secret"}); err != nil {
				t.Errorf("David signs in: %v", err)
			}
			_, events := c.at.client(t, 1)
			ctx, hangUp := context.WithTimeout(t.Context(), patience)
			defer hangUp()
			stream := must(events.Subscribe(ctx, &campfirev1.SubscribeRequest{}))(t)
			if !stream.Receive() || stream.Msg().GetHello() == nil {
				t.Errorf("no stream: %v", stream.Err())
			}
			c.stop(t)
			if output, code := c.does(t, "check"); code != 0 {
				t.Errorf("check: %s", output)
			}
		})
	}
}

// shift moves every time in a database, as if the clock had been wrong.
func shift(t *testing.T, file string, by time.Duration) {
	t.Helper()
	conn := must(sqlite.OpenConn(file, sqlite.OpenReadWrite))(t)
	defer conn.Close()
	var updates []string
	err := sqlitex.ExecuteTransient(conn, `SELECT tables.name, columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
		WHERE tables.type = 'table' AND columns.name LIKE '%\_at' ESCAPE '\'`, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		updates = append(updates, fmt.Sprintf("UPDATE %s SET %s = %[2]s + %d;", row.ColumnText(0), row.ColumnText(1), by.Microseconds()))
		return nil
	}})
	if err != nil || len(updates) < 5 {
		t.Fatalf("%d columns have times, %v", len(updates), err)
	}
	if err := sqlitex.ExecScript(conn, strings.Join(updates, "\n")); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseOfANewerCampfireIsRefused(t *testing.T) {
	t.Parallel()
	c := newCampsite(t, t.TempDir())
	c.stop(t)
	database := filepath.Join(c.data, "campfire.db")
	sql(t, database, "PRAGMA user_version = 99")
	before := must(os.ReadFile(database))(t)
	c.refusesToStart(t, `open \S+: made by a newer Campfire: its schema has version 99, this program knows \d+`)
	if after := must(os.ReadFile(database))(t); string(after) != string(before) {
		t.Error("it was changed nevertheless")
	}
	elsewhere := *c
	elsewhere.data = t.TempDir()
	if output, code := elsewhere.does(t, "restore", database); code != 1 || !strings.Contains(output, database+": made by a newer Campfire") {
		t.Errorf("restore exits with %d: %s", code, output)
	}
	if left := must(filepath.Glob(filepath.Join(elsewhere.data, "campfire.db*")))(t); len(left) > 0 {
		t.Errorf("a restore that is refused leaves %q", left)
	}
	sql(t, database, "PRAGMA application_id = 1")
	c.refusesToStart(t, `open \S+: .*`)
}

// A caller that neither speaks nor leaves does not keep the server from stopping.
func TestStoppingTakesTenSecondsAtMost(t *testing.T) {
	t.Parallel()
	c := newCampsite(t, t.TempDir())
	silent := must(net.Dial("tcp", c.server.host))(t)
	defer silent.Close()
	if _, err := io.WriteString(silent, "POST /campfire.v1.MessageService/PostMessage HTTP/1.1\r\nHost: campfire\r\nContent-Type: application/json\r\nAuthorization: Bearer "+
		c.at.token+"\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	_, events := c.at.client(t, 1)
	stream := must(events.Subscribe(t.Context(), &campfirev1.SubscribeRequest{}))(t)
	if !stream.Receive() {
		t.Fatal(stream.Err())
	}
	began := time.Now()
	c.stop(t)
	if took := time.Since(began); took > 11*time.Second {
		t.Errorf("it took %v", took)
	}
	if files := must(filepath.Glob(filepath.Join(c.data, "campfire.db*")))(t); len(files) != 1 {
		t.Errorf("stopped, it leaves %q, want the database alone", files)
	}
}
