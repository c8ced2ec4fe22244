package server

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// event is one thing that happened, on its way to many streams. It is encoded once for each codec, by the first stream
// that sends it.
type event struct {
	revision int64 // of the change of a message it tells, or 0
	roomID   int64 // the room it tells of, or 0
	size     int   // about how many bytes it takes
	latest   topic // if set, it replaces an earlier event of this topic that still waits
	message  func() *campfirev1.SubscribeResponse
	proto    func() ([]byte, error) // as frames that can be written to any stream of that codec
	json     func() ([]byte, error)
}

// topic is what only the latest event counts of: whether someone types, is present, or has read a room; how a message is.
type topic struct {
	what       string
	roomID, id int64 // id of the user or message, if there can be several
}

// eventOverhead is about what an event takes beside its texts.
const eventOverhead = 256

func newEvent(e event, message func() *campfirev1.SubscribeResponse) *event {
	e.size += eventOverhead
	e.message = sync.OnceValue(message)
	e.proto = sync.OnceValues(func() ([]byte, error) { return frame(proto.Marshal(e.message())) })
	e.json = sync.OnceValues(func() ([]byte, error) { return frame(protojson.Marshal(e.message())) })
	return &e
}

// frame puts before a message what Connect, gRPC and gRPC-Web all put before each message of a stream: no flags, and its
// length.
func frame(message []byte, err error) ([]byte, error) {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...), err
}

const (
	// What a stream may have waiting before its reader counts as too slow. The sockets hold some megabytes more.
	maxQueuedEvents = 2000
	maxQueuedBytes  = 2 << 20
	// A stream takes so much of its queue at once, in bytes. What is still in the queue can be taken back.
	bite = 32 << 10
)

// rousedAtOnce is how many streams are roused before one of them has taken what it has. If a thousand were, a post would
// wait in the scheduler's queue behind them all.
var rousedAtOnce = 4 * runtime.GOMAXPROCS(0)

// Those with something new are roused in rounds. From one round to the next there is some time, the more the more streams
// it has: a message that comes alone leaves at once, but of many in a row a stream writes several together, which costs as
// much as one, and leaves the processors to those who post.
const (
	leastPace    = time.Millisecond
	paceOfStream = 35 * time.Microsecond
	slowestPace  = 50 * time.Millisecond
)

// StreamLimits bound how many streams may be open at once.
type StreamLimits struct {
	PerSession int // 50 if it is 0
	PerUser    int // 100 if it is 0
	PerAddress int // 2,000 if it is 0: a whole office may have one address; of IPv6, all that share a /64 count together
	InAll      int // 20,000 if it is 0
}

func (l StreamLimits) orDefaults() StreamLimits {
	return StreamLimits{
		PerSession: cmp.Or(l.PerSession, 50),
		PerUser:    cmp.Or(l.PerUser, 100),
		PerAddress: cmp.Or(l.PerAddress, 2000),
		InAll:      cmp.Or(l.InAll, 20_000),
	}
}

// hub knows who has a stream open. Nothing in it waits for a reader.
type hub struct {
	limits StreamLimits

	mu       sync.Mutex
	streams  map[int64][]*stream  // by user
	networks map[netip.Prefix]int // how many streams each has
	open     int                  // streams
	revision int64                // everything up to it has been queued
	fresh    []*stream            // these have something new, and wait for the next round
	round    []*stream            // those of this round that are still to be roused
	roused   int                  // streams that have not taken yet what they were roused for
	began    time.Time            // when the round did
	paced    bool                 // whether the next one waits for its time
}

// stream is one open stream: its queue, and why it must end. The hub's mu guards them.
type stream struct {
	id      string
	who     store.Identity
	network netip.Prefix
	missed  []*event         // what happened before it opened, to be told first
	seen    int64            // everything up to this revision is among missed, or was seen before
	left    map[int64]bool   // rooms left before missed was known; nil after that
	queue   []*event         // those superseded by a later one of their topic are passed over
	latest  map[topic]*event // the one that counts, of each topic in the queue
	events  int              // that count
	bytes   int              // of them
	waiting bool             // for something new
	fresh   bool             // whether it is among the hub's fresh
	roused  bool             // whether the hub counts it so
	ending  error            // why it must end, once it must
	wake    chan struct{}    // holds one when there is something to do
}

// Why the hub ends a stream.
var (
	errSlowReader   = errors.New("the reader is too slow")
	errSessionEnded = fmt.Errorf("%w: the session has ended", store.ErrUnauthenticated)
)

func newHub(limits StreamLimits) *hub {
	return &hub{limits: limits.orDefaults(), streams: map[int64][]*stream{}, networks: map[netip.Prefix]int{}}
}

// join opens a stream. From here on it gets every event that is sent to its user.
func (h *hub) join(who store.Identity, from netip.Addr) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	mine := h.streams[who.UserID]
	st := &stream{id: rand.Text(), who: who, network: store.Network(from), left: map[int64]bool{}, wake: make(chan struct{}, 1)}
	ofSession := 0
	for _, other := range mine {
		if other.who == who {
			ofSession++
		}
	}
	switch {
	case ofSession >= h.limits.PerSession:
		return nil, tooMany("this session has too many streams open; close some tabs, or come back later", time.Minute)
	case len(mine) >= h.limits.PerUser:
		return nil, tooMany("you have too many streams open; close some, or come back later", time.Minute)
	case h.networks[st.network] >= h.limits.PerAddress:
		return nil, tooMany("your network address has too many streams open; come back later", time.Minute)
	case h.open >= h.limits.InAll:
		return nil, tooMany("the server has as many streams open as it may; come back later", time.Minute)
	}
	h.streams[who.UserID] = append(mine, st)
	h.networks[st.network]++
	h.open++
	return st, nil
}

func (h *hub) leave(st *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	mine := h.streams[st.who.UserID]
	i := slices.Index(mine, st)
	if i < 0 {
		return
	}
	if mine = slices.Delete(mine, i, i+1); len(mine) == 0 {
		delete(h.streams, st.who.UserID)
	} else {
		h.streams[st.who.UserID] = mine
	}
	if h.networks[st.network]--; h.networks[st.network] == 0 {
		delete(h.networks, st.network)
	}
	h.open--
	st.waiting = false
	h.notRoused(st)
}

func (h *hub) openStreams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

// find answers a user's open stream of that id, or nil.
func (h *hub) find(userID int64, id string) *stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, st := range h.streams[userID] {
		if st.id == id {
			return st
		}
	}
	return nil
}

// send queues an event for every stream of these users. They hear of it once they are roused.
func (h *hub) send(userIDs []int64, e *event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range userIDs {
		for _, st := range h.streams[id] {
			h.add(st, e)
		}
	}
	h.revision = max(h.revision, e.revision)
}

// sendAll queues an event for every stream.
func (h *hub) sendAll(e *event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, streams := range h.streams {
		for _, st := range streams {
			h.add(st, e)
		}
	}
}

func (h *hub) add(st *stream, e *event) {
	st.add(e)
	if st.waiting && !st.fresh {
		st.fresh = true
		h.fresh = append(h.fresh, st)
	}
}

// rouse lets the streams write what was sent to them, in the next round.
func (h *hub) rouse() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextRound()
}

// nextRound begins a round once the one before is through and the pace allows.
func (h *hub) nextRound() {
	if h.paced || len(h.round) > 0 || len(h.fresh) == 0 {
		return
	}
	pace := min(leastPace+time.Duration(len(h.fresh))*paceOfStream, slowestPace)
	wait := time.Until(h.began.Add(pace))
	if wait <= 0 {
		h.beginRound()
		return
	}
	h.paced = true
	time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.paced = false
		h.beginRound()
	})
}

func (h *hub) beginRound() {
	h.began, h.round, h.fresh = time.Now(), h.fresh, nil
	h.rouseNext()
}

// rouseNext rouses the next in turn. Only who waits is roused, so that one held up by its reader holds up nobody.
func (h *hub) rouseNext() {
	for h.roused < rousedAtOnce && len(h.round) > 0 {
		st := h.round[0]
		h.round[0], h.round = nil, h.round[1:]
		st.fresh = false
		if st.waiting && !st.roused {
			st.roused = true
			h.roused++
			st.rouse()
		}
	}
	h.nextRound()
}

// notRoused counts a stream no longer among the roused.
func (h *hub) notRoused(st *stream) {
	if st.roused {
		st.roused = false
		h.roused--
		h.rouseNext()
	}
}

// catchUp tells a stream first what it missed up to a revision, but for the rooms that its user has left since. Of what has
// happened meanwhile only later changes of messages are still news: all else is in what the client loads after hello, and
// would set that back.
func (h *hub) catchUp(st *stream, missed []*event, revision int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if st.ending != nil {
		return
	}
	st.missed = slices.DeleteFunc(missed, func(e *event) bool { return st.left[e.roomID] })
	st.left, st.seen = nil, revision
	st.drop(func(e *event) bool { return e.revision <= revision })
	st.rouse()
}

// removeFromRoom takes out of the queues of one who has left a room what they would still hear of it.
func (h *hub) removeFromRoom(userID, roomID int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, st := range h.streams[userID] {
		st.forget(roomID)
	}
}

// endSession ends the streams of a session at once: what they have waiting is not sent.
func (h *hub) endSession(who store.Identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, st := range h.streams[who.UserID] {
		if st.who.SessionID == who.SessionID {
			st.end(errSessionEnded)
		}
	}
}

// take takes a bite of what a stream has waiting. After it, the stream has everything up to the revision; that is -1 if
// there is more. The stream says when it has written what it has to.
func (h *hub) take(st *stream) (events []*event, upTo int64, ending error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	st.waiting = false
	h.notRoused(st)
	if st.ending != nil {
		return nil, 0, st.ending
	}
	size := 0
	upTo = -1
	takeFrom := func(list []*event, counts func(*event) bool) []*event {
		taken := 0
		for ; taken < len(list) && size < bite; taken++ {
			if e := list[taken]; counts(e) {
				events, size = append(events, e), size+e.size
			}
		}
		return slices.Delete(list, 0, taken)
	}
	st.missed = takeFrom(st.missed, func(*event) bool { return true })
	st.queue = takeFrom(st.queue, st.discount)
	if len(st.missed)+len(st.queue) == 0 {
		upTo = max(h.revision, st.seen)
	}
	return events, upTo, nil
}

// written lets a stream that has written what it had to wait until it is roused, or come again for what is left or has come meanwhile.
func (h *hub) written(st *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if st.ending == nil && len(st.missed)+len(st.queue) == 0 {
		st.waiting = true
		return
	}
	st.rouse()
}

// add queues an event. A stream whose queue is full is to end: its reader is too slow, and must load everything anew.
func (st *stream) add(e *event) {
	if st.ending != nil || st.hasSeen(e) {
		return
	}
	if e.latest != (topic{}) {
		if earlier := st.latest[e.latest]; earlier != nil {
			st.discount(earlier)
		} else if st.latest == nil {
			st.latest = map[topic]*event{}
		}
		st.latest[e.latest] = e
	}
	st.queue, st.events, st.bytes = append(st.queue, e), st.events+1, st.bytes+e.size
	if st.events > maxQueuedEvents || st.bytes > maxQueuedBytes {
		st.end(errSlowReader)
	} else if len(st.queue) > 2*st.events+100 {
		st.drop(func(*event) bool { return false }) // mostly superseded
	}
}

// hasSeen tells whether an event is among what the stream has been told of the time before it opened.
func (st *stream) hasSeen(e *event) bool { return e.revision != 0 && e.revision <= st.seen }

// discount no longer counts an event of the queue, and tells whether it did count until now.
func (st *stream) discount(e *event) bool {
	if e.latest != (topic{}) {
		if st.latest[e.latest] != e {
			return false
		}
		delete(st.latest, e.latest)
	}
	st.events, st.bytes = st.events-1, st.bytes-e.size
	return true
}

// drop takes the unwanted out of the queue, and those superseded.
func (st *stream) drop(unwanted func(*event) bool) {
	st.queue = slices.DeleteFunc(st.queue, func(e *event) bool {
		superseded := e.latest != (topic{}) && st.latest[e.latest] != e
		return superseded || unwanted(e) && st.discount(e)
	})
}

func (st *stream) forget(roomID int64) {
	ofRoom := func(e *event) bool { return e.roomID == roomID }
	st.drop(ofRoom)
	st.missed = slices.DeleteFunc(st.missed, ofRoom)
	if st.left != nil {
		st.left[roomID] = true
	}
}

func (st *stream) end(why error) {
	st.missed, st.queue, st.latest, st.events, st.bytes, st.ending = nil, nil, nil, 0, 0, why
	st.rouse()
}

func (st *stream) rouse() {
	select {
	case st.wake <- struct{}{}:
	default: // it is roused already
	}
}
