package server

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"connectrpc.com/connect"
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

// greetedTogether is how many missed events are written under one deadline.
const greetedTogether = 50

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
	st, err := s.hub.join(who)
	if err != nil {
		return err
	}
	defer func() {
		s.hub.leave(st)
		for _, roomID := range s.presence.lost(st) {
			s.absent(who.UserID, roomID)
		}
	}()
	// The session may have ended after it was checked and before the hub could have ended this stream.
	if err := s.store.RequireSession(ctx, who); err != nil {
		return err
	}
	w := &wire{out: out, flusher: flusherOf(ctx)}
	if err := w.flusher.control.SetReadDeadline(time.Time{}); err != nil { // the request has been read
		return err
	}
	seen, err := s.greet(ctx, w, st, since)
	if err != nil {
		return err
	}
	return s.relay(ctx, w, st, seen)
}

// greet says hello and tells what was missed. It answers the revision up to which the stream has everything.
func (s *Server) greet(ctx context.Context, w *wire, st *stream, since *store.Position) (seen int64, err error) {
	missed, latest, err := s.store.ChangesSince(ctx, st.who.UserID, since)
	hello := &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_Hello{Hello: &campfirev1.Hello{
		StreamId:          st.id,
		HeartbeatInterval: durationpb.New(s.timing.heartbeat * 6 / 5),
		ServerTime:        timestamppb.Now(),
		Version:           s.config.Version,
	}}}
	switch {
	case errors.Is(err, store.ErrTooFarBehind):
		return latest.Revision, w.write(hello, resyncRequired(campfirev1.ResyncReason_RESYNC_REASON_TOO_FAR_BEHIND, resumeToken(latest)))
	case errors.Is(err, store.ErrUnknownEpoch):
		return latest.Revision, w.write(hello, resyncRequired(campfirev1.ResyncReason_RESYNC_REASON_UNKNOWN_EPOCH, resumeToken(latest)))
	case err != nil:
		return 0, err
	}
	events := []any{hello}
	for _, change := range missed {
		events = append(events, s.messageEvent(change))
	}
	if len(missed) == 0 {
		hello.ResumeToken = resumeToken(latest)
	}
	for together := range slices.Chunk(events, greetedTogether) {
		if err := w.write(together...); err != nil {
			return 0, err
		}
	}
	return latest.Revision, nil
}

// relay passes events on until the stream must end. It skips the changes that the stream has seen.
func (s *Server) relay(ctx context.Context, w *wire, st *stream, seen int64) error {
	heartbeat := time.NewTimer(s.timing.jitter(s.timing.heartbeat))
	defer heartbeat.Stop()
	age := time.NewTimer(s.timing.jitter(s.timing.age))
	defer age.Stop()
	for {
		beat := false
		select {
		case <-st.wake:
		case <-heartbeat.C:
			heartbeat.Reset(s.timing.jitter(s.timing.heartbeat))
			beat = true
		case <-age.C:
			return s.sendAway(w)
		case <-s.stopping:
			return s.sendAway(w)
		case <-ctx.Done():
			return ctx.Err()
		}
		queued, revision, ending := s.hub.take(st)
		if ending != nil {
			return s.bidFarewell(w, ending)
		}
		events := make([]any, 0, len(queued)+1)
		for _, e := range queued {
			if e.revision == 0 || e.revision > seen {
				events = append(events, e)
			}
		}
		seen = max(seen, revision)
		if beat {
			// With a token of its own, so that what happens in other people's rooms does not leave this one behind.
			events = append(events, &campfirev1.SubscribeResponse{
				ResumeToken: resumeToken(store.Position{Epoch: s.store.Epoch(), Revision: seen}),
				Event:       &campfirev1.SubscribeResponse_Heartbeat{Heartbeat: &campfirev1.Heartbeat{}},
			})
		}
		if err := w.write(events...); err != nil {
			return err
		}
	}
}

// sendAway asks the client to open another stream, and ends this one.
func (s *Server) sendAway(w *wire) error {
	delay := time.Duration(rand.Int64N(int64(s.timing.reconnect))) // so that not all come back at once
	err := w.write(&campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_Reconnect{
		Reconnect: &campfirev1.Reconnect{Delay: durationpb.New(delay)},
	}})
	if err != nil {
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

func resyncRequired(reason campfirev1.ResyncReason, token string) *campfirev1.SubscribeResponse {
	return &campfirev1.SubscribeResponse{ResumeToken: token, Event: &campfirev1.SubscribeResponse_ResyncRequired{
		ResyncRequired: &campfirev1.ResyncRequired{Reason: reason},
	}}
}

// wire is the way to a stream's reader. Only the stream's own goroutine writes to it.
type wire struct {
	out     *connect.ServerStream[campfirev1.SubscribeResponse]
	flusher *flusher
}

// write sends messages and events together: however many there are, the socket is written to once.
func (w *wire) write(events ...any) error {
	w.flusher.held = true
	for _, e := range events {
		if err := w.out.Conn().Send(e); err != nil {
			return err
		}
	}
	w.flusher.held = false
	if err := w.flusher.flush(); err != nil {
		return connect.NewError(connect.CodeCanceled, err) // the reader is gone, or stands still: nothing for the log
	}
	return nil
}

// flusher stands between Connect, which flushes after each message, and the socket. It holds flushes back while more
// messages follow, and gives every write a deadline: a reader who stands still must not hold a goroutine for ever.
type flusher struct {
	http.ResponseWriter
	control  *http.ResponseController
	timeout  time.Duration
	held     bool
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
		f := &flusher{ResponseWriter: w, control: http.NewResponseController(w), timeout: timeout}
		next.ServeHTTP(f, r.WithContext(context.WithValue(r.Context(), flusherKey{}, f)))
		f.setDeadline() // for what net/http still has to write
	})
}

func flusherOf(ctx context.Context) *flusher { return ctx.Value(flusherKey{}).(*flusher) }

// Write implements http.ResponseWriter.
func (f *flusher) Write(p []byte) (int, error) {
	f.setDeadline()
	return f.ResponseWriter.Write(p)
}

// Flush implements http.Flusher, which Connect asks for.
func (f *flusher) Flush() {
	if !f.held {
		_ = f.flush() // the next write answers the same error
	}
}

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
