package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
)

var (
	modelRuns = flag.Int("runs", 20, "how many runs TestWhatTabsKnowIsWhatAFreshLoadShows makes")
	modelSeed = flag.Uint64("seed", 0, "the seed of its first run; 0 for any")
)

// Whatever happens, and however often the streams are cut in the midst of a frame: what a tab knows by its stream alone is,
// in the end, what it would be shown if it were opened anew.
func TestWhatTabsKnowIsWhatAFreshLoadShows(t *testing.T) {
	t.Parallel()
	first := *modelSeed
	if first == 0 {
		first = rand.Uint64N(1 << 40)
	}
	t.Logf("%d runs; to repeat them: -runs %d -seed %d", *modelRuns, *modelRuns, first)
	for i := range uint64(*modelRuns) {
		t.Run(fmt.Sprintf("seed %d", first+i), func(t *testing.T) {
			t.Parallel()
			newModel(t, first+i).run()
		})
	}
}

// model is a story by chance: of people, their tabs, and what they do in two rooms.
type model struct {
	*rand.Rand
	t        *testing.T
	campfire *campfire
	people   []*person // the first is an administrator
	tabs     []*tab
	rooms    []store.Room
	members  map[int64]map[int64]bool // by room
	messages []*campfirev1.Message    // not deleted
	boosts   map[int64]*person        // by boost
	ofRoom   map[int64]int64          // the rooms of the boosts
	compared chan struct{}            // closed once all tabs were
	told     []string                 // what happened, for the story of a failure
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{
		Rand: rand.New(rand.NewPCG(seed, 0)), t: t, campfire: newCampfire(t),
		boosts: map[int64]*person{}, ofRoom: map[int64]int64{}, compared: make(chan struct{}),
	}
	all := map[int64]bool{}
	for _, name := range []string{"David", "Jason", "Kevin"} {
		p := m.campfire.again(name)
		m.people = append(m.people, p)
		all[p.id] = true
		for range 1 + m.IntN(2) {
			ways := []way{overHTTP1, overH2C, overGRPC}
			m.tabs = append(m.tabs, newTab(t, p.by(ways[m.IntN(len(ways))]), m.compared))
		}
	}
	m.rooms = []store.Room{m.campfire.AllTalk, m.campfire.Designers}
	m.members = map[int64]map[int64]bool{
		m.campfire.AllTalk.ID:   all,
		m.campfire.Designers.ID: {m.people[0].id: true, m.people[1].id: true},
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what happened:\n%s", strings.Join(m.told, "\n"))
		}
	})
	return m
}

func (m *model) run() {
	for range 60 + m.IntN(120) {
		m.step()
		if m.t.Failed() {
			return
		}
	}
	for _, tab := range m.tabs {
		if tab.cut() || tab.cutAfter.Load() > 0 {
			tab.hangUp()
			tab.open(0)
		}
		eventually(m.t, "the tab's stream is open", func() bool { return tab.streamID() != "" })
	}
	m.people[0].announce(m.t, "the end")
	defer close(m.compared)
	for _, tab := range m.tabs {
		select {
		case <-tab.theEnd: // it reads no further
		case <-tab.gone():
			m.t.Fatalf("%s's stream has ended: %v", tab.name, tab.err)
		case <-time.After(patience):
			m.t.Fatalf("%s's tab does not hear the end", tab.name)
		}
		tab.wantFresh(m.t)
		if m.t.Failed() {
			m.t.Fatalf("%s's tab, by %s, heard %s", tab.name, tab.way.name, strings.Join(tab.heard, "; "))
		}
	}
	wantNoErrors(m.t, m.campfire)
}

// tell notes what happens next.
func (m *model) tell(format string, args ...any) {
	m.told = append(m.told, fmt.Sprintf(format, args...))
}

// someone is a member of the room.
func (m *model) someone(room store.Room) *person {
	for {
		if p := m.people[m.IntN(len(m.people))]; m.members[room.ID][p.id] {
			return p
		}
	}
}

// own is a message of somebody who is in its room still, or nil.
func (m *model) own() (*campfirev1.Message, *person) {
	if len(m.messages) == 0 {
		return nil, nil
	}
	message := m.messages[m.IntN(len(m.messages))]
	for _, p := range m.people {
		if p.id == message.GetCreator().GetId() && m.members[message.GetRoomId()][p.id] {
			return message, p
		}
	}
	return nil, nil
}

func (m *model) step() {
	room, tab := m.rooms[m.IntN(len(m.rooms))], m.tabs[m.IntN(len(m.tabs))]
	switch chance := m.IntN(100); {
	case chance < 35:
		p := m.someone(room)
		text := fmt.Sprintf("message %d %s", len(m.told), strings.Repeat("x", m.IntN(300)))
		m.messages = append(m.messages, p.post(m.t, room, text))
		m.tell("%s posts %d in %s", p.name, m.messages[len(m.messages)-1].GetId(), room.Name)
	case chance < 43:
		if message, p := m.own(); message != nil {
			m.tell("%s edits %d", p.name, message.GetId())
			p.edit(m.t, message, fmt.Sprintf("edit %d", len(m.told)))
		}
	case chance < 51:
		if message, _ := m.own(); message != nil {
			p := m.someone(store.Room{ID: message.GetRoomId()})
			b := p.boost(m.t, message, fmt.Sprint(len(m.told)))
			m.boosts[b.GetId()], m.ofRoom[b.GetId()] = p, message.GetRoomId()
			m.tell("%s boosts %d by %d", p.name, message.GetId(), b.GetId())
		}
	case chance < 55:
		for _, id := range slices.Sorted(maps.Keys(m.boosts)) {
			if p := m.boosts[id]; m.members[m.ofRoom[id]][p.id] {
				m.tell("%s takes boost %d back", p.name, id)
				_, err := p.RemoveBoost(m.t.Context(), &campfirev1.RemoveBoostRequest{BoostId: id})
				if err != nil && !strings.HasPrefix(err.Error(), "not_found") { // its message may be deleted
					m.t.Fatal(err)
				}
				delete(m.boosts, id)
				break
			}
		}
	case chance < 62:
		if message, p := m.own(); message != nil {
			m.tell("%s deletes %d", p.name, message.GetId())
			p.delete(m.t, message)
			m.messages = slices.DeleteFunc(m.messages, func(other *campfirev1.Message) bool { return other == message })
		}
	case chance < 70:
		m.change(m.people[1+m.IntN(len(m.people)-1)])
	case chance < 74:
		p, involvement := m.someone(room), campfirev1.Involvement_INVOLVEMENT_MENTIONS
		if m.IntN(2) == 0 {
			involvement = campfirev1.Involvement_INVOLVEMENT_INVISIBLE
		}
		m.tell("%s sets %s to %v", p.name, room.Name, involvement)
		must(p.SetInvolvement(m.t.Context(), &campfirev1.SetInvolvementRequest{RoomId: room.ID, Involvement: involvement}))(m.t)
	case chance < 82:
		m.look(tab, room)
	case chance < 92:
		if !tab.cut() {
			m.tell("a tab of %s hangs up", tab.name)
			tab.hangUp()
			<-tab.gone()
		}
	default:
		if tab.cut() {
			bytes := m.IntN(3000)
			m.tell("a tab of %s opens a stream, for %d bytes", tab.name, bytes)
			tab.open(int64(bytes))
		}
	}
}

// change lets somebody into Designers, or removes them.
func (m *model) change(p *person) {
	room := m.campfire.Designers.ID
	change := &campfirev1.UpdateRoomRequest{RoomId: room}
	if m.members[room][p.id] {
		m.tell("%s is removed from Designers", p.name)
		change.RevokeUserIds = []int64{p.id}
	} else {
		m.tell("%s is let into Designers", p.name)
		change.GrantUserIds = []int64{p.id}
	}
	must(m.people[0].UpdateRoom(m.t.Context(), change))(m.t)
	m.members[room][p.id] = !m.members[room][p.id]
}

// look lets a tab come to look at a room, or look away. Its stream may be over: then neither is so.
func (m *model) look(tab *tab, room store.Room) {
	id := tab.streamID()
	if id == "" || !m.members[room.ID][tab.id] {
		return
	}
	var err error
	if m.IntN(2) == 0 {
		m.tell("a tab of %s looks at %s", tab.name, room.Name)
		err = tab.tryEnter(m.t, room.ID, id)
	} else {
		m.tell("a tab of %s looks away from %s", tab.name, room.Name)
		err = tab.tryLeave(m.t, room.ID, id)
	}
	if err != nil && !strings.HasPrefix(err.Error(), "failed_precondition") {
		m.t.Fatal(err)
	}
}

// tab is one tab of somebody's: it knows what it loaded when it was opened, and what its streams told since.
type tab struct {
	*person
	t        *testing.T
	cutAfter atomic.Int64 // bytes of the next stream; 0 for never
	hangUp   context.CancelFunc
	err      error // why the stream is over, after gone
	theEnd   chan struct{}
	compared <-chan struct{}

	mu     sync.Mutex
	ended  chan struct{}
	stream string

	// Only the goroutine of the stream uses these, or whoever waits for its end.
	heard    []string // of the story, for that of a failure
	token    string
	rooms    map[int64]*campfirev1.Room
	messages map[int64]map[int64]*campfirev1.Message // by room
}

func newTab(t *testing.T, p *person, compared <-chan struct{}) *tab {
	tab := &tab{t: t, compared: compared, theEnd: make(chan struct{}), rooms: map[int64]*campfirev1.Room{}, messages: map[int64]map[int64]*campfirev1.Message{}}
	tab.person = p.over(cutting{p.http.Transport, &tab.cutAfter})
	tab.open(0)
	return tab
}

// cutting cuts streams in the midst of what they say.
type cutting struct {
	http.RoundTripper
	after *atomic.Int64
}

func (c cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(r)
	if n := c.after.Load(); err == nil && n > 0 && r.URL.Path == campfirev1connect.EventServiceSubscribeProcedure {
		res.Body = &cutBody{res.Body, n}
	}
	return res, err
}

type cutBody struct {
	io.ReadCloser
	left int64
}

func (b *cutBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// open opens a stream where the last one ended, to be cut after so many bytes.
func (tab *tab) open(cutAfter int64) {
	if tab.ended != nil {
		<-tab.gone()
	}
	ctx, hangUp := context.WithCancel(tab.t.Context())
	ended := make(chan struct{})
	tab.mu.Lock()
	tab.hangUp, tab.ended = hangUp, ended
	tab.mu.Unlock()
	tab.cutAfter.Store(cutAfter)
	go func() {
		defer close(ended)
		defer hangUp()
		tab.err = tab.hear(ctx)
		tab.mu.Lock()
		defer tab.mu.Unlock()
		tab.stream = ""
	}()
}

func (tab *tab) gone() <-chan struct{} {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return tab.ended
}

func (tab *tab) cut() bool {
	select {
	case <-tab.gone():
		return true
	default:
		return false
	}
}

func (tab *tab) streamID() string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return tab.stream
}

func (tab *tab) hear(ctx context.Context) error {
	stream, err := tab.Subscribe(ctx, &campfirev1.SubscribeRequest{ResumeToken: tab.token})
	if err != nil {
		return err
	}
	defer stream.Close()
	defer tab.hangUp()
	for stream.Receive() {
		tab.heard = append(tab.heard, note(stream.Msg()))
		if err := tab.apply(ctx, stream.Msg()); err != nil {
			return err
		}
		if token := stream.Msg().GetResumeToken(); token != "" {
			tab.token = token
		}
	}
	return stream.Err()
}

// apply does what the contract asks of a client.
func (tab *tab) apply(ctx context.Context, e *campfirev1.SubscribeResponse) error {
	switch e := e.GetEvent().(type) {
	case *campfirev1.SubscribeResponse_Hello:
		if tab.token == "" { // without one, what it has loaded may lack something
			clear(tab.rooms)
			clear(tab.messages)
		}
		if err := tab.loadRooms(ctx); err != nil {
			return err
		}
		tab.mu.Lock()
		defer tab.mu.Unlock()
		tab.stream = e.Hello.GetStreamId()
	case *campfirev1.SubscribeResponse_MessageCreated:
		m := e.MessageCreated.GetMessage()
		tab.save(m)
		room := tab.rooms[m.GetRoomId()]
		if room != nil && m.GetCreatedAt().AsTime().After(room.GetUpdatedAt().AsTime()) {
			room.UpdatedAt = m.GetCreatedAt()
			room.Unread = room.Unread && m.GetCreator().GetId() != tab.id
		}
	case *campfirev1.SubscribeResponse_MessageUpdated:
		tab.save(e.MessageUpdated.GetMessage())
	case *campfirev1.SubscribeResponse_MessageDeleted:
		delete(tab.messages[e.MessageDeleted.GetRoomId()], e.MessageDeleted.GetMessageId())
	case *campfirev1.SubscribeResponse_RoomChanged:
		return tab.saveRoom(ctx, e.RoomChanged.GetRoom())
	case *campfirev1.SubscribeResponse_RoomRemoved:
		delete(tab.rooms, e.RoomRemoved.GetRoomId())
		delete(tab.messages, e.RoomRemoved.GetRoomId())
	case *campfirev1.SubscribeResponse_RoomUnread:
		if room := tab.rooms[e.RoomUnread.GetRoomId()]; room != nil {
			room.Unread = true
		}
	case *campfirev1.SubscribeResponse_RoomRead:
		if room := tab.rooms[e.RoomRead.GetRoomId()]; room != nil {
			room.Unread = false
		}
	case *campfirev1.SubscribeResponse_AccountChanged:
		if e.AccountChanged.GetAccount().GetName() == "the end" {
			close(tab.theEnd)
			<-tab.compared
		}
	case *campfirev1.SubscribeResponse_ResyncRequired:
		return errors.New("told to load everything anew, after so little")
	}
	return nil
}

func (tab *tab) save(m *campfirev1.Message) {
	if known := tab.messages[m.GetRoomId()]; known != nil && known[m.GetId()].GetRevision() <= m.GetRevision() {
		known[m.GetId()] = m
	}
}

// loadRooms is what is to be done after each hello.
func (tab *tab) loadRooms(ctx context.Context) error {
	res, err := tab.ListRooms(ctx, &campfirev1.ListRoomsRequest{})
	if err != nil {
		return err
	}
	there := map[int64]bool{}
	for _, room := range res.GetRooms() {
		there[room.GetId()] = true
		if err := tab.saveRoom(ctx, room); err != nil {
			return err
		}
	}
	maps.DeleteFunc(tab.rooms, func(id int64, _ *campfirev1.Room) bool { return !there[id] })
	maps.DeleteFunc(tab.messages, func(id int64, _ map[int64]*campfirev1.Message) bool { return !there[id] })
	return nil
}

// saveRoom takes in a room, and loads its conversation if it is new here.
func (tab *tab) saveRoom(ctx context.Context, room *campfirev1.Room) error {
	if room.GetInvolvement() == campfirev1.Involvement_INVOLVEMENT_INVISIBLE { // the sidebar does not show it
		delete(tab.rooms, room.GetId())
		delete(tab.messages, room.GetId())
		return nil
	}
	known := tab.rooms[room.GetId()]
	tab.rooms[room.GetId()] = room
	if tab.messages[room.GetId()] != nil && proto.Equal(known.GetJoinedAt(), room.GetJoinedAt()) {
		return nil
	}
	messages, err := tab.load(ctx, room.GetId())
	if err != nil && strings.HasPrefix(err.Error(), "not_found") { // removed from it again: that will be told
		return nil
	}
	tab.messages[room.GetId()] = messages
	return err
}

func (tab *tab) load(ctx context.Context, roomID int64) (map[int64]*campfirev1.Message, error) {
	messages, page := map[int64]*campfirev1.Message{}, &campfirev1.ListMessagesRequest{RoomId: roomID, PageSize: 100}
	for {
		res, err := tab.ListMessages(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, m := range res.GetMessages() {
			messages[m.GetId()] = m
		}
		if !res.GetHasOlder() {
			return messages, nil
		}
		page.Anchor = &campfirev1.ListMessagesRequest_Before{Before: res.GetMessages()[0].GetId()}
	}
}

// wantFresh compares what the tab knows with what a fresh load shows.
func (tab *tab) wantFresh(t *testing.T) {
	t.Helper()
	rooms := map[int64]*campfirev1.Room{}
	for _, room := range must(tab.ListRooms(t.Context(), &campfirev1.ListRoomsRequest{}))(t).GetRooms() {
		rooms[room.GetId()] = room
	}
	for _, room := range append(slices.Collect(maps.Values(rooms)), slices.Collect(maps.Values(tab.rooms))...) {
		room.UpdatedAt = nil // an edit or a deletion moves it on, without telling of the room
		room.LastReadMessageId = 0
	}
	wantSameOf(t, tab.name+"'s room", tab.rooms, rooms)
	for id := range rooms {
		wantSameOf(t, fmt.Sprintf("%s's message of room %d,", tab.name, id), tab.messages[id], must(tab.load(t.Context(), id))(t))
	}
}

func wantSameOf[M proto.Message](t *testing.T, what string, got, want map[int64]M) {
	t.Helper()
	for id := range got {
		if _, there := want[id]; !there {
			t.Errorf("%s %d is known, but is not there", what, id)
		}
	}
	for id := range want {
		if _, known := got[id]; !known {
			t.Errorf("%s %d is not known", what, id)
			continue
		}
		wantSame(t, fmt.Sprintf("%s %d", what, id), got[id], want[id])
	}
}
