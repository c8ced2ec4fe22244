package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// lease is how long one word of a client makes its user present.
const lease = 60 * time.Second

// EnterRoom implements PresenceService.
func (s *Server) EnterRoom(ctx context.Context, req *campfirev1.EnterRoomRequest) (*campfirev1.EnterRoomResponse, error) {
	roomID := req.GetRoomId()
	if err := s.enter(ctx, roomID, req.GetStreamId()); err != nil {
		return nil, err
	}
	return &campfirev1.EnterRoomResponse{PresentUserIds: s.presence.in(roomID)}, nil
}

// RefreshPresence implements PresenceService.
func (s *Server) RefreshPresence(ctx context.Context, req *campfirev1.RefreshPresenceRequest) (*campfirev1.RefreshPresenceResponse, error) {
	if err := s.enter(ctx, req.GetRoomId(), req.GetStreamId()); err != nil {
		return nil, err
	}
	return &campfirev1.RefreshPresenceResponse{}, nil
}

// LeaveRoom implements PresenceService.
func (s *Server) LeaveRoom(ctx context.Context, req *campfirev1.LeaveRoomRequest) (*campfirev1.LeaveRoomResponse, error) {
	st, err := s.openStream(ctx, req.GetStreamId())
	if err != nil {
		return nil, err
	}
	if s.presence.leave(st, req.GetRoomId()) {
		// A page that closes hangs up at once; that it has left is told all the same.
		if err := s.store.LeaveRoom(context.WithoutCancel(ctx), st.who.UserID, req.GetRoomId()); err != nil {
			return nil, err
		}
	}
	return &campfirev1.LeaveRoomResponse{}, nil
}

// StartTyping implements PresenceService.
func (s *Server) StartTyping(ctx context.Context, req *campfirev1.StartTypingRequest) (*campfirev1.StartTypingResponse, error) {
	if err := s.store.StartTyping(ctx, caller(ctx).UserID, req.GetRoomId()); err != nil {
		return nil, err
	}
	return &campfirev1.StartTypingResponse{}, nil
}

// StopTyping implements PresenceService.
func (s *Server) StopTyping(ctx context.Context, req *campfirev1.StopTypingRequest) (*campfirev1.StopTypingResponse, error) {
	if err := s.store.StopTyping(ctx, caller(ctx).UserID, req.GetRoomId()); err != nil {
		return nil, err
	}
	return &campfirev1.StopTypingResponse{}, nil
}

// openStream finds the caller's stream of that id.
func (s *Server) openStream(ctx context.Context, id string) (*stream, error) {
	if st := s.hub.find(caller(ctx).UserID, id); st != nil {
		return st, nil
	}
	return nil, fmt.Errorf("%w: stream_id names no open stream of yours", store.ErrConflict)
}

// enter makes the caller present, or more so. The lease is taken before the store tells of it, so that what is told is
// the truth of that moment.
func (s *Server) enter(ctx context.Context, roomID int64, streamID string) error {
	st, err := s.openStream(ctx, streamID)
	if err != nil {
		return err
	}
	// Membership first: an outsider must not be seen, not even for a moment.
	if err := s.store.RefreshPresence(ctx, st.who.UserID, roomID); err != nil {
		return err // a lease it may have lapses by itself
	}
	came := s.presence.enter(st, roomID, func() { s.lapse(st, roomID) })
	if _, err := s.openStream(ctx, streamID); err != nil {
		s.lapse(st, roomID) // the stream was lost meanwhile, perhaps before it had this to give back
		return err
	}
	if !came {
		return nil
	}
	// Even if the caller hangs up now: they are present, and that must be told.
	err = s.store.EnterRoom(context.WithoutCancel(ctx), st.who.UserID, roomID)
	switch {
	case errors.Is(err, store.ErrNotFound): // removed from the room meanwhile, and with them their other streams
		s.presence.remove(st.who.UserID, roomID)
	case err != nil:
		s.presence.leave(st, roomID)
	}
	return err
}

// lapse ends a presence that was not refreshed.
func (s *Server) lapse(st *stream, roomID int64) {
	if s.presence.leave(st, roomID) {
		s.absent(st.who.UserID, roomID)
	}
}

// absent tells that a user no longer looks at a room, without having said so.
func (s *Server) absent(userID, roomID int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.store.LeaveRoom(ctx, userID, roomID)
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrClosed) {
		s.log.Warn("absence not told", "user", userID, "room", roomID, "error", err)
	}
}

// presence knows who looks at which room: room → user → the streams that say so, each with a timer that ends its lease.
type presence struct {
	mu    sync.Mutex
	rooms map[int64]map[int64]map[*stream]*time.Timer
}

func newPresence() *presence {
	return &presence{rooms: map[int64]map[int64]map[*stream]*time.Timer{}}
}

// enter takes or renews a stream's lease, and tells whether its user was absent before. lapsed is called if the lease ends
// by itself.
func (p *presence) enter(st *stream, roomID int64, lapsed func()) (came bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	users := p.rooms[roomID]
	if users == nil {
		users = map[int64]map[*stream]*time.Timer{}
		p.rooms[roomID] = users
	}
	leases := users[st.who.UserID]
	if leases == nil {
		leases = map[*stream]*time.Timer{}
		users[st.who.UserID] = leases
	}
	if timer := leases[st]; timer != nil {
		timer.Reset(lease)
		return false
	}
	came = len(leases) == 0
	leases[st] = time.AfterFunc(lease, lapsed)
	return came
}

// leave gives a stream's lease back, and tells whether its user is absent now.
func (p *presence) leave(st *stream, roomID int64) (left bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	leases := p.rooms[roomID][st.who.UserID]
	timer := leases[st]
	if timer == nil {
		return false
	}
	timer.Stop()
	delete(leases, st)
	if len(leases) > 0 {
		return false
	}
	delete(p.rooms[roomID], st.who.UserID)
	if len(p.rooms[roomID]) == 0 {
		delete(p.rooms, roomID)
	}
	return true
}

// remove makes a user absent from a room they have left.
func (p *presence) remove(userID, roomID int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, timer := range p.rooms[roomID][userID] {
		timer.Stop()
	}
	delete(p.rooms[roomID], userID)
	if len(p.rooms[roomID]) == 0 {
		delete(p.rooms, roomID)
	}
}

// lost gives back every lease of a stream, and answers the rooms that its user is absent from now.
func (p *presence) lost(st *stream) []int64 {
	p.mu.Lock()
	var rooms, left []int64
	for roomID, users := range p.rooms {
		if users[st.who.UserID][st] != nil {
			rooms = append(rooms, roomID)
		}
	}
	p.mu.Unlock()
	for _, roomID := range rooms {
		if p.leave(st, roomID) {
			left = append(left, roomID)
		}
	}
	return left
}

// is tells whether a user looks at a room.
func (p *presence) is(userID, roomID int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.rooms[roomID][userID]) > 0
}

// in lists who looks at a room.
func (p *presence) in(roomID int64) []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var users []int64
	for userID := range p.rooms[roomID] {
		users = append(users, userID)
	}
	slices.Sort(users)
	return users
}

// absentees are those of the users who do not look at a room.
func (p *presence) absentees(users []int64, roomID int64) []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.rooms[roomID]
	absent := make([]int64, 0, len(users))
	for _, userID := range users {
		if len(there[userID]) == 0 {
			absent = append(absent, userID)
		}
	}
	return absent
}
