package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
)

// stream is an open stream, read as leanly as can be, as a thousand of them share the processors with the server: of each
// event only what is checked is decoded.
type stream struct {
	conn    net.Conn
	body    *bufio.Reader
	token   []byte // to resume from
	event   []byte // the last one
	message []byte // the last one that brought a message
	done    chan struct{}
	heard   atomic.Int64 // messages
	newest  atomic.Int64 // when the last one came, in nanoseconds since 1970
	last    int64        // its id
	doubled int          // those that came again, or late
	sum     uint32       // of what all of them say
	mu      sync.Mutex
	late    []time.Duration // how long after they were sent
}

// subscribe opens one of a house's streams, the people's in turn.
func (h *house) subscribe(i int, token, address string) (*stream, error) {
	request, err := proto.Marshal(&campfirev1.SubscribeRequest{ResumeToken: token})
	if err != nil {
		return nil, err
	}
	return openStream(h.address, subscribe, h.tokens[i%len(h.tokens)], address, request)
}

func (h *house) openStreams(count int) ([]*stream, error) {
	return openMany(count, func(i int) (*stream, error) { return h.subscribe(i, "", "") })
}

// openStream opens a stream and listens once its first event has come, or, of bare frames, at once.
func openStream(address, path, token, client string, body []byte) (*stream, error) {
	bare := path != subscribe
	if !bare {
		body = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/connect+proto")
	req.Header.Set("Authorization", "Bearer "+token)
	if client != "" {
		req.Header.Set("X-Forwarded-For", client)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &stream{conn: conn, done: make(chan struct{})}
	if err := req.Write(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err == nil && res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(res.Body) // for the error
		err = fmt.Errorf("a stream: %s %s", res.Status, said)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.body = bufio.NewReader(res.Body)
	if !bare {
		if err := s.next(); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	go s.listen()
	return s, nil
}

// openMany opens streams, many at once, and answers those that are open.
func openMany(count int, open func(i int) (*stream, error)) ([]*stream, error) {
	var group sync.WaitGroup
	var next atomic.Int64
	streams, failed := make([]*stream, count), make([]error, count)
	for range min(count, 200) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				streams[i], failed[i] = open(int(i))
			}
		})
	}
	group.Wait()
	return slices.DeleteFunc(streams, func(s *stream) bool { return s == nil }), cmp.Or(failed...)
}

func closeAll(streams []*stream) {
	for _, s := range streams {
		_ = s.conn.Close() // its server may have done so before
		<-s.done
	}
}

// listen hears what comes until the stream ends. One that ends too early shows by what it has not heard.
func (s *stream) listen() {
	defer close(s.done)
	for s.next() == nil {
	}
}

// next reads an event, and heeds it if it is a message.
func (s *stream) next() error {
	var head [5]byte
	if _, err := io.ReadFull(s.body, head[:]); err != nil {
		return err
	}
	if head[0] != 0 {
		return errors.New("the stream has ended")
	}
	size := int(binary.BigEndian.Uint32(head[1:]))
	s.event = slices.Grow(s.event[:0], size)[:size]
	if _, err := io.ReadFull(s.body, s.event); err != nil {
		return err
	}
	return s.heed(s.event)
}

// heed takes note of an event: of its token, and of a new message's id, client_message_id and text.
func (s *stream) heed(event []byte) error {
	if token := field(event, 1); token != nil {
		s.token = append(s.token[:0], token...)
	}
	message := field(field(event, 4), 1) // of message_created
	if message == nil {
		return nil
	}
	integer, size := protowire.ConsumeVarint(field(message, 1))
	if size < 0 {
		return protowire.ParseError(size)
	}
	id, clientID, now := int64(integer), field(message, 3), time.Now()
	if id <= s.last {
		s.doubled++
	}
	s.last, s.sum = id, sumOf(s.sum, id, clientID, field(message, 6))
	s.mu.Lock()
	s.late = append(s.late, now.Sub(sentWhen(clientID)))
	s.mu.Unlock()
	s.event, s.message = s.message, event // which is kept until the next message
	s.newest.Store(now.UnixNano())
	s.heard.Add(1)
	return nil
}

// field finds a field of an encoded message, without decoding it.
func field(message []byte, wanted protowire.Number) []byte {
	for len(message) > 0 {
		number, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil
		}
		message = message[size:]
		if size = protowire.ConsumeFieldValue(number, kind, message); size < 0 {
			return nil
		}
		if value := message[:size]; number == wanted && kind != protowire.BytesType {
			return value
		} else if number == wanted {
			value, _ = protowire.ConsumeBytes(value)
			return value
		}
		message = message[size:]
	}
	return nil
}

// sumOf adds a message to the sum of those before it.
func sumOf(sum uint32, id int64, clientID, text []byte) uint32 {
	sum = crc32.Update(sum, crc32.IEEETable, binary.BigEndian.AppendUint64(nil, uint64(id)))
	return crc32.Update(crc32.Update(sum, crc32.IEEETable, clientID), crc32.IEEETable, text)
}

// slowest is how many messages each stream has heard at least. Each is asked once: it may hear more meanwhile.
func slowest(streams []*stream) int64 {
	least := streams[0].heard.Load()
	for _, s := range streams[1:] {
		least = min(least, s.heard.Load())
	}
	return least
}

func newest(streams []*stream) time.Time {
	last := streams[0].newest.Load()
	for _, s := range streams[1:] {
		last = max(last, s.newest.Load())
	}
	return time.Unix(0, last)
}

// patience is how long a message may take before it counts as lost.
const patience = 20 * time.Second

// await waits until all streams have heard so many messages.
func await(streams []*stream, messages int64) error {
	for began := time.Now(); slowest(streams) < messages; time.Sleep(200 * time.Microsecond) {
		if time.Since(began) > patience {
			return fmt.Errorf("of %d messages one stream has heard but %d", messages, slowest(streams))
		}
	}
	return nil
}

// lateness is how long what was heard since the last time has taken, in ms.
func lateness(streams []*stream) (p50, p99 float64) {
	var all []time.Duration
	for _, s := range streams {
		s.mu.Lock()
		all, s.late = append(all, s.late...), nil
		s.mu.Unlock()
	}
	return percentiles(all)
}

// verify: every stream has heard each acknowledged message once, in order, as it was acknowledged, and nothing else.
func verify(streams []*stream, all []posted) (lost, doubled int, err error) {
	var sum uint32
	for _, p := range slices.SortedFunc(slices.Values(all), func(a, b posted) int { return cmp.Compare(a.ID, b.ID) }) {
		sum = sumOf(sum, p.ID, []byte(p.ClientID), []byte(p.Text))
	}
	for i, s := range streams {
		missing := len(all) - int(s.heard.Load())
		lost, doubled = lost+max(missing, 0), doubled+s.doubled
		if missing != 0 || s.doubled != 0 || s.sum != sum {
			err = fmt.Errorf("stream %d has heard %d messages, %d of them again or late, of %d that were acknowledged; the same: %t",
				i, s.heard.Load(), s.doubled, len(all), s.sum == sum)
		}
	}
	return lost, doubled, err
}

// member is someone who calls through the generated client, over one connection of their own.
type member struct {
	campfirev1connect.MessageServiceClient
	campfirev1connect.RoomServiceClient
	campfirev1connect.SearchServiceClient
	transport *http.Transport
}

func newMember(address, token string) member {
	transport, url := &http.Transport{}, "http://"+address
	client := &http.Client{Transport: transport}
	signed := connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			req.Header().Set("Authorization", "Bearer "+token)
			return next(ctx, req)
		}
	}))
	return member{
		campfirev1connect.NewMessageServiceClient(client, url, signed),
		campfirev1connect.NewRoomServiceClient(client, url, signed),
		campfirev1connect.NewSearchServiceClient(client, url, signed),
		transport,
	}
}

// posted is a message as it was acknowledged.
type posted struct {
	ID         int64
	ClientID   string
	Text       string
	Began, End time.Time
}

// say posts a message with a word of its own, and checks the answer.
func (h *house) say(ctx context.Context, m member, due time.Time) (posted, error) {
	word := fmt.Sprintf("p%dx%d", os.Getpid(), words.Add(1))
	p := posted{ClientID: word + "-" + sentAt(due), Text: "Lunch at noon? I have seen the new plans, " + word, Began: time.Now()}
	res, err := m.PostMessage(ctx, &campfirev1.PostMessageRequest{
		RoomId: h.hall, ClientMessageId: p.ClientID, Body: &campfirev1.PostMessageRequest_Text{Text: p.Text},
	})
	if err != nil {
		return p, err
	}
	p.End = time.Now()
	message := res.GetMessage()
	p.ID = message.GetId()
	if message.GetRoomId() != h.hall || message.GetClientMessageId() != p.ClientID || message.GetBodyText() != p.Text || message.GetCreator().GetId() == 0 {
		return p, fmt.Errorf("posted %q, was answered %v", p.Text, message)
	}
	return p, nil
}

// words counts those that are in one message alone.
var words atomic.Int64

// sentAt and sentWhen put a moment at the end of a client_message_id, where those who get the message find it.
func sentAt(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func sentWhen(clientID []byte) time.Time {
	nanos, _ := strconv.ParseInt(string(clientID[bytes.LastIndexByte(clientID, '-')+1:]), 10, 64) // 1970 shows
	return time.Unix(0, nanos)
}

// postersTask is what the posters of a fan-out are to do.
type postersTask struct {
	Address string
	Hall    int64
	Tokens  []string
	Sent    int64 // already
	Length  time.Duration
}

// ahead is how many messages the posters may be ahead of the slowest stream: as many as keep every stream busy.
const ahead = 100

// letPost lets people post to a house in a process of their own, as beside a thousand readers in one each would wait for
// its turn among them. They are told how far the slowest of the streams is.
func (h *house) letPost(ctx context.Context, task postersTask, streams []*stream) (said []posted, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "posters")
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := cmp.Or(inErr, outErr, cmd.Start(), json.NewEncoder(in).Encode(task)); err != nil {
		return nil, err
	}
	go func() {
		for err := error(nil); err == nil; time.Sleep(500 * time.Microsecond) {
			_, err = fmt.Fprintln(in, slowest(streams))
		}
	}()
	err = json.NewDecoder(out).Decode(&said)
	return said, errors.Join(err, cmd.Wait())
}

// servePosters is the process of the posters: each posts as soon as it is answered.
func servePosters(ctx context.Context) error {
	var task postersTask
	in := json.NewDecoder(os.Stdin)
	if err := in.Decode(&task); err != nil {
		return err
	}
	var heard, sent atomic.Int64 // by the slowest stream, and by all posters
	sent.Store(task.Sent)
	go func() {
		for n := int64(0); in.Decode(&n) == nil; heard.Store(n) {
		}
	}()
	h := &house{process: &process{address: task.Address}, hall: task.Hall}
	var group sync.WaitGroup
	said, failed, began := make([][]posted, len(task.Tokens)), make([]error, len(task.Tokens)), time.Now()
	for i, token := range task.Tokens {
		m := newMember(task.Address, token)
		group.Go(func() {
			for failed[i] == nil && time.Since(began) < task.Length {
				for n := sent.Add(1); heard.Load()+ahead < n && time.Since(began) < task.Length+patience; {
					time.Sleep(100 * time.Microsecond)
				}
				var p posted
				p, failed[i] = h.say(ctx, m, time.Now())
				said[i] = append(said[i], p)
			}
		})
	}
	group.Wait()
	return errors.Join(cmp.Or(failed...), json.NewEncoder(os.Stdout).Encode(slices.Concat(said...)))
}

// audit stops a house and reads its data folder without Campfire's own code: every acknowledged message is there once, as
// it was acknowledged, is found by its word, and stands after all that were acknowledged before it was sent.
func (h *house) audit(ctx context.Context, b *bench, all []posted) error {
	if err := h.stop(); err != nil {
		return err
	}
	if _, err := runOnce(ctx, b.binary, "check", "--data", h.folder); err != nil {
		return err
	}
	return audit(filepath.Join(h.folder, store.FileName), h.hall, all)
}

func audit(file string, room int64, all []posted) (err error) {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	missing := map[int64]posted{}
	for _, p := range all {
		if earlier, taken := missing[p.ID]; taken {
			return fmt.Errorf("%q and %q were both acknowledged as message %d", earlier.Text, p.Text, p.ID)
		}
		missing[p.ID] = p
	}
	err = sqlitex.Execute(conn, "SELECT id, client_message_id, body_text FROM messages WHERE room_id = ?", &sqlitex.ExecOptions{
		Args: []any{room}, ResultFunc: func(row *sqlite.Stmt) error {
			p, acknowledged := missing[row.ColumnInt64(0)]
			if !acknowledged || p.ClientID != row.ColumnText(1) || p.Text != row.ColumnText(2) {
				return fmt.Errorf("message %d, %q, was not acknowledged so", row.ColumnInt64(0), row.ColumnText(2))
			}
			delete(missing, p.ID)
			return nil
		},
	})
	if err != nil {
		return err
	}
	for _, p := range missing {
		return fmt.Errorf("%d acknowledged messages are missing, as %d, %q", len(missing), p.ID, p.Text)
	}
	for _, p := range all {
		var found []int64
		word := p.Text[strings.LastIndexByte(p.Text, ' ')+1:]
		err := sqlitex.Execute(conn, "SELECT rowid FROM message_search_index WHERE message_search_index MATCH ?", &sqlitex.ExecOptions{
			Args: []any{`"` + word + `"`}, ResultFunc: func(row *sqlite.Stmt) error { found = append(found, row.ColumnInt64(0)); return nil },
		})
		if err != nil || !slices.Equal(found, []int64{p.ID}) {
			return errors.Join(err, fmt.Errorf("searching for %q finds %d, not message %d", word, found, p.ID))
		}
	}
	return inOrder(all)
}

// inOrder: whoever posts after having seen a message acknowledged comes after it.
func inOrder(all []posted) error {
	byBegin := slices.SortedFunc(slices.Values(all), func(a, b posted) int { return a.Began.Compare(b.Began) })
	byEnd := slices.SortedFunc(slices.Values(all), func(a, b posted) int { return a.End.Compare(b.End) })
	newest := int64(0)
	for _, p := range byBegin {
		for len(byEnd) > 0 && byEnd[0].End.Before(p.Began) {
			newest, byEnd = max(newest, byEnd[0].ID), byEnd[1:]
		}
		if p.ID <= newest {
			return fmt.Errorf("message %d was sent after %d had been acknowledged", p.ID, newest)
		}
	}
	return nil
}
