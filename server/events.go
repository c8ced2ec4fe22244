package server

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// timing is how long things take in the life of a stream.
type timing struct {
	heartbeat time.Duration // between heartbeats, give or take a fifth
	write     time.Duration // for one write to reach the reader's socket
	age       time.Duration // until a stream is asked to reconnect, give or take a fifth
	reconnect time.Duration // for a client to wait before it does, at most
}

var defaultTiming = timing{heartbeat: 20 * time.Second, write: 10 * time.Second, age: 25 * time.Minute, reconnect: 2 * time.Second}

// about a fifth more or less, so that streams opened together do not act together.
func (t timing) jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// Subscribe implements EventService: the life of one stream, from hello to its last word.
func (s *Server) Subscribe(ctx context.Context, req *campfirev1.SubscribeRequest, out *connect.ServerStream[campfirev1.SubscribeResponse]) error {
	since, err := readResumeToken(req.GetResumeToken())
	if err != nil {
		return err
	}
	who := caller(ctx)
	// First register, then read what was missed: what happens meanwhile waits in the queue.
	st, err := s.hub.join(who, about(ctx).address)
	if err != nil {
		return err
	}
	defer func() {
		s.hub.leave(st)
		for _, roomID := range s.presence.lost(st) {
			s.absent(who.UserID, roomID)
		}
	}()
	w := &wire{out: out, flusher: flusherOf(ctx), delivered: s.metrics.delivered}
	err = onOtherStack(func() error {
		// The session may have ended after it was checked and before the hub could have ended this stream.
		if err := s.store.RequireSession(ctx, who); err != nil {
			return err
		}
		return s.greet(ctx, w, st, since)
	})
	if err != nil {
		return err
	}
	return s.relay(ctx, w, st)
}

// onOtherStack runs what needs a deep stack, as SQLite does, in a goroutine that ends with it: that of a stream would keep
// its size for as long as the stream is open.
func onOtherStack(run func() error) (err error) {
	done := make(chan struct{})
	var panicked any
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		err = run()
	}()
	<-done
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// greet says hello, and gives the stream what was missed to tell.
func (s *Server) greet(ctx context.Context, w *wire, st *stream, since *store.Position) error {
	missed, latest, err := s.store.ChangesSince(ctx, st.who.UserID, since)
	hello := &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_Hello{Hello: &campfirev1.Hello{
		StreamId:          st.id,
		HeartbeatInterval: durationpb.New(s.timing.heartbeat * 6 / 5),
		ServerTime:        timestamppb.Now(),
		Version:           s.config.Version,
	}}}
	var events []*event
	switch {
	case errors.Is(err, store.ErrTooFarBehind):
		events = append(events, resyncRequired(campfirev1.ResyncReason_RESYNC_REASON_TOO_FAR_BEHIND, resumeToken(latest)))
	case errors.Is(err, store.ErrUnknownEpoch):
		events = append(events, resyncRequired(campfirev1.ResyncReason_RESYNC_REASON_UNKNOWN_EPOCH, resumeToken(latest)))
	case err != nil:
		return err
	case len(missed) == 0:
		hello.ResumeToken = resumeToken(latest)
	}
	for _, change := range missed {
		events = append(events, s.messageEvent(change))
	}
	s.hub.catchUp(st, events, latest.Revision)
	return w.send(hello)
}

// relay passes events on until the stream must end.
func (s *Server) relay(ctx context.Context, w *wire, st *stream) error {
	heartbeat := time.NewTimer(s.timing.jitter(s.timing.heartbeat))
	defer heartbeat.Stop()
	age := time.NewTimer(s.timing.jitter(s.timing.age))
	defer age.Stop()
	due := false // a heartbeat
	for {
		select {
		case <-st.wake:
		case <-heartbeat.C:
			heartbeat.Reset(s.timing.jitter(s.timing.heartbeat))
			due = true
		case <-age.C:
			return s.sendAway(w, st)
		case <-s.stopping:
			return s.sendAway(w, st)
		case <-ctx.Done():
			return ctx.Err()
		}
		events, revision, ending := s.hub.take(st)
		if ending != nil {
			return s.bidFarewell(w, ending)
		}
		if due && revision >= 0 {
			due = false
			// With a token of its own, so that what happens in other people's rooms does not leave this one behind.
			events = append(events, heartbeatAt(resumeToken(store.Position{Epoch: s.store.Epoch(), Revision: revision})))
		}
		if len(events) > 0 {
			if err := w.write(events...); err != nil {
				return err
			}
		}
		s.hub.written(st)
	}
}

// sendAway asks the client to open another stream, and ends this one.
func (s *Server) sendAway(w *wire, st *stream) error {
	s.hub.leave(st)
	delay := time.Duration(rand.Int64N(int64(s.timing.reconnect))) // so that not all come back at once
	if err := w.send(&campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_Reconnect{
		Reconnect: &campfirev1.Reconnect{Delay: durationpb.New(delay)},
	}}); err != nil {
		return err
	}
	return connect.NewError(connect.CodeUnavailable, errors.New("reconnect"))
}

// bidFarewell ends a stream that the hub wants ended.
func (s *Server) bidFarewell(w *wire, why error) error {
	if !errors.Is(why, errSlowReader) {
		return why
	}
	if err := w.write(resyncRequired(campfirev1.ResyncReason_RESYNC_REASON_SLOW_READER, "")); err != nil {
		return err
	}
	return tooMany("this stream is read too slowly; load everything anew and open another", s.timing.reconnect)
}

func resyncRequired(reason campfirev1.ResyncReason, token string) *event {
	return newEvent(event{}, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{ResumeToken: token, Event: &campfirev1.SubscribeResponse_ResyncRequired{
			ResyncRequired: &campfirev1.ResyncRequired{Reason: reason},
		}}
	})
}

func heartbeatAt(token string) *event {
	return newEvent(event{}, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{ResumeToken: token, Event: &campfirev1.SubscribeResponse_Heartbeat{
			Heartbeat: &campfirev1.Heartbeat{},
		}}
	})
}

// wire is the way to a stream's reader. Only the stream's own goroutine writes to it.
type wire struct {
	out       *connect.ServerStream[campfirev1.SubscribeResponse]
	flusher   *flusher
	delivered prometheus.Counter // of events
}

// send sends a message of this stream alone. The first one also sends the headers.
func (w *wire) send(message *campfirev1.SubscribeResponse) error { return gone(w.out.Send(message)) }

// write writes events past Connect, as they are encoded already, and flushes once: however many they are, the socket is
// written to once.
func (w *wire) write(events ...*event) error {
	buffer := frames.Get().(*bytes.Buffer)
	defer func() { buffer.Reset(); frames.Put(buffer) }()
	for _, e := range events {
		encode := e.proto
		if w.flusher.json {
			encode = e.json
		}
		frame, err := encode()
		if err != nil {
			return err
		}
		buffer.Write(frame)
	}
	if _, err := w.flusher.Write(buffer.Bytes()); err != nil {
		return gone(err)
	}
	if err := w.flusher.flush(); err != nil {
		return gone(err)
	}
	w.delivered.Add(float64(len(events)))
	return nil
}

// frames are buffers in which the frames of a write stand together.
var frames = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// gone says that the reader has hung up or stands still: nothing for the log.
func gone(err error) error {
	if err == nil {
		return nil
	}
	return connect.NewError(connect.CodeCanceled, err)
}

// flusher stands between a stream and its socket, and gives every write a deadline: a reader who stands still must not
// hold a goroutine for ever.
type flusher struct {
	http.ResponseWriter
	control  *http.ResponseController
	timeout  time.Duration
	json     bool // whether the stream's messages are JSON
	begun    bool // whether anything was written
	deadline bool // whether one is set
}

type flusherKey struct{}

// streaming puts a flusher under the streams of a handler.
func streaming(next http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Accel-Buffering", "no")
		w.Header().Set("Cache-Control", "no-store, no-transform")
		if r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close") // the deadline of the last write would outlive the request
		}
		f := &flusher{
			ResponseWriter: w, control: http.NewResponseController(w), timeout: timeout,
			json: strings.Contains(r.Header.Get("Content-Type"), "json"),
		}
		next.ServeHTTP(f, r.WithContext(context.WithValue(r.Context(), flusherKey{}, f)))
		f.setDeadline() // for what net/http still has to write
	})
}

// maxWatchers bounds how many watch the server's health. Anyone may.
const maxWatchers = 100

// watching lets some watch, until the server stops or they have watched as long as a stream may be open.
func (s *Server) watching(next http.Handler) http.Handler {
	places := make(chan struct{}, maxWatchers)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			s.refuse(w, r, tooMany("too many are watching the server's health; come back later", time.Minute))
			return
		}
		ctx, end := context.WithTimeout(r.Context(), s.timing.jitter(s.timing.age))
		defer end()
		go func() {
			select {
			case <-s.stopping:
				end()
			case <-ctx.Done():
			}
		}()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func flusherOf(ctx context.Context) *flusher { return ctx.Value(flusherKey{}).(*flusher) }

// Write implements http.ResponseWriter.
func (f *flusher) Write(p []byte) (int, error) {
	if !f.begun {
		f.begun = true
		_ = f.control.SetReadDeadline(time.Time{}) // the request has been read
	}
	f.setDeadline()
	return f.ResponseWriter.Write(p)
}

// Flush implements http.Flusher, which Connect asks for.
func (f *flusher) Flush() { _ = f.flush() } // the next write answers the same error

func (f *flusher) flush() error {
	f.setDeadline()
	if err := f.control.Flush(); err != nil {
		return err
	}
	// An HTTP/2 stream would be reset when a deadline passes that is left standing, though nothing waits.
	f.deadline = false
	return f.control.SetWriteDeadline(time.Time{})
}

func (f *flusher) setDeadline() {
	if !f.deadline {
		f.deadline = f.control.SetWriteDeadline(time.Now().Add(f.timeout)) == nil
	}
}
