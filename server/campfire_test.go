package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
	"campfire.example/store/storetest"
)

// patience bounds every wait for what must happen. Only a test that fails takes it.
const patience = 30 * time.Second

// campfire is a server over storetest, wired as main wires it, on a port of its own.
type campfire struct {
	*storetest.Campfire
	t      testing.TB
	server *Server
	url    string
	log    *logbook
	stop   func() error // as a signal would; answers what Serve answers
}

// setup is how a campfire is set up, where a test wants it otherwise than main does.
type setup struct {
	Config
	timing       timing
	socketBuffer int // of the server's side of each connection, in bytes; 0 for what the system gives
	messages     int // of David's in Designers, from before the server started
}

func newCampfire(t testing.TB, otherwise ...func(*setup)) *campfire {
	t.Helper()
	c := &campfire{Campfire: storetest.New(t), t: t, log: &logbook{}}
	setup := setup{Config: Config{Version: "1.2.3", Log: slog.New(slog.NewTextHandler(c.log, nil))}, timing: defaultTiming}
	for _, change := range otherwise {
		change(&setup)
	}
	if setup.messages > 0 {
		c.fill(setup.messages)
	}
	c.server = New(c.Store, setup.Config)
	c.server.timing = setup.timing
	c.server.handler = c.server.routes() // once more, as the streams' handler knows its timing
	sockets := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	c.url = "http://" + sockets.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- c.server.Serve(ctx, narrowListener{sockets, setup.socketBuffer}) }()
	c.stop = sync.OnceValue(func() error {
		stop()
		return <-served
	})
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Errorf("Serve: got %v, want nil", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", c.log)
		}
	})
	return c
}

// fill puts messages into Designers faster than by posting them.
func (c *campfire) fill(messages int) {
	c.t.Helper()
	if err := c.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.sql(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?)
		INSERT INTO messages (id, room_id, creator_id, client_message_id, body_html, body_text, kind, created_at, revision)
		SELECT i, ?, ?, i, 'Hello', 'Hello', 'text', 0, i FROM n`, messages, c.Designers.ID, c.David.ID)
	c.sql("UPDATE revisions SET latest = ?", messages)
	c.Store = storetest.Open(c.t, c.Folder)
}

// sql changes the database behind the store's back.
func (c *campfire) sql(sql string, args ...any) {
	c.t.Helper()
	conn := must(sqlite.OpenConn(filepath.Join(c.Folder, store.FileName), sqlite.OpenReadWrite))(c.t)
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{Args: args}); err != nil {
		c.t.Fatalf("%s: %v", sql, err)
	}
}

// query reads one text from the database behind the store's back.
func (c *campfire) query(sql string) (text string) {
	c.t.Helper()
	conn := must(sqlite.OpenConn(filepath.Join(c.Folder, store.FileName), sqlite.OpenReadOnly))(c.t)
	defer conn.Close()
	err := sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		text = row.ColumnText(0)
		return nil
	}})
	if err != nil {
		c.t.Fatalf("%s: %v", sql, err)
	}
	return text
}

// narrowListener makes the buffers of its sockets small, so that a reader who stands still is felt soon.
type narrowListener struct {
	net.Listener
	buffer int
}

func (l narrowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil && l.buffer > 0 {
		err = conn.(*net.TCPConn).SetWriteBuffer(l.buffer)
	}
	return conn, err
}

// logbook is what the server has logged.
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

// way is a protocol over a version of HTTP.
type way struct {
	name    string
	h2c     bool
	options []connect.ClientOption
	narrow  int // the buffers on the client's side, in bytes; 0 for what the system gives
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

var (
	overHTTP1 = way{name: "Connect protobuf over HTTP/1.1"}
	overH2C   = way{name: "Connect protobuf over h2c", h2c: true}
	overGRPC  = way{name: "gRPC over h2c", h2c: true, options: []connect.ClientOption{connect.WithGRPC()}}
	allWays   = []way{
		overHTTP1,
		{name: "Connect JSON over HTTP/1.1", options: []connect.ClientOption{connect.WithProtoJSON()}},
		{name: "gRPC-Web over HTTP/1.1", options: []connect.ClientOption{connect.WithGRPCWeb()}},
		overH2C,
		{name: "Connect JSON over h2c", h2c: true, options: []connect.ClientOption{connect.WithProtoJSON()}},
		{name: "gRPC-Web over h2c", h2c: true, options: []connect.ClientOption{connect.WithGRPCWeb()}},
		overGRPC,
		{name: "gRPC JSON over h2c", h2c: true, options: []connect.ClientOption{connect.WithGRPC(), connect.WithProtoJSON()}},
	}
)

func (w way) transport(t testing.TB) *http.Transport {
	dial := w.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, ResponseHeaderTimeout: patience, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(!w.h2c)
	transport.Protocols.SetUnencryptedHTTP2(w.h2c)
	transport.DialContext = dial
	if w.narrow > 0 {
		transport.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: w.narrow}
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err == nil && !w.h2c { // over HTTP/2 one socket has many streams
				err = conn.(*net.TCPConn).SetReadBuffer(w.narrow)
			}
			return conn, err
		}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// person is somebody's browser or program, with a cookie jar.
type person struct {
	campfirev1connect.AccountServiceClient
	campfirev1connect.SessionServiceClient
	campfirev1connect.UserServiceClient
	campfirev1connect.RoomServiceClient
	campfirev1connect.MessageServiceClient
	campfirev1connect.SearchServiceClient
	campfirev1connect.PushServiceClient
	campfirev1connect.PresenceServiceClient
	campfirev1connect.EventServiceClient
	campfirev1connect.BotServiceClient

	campfire *campfire
	way      way
	http     *http.Client
	name     string
	id       int64
	token    string // of their session
}

// stranger is nobody who is known.
func (c *campfire) stranger(by ...way) *person {
	p := &person{campfire: c, name: "a stranger", http: &http.Client{Jar: must(cookiejar.New(nil))(c.t)}}
	return p.by(append(by, overHTTP1)[0])
}

// as signs in somebody whom storetest knows, from one more browser.
func (c *campfire) as(name string, by ...way) *person {
	c.t.Helper()
	p := c.stranger(by...)
	res, err := p.SignIn(c.t.Context(), &campfirev1.SignInRequest{EmailAddress: storetest.Email(name), Password: storetest.Password})
	if err != nil {
		c.t.Fatalf("%s signs in: %v", name, err)
	}
	p.name, p.id, p.token = name, res.GetUser().GetId(), res.GetSessionToken()
	return p
}

// again signs somebody in from one more browser, not by the wire, which has a limit.
func (c *campfire) again(name string, by ...way) *person {
	c.t.Helper()
	token, user, err := c.Store.SignIn(c.t.Context(), storetest.Email(name), storetest.Password, store.Device{})
	if err != nil {
		c.t.Fatalf("%s signs in once more: %v", name, err)
	}
	p := c.stranger(by...)
	p.name, p.id, p.token = name, user.ID, token
	p.http.Jar.SetCookies(must(url.Parse(c.url))(c.t), []*http.Cookie{{Name: sessionCookie, Value: token, Path: "/"}})
	return p
}

// by is the same browser, speaking another protocol.
func (p *person) by(w way) *person {
	other := *p
	other.way = w
	return other.over(w.transport(p.campfire.t))
}

// with is the same browser, sending a header along.
func (p *person) with(name, value string) *person {
	return p.over(withHeader{name, value, p.http.Transport})
}

type withHeader struct {
	name, value string
	http.RoundTripper
}

func (h withHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(h.name, h.value)
	return h.RoundTripper.RoundTrip(r)
}

func (p *person) over(transport http.RoundTripper) *person {
	other, url := *p, p.campfire.url
	other.http = &http.Client{Jar: p.http.Jar, Transport: transport}
	options := connect.WithClientOptions(p.way.options...)
	if p.way.narrow > 0 { // what is sent should fill the buffers
		options = connect.WithClientOptions(options, connect.WithAcceptCompression("gzip", nil, nil))
	}
	other.AccountServiceClient = campfirev1connect.NewAccountServiceClient(other.http, url, options)
	other.SessionServiceClient = campfirev1connect.NewSessionServiceClient(other.http, url, options)
	other.UserServiceClient = campfirev1connect.NewUserServiceClient(other.http, url, options)
	other.RoomServiceClient = campfirev1connect.NewRoomServiceClient(other.http, url, options)
	other.MessageServiceClient = campfirev1connect.NewMessageServiceClient(other.http, url, options)
	other.PushServiceClient = campfirev1connect.NewPushServiceClient(other.http, url, options)
	other.SearchServiceClient = campfirev1connect.NewSearchServiceClient(other.http, url, options)
	other.PresenceServiceClient = campfirev1connect.NewPresenceServiceClient(other.http, url, options)
	other.EventServiceClient = campfirev1connect.NewEventServiceClient(other.http, url, options)
	other.BotServiceClient = campfirev1connect.NewBotServiceClient(other.http, url, options)
	return &other
}

func textOf(text string) *campfirev1.PostMessageRequest_Text {
	return &campfirev1.PostMessageRequest_Text{Text: text}
}

func (p *person) post(t testing.TB, room store.Room, text string) *campfirev1.Message {
	t.Helper()
	res, err := p.PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: room.ID, Body: textOf(text)})
	if err != nil {
		t.Fatalf("%s posts %.40q: %v", p.name, text, err)
	}
	return res.GetMessage()
}

func (p *person) edit(t testing.TB, m *campfirev1.Message, text string) {
	t.Helper()
	_, err := p.EditMessage(t.Context(), &campfirev1.EditMessageRequest{
		MessageId: m.GetId(), Body: &campfirev1.EditMessageRequest_Text{Text: text},
	})
	if err != nil {
		t.Fatalf("%s edits message %d: %v", p.name, m.GetId(), err)
	}
}

func (p *person) boost(t testing.TB, m *campfirev1.Message, content string) *campfirev1.Boost {
	t.Helper()
	res, err := p.AddBoost(t.Context(), &campfirev1.AddBoostRequest{MessageId: m.GetId(), Content: content})
	if err != nil {
		t.Fatalf("%s boosts message %d: %v", p.name, m.GetId(), err)
	}
	return res.GetBoost()
}

func (p *person) delete(t testing.TB, m *campfirev1.Message) {
	t.Helper()
	if _, err := p.DeleteMessage(t.Context(), &campfirev1.DeleteMessageRequest{MessageId: m.GetId()}); err != nil {
		t.Fatalf("%s deletes message %d: %v", p.name, m.GetId(), err)
	}
}

// read looks at a room.
func (p *person) read(t testing.TB, room store.Room) error {
	_, err := p.ListMessages(t.Context(), &campfirev1.ListMessagesRequest{RoomId: room.ID})
	return err
}

// conversation is all there is in a room.
func (p *person) conversation(t testing.TB, room store.Room) (messages []*campfirev1.Message) {
	t.Helper()
	for {
		page := &campfirev1.ListMessagesRequest{RoomId: room.ID, PageSize: 100}
		if len(messages) > 0 {
			page.Anchor = &campfirev1.ListMessagesRequest_Before{Before: messages[0].GetId()}
		}
		res, err := p.ListMessages(t.Context(), page)
		if err != nil {
			t.Fatalf("%s reads %s: %v", p.name, room.Name, err)
		}
		messages = append(res.GetMessages(), messages...)
		if !res.GetHasOlder() {
			return messages
		}
	}
}

// answer is what a plain HTTP request got.
type answer struct {
	status int
	header http.Header
	body   string
}

const jsonBody = "Content-Type: application/json"

// request sends a plain HTTP request, with headers as "Name: value".
func (p *person) request(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), method, p.campfire.url+path, strings.NewReader(body)))(t)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
	res, err := p.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	return answer{res.StatusCode, res.Header, string(must(io.ReadAll(res.Body))(t))}
}

// listener is an open stream.
type listener struct {
	events chan *campfirev1.SubscribeResponse // closed when the stream has ended
	err    error                              // why it has, after that
	hangUp context.CancelFunc
	hello  *campfirev1.SubscribeResponse
	token  string // the newest of the events handled
}

// listen opens a stream, from now on.
func (p *person) listen(t testing.TB) *listener {
	t.Helper()
	return p.resume(t, "")
}

// resume opens a stream where another was cut.
func (p *person) resume(t testing.TB, token string) *listener {
	t.Helper()
	l := p.subscribe(t, token)
	l.token = token
	if l.hello = l.any(t); l.hello.GetHello() == nil {
		t.Fatalf("%s's stream starts with %s, want hello", p.name, told(l.hello))
	}
	return l
}

// subscribe asks for a stream, which may be refused.
func (p *person) subscribe(t testing.TB, token string) *listener {
	l := &listener{events: make(chan *campfirev1.SubscribeResponse, 10_000)}
	var ctx context.Context
	ctx, l.hangUp = context.WithCancel(t.Context())
	go func() {
		defer close(l.events)
		defer l.hangUp()
		stream, err := p.Subscribe(ctx, &campfirev1.SubscribeRequest{ResumeToken: token})
		if err != nil {
			l.err = err
			return
		}
		for stream.Receive() {
			select {
			case l.events <- stream.Msg():
			case <-ctx.Done():
			}
		}
		l.err = stream.Err()
		l.hangUp()
		_ = stream.Close() // it has ended already
	}()
	return l
}

// any takes the next event, whatever it is.
func (l *listener) any(t testing.TB) *campfirev1.SubscribeResponse {
	t.Helper()
	return l.take(t, func(*campfirev1.SubscribeResponse) bool { return true })
}

// next takes the next event but heartbeats, and what is the viewer's own or passes: unread marks, typing, presence.
func (l *listener) next(t testing.TB) *campfirev1.SubscribeResponse {
	t.Helper()
	return l.take(t, func(e *campfirev1.SubscribeResponse) bool { return told(e) != "" })
}

// take takes the next event of those that are wanted, and passes over the others.
func (l *listener) take(t testing.TB, wanted func(*campfirev1.SubscribeResponse) bool) *campfirev1.SubscribeResponse {
	t.Helper()
	for late := time.After(patience); ; {
		select {
		case e, open := <-l.events:
			if !open {
				t.Fatalf("the stream has ended: %v", l.err)
			}
			if token := e.GetResumeToken(); token != "" {
				l.token = token
			}
			if wanted(e) {
				return e
			}
		case <-late:
			t.Fatal("no event came")
		}
	}
}

// hears checks what comes next, as told tells it.
func (l *listener) hears(t testing.TB, want ...string) {
	t.Helper()
	for i := range want {
		if got := told(l.next(t)); got != want[i] {
			t.Fatalf("event %d of %d: heard %s, want %s", i+1, len(want), got, want[i])
		}
	}
}

// end takes what still comes, and answers why the stream has ended.
func (l *listener) end(t testing.TB) (rest []*campfirev1.SubscribeResponse, err error) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e, open := <-l.events:
			if !open {
				return rest, l.err
			}
			if told(e) != "" {
				rest = append(rest, e)
			}
		case <-late:
			t.Fatal("the stream does not end")
		}
	}
}

// told tells an event in short, as `created "Hello"`; "" for those that next passes over.
func told(e *campfirev1.SubscribeResponse) string {
	message := func(m *campfirev1.Message) string {
		text := fmt.Sprintf(" %q", m.GetBodyText())
		for _, b := range m.GetBoosts() {
			text += " + " + b.GetContent()
		}
		return text
	}
	switch e := e.GetEvent().(type) {
	case *campfirev1.SubscribeResponse_Hello:
		return "hello"
	case *campfirev1.SubscribeResponse_MessageCreated:
		return "created" + message(e.MessageCreated.GetMessage())
	case *campfirev1.SubscribeResponse_MessageUpdated:
		return "updated" + message(e.MessageUpdated.GetMessage())
	case *campfirev1.SubscribeResponse_MessageDeleted:
		return fmt.Sprintf("deleted %d", e.MessageDeleted.GetMessageId())
	case *campfirev1.SubscribeResponse_RoomChanged:
		return fmt.Sprintf("room %q", e.RoomChanged.GetRoom().GetName())
	case *campfirev1.SubscribeResponse_RoomRemoved:
		return fmt.Sprintf("room %d removed", e.RoomRemoved.GetRoomId())
	case *campfirev1.SubscribeResponse_UserChanged:
		return fmt.Sprintf("user %q", e.UserChanged.GetUser().GetName())
	case *campfirev1.SubscribeResponse_AccountChanged:
		return fmt.Sprintf("account %q", e.AccountChanged.GetAccount().GetName())
	case *campfirev1.SubscribeResponse_ResyncRequired:
		return "resync: " + strings.TrimPrefix(e.ResyncRequired.GetReason().String(), "RESYNC_REASON_")
	case *campfirev1.SubscribeResponse_Reconnect:
		return "reconnect"
	default:
		return ""
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

// wantSame compares messages.
func wantSame(t testing.TB, what string, got, want proto.Message) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantCode(t testing.TB, what string, err error, want connect.Code) {
	t.Helper()
	if err == nil || connect.CodeOf(err) != want {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// wantInvalid checks for a violation at a field, said in the message too.
func wantInvalid(t testing.TB, what string, err error, field string) {
	t.Helper()
	wantCode(t, what, err, connect.CodeInvalidArgument)
	var fields []string
	if violations, ok := detail[*errdetails.BadRequest](err); ok {
		for _, v := range violations.GetFieldViolations() {
			fields = append(fields, v.GetField())
			if !strings.Contains(err.Error(), v.GetField()+" "+v.GetDescription()) {
				t.Errorf("%s: the message %q does not say %q of %s", what, err, v.GetDescription(), v.GetField())
			}
		}
	}
	wantEqual(t, what+": violations", fields, []string{field})
}

// wantDelay checks that an error asks to come back later.
func wantDelay(t testing.TB, what string, err error, most time.Duration) {
	t.Helper()
	wantCode(t, what, err, connect.CodeResourceExhausted)
	retry, ok := detail[*errdetails.RetryInfo](err)
	if delay := retry.GetRetryDelay().AsDuration(); !ok || delay <= 0 || delay > most {
		t.Errorf("%s: got a retry delay of %v (told: %v), want one up to %v", what, delay, ok, most)
	}
}

// detail finds what rides along with an error.
func detail[T proto.Message](err error) (found T, ok bool) {
	if wire := new(connect.Error); errors.As(err, &wire) {
		for _, d := range wire.Details() {
			if value, err := d.Value(); err == nil {
				if found, ok = value.(T); ok {
					return found, true
				}
			}
		}
	}
	return found, false
}

// eventually waits for what no event tells.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("still not so: %s", what)
		}
	}
}
