package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"connectrpc.com/connect"
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
	proto    func() ([]byte, error)
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
	e.proto = sync.OnceValues(func() ([]byte, error) { return proto.Marshal(e.message()) })
	e.json = sync.OnceValues(func() ([]byte, error) { return protojson.Marshal(e.message()) })
	return &e
}

// What a stream may have waiting before its reader counts as too slow. The sockets hold some megabytes more.
const (
	maxQueuedEvents = 2000
	maxQueuedBytes  = 2 << 20
)

// hub knows who has a stream open. Nothing in it waits for a reader.
type hub struct {
	maxPerUser int

	mu       sync.Mutex
	streams  map[int64][]*stream // by user
	revision int64               // everything up to it has been queued
}

// stream is one open stream: its queue, and why it must end. The hub's mu guards them.
type stream struct {
	id     string
	who    store.Identity
	queue  []*event
	bytes  int
	ending error         // why it must end, once it must
	wake   chan struct{} // holds one when there is something to do
}

// Why the hub ends a stream.
var (
	errSlowReader   = errors.New("the reader is too slow")
	errSessionEnded = fmt.Errorf("%w: the session has ended", store.ErrUnauthenticated)
)

func newHub(maxPerUser int) *hub {
	return &hub{maxPerUser: maxPerUser, streams: map[int64][]*stream{}}
}

// join opens a stream. From here on it gets every event that is sent to its user.
func (h *hub) join(who store.Identity) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams[who.UserID]) >= h.maxPerUser {
		return nil, tooMany("you have too many streams open; close some, or come back later", time.Minute)
	}
	st := &stream{id: rand.Text(), who: who, wake: make(chan struct{}, 1)}
	h.streams[who.UserID] = append(h.streams[who.UserID], st)
	return st, nil
}

func (h *hub) leave(st *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	mine := h.streams[st.who.UserID]
	if i := slices.Index(mine, st); i >= 0 {
		mine = slices.Delete(mine, i, i+1)
	}
	if len(mine) == 0 {
		delete(h.streams, st.who.UserID)
	} else {
		h.streams[st.who.UserID] = mine
	}
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

// send queues an event for every stream of these users.
func (h *hub) send(userIDs []int64, e *event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range userIDs {
		for _, st := range h.streams[id] {
			st.add(e)
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
			st.add(e)
		}
	}
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

// take empties a stream's queue. After these events the stream has all there is up to the revision.
func (h *hub) take(st *stream) (events []*event, revision int64, ending error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	events, st.queue, st.bytes = st.queue, nil, 0
	return events, h.revision, st.ending
}

// add queues an event. A stream whose queue is full is to end: its reader is too slow, and must load everything anew.
func (st *stream) add(e *event) {
	if st.ending != nil {
		return
	}
	if e.latest != (topic{}) {
		st.drop(func(queued *event) bool { return queued.latest == e.latest })
	}
	st.queue, st.bytes = append(st.queue, e), st.bytes+e.size
	if len(st.queue) > maxQueuedEvents || st.bytes > maxQueuedBytes {
		st.queue, st.bytes, st.ending = nil, 0, errSlowReader
	}
	st.rouse()
}

func (st *stream) end(why error) {
	st.queue, st.bytes, st.ending = nil, 0, why
	st.rouse()
}

func (st *stream) forget(roomID int64) {
	st.drop(func(e *event) bool { return e.roomID == roomID })
}

func (st *stream) drop(unwanted func(*event) bool) {
	st.queue = slices.DeleteFunc(st.queue, func(e *event) bool {
		if !unwanted(e) {
			return false
		}
		st.bytes -= e.size
		return true
	})
}

func (st *stream) rouse() {
	select {
	case st.wake <- struct{}{}:
	default: // it is roused already
	}
}

// encodeEventsOnce replaces Connect's codecs by ones that take an *event as well, as the bytes it has ready.
var encodeEventsOnce = connect.WithHandlerOptions(
	connect.WithCodec(eventCodec{"proto"}),
	connect.WithCodec(eventCodec{"json"}),
	connect.WithCodec(eventCodec{"json; charset=utf-8"}),
)

// eventCodec implements connect.Codec, by the name it has in content types.
type eventCodec struct{ name string }

// Name implements connect.Codec.
func (c eventCodec) Name() string { return c.name }

// Marshal implements connect.Codec.
func (c eventCodec) Marshal(message any) ([]byte, error) {
	switch m := message.(type) {
	case *event:
		if c.name == "proto" {
			return m.proto()
		}
		return m.json()
	case proto.Message:
		if c.name == "proto" {
			return proto.Marshal(m)
		}
		return protojson.Marshal(m)
	default:
		return nil, fmt.Errorf("cannot encode %T", message)
	}
}

// MarshalAppend spares Connect an allocation for each event and stream.
func (c eventCodec) MarshalAppend(to []byte, message any) ([]byte, error) {
	bytes, err := c.Marshal(message)
	return append(to, bytes...), err
}

// Unmarshal implements connect.Codec.
func (c eventCodec) Unmarshal(bytes []byte, message any) error {
	m, ok := message.(proto.Message)
	switch {
	case !ok:
		return fmt.Errorf("cannot decode %T", message)
	case c.name == "proto":
		return proto.Unmarshal(bytes, m)
	case len(bytes) == 0:
		return errors.New("zero-length payload is not a valid JSON object")
	default:
		return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(bytes, m)
	}
}
