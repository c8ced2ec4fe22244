package server

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// ListRooms implements RoomService.
func (s *Server) ListRooms(ctx context.Context, req *campfirev1.ListRoomsRequest) (*campfirev1.ListRoomsResponse, error) {
	rooms, suggested, err := s.store.ListRooms(ctx, caller(ctx).UserID, req.GetIncludeInvisible())
	if err != nil {
		return nil, err
	}
	res := &campfirev1.ListRoomsResponse{SuggestedUsers: usersProto(suggested)}
	for _, room := range rooms {
		res.Rooms = append(res.Rooms, s.roomProto(room))
	}
	return res, nil
}

// GetRoom implements RoomService.
func (s *Server) GetRoom(ctx context.Context, req *campfirev1.GetRoomRequest) (*campfirev1.GetRoomResponse, error) {
	room, err := s.store.GetRoom(ctx, caller(ctx).UserID, req.GetRoomId())
	if err != nil {
		return nil, err
	}
	return &campfirev1.GetRoomResponse{Room: s.roomProto(room)}, nil
}

// CreateRoom implements RoomService.
func (s *Server) CreateRoom(ctx context.Context, req *campfirev1.CreateRoomRequest) (*campfirev1.CreateRoomResponse, error) {
	room, err := s.store.CreateRoom(ctx, caller(ctx).UserID, store.NewRoom{
		Kind: kindOf(req.GetKind()), Name: req.GetName(), MemberIDs: req.GetMemberIds(),
	})
	if err != nil {
		return nil, err
	}
	return &campfirev1.CreateRoomResponse{Room: s.roomProto(room)}, nil
}

// OpenDirectRoom implements RoomService.
func (s *Server) OpenDirectRoom(ctx context.Context, req *campfirev1.OpenDirectRoomRequest) (*campfirev1.OpenDirectRoomResponse, error) {
	room, err := s.store.OpenDirectRoom(ctx, caller(ctx).UserID, req.GetUserIds())
	if err != nil {
		return nil, err
	}
	return &campfirev1.OpenDirectRoomResponse{Room: s.roomProto(room)}, nil
}

// ListMembers implements RoomService.
func (s *Server) ListMembers(ctx context.Context, req *campfirev1.ListMembersRequest) (*campfirev1.ListMembersResponse, error) {
	members, next, err := s.store.ListMembers(ctx, caller(ctx).UserID, req.GetRoomId(),
		store.Page{Size: int(req.GetPageSize()), Token: req.GetPageToken()})
	if err != nil {
		return nil, err
	}
	return &campfirev1.ListMembersResponse{Members: usersProto(members), NextPageToken: next}, nil
}

// UpdateRoom implements RoomService.
func (s *Server) UpdateRoom(ctx context.Context, req *campfirev1.UpdateRoomRequest) (*campfirev1.UpdateRoomResponse, error) {
	changes := store.RoomChanges{Name: req.Name, Grant: req.GetGrantUserIds(), Revoke: req.GetRevokeUserIds()}
	if req.Kind != nil {
		kind := kindOf(req.GetKind())
		changes.Kind = &kind
	}
	room, err := s.store.UpdateRoom(ctx, caller(ctx).UserID, req.GetRoomId(), changes)
	if err != nil || room == nil {
		return &campfirev1.UpdateRoomResponse{}, err
	}
	return &campfirev1.UpdateRoomResponse{Room: s.roomProto(*room)}, nil
}

// DeleteRoom implements RoomService.
func (s *Server) DeleteRoom(ctx context.Context, req *campfirev1.DeleteRoomRequest) (*campfirev1.DeleteRoomResponse, error) {
	if err := s.store.DeleteRoom(ctx, caller(ctx).UserID, req.GetRoomId()); err != nil {
		return nil, err
	}
	return &campfirev1.DeleteRoomResponse{}, nil
}

// SetInvolvement implements RoomService.
func (s *Server) SetInvolvement(ctx context.Context, req *campfirev1.SetInvolvementRequest) (*campfirev1.SetInvolvementResponse, error) {
	involvement, _ := keyOf(involvements, req.GetInvolvement()) // the store refuses what is none
	room, err := s.store.SetInvolvement(ctx, caller(ctx).UserID, req.GetRoomId(), involvement)
	if err != nil {
		return nil, err
	}
	return &campfirev1.SetInvolvementResponse{Room: s.roomProto(room)}, nil
}

// keyOf finds what stands for a value on the wire.
func keyOf[K, V comparable](m map[K]V, wanted V) (key K, ok bool) {
	for key, value := range m {
		if value == wanted {
			return key, true
		}
	}
	return key, false
}

// kindOf is empty for what is no kind: the store refuses it.
func kindOf(wanted campfirev1.RoomKind) store.RoomKind {
	kind, _ := keyOf(roomKinds, wanted)
	return kind
}

var roomKinds = map[store.RoomKind]campfirev1.RoomKind{
	store.OpenRoom:   campfirev1.RoomKind_ROOM_KIND_OPEN,
	store.ClosedRoom: campfirev1.RoomKind_ROOM_KIND_CLOSED,
	store.DirectRoom: campfirev1.RoomKind_ROOM_KIND_DIRECT,
}

var involvements = map[store.Involvement]campfirev1.Involvement{
	store.Invisible:  campfirev1.Involvement_INVOLVEMENT_INVISIBLE,
	store.Nothing:    campfirev1.Involvement_INVOLVEMENT_NOTHING,
	store.Mentions:   campfirev1.Involvement_INVOLVEMENT_MENTIONS,
	store.Everything: campfirev1.Involvement_INVOLVEMENT_EVERYTHING,
}

// roomProto is a room as its viewer's sidebar shows it. What they are looking at they have read.
func (s *Server) roomProto(r store.Room) *campfirev1.Room {
	return &campfirev1.Room{
		Id:           r.ID,
		Kind:         roomKinds[r.Kind],
		Name:         r.Name,
		CreatorId:    r.CreatorID,
		Involvement:  involvements[r.Involvement],
		Unread:       r.Unread && !s.presence.is(r.ViewerID, r.ID),
		Participants: usersProto(r.Participants),
		CreatedAt:    timestamppb.New(r.CreatedAt),
		UpdatedAt:    timestamppb.New(r.UpdatedAt),
		JoinedAt:     timestamppb.New(r.JoinedAt),

		LastReadMessageId: r.LastReadID,
	}
}
