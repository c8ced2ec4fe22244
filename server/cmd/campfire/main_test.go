package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
)

// patience bounds every wait for what must happen. Only a test that fails takes it.
const patience = 30 * time.Second

// build makes the program as make build does, with what that has compiled already.
func build(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "campfire")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	return program
}

// process is the program, running.
type process struct {
	cmd    *exec.Cmd
	log    *logbook
	host   string // where it listens
	exited chan struct{}
	err    error // how it exited, after that
}

// start starts the program on a data folder, and waits until it is up.
func start(t *testing.T, program, data string, settings ...string) *process {
	t.Helper()
	p := launch(t, program, append([]string{"--addr", "127.0.0.1:0", "--data", data}, settings...)...)
	p.host = p.says(t, `msg=listening address=(\S+)`)
	res, err := http.Get("http://" + p.host + "/up")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("/up answers %s", res.Status)
	}
	return p
}

// launch starts a program. It is killed when the test ends.
func launch(t *testing.T, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), log: &logbook{}, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.run(t)
	return p
}

func (p *process) run(t *testing.T) {
	t.Helper()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may be over
		<-p.exited
		if t.Failed() {
			t.Logf("the log of %v:\n%s", p.cmd.Args, p.log)
		}
	})
}

// says waits until the log says something, and answers the first group of the pattern.
func (p *process) says(t *testing.T, pattern string) string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(time.Millisecond) {
		if found := wanted.FindStringSubmatch(p.log.String()); found != nil {
			return found[len(found)-1]
		}
		select {
		case <-p.exited:
			t.Fatalf("the program ends by %v", p.err)
		default:
		}
	}
	t.Fatalf("the log does not say %s", pattern)
	return ""
}

// end sends a signal and waits for the program to exit.
func (p *process) end(t *testing.T, signal syscall.Signal) error {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.exited:
		return p.err
	case <-time.After(patience):
		t.Fatalf("the program does not end by %v", signal)
		return nil
	}
}

type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// address finds the program wherever it listens now, as a name in the DNS would, and says who is calling.
type address struct {
	host  *atomic.Pointer[string]
	token string
	http.RoundTripper
}

func (a address) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Host = *a.host.Load()
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	return a.RoundTripper.RoundTrip(r)
}

// client is one more program of somebody, over one protocol or another.
func (a address) client(t *testing.T, number int) (campfirev1connect.MessageServiceClient, campfirev1connect.EventServiceClient) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(number%2 == 0)
	transport.Protocols.SetUnencryptedHTTP2(number%2 == 1)
	t.Cleanup(transport.CloseIdleConnections)
	a.RoundTripper = transport
	var options []connect.ClientOption
	switch number % 4 {
	case 2:
		options = append(options, connect.WithProtoJSON())
	case 3:
		options = append(options, connect.WithGRPC())
	}
	httpClient := &http.Client{Transport: a}
	return campfirev1connect.NewMessageServiceClient(httpClient, "http://campfire", options...),
		campfirev1connect.NewEventServiceClient(httpClient, "http://campfire", options...)
}

// Killed in the midst of traffic and started again, twice: what was acknowledged is there, once and in order, and all who
// listen hear everything, once and in order.
func TestNothingIsLostWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	const posters, listeners, kills, postsBetween = 16, 20, 2, 300
	program, data := build(t), t.TempDir()
	running := start(t, program, data)
	everywhere := address{host: new(atomic.Pointer[string])}
	everywhere.host.Store(&running.host)
	everywhere.token = setUp(t, everywhere)
	roomID := firstRoom(t, everywhere)

	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	var heard [listeners][]*campfirev1.Message
	var listening, group sync.WaitGroup
	listening.Add(listeners)
	for i := range listeners {
		_, events := everywhere.client(t, i)
		group.Go(func() { heard[i] = listen(ctx, t, events, listening.Done) })
	}
	listening.Wait()

	var acknowledged atomic.Int64
	var answers [posters][]*campfirev1.Message
	done := make(chan struct{})
	var posting sync.WaitGroup
	for i := range posters {
		messages, _ := everywhere.client(t, i)
		posting.Go(func() {
			pace := time.NewTicker(20 * time.Millisecond) // else a listener who comes late has missed too much
			defer pace.Stop()
			for j := 0; ; j++ {
				select {
				case <-done:
					return
				case <-pace.C:
				}
				m := post(ctx, t, messages, roomID, fmt.Sprintf("%d of poster %d", j, i))
				if m == nil {
					return
				}
				answers[i] = append(answers[i], m)
				acknowledged.Add(1)
			}
		})
	}
	awaitPosts := func(posts int64) {
		t.Helper()
		for acknowledged.Load() < posts {
			if ctx.Err() != nil || t.Failed() {
				t.Fatalf("only %d posts were acknowledged, want %d", acknowledged.Load(), posts)
			}
			time.Sleep(time.Millisecond)
		}
	}
	for i := range int64(kills) {
		awaitPosts((i + 1) * postsBetween)
		_ = running.end(t, syscall.SIGKILL)
		running = start(t, program, data)
		everywhere.host.Store(&running.host)
	}
	awaitPosts((kills + 1) * postsBetween)
	second := exec.CommandContext(ctx, program, "--addr", "127.0.0.1:0", "--data", data)
	if output, err := second.CombinedOutput(); err == nil || !strings.Contains(string(output), data) {
		t.Errorf("a second program on the same data ends with %v, %q; want an error that names the folder", err, output)
	}
	close(done)
	posting.Wait()
	messages, _ := everywhere.client(t, 0)
	last := post(ctx, t, messages, roomID, theEnd)
	group.Wait()
	if t.Failed() {
		return
	}

	room := conversation(t, messages, roomID)
	t.Logf("%d messages were acknowledged, through %d kills", acknowledged.Load(), kills)
	if got, want := int64(len(room)), acknowledged.Load()+1; got != want {
		t.Errorf("the room has %d messages, want the %d that were acknowledged", got, want)
	}
	kept := map[string]*campfirev1.Message{}
	for i, m := range room {
		if i > 0 && m.GetId() <= room[i-1].GetId() {
			t.Errorf("message %d comes after message %d", m.GetId(), room[i-1].GetId())
		}
		if kept[m.GetClientMessageId()] != nil {
			t.Errorf("%s is there twice", m.GetClientMessageId())
		}
		kept[m.GetClientMessageId()] = m
	}
	for i, answers := range append(answers[:], []*campfirev1.Message{last}) {
		for j, m := range answers {
			if k := kept[m.GetClientMessageId()]; k.GetId() != m.GetId() || k.GetBodyText() != m.GetBodyText() {
				t.Errorf("poster %d was answered %v, the room has %v", i, m, k)
			}
			if j > 0 && m.GetId() <= answers[j-1].GetId() {
				t.Errorf("poster %d's post %d has id %d, the one before %d", i, j, m.GetId(), answers[j-1].GetId())
			}
		}
	}
	want := ids(room)
	for i := range heard {
		got := ids(heard[i])
		if same := firstDifference(got, want); same < max(len(got), len(want)) {
			t.Errorf("listener %d heard %d messages, want all %d, once and in order: it goes wrong after %d, with %v for %v",
				i, len(got), len(want), same, got[same:min(same+3, len(got))], want[same:min(same+3, len(want))])
		}
	}

	if err := running.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("told to stop, the program exits with %v", err)
	}
	if files := must(filepath.Glob(filepath.Join(data, "campfire.db*")))(t); len(files) != 1 {
		t.Errorf("stopped, it leaves %q, want the database alone", files)
	}
}

const theEnd = "the end"

// post posts until it is acknowledged, always as the same message.
func post(ctx context.Context, t *testing.T, messages campfirev1connect.MessageServiceClient, roomID int64, text string) *campfirev1.Message {
	for {
		res, err := messages.PostMessage(ctx, &campfirev1.PostMessageRequest{
			RoomId: roomID, ClientMessageId: text, Body: &campfirev1.PostMessageRequest_Text{Text: text},
		})
		if err == nil {
			return res.GetMessage()
		}
		if ctx.Err() != nil || !retriable(err) {
			t.Errorf("post %s: %v", text, err)
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// listen hears until the end, through as many streams as it takes.
func listen(ctx context.Context, t *testing.T, events campfirev1connect.EventServiceClient, listening func()) (heard []*campfirev1.Message) {
	token, first := "", sync.OnceFunc(listening)
	defer first()
	for ctx.Err() == nil {
		err := func() error {
			ctx, hangUp := context.WithCancel(ctx)
			defer hangUp()
			stream, err := events.Subscribe(ctx, &campfirev1.SubscribeRequest{ResumeToken: token})
			if err != nil {
				return err
			}
			for stream.Receive() {
				e := stream.Msg()
				if e.GetResumeToken() != "" {
					token = e.GetResumeToken()
				}
				first()
				switch {
				case e.GetMessageCreated() != nil:
					heard = append(heard, e.GetMessageCreated().GetMessage())
					if heard[len(heard)-1].GetBodyText() == theEnd {
						return nil
					}
				case e.GetResyncRequired() != nil, e.GetMessageUpdated() != nil:
					return connect.NewError(connect.CodeInternal, fmt.Errorf("heard %v", e))
				}
			}
			if stream.Err() == nil {
				return connect.NewError(connect.CodeInternal, errors.New("the stream has ended without an error"))
			}
			return stream.Err()
		}()
		if err == nil {
			return heard
		}
		if !retriable(err) {
			t.Errorf("listening: %v", err)
			return heard
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the end was not heard")
	return heard
}

// retriable tells whether an error is one of a server that is gone, rather than an answer.
func retriable(err error) bool {
	switch connect.CodeOf(err) {
	case connect.CodeUnavailable:
		return true
	case connect.CodeUnknown, connect.CodeInternal, connect.CodeInvalidArgument, connect.CodeCanceled:
		return !connect.IsWireError(err)
	default:
		return false
	}
}

func setUp(t *testing.T, a address) (token string) {
	t.Helper()
	a.RoundTripper = http.DefaultTransport
	accounts := campfirev1connect.NewAccountServiceClient(&http.Client{Transport: a}, "http://campfire")
	res, err := accounts.SetUp(t.Context(), &campfirev1.SetUpRequest{Name: "David", EmailAddress: "david@campfire.example", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetSessionToken()
}

func firstRoom(t *testing.T, a address) int64 {
	t.Helper()
	a.RoundTripper = http.DefaultTransport
	rooms := campfirev1connect.NewRoomServiceClient(&http.Client{Transport: a}, "http://campfire")
	res, err := rooms.ListRooms(t.Context(), &campfirev1.ListRoomsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetRooms()[0].GetId()
}

func conversation(t *testing.T, client campfirev1connect.MessageServiceClient, roomID int64) (messages []*campfirev1.Message) {
	t.Helper()
	for {
		page := &campfirev1.ListMessagesRequest{RoomId: roomID, PageSize: 100}
		if len(messages) > 0 {
			page.Anchor = &campfirev1.ListMessagesRequest_Before{Before: messages[0].GetId()}
		}
		res, err := client.ListMessages(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(res.GetMessages(), messages...)
		if !res.GetHasOlder() {
			return messages
		}
	}
}

func ids(messages []*campfirev1.Message) (ids []int64) {
	for _, m := range messages {
		ids = append(ids, m.GetId())
	}
	return ids
}

// firstDifference is where two lists begin to differ, or where they end.
func firstDifference(a, b []int64) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
