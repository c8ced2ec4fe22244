package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// RoomKind is who belongs to a room.
type RoomKind string

// The kinds, as the database keeps them.
const (
	OpenRoom   RoomKind = "open"
	ClosedRoom RoomKind = "closed"
	DirectRoom RoomKind = "direct"
)

// Room is a room as one of its members sees it.
type Room struct {
	ID           int64
	ViewerID     int64
	Kind         RoomKind
	Name         string // of a direct room the names of its participants
	CreatorID    int64
	Involvement  Involvement
	Unread       bool
	Participants []User // in a direct room everyone but the viewer; alone, the viewer
	CreatedAt    time.Time
	UpdatedAt    time.Time
	JoinedAt     time.Time // of the viewer
	LastReadID   int64     // of the newest message the viewer has read, which may be gone
}

// NewRoom describes an open or closed room.
type NewRoom struct {
	Kind      RoomKind
	Name      string
	MemberIDs []int64 // of a closed room, beside its creator
}

const (
	maxRoomNameLength     = 100 // characters
	maxMemberIDs          = 1000
	maxDirectParticipants = 100
	maxSuggestedUsers     = 20
)

// ListRooms answers what the user's sidebar shows: direct rooms, the most recently updated first, then open and closed
// rooms by name; and people to start a direct room with.
func (s *Store) ListRooms(ctx context.Context, userID int64, includeInvisible bool) (rooms []Room, suggested []User, err error) {
	err = s.read(ctx, func(db db) error {
		rooms, err = db.rooms(`memberships.user_id = :user_id AND (:include_invisible OR memberships.involvement <> 'invisible')
			ORDER BY rooms.kind <> 'direct', CASE rooms.kind WHEN 'direct' THEN -rooms.updated_at END, rooms.sort_name, rooms.id`,
			args{":user_id": userID, ":include_invisible": includeInvisible})
		if err != nil {
			return err
		}
		suggested, err = db.suggestedUsers(userID)
		return err
	})
	return rooms, suggested, err
}

// GetRoom answers one of the user's rooms.
func (s *Store) GetRoom(ctx context.Context, userID, roomID int64) (r Room, err error) {
	err = s.read(ctx, func(db db) (err error) {
		r, err = db.room(userID, roomID)
		return err
	})
	return r, err
}

// CreateRoom creates an open or closed room with the user in it.
func (s *Store) CreateRoom(ctx context.Context, userID int64, n NewRoom) (r Room, err error) {
	if n.Kind != OpenRoom && n.Kind != ClosedRoom {
		return Room{}, &InvalidError{"kind", "must be open or closed"}
	}
	if n.Name, err = checkText("name", n.Name, maxRoomNameLength); err != nil {
		return Room{}, err
	}
	if n.Kind == ClosedRoom && len(n.MemberIDs) > maxMemberIDs {
		return Room{}, &InvalidError{"member_ids", fmt.Sprintf("must be at most %d", maxMemberIDs)}
	}
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.requireRoomCreator(userID); err != nil {
			return err
		}
		roomID, err := tx.insertRoom(userID, n.Kind, n.Name, "")
		if err != nil {
			return err
		}
		if n.Kind == ClosedRoom {
			if err := tx.requireActive("member_ids", n.MemberIDs); err != nil {
				return err
			}
			if err := tx.grant(roomID, append([]int64{userID}, n.MemberIDs...), Mentions); err != nil {
				return err
			}
		}
		r, err = tx.roomChanged(roomID, userID)
		return err
	})
	return r, err
}

// RoomChanges are what is to change of an open or closed room; nil leaves a thing alone.
type RoomChanges struct {
	Name          *string
	Kind          *RoomKind
	Grant, Revoke []int64 // of a room that is closed afterwards
}

// UpdateRoom changes an open or closed room of the user's, which they created or administer. It answers the room as they
// see it, or nil if they are no longer in it.
func (s *Store) UpdateRoom(ctx context.Context, userID, roomID int64, c RoomChanges) (r *Room, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *tx) error {
		room, err := tx.administeredRoom(userID, roomID)
		if err != nil {
			return err
		}
		if room.Kind == DirectRoom {
			return fmt.Errorf("open or closed room %w", ErrNotFound)
		}
		if err := tx.changeRoom(room, c); err != nil {
			return err
		}
		viewed, err := tx.roomChanged(roomID, userID)
		if viewed.ID != 0 {
			r = &viewed
		}
		return err
	})
	return r, err
}

func (c *RoomChanges) check() error {
	if c.Name != nil {
		name, err := checkText("name", *c.Name, maxRoomNameLength)
		if err != nil {
			return err
		}
		c.Name = &name
	}
	if c.Kind != nil && *c.Kind != OpenRoom && *c.Kind != ClosedRoom {
		return &InvalidError{"kind", "must be open or closed"}
	}
	if len(c.Grant) > maxMemberIDs {
		return &InvalidError{"grant_user_ids", fmt.Sprintf("must be at most %d", maxMemberIDs)}
	}
	if len(c.Revoke) > maxMemberIDs {
		return &InvalidError{"revoke_user_ids", fmt.Sprintf("must be at most %d", maxMemberIDs)}
	}
	return nil
}

// changeRoom carries out checked changes.
func (t *tx) changeRoom(room Room, c RoomChanges) error {
	kind := room.Kind
	if c.Kind != nil {
		kind = *c.Kind
	}
	if c.Name != nil {
		room.Name = *c.Name
	}
	err := t.exec("UPDATE rooms SET name = :name, sort_name = :sort_name, kind = :kind, updated_at = :now WHERE id = :id", args{
		":name": room.Name, ":sort_name": sortName(room.Name), ":kind": string(kind), ":now": t.micros(), ":id": room.ID,
	})
	if err != nil {
		return err
	}
	if kind == OpenRoom {
		if room.Kind == OpenRoom {
			return nil
		}
		return t.grantEveryone(room.ID)
	}
	if err := t.requireActive("grant_user_ids", c.Grant); err != nil {
		return err
	}
	if err := t.grant(room.ID, c.Grant, Mentions); err != nil {
		return err
	}
	return t.revoke(room.ID, c.Revoke)
}

// DeleteRoom deletes a room of the user's: a direct room, or one they created or administer. It is gone at once; its messages
// are removed in the background.
func (s *Store) DeleteRoom(ctx context.Context, userID, roomID int64) error {
	err := s.write(ctx, func(tx *tx) error {
		if _, err := tx.administeredRoom(userID, roomID); err != nil {
			return err
		}
		audience, err := tx.audienceOf(roomID)
		if err != nil {
			return err
		}
		if err := tx.revoke(roomID, audience.all); err != nil {
			return err
		}
		// Nobody finds it from here on: neither people who join, nor a new ping of the same people.
		err = tx.exec("UPDATE rooms SET kind = 'closed', member_key = NULL WHERE id = :id", args{":id": roomID})
		if err != nil {
			return err
		}
		return tx.exec("INSERT INTO removed_rooms (room_id) VALUES (:id)", args{":id": roomID})
	})
	if err != nil {
		return err
	}
	select {
	case s.deleted <- struct{}{}:
	default: // it is being removed already, or will be with another
	}
	return nil
}

// removeRoom removes a room that is nobody's any more, with its messages, some of them at a time.
func (s *Store) removeRoom(ctx context.Context, roomID int64) error {
	for {
		left := true
		err := s.write(ctx, func(tx *tx) error {
			// The search index knows nothing of a cascade that takes messages.
			some, err := tx.messages("messages.room_id = :room_id ORDER BY messages.id LIMIT :limit",
				args{":room_id": roomID, ":limit": removedAtOnce})
			if err != nil {
				return err
			}
			for _, m := range some {
				tx.unindex(m.ID, roomID, m.Body.Text)
				if err := tx.exec("DELETE FROM messages WHERE id = :id", args{":id": m.ID}); err != nil {
					return err
				}
			}
			if left = len(some) == removedAtOnce; left {
				return nil
			}
			return tx.exec("DELETE FROM rooms WHERE id = :id", args{":id": roomID})
		})
		if err != nil || !left {
			return err
		}
	}
}

// administeredRoom answers a room of the user's that they may change: a direct room, or one they created or administer.
func (d db) administeredRoom(userID, roomID int64) (Room, error) {
	if err := d.requireMember(userID, roomID); err != nil {
		return Room{}, err
	}
	room, err := d.room(userID, roomID)
	if err != nil || room.Kind == DirectRoom || room.CreatorID == userID {
		return room, err
	}
	u, err := d.user(userID)
	if err == nil && u.Role != Administrator {
		err = fmt.Errorf("%w: only its creator and administrators change a room", ErrForbidden)
	}
	return room, err
}

// OpenDirectRoom answers the direct room of exactly the user and these others, and creates it if there is none.
func (s *Store) OpenDirectRoom(ctx context.Context, userID int64, otherIDs []int64) (r Room, err error) {
	people := append([]int64{userID}, otherIDs...)
	slices.Sort(people)
	people = slices.Compact(people)
	if len(people) > maxDirectParticipants+1 {
		return Room{}, &InvalidError{"user_ids", fmt.Sprintf("must be at most %d", maxDirectParticipants)}
	}
	key := memberKey(people)
	err = s.write(ctx, func(tx *tx) error {
		var roomID int64
		err := tx.one("SELECT id FROM rooms WHERE member_key = :key", args{":key": key}, func(row *sqlite.Stmt) { roomID = row.ColumnInt64(0) })
		if err == nil {
			r, err = tx.room(userID, roomID)
			return err
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := tx.requireActive("user_ids", people); err != nil {
			return err
		}
		if roomID, err = tx.insertRoom(userID, DirectRoom, "", key); err != nil {
			return err
		}
		if err := tx.grant(roomID, people, Everything); err != nil {
			return err
		}
		r, err = tx.roomChanged(roomID, userID)
		return err
	})
	return r, err
}

// ListMembers lists the people and bots in a room of the user's, by name.
func (s *Store) ListMembers(ctx context.Context, userID, roomID int64, page Page) (members []User, next string, err error) {
	err = s.read(ctx, func(db db) error {
		if err := db.requireMember(userID, roomID); err != nil {
			return err
		}
		members, next, err = db.pageOfUsers(`FROM memberships JOIN users ON users.id = memberships.user_id
			WHERE memberships.room_id = :room_id AND users.status <> 2`, args{":room_id": roomID}, page)
		return err
	})
	return members, next, err
}

// memberKey names a set of people; it finds the one direct room they have, however many rooms there are.
func memberKey(sortedIDs []int64) string {
	var key strings.Builder
	for i, id := range sortedIDs {
		if i > 0 {
			key.WriteByte(',')
		}
		key.WriteString(strconv.FormatInt(id, 10))
	}
	return key.String()
}

// insertRoom adds a room, which everyone is in if it is open and nobody otherwise. key is the member key of a direct room.
func (t *tx) insertRoom(creatorID int64, kind RoomKind, name, key string) (id int64, err error) {
	var memberKey any
	if kind == DirectRoom {
		memberKey = key
	}
	err = t.one(`INSERT INTO rooms (kind, name, sort_name, creator_id, member_key, created_at, updated_at)
		VALUES (:kind, :name, :sort_name, :creator_id, :member_key, :now, :now) RETURNING id`,
		args{
			":kind": string(kind), ":name": name, ":sort_name": sortName(name), ":creator_id": creatorID,
			":member_key": memberKey, ":now": t.micros(),
		},
		func(row *sqlite.Stmt) { id = row.ColumnInt64(0) })
	if err == nil && kind == OpenRoom {
		err = t.grantEveryone(id)
	}
	return id, err
}

// requireRoomCreator: whoever takes part creates rooms, unless the account keeps that to administrators.
func (d db) requireRoomCreator(userID int64) error {
	u, err := d.user(userID)
	if err != nil {
		return err
	}
	account, err := d.account()
	switch {
	case err != nil:
		return err
	case u.Status != Active:
		return ErrUnauthenticated
	case account.RestrictRoomCreation && u.Role != Administrator:
		return fmt.Errorf("%w: only administrators create rooms here", ErrForbidden)
	}
	return nil
}

// roomChanged tells each member how the room looks to them now, and answers how it looks to the viewer.
func (t *tx) roomChanged(roomID, viewerID int64) (viewed Room, err error) {
	rooms, err := t.rooms("memberships.room_id = :room_id", args{":room_id": roomID})
	if err != nil {
		return Room{}, err
	}
	for _, room := range rooms {
		t.changed(RoomChanged{room})
		if room.ViewerID == viewerID {
			viewed = room
		}
	}
	return viewed, nil
}

func (d db) room(userID, roomID int64) (Room, error) {
	rooms, err := d.rooms("memberships.user_id = :user_id AND memberships.room_id = :room_id",
		args{":user_id": userID, ":room_id": roomID})
	if err == nil && len(rooms) == 0 {
		err = fmt.Errorf("room %w", ErrNotFound)
	}
	if err != nil {
		return Room{}, err
	}
	return rooms[0], nil
}

// rooms answers rooms as those of their members see them whom where chooses.
func (d db) rooms(where string, args args) ([]Room, error) {
	var rooms []Room
	err := d.each(`SELECT rooms.id, memberships.user_id, rooms.kind, rooms.name, rooms.creator_id, memberships.involvement,
			rooms.created_at, rooms.updated_at, memberships.created_at,
			memberships.involvement <> 'invisible' AND EXISTS (
				SELECT 1 FROM messages WHERE messages.room_id = rooms.id
				AND messages.id > memberships.last_read_message_id AND messages.creator_id <> memberships.user_id
			), memberships.last_read_message_id
		FROM memberships JOIN rooms ON rooms.id = memberships.room_id WHERE `+where, args,
		func(row *sqlite.Stmt) error {
			rooms = append(rooms, Room{
				ID:          row.ColumnInt64(0),
				ViewerID:    row.ColumnInt64(1),
				Kind:        RoomKind(row.ColumnText(2)),
				Name:        row.ColumnText(3),
				CreatorID:   row.ColumnInt64(4),
				Involvement: Involvement(row.ColumnText(5)),
				CreatedAt:   timeColumn(row, 6),
				UpdatedAt:   timeColumn(row, 7),
				JoinedAt:    timeColumn(row, 8),
				Unread:      row.ColumnBool(9),
				LastReadID:  row.ColumnInt64(10),
			})
			return nil
		})
	if err != nil {
		return nil, err
	}
	return rooms, d.addParticipants(rooms)
}

// addParticipants names direct rooms by who is in them.
func (d db) addParticipants(rooms []Room) error {
	var direct []int64
	for _, room := range rooms {
		if room.Kind == DirectRoom {
			direct = append(direct, room.ID)
		}
	}
	if len(direct) == 0 {
		return nil
	}
	slices.Sort(direct)
	people := map[int64][]User{}
	err := d.each("SELECT "+userColumns+`, memberships.room_id FROM memberships JOIN users ON users.id = memberships.user_id
		WHERE memberships.room_id IN (SELECT value FROM json_each(:rooms)) ORDER BY users.sort_name, users.id`,
		args{":rooms": jsonIDs(slices.Compact(direct))},
		func(row *sqlite.Stmt) error {
			u := scanUser(row)
			u.EmailAddress = "" // which participants do not see
			people[row.ColumnInt64(7)] = append(people[row.ColumnInt64(7)], u)
			return nil
		})
	for i := range rooms {
		if room := &rooms[i]; room.Kind == DirectRoom {
			room.Participants = slices.Clone(people[room.ID])
			if len(room.Participants) > 1 {
				room.Participants = slices.DeleteFunc(room.Participants, func(u User) bool { return u.ID == room.ViewerID })
			}
			room.Name = sentence(room.Participants)
		}
	}
	return err
}

// jsonIDs is how a list of ids becomes one parameter, for json_each.
func jsonIDs(ids []int64) string {
	if ids == nil {
		return "[]"
	}
	text, _ := json.Marshal(ids) // integers always marshal
	return string(text)
}

// sentence names people as in "Jason, Kevin, and David".
func sentence(people []User) string {
	var names []string
	for _, u := range people {
		names = append(names, u.Name)
	}
	switch last := len(names) - 1; {
	case last <= 0:
		return strings.Join(names, "")
	case last == 1:
		return names[0] + " and " + names[1]
	default:
		return strings.Join(names[:last], ", ") + ", and " + names[last]
	}
}

// suggestedUsers are active users the user shares no direct room with, oldest first; the fewer the more people they do
// share one with.
func (d db) suggestedUsers(userID int64) ([]User, error) {
	const known = `SELECT theirs.user_id FROM memberships AS mine
		JOIN rooms ON rooms.id = mine.room_id AND rooms.kind = 'direct'
		JOIN memberships AS theirs ON theirs.room_id = mine.room_id
		WHERE mine.user_id = :user_id`
	return d.users("SELECT "+userColumns+` FROM users
		WHERE status = 0 AND id <> :user_id AND id NOT IN (`+known+`)
		ORDER BY id LIMIT max(0, :most - 1 - (SELECT count(DISTINCT user_id) FROM (`+known+`)))`,
		args{":user_id": userID, ":most": maxSuggestedUsers})
}
