package server

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// committed tells the open streams what the store has committed. The writer calls it in commit order, before it answers
// anyone, so nothing in here may wait.
func (s *Server) committed(changes []store.Change) {
	for _, change := range changes {
		switch c := change.(type) {
		case store.MessageCreated:
			s.hub.send(c.Audience, s.messageEvent(c))
			absent := s.whoHasNotRead(c)
			s.hub.send(absent, roomUnread(c.Message.RoomID))
			if s.store.AnyoneSubscribed() {
				s.notifier.send(notice{message: c.Message, absent: absent, mentioned: c.Mentions})
			}
			for _, botID := range c.Bots {
				s.couriers.send(botID, c.Message.ID)
			}
		case store.MessageUpdated:
			s.hub.send(c.Audience, s.messageEvent(c))
		case store.MessageDeleted:
			s.hub.send(c.Audience, s.messageEvent(c))
		case store.RoomChanged:
			s.hub.send([]int64{c.Room.ViewerID}, s.roomChanged(c.Room))
		case store.RoomRemoved:
			if c.Left {
				s.hub.removeFromRoom(c.UserID, c.RoomID)
				s.presence.remove(c.UserID, c.RoomID)
			}
			s.hub.send([]int64{c.UserID}, roomRemoved(c.RoomID))
		case store.RoomRead:
			s.hub.send([]int64{c.UserID}, roomRead(c.RoomID))
		case store.PresenceChanged:
			s.hub.send(c.Audience, presenceChanged(c, s.presence.is(c.UserID, c.RoomID)))
		case store.TypingStarted:
			s.hub.send(c.Audience, typingStarted(c))
		case store.TypingStopped:
			s.hub.send(c.Audience, typingStopped(c))
		case store.UserChanged:
			s.hub.sendAll(userChanged(c.User))
		case store.AccountChanged:
			s.hub.sendAll(accountChanged(c.Account))
		case store.SessionEnded:
			s.hub.endSession(c.Identity)
		}
	}
	s.hub.rouse()
}

// whoHasNotRead are those to whom a new message makes its room unread: who see the room, did not write it, and are not
// looking at it.
func (s *Server) whoHasNotRead(c store.MessageCreated) []int64 {
	return slices.DeleteFunc(s.presence.absentees(c.Visible, c.Message.RoomID),
		func(userID int64) bool { return userID == c.Message.Creator.ID })
}

// messageEvent tells a change of a message, live or to a stream that resumes.
func (s *Server) messageEvent(change store.Change) *event {
	switch c := change.(type) {
	case store.MessageCreated:
		return s.resumable(messageEventHead(c.Message.ID, c.Message), func() *campfirev1.SubscribeResponse {
			return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_MessageCreated{
				MessageCreated: &campfirev1.MessageCreated{Message: messageProto(c.Message)},
			}}
		})
	case store.MessageUpdated:
		head := messageEventHead(c.Message.Revision, c.Message)
		head.latest = topic{"message", c.Message.RoomID, c.Message.ID}
		return s.resumable(head, func() *campfirev1.SubscribeResponse {
			return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_MessageUpdated{
				MessageUpdated: &campfirev1.MessageUpdated{Message: messageProto(c.Message)},
			}}
		})
	case store.MessageDeleted:
		return s.resumable(event{revision: c.Revision, roomID: c.RoomID}, func() *campfirev1.SubscribeResponse {
			return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_MessageDeleted{
				MessageDeleted: &campfirev1.MessageDeleted{RoomId: c.RoomID, MessageId: c.MessageID},
			}}
		})
	default:
		return nil
	}
}

func messageEventHead(revision int64, m store.Message) event {
	size := len(m.Body.HTML) + len(m.Body.Text)
	for _, b := range m.Boosts {
		size += len(b.Content) + eventOverhead
	}
	return event{revision: revision, roomID: m.RoomID, size: size}
}

// resumable makes an event that a stream can resume from.
func (s *Server) resumable(e event, message func() *campfirev1.SubscribeResponse) *event {
	return newEvent(e, func() *campfirev1.SubscribeResponse {
		m := message()
		m.ResumeToken = resumeToken(store.Position{Epoch: s.store.Epoch(), Revision: e.revision})
		return m
	})
}

func (s *Server) roomChanged(r store.Room) *event {
	room := s.roomProto(r)
	return newEvent(event{roomID: r.ID}, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_RoomChanged{
			RoomChanged: &campfirev1.RoomChanged{Room: room},
		}}
	})
}

func roomRemoved(roomID int64) *event {
	return newEvent(event{}, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_RoomRemoved{
			RoomRemoved: &campfirev1.RoomRemoved{RoomId: roomID},
		}}
	})
}

func roomUnread(roomID int64) *event {
	return newEvent(event{roomID: roomID, latest: topic{"unread", roomID, 0}}, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_RoomUnread{
			RoomUnread: &campfirev1.RoomUnread{RoomId: roomID},
		}}
	})
}

func roomRead(roomID int64) *event {
	return newEvent(event{roomID: roomID, latest: topic{"unread", roomID, 0}}, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_RoomRead{
			RoomRead: &campfirev1.RoomRead{RoomId: roomID},
		}}
	})
}

func presenceChanged(c store.PresenceChanged, present bool) *event {
	head := event{roomID: c.RoomID, latest: topic{"presence", c.RoomID, c.UserID}}
	return newEvent(head, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_PresenceChanged{
			PresenceChanged: &campfirev1.PresenceChanged{RoomId: c.RoomID, UserId: c.UserID, Present: present},
		}}
	})
}

func typingStarted(c store.TypingStarted) *event {
	head := event{roomID: c.RoomID, latest: topic{"typing", c.RoomID, c.User.ID}}
	return newEvent(head, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_TypingStarted{
			TypingStarted: &campfirev1.TypingStarted{RoomId: c.RoomID, User: authorProto(c.User)},
		}}
	})
}

func typingStopped(c store.TypingStopped) *event {
	head := event{roomID: c.RoomID, latest: topic{"typing", c.RoomID, c.UserID}}
	return newEvent(head, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_TypingStopped{
			TypingStopped: &campfirev1.TypingStopped{RoomId: c.RoomID, UserId: c.UserID},
		}}
	})
}

func userChanged(u store.User) *event {
	return newEvent(event{}, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_UserChanged{
			UserChanged: &campfirev1.UserChanged{User: userProto(u)},
		}}
	})
}

func accountChanged(a store.Account) *event {
	return newEvent(event{}, func() *campfirev1.SubscribeResponse {
		return &campfirev1.SubscribeResponse{Event: &campfirev1.SubscribeResponse_AccountChanged{
			AccountChanged: &campfirev1.AccountChanged{Account: accountProto(a)},
		}}
	})
}

// resumeToken is a position as clients keep it. They read nothing in it.
func resumeToken(p store.Position) string {
	return base64.RawURLEncoding.EncodeToString([]byte(p.Epoch + ":" + strconv.FormatInt(p.Revision, 10)))
}

const maxTokenLength = 128

// readResumeToken answers nil for the empty token: start now.
func readResumeToken(token string) (*store.Position, error) {
	if token == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	epoch, number, found := strings.Cut(string(text), ":")
	revision, numberErr := strconv.ParseInt(number, 10, 64)
	if len(token) > maxTokenLength || err != nil || !found || numberErr != nil || revision < 0 {
		return nil, &store.InvalidError{Field: "resume_token", Reason: "is not one that a stream gave"}
	}
	return &store.Position{Epoch: epoch, Revision: revision}, nil
}
