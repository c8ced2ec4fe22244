package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"
)

// Involvement is how much of a room a member wants to hear.
type Involvement string

// The involvements, as the database keeps them.
const (
	Invisible  Involvement = "invisible"  // not even in the sidebar
	Nothing    Involvement = "nothing"    // the unread mark only
	Mentions   Involvement = "mentions"   // a notification when mentioned
	Everything Involvement = "everything" // a notification for each message
)

// requireMember answers ErrNotFound to outsiders: to them there is no such room. So it does to members who have been
// removed or banned meanwhile.
func (d db) requireMember(userID, roomID int64) error {
	member, err := d.exists(`SELECT 1 FROM memberships JOIN users ON users.id = memberships.user_id
		WHERE memberships.room_id = :room_id AND memberships.user_id = :user_id AND users.status = 0`,
		args{":room_id": roomID, ":user_id": userID})
	if err == nil && !member {
		err = fmt.Errorf("room %w", ErrNotFound)
	}
	return err
}

// member answers a user who takes part and is in the room, as an author is shown.
func (d db) member(userID, roomID int64) (u User, err error) {
	err = d.one(`SELECT users.id, users.name, users.role, users.status
		FROM memberships JOIN users ON users.id = memberships.user_id
		WHERE memberships.room_id = :room_id AND memberships.user_id = :user_id AND users.status = 0`,
		args{":room_id": roomID, ":user_id": userID}, func(row *sqlite.Stmt) { u = scanAuthor(row, 0) })
	if err != nil {
		err = fmt.Errorf("room %w", err)
	}
	return u, err
}

// requireActive: all of these are active people or bots.
func (d db) requireActive(field string, userIDs []int64) error {
	all, err := d.exists(`SELECT 1 WHERE NOT EXISTS (
			SELECT 1 FROM json_each(:ids) WHERE value NOT IN (SELECT id FROM users WHERE status = 0)
		)`, args{":ids": jsonIDs(userIDs)})
	if err == nil && !all {
		err = &InvalidError{field, "must be active users"}
	}
	return err
}

// NamesOfMembers answers the names of those of the users who are active in a room of the user's: whom a message there can
// mention.
func (s *Store) NamesOfMembers(ctx context.Context, userID, roomID int64, userIDs []int64) (names map[int64]string, err error) {
	names = map[int64]string{}
	err = s.read(ctx, func(db db) error {
		if err := db.requireMember(userID, roomID); err != nil {
			return err
		}
		return db.each(`SELECT users.id, users.name FROM memberships JOIN users ON users.id = memberships.user_id
			WHERE memberships.room_id = :room_id AND users.status = 0 AND users.id IN (SELECT value FROM json_each(:ids))`,
			args{":room_id": roomID, ":ids": jsonIDs(userIDs)},
			func(row *sqlite.Stmt) error {
				names[row.ColumnInt64(0)] = row.ColumnText(1)
				return nil
			})
	})
	return names, err
}

// A new member has read what was there before them.
const newMembership = `INSERT INTO memberships (room_id, user_id, involvement, last_read_message_id, created_at) `

// grant makes users members of a room; those who are already stay as they are.
func (t *tx) grant(roomID int64, userIDs []int64, involvement Involvement) error {
	t.forgetMembersOf(roomID)
	return t.exec(newMembership+`SELECT :room_id, value, :involvement, :latest, :now FROM json_each(:ids) WHERE true
		ON CONFLICT DO NOTHING`, args{
		":room_id": roomID, ":involvement": string(involvement), ":latest": t.writer.revision, ":now": t.micros(),
		":ids": jsonIDs(userIDs),
	})
}

// grantEveryone makes every active user a member of a room.
func (t *tx) grantEveryone(roomID int64) error {
	t.forgetMembersOf(roomID)
	return t.exec(newMembership+`SELECT :room_id, id, :involvement, :latest, :now FROM users WHERE status = 0
		ON CONFLICT DO NOTHING`, args{
		":room_id": roomID, ":involvement": string(Mentions), ":latest": t.writer.revision, ":now": t.micros(),
	})
}

// grantOpenRooms makes a user a member of every open room.
func (t *tx) grantOpenRooms(userID int64) error {
	rooms, err := t.ids("SELECT id FROM rooms WHERE kind = 'open'", nil)
	if err != nil {
		return err
	}
	for _, roomID := range rooms {
		if err := t.grant(roomID, []int64{userID}, Mentions); err != nil {
			return err
		}
	}
	return nil
}

// revoke ends memberships. Those who have left are told, and hear nothing more of the room.
func (t *tx) revoke(roomID int64, userIDs []int64) error {
	var left []int64
	for _, userID := range userIDs {
		err := t.exec("DELETE FROM memberships WHERE room_id = :room_id AND user_id = :user_id",
			args{":room_id": roomID, ":user_id": userID})
		if err != nil {
			return err
		}
		if t.conn.Changes() > 0 {
			left = append(left, userID)
			t.changed(RoomRemoved{UserID: userID, RoomID: roomID, Left: true})
		}
	}
	t.forgetMembersOf(roomID)
	for _, userID := range left {
		if err := t.presenceChanged(userID, roomID); err != nil {
			return err
		}
	}
	return nil
}

// markRead moves the user's read cursor on to a message.
func (t *tx) markRead(userID, roomID, messageID int64) error {
	return t.exec(`UPDATE memberships SET last_read_message_id = :message_id
		WHERE room_id = :room_id AND user_id = :user_id AND last_read_message_id < :message_id`,
		args{":room_id": roomID, ":user_id": userID, ":message_id": messageID})
}

// SetInvolvement says how much of a room of theirs the user wants to hear.
func (s *Store) SetInvolvement(ctx context.Context, userID, roomID int64, involvement Involvement) (r Room, err error) {
	switch involvement {
	case Invisible, Nothing, Mentions, Everything:
	default:
		return Room{}, &InvalidError{"involvement", "must be invisible, nothing, mentions or everything"}
	}
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.requireMember(userID, roomID); err != nil {
			return err
		}
		if r, err = tx.room(userID, roomID); err != nil {
			return err
		}
		if r.Kind == DirectRoom && involvement == Invisible {
			return &InvalidError{"involvement", "must not be invisible in a direct room, which would be lost"}
		}
		err := tx.exec("UPDATE memberships SET involvement = :involvement WHERE room_id = :room_id AND user_id = :user_id",
			args{":involvement": string(involvement), ":room_id": roomID, ":user_id": userID})
		if err != nil {
			return err
		}
		tx.forgetMembersOf(roomID)
		if r.Involvement == Invisible {
			// What was posted while they did not want to see it is not news to them now.
			if err := tx.markRead(userID, roomID, tx.writer.revision); err != nil {
				return err
			}
		}
		if r, err = tx.room(userID, roomID); err != nil {
			return err
		}
		if involvement == Invisible {
			tx.changed(RoomRemoved{UserID: userID, RoomID: roomID})
		} else {
			tx.changed(RoomChanged{r})
		}
		return nil
	})
	return r, err
}

// EnterRoom notes that the user looks at a room of theirs, and so has read it.
func (s *Store) EnterRoom(ctx context.Context, userID, roomID int64) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.readRoom(userID, roomID); err != nil {
			return err
		}
		return tx.presenceChanged(userID, roomID)
	})
}

// RefreshPresence notes that the user still looks at a room of theirs, and so has read it.
func (s *Store) RefreshPresence(ctx context.Context, userID, roomID int64) error {
	return s.write(ctx, func(tx *tx) error { return tx.readRoom(userID, roomID) })
}

// LeaveRoom notes that the user no longer looks at a room, and has read it until now. That is told also of one who has lost
// the room or the account meanwhile.
func (s *Store) LeaveRoom(ctx context.Context, userID, roomID int64) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.readRoom(userID, roomID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return tx.presenceChanged(userID, roomID)
	})
}

// StartTyping tells the others in a room of the user's that they are typing. Like presence it changes no row: it goes
// through the writer so that it reaches exactly those who are members at that moment.
func (s *Store) StartTyping(ctx context.Context, userID, roomID int64) error {
	return s.write(ctx, func(tx *tx) error {
		others, err := tx.othersIn(roomID, userID)
		if err != nil {
			return err
		}
		u, err := tx.user(userID)
		tx.changed(TypingStarted{User: u, RoomID: roomID, Audience: others})
		return err
	})
}

// StopTyping tells the others in a room of the user's that they have stopped typing.
func (s *Store) StopTyping(ctx context.Context, userID, roomID int64) error {
	return s.write(ctx, func(tx *tx) error {
		others, err := tx.othersIn(roomID, userID)
		tx.changed(TypingStopped{UserID: userID, RoomID: roomID, Audience: others})
		return err
	})
}

func (t *tx) othersIn(roomID, userID int64) ([]int64, error) {
	if err := t.requireMember(userID, roomID); err != nil {
		return nil, err
	}
	audience, err := t.audienceOf(roomID)
	return slices.DeleteFunc(slices.Clone(audience.all), func(id int64) bool { return id == userID }), err
}

func (t *tx) presenceChanged(userID, roomID int64) error {
	audience, err := t.audienceOf(roomID)
	t.changed(PresenceChanged{UserID: userID, RoomID: roomID, Audience: audience.all})
	return err
}

// readRoom moves the user's read cursor on to the newest message of a room of theirs.
func (t *tx) readRoom(userID, roomID int64) error {
	if err := t.requireMember(userID, roomID); err != nil {
		return err
	}
	var newest int64
	err := t.one("SELECT coalesce(max(id), 0) FROM messages WHERE room_id = :room_id", args{":room_id": roomID},
		func(row *sqlite.Stmt) { newest = row.ColumnInt64(0) })
	if err != nil {
		return err
	}
	if err := t.markRead(userID, roomID, newest); err != nil {
		return err
	}
	if t.conn.Changes() > 0 {
		t.changed(RoomRead{UserID: userID, RoomID: roomID})
	}
	return nil
}
