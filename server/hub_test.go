package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
	"campfire.example/store/storetest"
)

// accountNamed is an event that changes nothing, to see who hears it.
func accountNamed(name string) *campfirev1.SubscribeResponse {
	return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_AccountChanged{
		AccountChanged: &campfirev1.AccountChanged{Account: &campfirev1.Account{Name: name}},
	}}
}

func TestAnEventIsEncodedOnceHoweverManyHearIt(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Streams.PerSession = 100 })
	jason := campfire.as("Jason")
	var streams []*listener
	for _, way := range allWays {
		browser := jason.by(way)
		for range 10 {
			streams = append(streams, browser.listen(t))
		}
	}
	var made, sent atomic.Int32
	var encodings sync.Map // by the address of their first byte
	watch := func(encode func() ([]byte, error)) func() ([]byte, error) {
		return func() ([]byte, error) {
			sent.Add(1)
			bytes, err := encode()
			encodings.Store(&bytes[0], true)
			return bytes, err
		}
	}
	e := newEvent(event{}, func() *campfirev1.SubscribeResponse {
		made.Add(1)
		return accountNamed("Once")
	})
	e.proto, e.json = watch(e.proto), watch(e.json)
	campfire.server.hub.send([]int64{jason.id}, e)
	campfire.server.hub.rouse()
	for _, stream := range streams {
		stream.hears(t, `account "Once"`)
	}
	wantEqual(t, "how often the event was made", made.Load(), 1)
	wantEqual(t, "how often its bytes were sent", sent.Load(), len(streams))
	different := 0
	encodings.Range(func(any, any) bool {
		different++
		return true
	})
	wantEqual(t, "how many encodings there were, by two codecs", different, 2)
}

func TestAQueueIsBounded(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ fits, size int }{
		"by number": {maxQueuedEvents, 0},
		"by bytes":  {maxQueuedBytes / (eventOverhead + 64<<10), 64 << 10},
	} {
		h := newHub(StreamLimits{})
		st := must(h.join(store.Identity{UserID: 1, SessionID: 1}, netip.Addr{}))(t)
		e := newEvent(event{size: c.size}, func() *campfirev1.SubscribeResponse { return accountNamed("Hello") })
		for range 3 { // a queue that was emptied has its room again
			for range c.fits {
				h.send([]int64{1}, e)
			}
			if events, ending := takeAll(h, st); len(events) != c.fits || ending != nil {
				t.Fatalf("%s: took %d events, ending %v; want all %d", what, len(events), ending, c.fits)
			}
		}
		for range c.fits + 1 {
			h.send([]int64{1}, e)
		}
		for range 2 {
			if events, _, ending := h.take(st); len(events) != 0 || !errors.Is(ending, errSlowReader) {
				t.Errorf("%s: took %d events, ending %v from a queue that overflowed; want none, %v", what, len(events), ending, errSlowReader)
			}
			h.send([]int64{1}, e) // too late
		}
	}
}

// takeAll takes what waits in a stream, as it would write it: by the bite.
func takeAll(h *hub, st *stream) (all []*event, ending error) {
	for {
		events, _, ending := h.take(st)
		if len(events) == 0 {
			return all, ending
		}
		all = append(all, events...)
	}
}

// bulk is a text of which a few dozen fill a queue.
func bulk(i int) string { return fmt.Sprintf("%d %s", i, strings.Repeat("x", 30_000)) }

// still opens a stream, or resumes one, and stops reading after hello.
func still(t testing.TB, p *person, token ...string) *connect.ServerStreamForClient[campfirev1.SubscribeResponse] {
	t.Helper()
	ctx, hangUp := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(hangUp)
	stream, err := p.Subscribe(ctx, &campfirev1.SubscribeRequest{ResumeToken: strings.Join(token, "")})
	if err != nil || !stream.Receive() || stream.Msg().GetHello() == nil {
		t.Fatalf("%s opens a stream: got %v, %v", p.name, err, stream)
	}
	return stream
}

// readOn reads what still comes to one who stood still: messages with those numbers, until something else comes.
func readOn(t testing.TB, stream *connect.ServerStreamForClient[campfirev1.SubscribeResponse]) (messages int, token string, other *campfirev1.SubscribeResponse) {
	t.Helper()
	for stream.Receive() {
		m := stream.Msg().GetMessageCreated().GetMessage()
		switch number, _, _ := strings.Cut(m.GetBodyText(), " "); {
		case m == nil && told(stream.Msg()) == "":
		case m == nil:
			return messages, token, stream.Msg()
		case number != fmt.Sprint(messages):
			t.Fatalf("heard message %s after %d messages", number, messages)
		default:
			messages, token = messages+1, stream.Msg().GetResumeToken()
		}
	}
	return messages, token, nil
}

func TestAReaderWhoStandsStillIsCutAndDelaysNobody(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) {
		s.socketBuffer = 32 << 10
		s.timing.write = 2 * patience // whoever stands still does so until the end
	})
	david, jason := campfire.as("David"), campfire.as("Jason")
	slow := map[string]*connect.ServerStreamForClient[campfirev1.SubscribeResponse]{}
	var others []*listener
	for _, w := range []way{overHTTP1, overH2C, overGRPC} {
		others = append(others, jason.by(w).listen(t), david.by(w).listen(t))
		w.narrow = 32 << 10
		slow[w.name] = still(t, jason.by(w))
	}
	const posts = 50
	for i := range posts {
		david.post(t, campfire.Designers, bulk(i))
	}
	for _, other := range others {
		for i := range posts {
			if got := other.next(t).GetMessageCreated().GetMessage().GetBodyText(); got != bulk(i) {
				t.Fatalf("beside those who stand still: message %d is %.10q", i, got)
			}
		}
	}
	eventually(t, "the queues of those who stand still have overflowed", func() bool {
		overflowed := 0
		campfire.server.hub.mu.Lock()
		defer campfire.server.hub.mu.Unlock()
		for _, st := range campfire.server.hub.streams[jason.id] {
			if errors.Is(st.ending, errSlowReader) {
				overflowed++
			}
		}
		return overflowed == len(slow)
	})
	for name, stream := range slow {
		messages, token, last := readOn(t, stream)
		if messages == 0 || messages == posts || last == nil || told(last) != "resync: SLOW_READER" {
			t.Errorf("by %s: heard %d messages, then %v; want some, then resync: SLOW_READER", name, messages, last)
		}
		if stream.Receive() {
			t.Errorf("by %s: heard %v after resync", name, stream.Msg())
		}
		wantDelay(t, "a stream read too slowly by "+name, stream.Err(), campfire.server.timing.reconnect)
		// Its last token is still good.
		resumed := jason.resume(t, token)
		for i := messages; i < posts; i++ {
			if got := resumed.next(t).GetMessageCreated().GetMessage().GetBodyText(); got != bulk(i) {
				t.Fatalf("resumed by %s: message %d is %.10q", name, i, got)
			}
		}
	}
}

// Sockets as the system makes them swallow megabytes: a reader who stops is felt only beyond these. Then they are gone
// soon, and nobody has waited for them.
func TestAReaderWhoStopsIsGoneSoonAndDelaysNobody(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	heard := david.listen(t)
	number := 0
	p99 := func(posts int, enough func() bool) time.Duration {
		var latencies []time.Duration
		for i := 0; i < posts && !enough(); i++ {
			began, text := time.Now(), bulk(number)
			number++
			david.post(t, campfire.Designers, text)
			if got := heard.next(t).GetMessageCreated().GetMessage().GetBodyText(); got != text {
				t.Fatalf("heard %.10q, want %.10q", got, text)
			}
			latencies = append(latencies, time.Since(began))
		}
		slices.Sort(latencies)
		return latencies[len(latencies)*99/100]
	}
	before := p99(50, func() bool { return false })
	ways := []way{overHTTP1, overH2C, overGRPC}
	for _, w := range ways {
		still(t, jason.by(w))
	}
	ended := func() (streams int) {
		campfire.server.hub.mu.Lock()
		defer campfire.server.hub.mu.Unlock()
		streams = len(ways) - len(campfire.server.hub.streams[jason.id])
		for _, st := range campfire.server.hub.streams[jason.id] {
			if errors.Is(st.ending, errSlowReader) {
				streams++
			}
		}
		return streams
	}
	with := p99(1000, func() bool { return ended() == len(ways) })
	since := time.Now()
	wantEqual(t, "streams that are to end", ended(), len(ways))
	wantNoStreamsOf(t, campfire, jason)
	gone := time.Since(since)
	t.Logf("after %d MB they were to end, and gone %v later; p99 was %v, beside them %v", number*60_000>>20, gone, before, with)
	if gone > 15*time.Second {
		t.Errorf("those who stopped reading were gone after %v, want 15 s at most", gone)
	}
	if with > 5*before+time.Second {
		t.Errorf("the others waited %v, without those who stopped reading %v", with, before)
	}
}

// underWay is how many bulky messages may be on their way when their reader stands still: the sockets are small, and a
// stream takes no more than a bite of its queue at once.
const underWay = 6

func TestWhatWaitsIsNotDeliveredAfterSigningOut(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) {
		s.socketBuffer = 32 << 10
		s.timing.write = 2 * patience
	})
	david := campfire.as("David")
	for _, w := range []way{overHTTP1, overH2C, overGRPC} {
		w.narrow = 32 << 10
		jason := campfire.again("Jason", w)
		stream := still(t, jason)
		const posts = 20 // less than a queue holds
		for i := range posts {
			david.post(t, campfire.Designers, bulk(i))
		}
		if _, err := jason.by(overHTTP1).SignOut(t.Context(), &campfirev1.SignOutRequest{}); err != nil {
			t.Fatal(err)
		}
		messages, _, last := readOn(t, stream)
		if messages > underWay || last != nil {
			t.Fatalf("by %s: heard %d of %d messages and %v after signing out, want no more than was under way", w.name, messages, posts, last)
		}
		wantCode(t, "the stream by "+w.name, stream.Err(), connect.CodeUnauthenticated)
	}
}

// Also while a batch of it is being written, live or to one who resumes.
func TestWhatWaitsOfARoomIsNotDeliveredAfterLeavingIt(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) {
		s.socketBuffer = 32 << 10
		s.timing.write = 2 * patience
	})
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	change := func(grant, revoke []int64) {
		t.Helper()
		_, err := david.UpdateRoom(t.Context(), &campfirev1.UpdateRoomRequest{RoomId: campfire.Designers.ID, GrantUserIds: grant, RevokeUserIds: revoke})
		if err != nil {
			t.Fatal(err)
		}
	}
	const posts = 20
	for _, w := range []way{overHTTP1, overH2C, overGRPC} {
		w.narrow = 32 << 10
		beginning := jason.resume(t, "")
		live := still(t, jason.by(w))
		for i := range posts {
			david.post(t, campfire.Designers, bulk(i))
		}
		resumed := still(t, jason.by(w), beginning.token)
		change([]int64{kevin.id}, []int64{jason.id})
		david.announce(t, "the end")
		for what, stream := range map[string]*connect.ServerStreamForClient[campfirev1.SubscribeResponse]{"live": live, "resumed": resumed} {
			messages, _, last := readOn(t, stream)
			if messages > underWay || told(last) != fmt.Sprintf("room %d removed", campfire.Designers.ID) {
				t.Errorf("%s by %s: heard %d of %d messages, then %v; want no more than was under way, then the removal",
					what, w.name, messages, posts, last)
			}
			if messages, _, last = readOn(t, stream); messages > 0 || told(last) != `account "the end"` {
				t.Errorf("%s by %s: heard %d messages and %v after the removal, want the end", what, w.name, messages, last)
			}
		}
		beginning.hangUp()
		change([]int64{jason.id}, []int64{kevin.id})
	}
}

// The narrow gap: a stream has read what it missed, and its user is removed from a room before it could queue that.
func TestWhatWasMissedInARoomLeftMeanwhileIsNotTold(t *testing.T) {
	t.Parallel()
	office := newOffice(t)
	post := func(room store.Room, text string) {
		t.Helper()
		must(office.PostMessage(t.Context(), office.David.ID, store.Post{RoomID: room.ID, Body: storetest.Body(text)}))(t)
	}
	_, beginning, _ := office.ChangesSince(t.Context(), office.Jason.ID, nil)
	post(office.Designers, "secret")
	post(office.AllTalk, "Hello all")
	_, early := office.join(office.Jason)
	_, late := office.join(office.Jason)
	missed, latest, err := office.ChangesSince(t.Context(), office.Jason.ID, &beginning)
	if err != nil || len(missed) != 2 {
		t.Fatalf("missed %v, %v; want two messages", missed, err)
	}
	tell := func(st *stream) {
		office.server.hub.catchUp(st, []*event{office.server.messageEvent(missed[0]), office.server.messageEvent(missed[1])}, latest.Revision)
	}
	tell(early)
	must(office.UpdateRoom(t.Context(), office.David.ID, office.Designers.ID, store.RoomChanges{Revoke: []int64{office.Jason.ID}}))(t)
	tell(late)
	wantEqual(t, "what Jason hears on the stream that was told early", office.queued(early),
		[]string{`created "Hello all"`, fmt.Sprintf("room %d removed", office.Designers.ID)})
	// The other one says hello only now: the rooms that are loaded after it lack the one he has left.
	wantEqual(t, "what Jason hears on the stream that was told late", office.queued(late), []string{`created "Hello all"`})
}

// While a stream reads what it missed, things go on: what is among that is not told again, and what is of the state of a
// room, which the client loads after hello, would set that back.
func TestWhatHappensWhileAStreamCatchesUpIsToldOnce(t *testing.T) {
	t.Parallel()
	office := newOffice(t)
	post := func(text string) store.Message {
		t.Helper()
		return must(office.PostMessage(t.Context(), office.David.ID, store.Post{RoomID: office.Designers.ID, Body: storetest.Body(text)}))(t)
	}
	_, beginning, _ := office.ChangesSince(t.Context(), office.Jason.ID, nil)
	_, st := office.join(office.Jason)
	name := "Designers and others"
	must(office.UpdateRoom(t.Context(), office.David.ID, office.Designers.ID, store.RoomChanges{Name: &name}))(t)
	both := post("missed and queued")
	missed, latest, err := office.ChangesSince(t.Context(), office.Jason.ID, &beginning)
	if err != nil || len(missed) != 1 {
		t.Fatalf("missed %v, %v; want one message", missed, err)
	}
	post("queued alone")
	office.server.hub.catchUp(st, []*event{office.server.messageEvent(missed[0])}, latest.Revision)
	office.server.hub.send([]int64{office.Jason.ID}, office.server.messageEvent(store.MessageCreated{Message: both})) // told late
	post("live")
	wantEqual(t, "what Jason hears", office.queued(st), []string{
		`created "missed and queued"`, `created "queued alone"`, `created "live"`, unread(office.Designers),
	})
}

// Not parallel: it counts goroutines.
func TestAThousandAbandonedStreamsLeaveNothingBehind(t *testing.T) {
	for _, w := range []way{overHTTP1, overH2C} {
		t.Run(w.name, func(t *testing.T) {
			campfire := newCampfire(t, func(s *setup) {
				s.Streams = StreamLimits{PerSession: 1000, PerUser: 1000}
				s.socketBuffer = 4096
				s.timing.write = 2 * time.Second // for each hello too, however busy the machine is
			})
			david := campfire.as("David")
			abandon(t, david, w, 99) // what is made once and kept is made now
			goroutines, heap := left(david)
			abandon(t, david, w, 1000)
			// A few may be about that have nothing to do with it; a third of the streams would leave hundreds.
			const few = 20
			eventually(t, "no goroutine is left behind", func() bool {
				david.http.CloseIdleConnections()
				return runtime.NumGoroutine() <= goroutines+few
			})
			after, heapAfter := left(david)
			t.Logf("before: %d goroutines, %d kB; after: %d goroutines, %d kB", goroutines, heap>>10, after, heapAfter>>10)
			wantNoErrors(t, campfire)
			if heapAfter > heap+4<<20 {
				t.Errorf("the heap has grown from %d kB to %d kB", heap>>10, heapAfter>>10)
			}
		})
	}
}

// abandon opens streams and abandons them: a third is cancelled, of a third the sockets are killed, and a third stands
// still while more is sent than their sockets take.
func abandon(t *testing.T, david *person, w way, streams int) {
	t.Helper()
	campfire := david.campfire
	var mu sync.Mutex
	var sockets []*net.TCPConn // by which killed has come
	toKill := w
	toKill.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			sockets = append(sockets, conn.(*net.TCPConn))
		}
		return conn, err
	}
	toStandStill := w
	toStandStill.narrow = 4096

	jason := campfire.again("Jason")
	cancelled, killed, standing := jason.by(w), jason.by(toKill), jason.by(toStandStill)
	ctx, hangUp := context.WithCancel(t.Context())
	cancelledCtx, cancel := context.WithCancel(ctx)
	third := streams / 3
	openStreams(t, cancelledCtx, cancelled, third)
	openStreams(t, ctx, killed, third)
	openStreams(t, ctx, standing, streams-2*third)
	wantEqual(t, "open streams", streamsOf(campfire, jason.id), streams)

	cancel()
	for _, socket := range sockets {
		_ = socket.SetLinger(0) // so that what the server gets is a reset
		_ = socket.Close()
	}
	eventually(t, "the hub has let go of those who are gone", func() bool { return streamsOf(campfire, jason.id) == streams-2*third })
	for i := range 8 {
		david.post(t, campfire.Designers, bulk(i))
	}
	wantNoStreams(t, campfire) // those who stand still are still there; the server has let go of them
	hangUp()
	for _, p := range []*person{cancelled, killed, standing} {
		p.http.CloseIdleConnections()
	}
}

// openStreams opens streams and reads no further than hello.
func openStreams(t *testing.T, ctx context.Context, p *person, streams int) {
	t.Helper()
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			for range (streams + i) / 20 {
				stream, err := p.Subscribe(ctx, &campfirev1.SubscribeRequest{})
				if err != nil || !stream.Receive() {
					t.Errorf("open a stream: %v", err)
				}
			}
		})
	}
	group.Wait()
}

func wantNoStreamsOf(t testing.TB, c *campfire, p *person) {
	t.Helper()
	eventually(t, p.name+" has no stream", func() bool { return streamsOf(c, p.id) == 0 })
}

// wantNoErrors checks that whoever goes is no matter for the log.
func wantNoErrors(t testing.TB, c *campfire) {
	t.Helper()
	if log := c.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("the log has errors in it: %s", log)
	}
}

// left is what there is when nothing goes on: goroutines, and bytes on the heap.
func left(david *person) (goroutines int, heap uint64) {
	david.http.CloseIdleConnections()
	for range 3 {
		runtime.GC() // pools keep what they have through one of them
		time.Sleep(50 * time.Millisecond)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return runtime.NumGoroutine(), memory.HeapAlloc
}

// Streams whose reader takes no byte more when a heartbeat is due stand in nobody's way.
func TestHeartbeatsThatNobodyReadsHoldUpNobody(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.timing.heartbeat = 2 * time.Second })
	david, jason := campfire.as("David"), campfire.as("Jason")
	host := strings.TrimPrefix(campfire.url, "http://")
	conn := must(net.Dial("tcp", host))(t)
	defer conn.Close()
	_ = must(conn.Write([]byte(http2.ClientPreface)))(t)
	frames := http2.NewFramer(conn, conn)
	wantEqual(t, "settings", frames.WriteSettings(), nil)
	waiting := 2 * rousedAtOnce
	for i := range waiting {
		var headers bytes.Buffer
		encoder := hpack.NewEncoder(&headers)
		for _, h := range [][2]string{
			{":method", "POST"},
			{":scheme", "http"},
			{":authority", host},
			{":path", campfirev1connect.EventServiceSubscribeProcedure},
			{"content-type", "application/connect+proto"},
			{"connect-protocol-version", "1"},
			{"authorization", "Bearer " + david.token},
		} {
			_ = encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
		}
		id := uint32(2*i + 1)
		err := frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headers.Bytes(), EndHeaders: true})
		wantEqual(t, "a call", errors.Join(err, frames.WriteData(id, true, []byte{0, 0, 0, 0, 0})), nil)
	}
	size := 0 // of a hello
	for hellos := 0; hellos < waiting; {
		switch frame := must(frames.ReadFrame())(t).(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				wantEqual(t, "settings", frames.WriteSettingsAck(), nil)
			}
		case *http2.DataFrame:
			hellos++
			size = len(frame.Data())
		}
	}
	// From here on a stream may send as much as its hello was: nothing more.
	wantEqual(t, "settings", frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(size)}), nil)
	go io.Copy(io.Discard, conn)
	time.Sleep(campfire.server.timing.heartbeat * 3 / 2) // so that each has one to send

	heard := jason.listen(t)
	for range 2 {
		began := time.Now()
		jason.post(t, campfire.Designers, "Hello")
		heard.hears(t, `created "Hello"`)
		if took := time.Since(began); took > campfire.server.timing.heartbeat/2 { // with its own, it would hear it anyway
			t.Errorf("Jason hears it after %v", took)
		}
	}
}
