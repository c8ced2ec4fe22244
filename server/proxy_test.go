package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	campfirev1 "campfire.example/gen/campfire/v1"
)

// scissors is a proxy that cuts each connection after so many bytes of the server's.
type scissors struct {
	net.Listener
	hold   bool // what is cut stays open, and silent
	target string
	after  atomic.Int64 // of the next connection
	passed atomic.Int64 // by the newest connection
	head   atomic.Int64 // of that, until the answer's body, by HTTP/1.1
}

func newScissors(t testing.TB, target string) *scissors {
	s := &scissors{Listener: must(net.Listen("tcp", "127.0.0.1:0"))(t), target: strings.TrimPrefix(target, "http://")}
	ctx, end := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := s.Accept()
			if err != nil {
				return
			}
			group.Go(func() { s.pass(ctx, client, s.after.Load()) })
		}
	})
	t.Cleanup(func() {
		s.Close()
		end()
		group.Wait()
	})
	return s
}

func (s *scissors) pass(ctx context.Context, client net.Conn, after int64) {
	defer client.Close()
	server, err := net.Dial("tcp", s.target)
	if err != nil {
		return
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() {
		client.Close()
		server.Close()
	})()
	go func() {
		_, _ = io.Copy(server, client) // until either is gone
		server.Close()
	}()
	buffer, passed, head := make([]byte, 32<<10), int64(0), int64(0)
	for passed < after {
		n, err := server.Read(buffer[:min(int64(len(buffer)), after-passed)])
		if end := bytes.Index(buffer[:n], []byte("\r\n\r\n")); end >= 0 && head == 0 {
			head = passed + int64(end) + 4
			s.head.Store(head)
		}
		passed += int64(n)
		if _, writeErr := client.Write(buffer[:n]); err != nil || writeErr != nil {
			return
		}
		s.passed.Store(passed)
	}
	if s.hold {
		<-ctx.Done()
	}
}

// dial is a way through the proxy, wherever one wants to go.
func (s *scissors) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, s.Addr().String())
}

// Wherever a stream is cut, in its headers, between its frames or amid one: who resumes has heard everything, once and in
// order.
func TestAStreamMayBeCutAnywhere(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	beginning := jason.listen(t)
	story := tellAStory(t, campfire, david, beginning)
	for i, w := range allWays {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			proxy := newScissors(t, campfire.url)
			w.dial = proxy.dial
			reader := jason.by(w)
			hear := func(token string, want int) (heard []string, newest string) {
				stream := reader.subscribe(t, token)
				defer stream.hangUp()
				for newest = token; len(heard) < want; {
					var e *campfirev1.SubscribeResponse
					select {
					case e = <-stream.events: // nil once it has ended
					case <-time.After(patience):
						t.Fatalf("resumed from %q, heard only %q", token, heard)
					}
					if e == nil {
						return heard, newest
					}
					if told(e) != "" && e.GetHello() == nil {
						heard = append(heard, told(e))
					}
					if e.GetResumeToken() != "" {
						newest = e.GetResumeToken()
					}
				}
				return heard, newest
			}
			const whole = 1 << 40
			proxy.after.Store(whole)
			if heard, _ := hear(beginning.token, len(story)); !slices.Equal(heard, story) {
				t.Fatalf("uncut, heard %q, want %q", heard, story)
			}
			reader.http.CloseIdleConnections()
			all, head := proxy.passed.Load(), proxy.head.Load()
			cuts := 0
			for n := int64(1); n < all; n++ {
				// The first frames byte by byte, by one protocol; the rest in steps.
				if dense := i == 0 && n > head && n < head+400; !dense && n%41 != int64(i) {
					continue
				}
				cuts++
				proxy.after.Store(n)
				heard, token := hear(beginning.token, len(story))
				proxy.after.Store(whole)
				rest, _ := hear(token, len(story)-len(heard))
				if heard := append(heard, rest...); !slices.Equal(heard, story) {
					t.Fatalf("cut after %d of %d bytes, heard %q, want %q", n, all, heard, story)
				}
				reader.http.CloseIdleConnections()
			}
			t.Logf("%d cuts within %d bytes", cuts, all)
		})
	}
}

// tellAStory lets much happen that a stream can resume over, and answers how it is told to one who resumes.
func tellAStory(t *testing.T, campfire *campfire, david *person, from *listener) (story []string) {
	t.Helper()
	edited := david.post(t, campfire.Designers, "to be edited")
	boosted := david.post(t, campfire.AllTalk, "to be boosted")
	deleted := david.post(t, campfire.Designers, "to be deleted")
	david.edit(t, edited, "edited")
	david.boost(t, boosted, "👍")
	david.delete(t, deleted)
	david.post(t, campfire.Designers, strings.Repeat("long ", 100))
	david.post(t, campfire.AllTalk, "the end")
	last := ""
	for stream := campfire.as("Jason").resume(t, from.token); last != `created "the end"`; {
		last = told(stream.next(t))
		story = append(story, last)
	}
	return story
}

// A telephone that drives into a tunnel closes nothing: its connection stays, and is silent. HTTP/2 asks whether it is
// still there, and gives up after half a minute.
func TestAPeerWhoFallsSilentIsFoundOut(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.timing.heartbeat = time.Hour })
	proxy := newScissors(t, campfire.url)
	proxy.hold = true
	proxy.after.Store(1500) // beyond hello
	for _, w := range []way{overH2C, overGRPC} {
		w.dial = proxy.dial
		jason := campfire.again("Jason", w)
		jason.listen(t)
		for range 20 { // what it hears no more
			campfire.again("David").post(t, campfire.Designers, "are you there?")
		}
	}
	began := time.Now()
	for streams := openOf(campfire); streams > 0; streams = openOf(campfire) {
		if time.Since(began) > 2*patience {
			t.Fatalf("%d streams of silent peers are still open", streams)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// nginxTimeout is for how long nginx waits for the next byte of a server: less than from one heartbeat to the next.
const nginxTimeout = 5 * time.Second

// Behind nginx as it comes, but for that: what happens is heard at once, however little it is, and nothing is lost or
// doubled when it cuts whatever is silent.
func TestStreamsThroughNginx(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("there is no nginx here; .ci/install nginx brings one")
	}
	campfire := newCampfire(t)
	plain, grpc := startNginx(t, program, campfire.url)
	david, jason := campfire.as("David"), campfire.as("Jason")
	var readers []*person
	for _, w := range allWays {
		front := plain
		if strings.HasPrefix(w.name, "gRPC ") {
			front = grpc
		} else if w.h2c {
			continue // nginx speaks HTTP/2 to servers only by grpc_pass
		}
		w.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, front)
		}
		readers = append(readers, jason.by(w))
	}
	wantEqual(t, "protocols through nginx", len(readers), 5)
	streams := make([]*listener, len(readers))
	postLive := func(text string) {
		t.Helper()
		began := time.Now()
		david.post(t, campfire.Designers, text)
		for i, stream := range streams {
			stream.hears(t, fmt.Sprintf("created %q", text))
			if took := time.Since(began); took > nginxTimeout/2 {
				t.Errorf("by %s: it took %v through nginx, want it at once", readers[i].way.name, took)
			}
		}
	}
	for i, reader := range readers {
		streams[i] = reader.listen(t)
		reader.enter(t, campfire.Designers, streams[i])
	}
	postLive("live")
	for range 2 {
		for i, stream := range streams {
			rest, err := stream.end(t)
			if err == nil || len(rest) > 0 {
				t.Errorf("by %s: cut with %v after %v, want an error and nothing before it", readers[i].way.name, err, rest)
			}
		}
		david.post(t, campfire.Designers, "while all were cut")
		david.post(t, campfire.Designers, "also then")
		for i, reader := range readers {
			streams[i] = reader.resume(t, streams[i].token)
			streams[i].hears(t, `created "while all were cut"`, `created "also then"`)
		}
		postLive("live again")
	}
}

// startNginx starts one in front of a server, as it is configured if one gives it no thought.
func startNginx(t *testing.T, program, url string) (plain, grpc string) {
	t.Helper()
	folder := t.TempDir()
	plain, grpc = freeAddress(t), freeAddress(t)
	backend := strings.TrimPrefix(url, "http://")
	config := fmt.Sprintf(`
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
	server { listen %s; location / { proxy_pass http://%s; proxy_read_timeout %[3]ds; } }
	server { listen %[4]s http2; location / { grpc_pass grpc://%[2]s; grpc_read_timeout %[3]ds; } }
}`, plain, backend, int(nginxTimeout.Seconds()), grpc)
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, log := exec.Command(program, "-p", folder, "-c", file), &logbook{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has nothing to lose
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx says: %s", log)
		}
	})
	for _, address := range []string{plain, grpc} {
		eventually(t, "nginx listens", func() bool {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
	}
	return plain, grpc
}

func freeAddress(t *testing.T) string {
	t.Helper()
	socket := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer socket.Close()
	return socket.Addr().String()
}
