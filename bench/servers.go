package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/crypto/bcrypt"
	"google.golang.org/protobuf/proto"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
)

// process is a server under load: Campfire, or the bare loops.
type process struct {
	cmd     *exec.Cmd
	address string
	metrics string        // its address
	ready   time.Duration // from its start to its first answer
	peak    float64       // the most memory that it had taken when it was stopped, in MB
	errors  chan error    // what it has logged as an error, once it has stopped
}

// start starts a server that logs where it listens, and waits until it answers.
func start(ctx context.Context, program string, args ...string) (p *process, err error) {
	p = &process{cmd: exec.CommandContext(ctx, program, args...), errors: make(chan error, 1)}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	log, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(log)
	for p.address == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("%s says %q", filepath.Base(program), lines.Text())
		}
		switch line.Msg {
		case "metrics":
			p.metrics = line.Address
		case "listening":
			p.address = line.Address
		}
	}
	go func() {
		var err error
		for lines.Scan() {
			if strings.Contains(lines.Text(), `"level":"ERROR"`) {
				err = errors.Join(err, errors.New(lines.Text()))
			}
		}
		p.errors <- err
	}()
	if _, err := get("http://" + p.address + "/up"); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	p.ready = time.Since(began)
	return p, nil
}

// stop ends the server as an operator would. What it has logged as an error is one.
func (p *process) stop() error {
	p.peak = p.mostMemory()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	logged := <-p.errors
	return errors.Join(logged, p.cmd.Wait())
}

// mostMemory is what Maxrss would be if it did not count the program that started this one, in MB; 0 without /proc.
func (p *process) mostMemory() float64 {
	kilobytes, _ := strconv.ParseFloat(system(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), `VmHWM:\s*(\d+)`), 64)
	return kilobytes * 1024 / 1e6
}

func get(url string) (body string, err error) {
	res, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", url, res.Status, data)
	}
	return string(data), err
}

// read reads one of a server's metrics.
func (p *process) read(name string) (float64, error) {
	all, err := get("http://" + p.metrics + "/metrics")
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(all, "\n"+name+" ")
	value, _, _ := strings.Cut(after, "\n")
	if !found {
		return 0, fmt.Errorf("no metric %s", name)
	}
	return strconv.ParseFloat(value, 64)
}

// await waits until a metric has a value.
func (p *process) await(name string, value float64) error {
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		got, err := p.read(name)
		if err == nil && got != value && time.Since(began) > patience {
			err = fmt.Errorf("%s is %g, not %g", name, got, value)
		}
		if err != nil || got == value {
			return err
		}
	}
}

// memory is what a server takes now, in MB.
func (p *process) memory() (float64, error) {
	bytes, err := p.read("process_resident_memory_bytes")
	return bytes / 1e6, err
}

// processor answers how many seconds of the processors a server has spent on some work.
func (p *process) processor(work func() error) (seconds float64, err error) {
	before, err := p.read("process_cpu_seconds_total")
	if err != nil {
		return 0, err
	}
	if err := work(); err != nil {
		return 0, err
	}
	after, err := p.read("process_cpu_seconds_total")
	return after - before, err
}

// machine describes where the figures were measured, without its name.
func machine() string {
	model, kernel := system("/proc/cpuinfo", `model name\s*: (.+)`), system("/proc/sys/kernel/osrelease", `^([0-9.]*[0-9])`)
	return fmt.Sprintf("%d cores (%s), %s %s, %s", runtime.NumCPU(), cmp.Or(model, runtime.GOARCH), runtime.GOOS, kernel, runtime.Version())
}

// system is what is found in a file in which the system tells about itself; empty where it does not.
func system(file, wanted string) string {
	text, _ := os.ReadFile(file)
	found := regexp.MustCompile(wanted).FindSubmatch(text)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// runOnce runs a command of the program and answers what it prints.
func runOnce(ctx context.Context, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(program), args[0], err, out)
	}
	return string(out), err
}

// house is a data folder with people, rooms and messages in it, and Campfire on it.
type house struct {
	*process
	folder   string
	tokens   []string // of the people's sessions
	hall     int64    // the room that all people are in
	history  int64    // the room that has one
	rooms    int      // that the first person is in, beside these
	messages int      // in the one with a history
}

// newHouse lets people join and talk, then opens the house. They come in through the store, as the doors would let ten
// in within three minutes, and hash each password for a quarter of a second.
func (b *bench) newHouse(ctx context.Context, people, rooms, messages int, settings ...string) (h *house, err error) {
	h = &house{}
	if h.folder, err = os.MkdirTemp(b.scratch, "data-"); err != nil {
		return nil, err
	}
	if err := h.fill(ctx, people, rooms, messages); err != nil {
		return nil, err
	}
	return h, h.open(ctx, b, settings...)
}

func (h *house) open(ctx context.Context, b *bench, settings ...string) (err error) {
	h.process, err = start(ctx, b.binary, append([]string{
		"--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0", "--data", h.folder, "--log", "json", "--backups", "0",
	}, settings...)...)
	b.running = h.process
	return err
}

// end stops what a load that failed has left running.
func (b *bench) end() error {
	if b.running == nil || b.running.cmd.ProcessState != nil {
		return nil
	}
	return b.running.stop()
}

// The first people of a house, by their ids.
const (
	david = iota + 1
	jason
	outsider // in no room but the hall
)

// fill adds people, rooms and messages to the house.
func (h *house) fill(ctx context.Context, people, rooms, messages int) (err error) {
	st, err := store.Open(ctx, h.folder, store.Options{PasswordCost: bcrypt.MinCost})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if len(h.tokens) == 0 {
		token, _, err := st.SetUp(ctx, person("David"), store.Device{})
		if err != nil {
			return err
		}
		h.tokens = append(h.tokens, token)
		hall, _, err := st.ListRooms(ctx, david, false)
		if err != nil {
			return err
		}
		room, err := st.CreateRoom(ctx, david, store.NewRoom{Kind: store.ClosedRoom, Name: "The whole history"})
		if err != nil {
			return err
		}
		h.hall, h.history = hall[0].ID, room.ID
	}
	code, err := st.GetJoinCode(ctx)
	if err != nil {
		return err
	}
	var joined []int64
	for len(h.tokens) < people {
		token, user, err := st.Join(ctx, code, person("Person "+strconv.Itoa(len(h.tokens)+1)), store.Device{})
		if err != nil {
			return err
		}
		h.tokens = append(h.tokens, token)
		if user.ID != outsider {
			joined = append(joined, user.ID)
		}
	}
	for some := range slices.Chunk(joined, 1000) {
		if _, err := st.UpdateRoom(ctx, david, h.history, store.RoomChanges{Grant: some}); err != nil {
			return err
		}
	}
	for ; h.rooms < rooms; h.rooms++ {
		room, err := st.CreateRoom(ctx, david, store.NewRoom{Kind: store.ClosedRoom, Name: fmt.Sprint("Room ", h.rooms), MemberIDs: []int64{jason}})
		if err != nil {
			return err
		}
		if _, err := st.PostMessage(ctx, jason, store.Post{RoomID: room.ID, Body: said("Welcome, David")}); err != nil {
			return err
		}
	}
	return h.talk(ctx, st, messages)
}

// talk lets the first two people talk until there is a history of so many messages: a few have a rare word, all a common
// one.
func (h *house) talk(ctx context.Context, st *store.Store, messages int) error {
	var group sync.WaitGroup
	var next atomic.Int64
	next.Store(int64(h.messages))
	failed := make([]error, 64)
	for i := range failed {
		group.Go(func() {
			for n := next.Add(1); n <= int64(messages) && failed[i] == nil; n = next.Add(1) {
				text := fmt.Sprintf("A common message, w%d, of about as many words as people write when they talk", n%1000)
				if n%(int64(messages)/rareMessages+1) == 1 {
					text += " of hovercraft"
				}
				_, failed[i] = st.PostMessage(ctx, david+n%2, store.Post{RoomID: h.history, Body: said(text)})
			}
		})
	}
	group.Wait()
	h.messages = messages
	return cmp.Or(failed...)
}

// rareMessages is about how many messages of a history have the rare word.
const rareMessages = 5

func said(text string) store.Body { return store.Body{HTML: text, Text: text, Kind: store.Text} }

func person(name string) store.Person {
	return store.Person{Name: name, EmailAddress: strings.ReplaceAll(name, " ", ".") + "@campfire.example", Password: "secret123456"}
}

// plain is before the path of a handler that does not compress its empty answer, as Connect's do unless told otherwise.
const plain = "/plain"

// silent answers nothing to a call: what the wire alone costs.
func silent[Request, Response any](mux *http.ServeMux, procedure string) {
	answer := func(context.Context, *connect.Request[Request]) (*connect.Response[Response], error) {
		return connect.NewResponse(new(Response)), nil
	}
	mux.Handle(procedure, connect.NewUnaryHandler(procedure, answer))
	mux.Handle(plain+procedure, connect.NewUnaryHandler(procedure, answer, connect.WithCompressMinBytes(1)))
}

const subscribe = campfirev1connect.EventServiceSubscribeProcedure

// idle says hello on a stream and keeps it open.
func idle(ctx context.Context, _ *connect.Request[campfirev1.SubscribeRequest], out *connect.ServerStream[campfirev1.SubscribeResponse]) error {
	hello := &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_Hello{Hello: &campfirev1.Hello{}}}
	err := out.Send(hello)
	<-ctx.Done()
	return err
}

// parts are the other processes of the benchmark.
var parts = map[string]func(context.Context) error{"bare": serveBare, "posters": servePosters}

func startBare(ctx context.Context) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, self, "bare")
}

// serveBare is the other process of the benchmark: the bare loops that need a socket, until ctx ends.
func serveBare(ctx context.Context) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	mux := http.NewServeMux()
	silent[campfirev1.PostMessageRequest, campfirev1.PostMessageResponse](mux, campfirev1connect.MessageServicePostMessageProcedure)
	silent[campfirev1.ListMessagesRequest, campfirev1.ListMessagesResponse](mux, campfirev1connect.MessageServiceListMessagesProcedure)
	silent[campfirev1.ListRoomsRequest, campfirev1.ListRoomsResponse](mux, campfirev1connect.RoomServiceListRoomsProcedure)
	silent[campfirev1.SearchMessagesRequest, campfirev1.SearchMessagesResponse](mux, campfirev1connect.SearchServiceSearchMessagesProcedure)
	mux.Handle(subscribe, connect.NewServerStreamHandler(subscribe, idle))
	mux.HandleFunc("/up", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/metrics", promhttp.Handler())
	mux.Handle("/frames", &frames{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	log.Info("metrics", "address", listener.Addr().String())
	log.Info("listening", "address", listener.Addr().String())
	err = srv.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// frames writes ready frames to as many connections as ask for it together: what a fan-out costs that has no queues, no
// audience and nothing to encode. The request's body is the event to write.
type frames struct {
	mu    sync.Mutex
	conns []net.Conn
}

// ServeHTTP implements http.Handler. The query says how many connections there will be, how many frames each gets, and how
// long to wait between two; if not at all, a goroutine for each connection writes one frame after the other.
func (f *frames) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	streams, _ := strconv.Atoi(query.Get("streams")) // the benchmark itself asks
	count, _ := strconv.Atoi(query.Get("count"))
	every, _ := time.ParseDuration(query.Get("every"))
	event := &campfirev1.SubscribeResponse{}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, proto.Unmarshal(body, event)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") // the next write has the same error
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conns = append(f.conns, conn); len(f.conns) < streams {
		return
	}
	conns := f.conns
	f.conns = nil
	if every == 0 {
		ready := chunkOf(body)
		for _, conn := range conns {
			go func() {
				write(conn, ready, count)
				untilHungUp(conn)
			}()
		}
		return
	}
	go func() {
		for range time.Tick(every) {
			event.GetMessageCreated().GetMessage().ClientMessageId = sentAt(time.Now())
			body, _ := proto.Marshal(event) // it was one before
			for _, conn := range conns {
				write(conn, chunkOf(body), 1)
			}
			if count--; count == 0 {
				break
			}
		}
		for _, conn := range conns {
			go untilHungUp(conn)
		}
	}()
}

// chunkOf is a frame of a stream as HTTP/1.1 sends it.
func chunkOf(event []byte) []byte {
	frame := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(event))), event...)
	return fmt.Appendf(nil, "%x\r\n%s\r\n", len(frame), frame)
}

// write writes the same bytes so often. Whoever has hung up is written to no more.
func write(conn net.Conn, bytes []byte, count int) {
	for range count {
		if _, err := conn.Write(bytes); err != nil {
			return
		}
	}
}

func untilHungUp(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn) // nothing comes
	_ = conn.Close()
}

// bareRows is how many messages a second SQLite makes durable and searchable, as many in a transaction as there are callers.
func (b *bench) bareRows() (perSecond float64, err error) {
	folder, err := os.MkdirTemp(b.scratch, "rows-")
	if err != nil {
		return 0, err
	}
	conn, err := sqlite.OpenConn(filepath.Join(folder, "rows.db"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	exec := func(sql string, args ...any) {
		if err == nil {
			err = sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args})
		}
	}
	exec("PRAGMA journal_mode = WAL")
	exec("PRAGMA synchronous = FULL")
	exec("CREATE TABLE messages (id INTEGER PRIMARY KEY, room_id INTEGER, creator_id INTEGER, client_message_id TEXT, body TEXT, created_at INTEGER)")
	exec("CREATE UNIQUE INDEX messages_by_client_id ON messages (room_id, client_message_id)")
	exec("CREATE VIRTUAL TABLE search USING fts5 (body, content = 'messages', content_rowid = 'id', tokenize = 'porter unicode61')")
	rows, began := 0, time.Now()
	for err == nil && time.Since(began) < b.length {
		exec("BEGIN IMMEDIATE")
		for range callers {
			rows++
			text := "Lunch at noon? I have seen the new plans, p0x" + strconv.Itoa(rows)
			exec("INSERT INTO messages VALUES (?, 1, 1, ?, ?, ?)", rows, sentAt(time.Now())+strconv.Itoa(rows), text, time.Now().UnixMicro())
			exec("INSERT INTO search (rowid, body) VALUES (?, ?)", rows, text)
		}
		exec("COMMIT")
	}
	return float64(rows) / time.Since(began).Seconds(), err
}
