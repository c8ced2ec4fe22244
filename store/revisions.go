package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rivo/uniseg"
	"zombiezen.com/go/sqlite"
)

// Change is something that was committed, with what is needed to tell those whom it concerns.
type Change interface{ change() }

// MessageCreated: someone posted.
type MessageCreated struct {
	Message  Message
	Audience []int64 // the members of the room
	Visible  []int64 // those of them who have the room in their sidebar
	Mentions []int64 // those of them who are mentioned
	Bots     []int64 // those bots of them which it speaks to: that it mentions or, in a direct room, all but its author
}

// MessageUpdated: a message was edited or boosted, or lost a boost.
type MessageUpdated struct {
	Message  Message
	Audience []int64
}

// MessageDeleted: a message is gone.
type MessageDeleted struct {
	RoomID    int64
	MessageID int64
	Revision  int64
	Audience  []int64
}

// RoomChanged: a room is new to its viewer, or looks different to them.
type RoomChanged struct{ Room Room }

// RoomRemoved: the user is no longer in the room, or does not see it any more.
type RoomRemoved struct {
	UserID int64
	RoomID int64
	Left   bool // no longer a member: nothing of the room may reach them
}

// RoomRead: the user has read what the room held.
type RoomRead struct {
	UserID int64
	RoomID int64
}

// PresenceChanged: the user came to look at the room, or no longer does.
type PresenceChanged struct {
	UserID   int64
	RoomID   int64
	Audience []int64
}

// TypingStarted: the user is typing.
type TypingStarted struct {
	User     User
	RoomID   int64
	Audience []int64 // without the user
}

// TypingStopped: the user has stopped typing.
type TypingStopped struct {
	UserID   int64
	RoomID   int64
	Audience []int64 // without the user
}

// UserChanged: a user is new or has changed.
type UserChanged struct{ User User }

// AccountChanged: the account has another name, settings, styles or join code.
type AccountChanged struct{ Account Account }

// SessionEnded: the session's streams are to end.
type SessionEnded struct{ Identity }

func (MessageCreated) change()  {}
func (MessageUpdated) change()  {}
func (MessageDeleted) change()  {}
func (RoomChanged) change()     {}
func (RoomRemoved) change()     {}
func (RoomRead) change()        {}
func (PresenceChanged) change() {}
func (TypingStarted) change()   {}
func (TypingStopped) change()   {}
func (UserChanged) change()     {}
func (AccountChanged) change()  {}
func (SessionEnded) change()    {}

// Position is a point in the one sequence of changes of one life of the database.
type Position struct {
	Epoch    string
	Revision int64
}

// Epoch names this life of the database: a restored one has another.
func (s *Store) Epoch() string { return s.writer.epoch }

// Why ChangesSince cannot tell what was missed.
var (
	// ErrTooFarBehind: too much was missed, or too long ago.
	ErrTooFarBehind = errors.New("too far behind")
	// ErrUnknownEpoch: the position is one of another life of the database, as before a restore.
	ErrUnknownEpoch = errors.New("unknown epoch")
)

// What bounds what a stream is told when it resumes. Beyond it, loading everything anew is cheaper.
const (
	maxMissed      = 1000
	maxMissedBytes = 4 << 20 // of bodies
)

// deletionsKept is how long a stream may be away and still be told what was deleted.
const deletionsKept = 30 * 24 * time.Hour

// forgetDeletions lets go of what was deleted long ago. A stream that has been away longer must load everything anew.
func (d db) forgetDeletions(now time.Time) error {
	before := args{":before": now.Add(-deletionsKept).UnixMicro()}
	err := d.exec(`UPDATE revisions SET forgotten = max(forgotten,
		coalesce((SELECT max(revision) FROM deletions WHERE created_at < :before), 0))`, before)
	if err != nil {
		return err
	}
	return d.exec("DELETE FROM deletions WHERE revision <= (SELECT forgotten FROM revisions)", nil)
}

// ChangesSince answers the changes of messages in the user's rooms after a position, in their order, and the position it
// has come to; that also when the error says why the changes cannot be told. Each message is told as it is now: where it
// was created and, if it was, where it was changed last. Without a since it answers the latest position.
func (s *Store) ChangesSince(ctx context.Context, userID int64, since *Position) (missed []Change, latest Position, err error) {
	err = s.read(ctx, func(db db) error {
		var forgotten int64
		err := db.one("SELECT epoch, latest, forgotten FROM revisions", nil, func(row *sqlite.Stmt) {
			latest = Position{Epoch: row.ColumnText(0), Revision: row.ColumnInt64(1)}
			forgotten = row.ColumnInt64(2)
		})
		switch {
		case err != nil || since == nil:
			return err
		case since.Epoch != latest.Epoch || since.Revision > latest.Revision:
			return ErrUnknownEpoch
		case since.Revision < forgotten:
			return ErrTooFarBehind
		}
		missed, err = db.changesSince(userID, since.Revision)
		return err
	})
	return missed, latest, err
}

func (d db) changesSince(userID, revision int64) ([]Change, error) {
	const inMyRooms = `room_id IN (SELECT room_id FROM memberships WHERE user_id = :user_id)`
	since := args{":user_id": userID, ":since": revision, ":limit": maxMissed + 1}
	// New messages by their ids, older ones by their changes: each of the two has an index, of which SQLite must be told
	// the second, or it reads all that is older.
	changed, err := d.ids(`SELECT id FROM messages WHERE id > :since AND `+inMyRooms+`
		UNION ALL SELECT id FROM messages INDEXED BY messages_changed
			WHERE revision > :since AND revision <> id AND id <= :since AND `+inMyRooms+`
		LIMIT :limit`, since)
	if err != nil {
		return nil, err
	}
	var missed []Change
	err = d.each(`SELECT revision, room_id, message_id FROM deletions WHERE revision > :since AND `+inMyRooms+` LIMIT :limit`,
		since, func(row *sqlite.Stmt) error {
			missed = append(missed, MessageDeleted{Revision: row.ColumnInt64(0), RoomID: row.ColumnInt64(1), MessageID: row.ColumnInt64(2)})
			return nil
		})
	if err != nil {
		return nil, err
	}
	if len(changed)+len(missed) > maxMissed {
		return nil, ErrTooFarBehind
	}
	var size int
	err = d.one(`SELECT total(octet_length(body_html) + octet_length(body_text)) FROM messages
		WHERE id IN (SELECT value FROM json_each(:ids))`, args{":ids": jsonIDs(changed)},
		func(row *sqlite.Stmt) { size = row.ColumnInt(0) })
	if err != nil {
		return nil, err
	}
	if size > maxMissedBytes {
		return nil, ErrTooFarBehind
	}
	messages, err := d.messages("messages.id IN (SELECT value FROM json_each(:ids))", args{":ids": jsonIDs(changed)})
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if m.ID > revision {
			missed = append(missed, MessageCreated{Message: m})
		}
		if m.Revision > m.ID {
			missed = append(missed, MessageUpdated{Message: m})
		}
	}
	slices.SortFunc(missed, func(a, b Change) int { return cmp.Compare(revisionOf(a), revisionOf(b)) })
	return missed, nil
}

func revisionOf(c Change) int64 {
	switch c := c.(type) {
	case MessageCreated:
		return c.Message.ID // also when it has been changed since
	case MessageUpdated:
		return c.Message.Revision
	case MessageDeleted:
		return c.Revision
	default:
		return 0
	}
}

// Boost is a short reaction to a message.
type Boost struct {
	ID        int64
	Booster   User // without address and bio
	Content   string
	CreatedAt time.Time
}

const (
	maxBoosts      = 200 // of one message
	maxBoostLength = 16  // characters as people count them
	maxBoostBytes  = 256 // as one such character can have any number of marks
)

// AddBoost boosts a message in one of the user's rooms.
func (s *Store) AddBoost(ctx context.Context, userID, messageID int64, content string) (m Message, b Boost, err error) {
	content, err = checkBoost(content)
	if err != nil {
		return Message{}, Boost{}, err
	}
	err = s.write(ctx, func(tx *tx) error {
		boosted, err := tx.reachableMessage(userID, messageID)
		if err != nil {
			return err
		}
		if len(boosted.Boosts) >= maxBoosts {
			return fmt.Errorf("%w: the message has %d boosts already", ErrConflict, maxBoosts)
		}
		err = tx.exec("INSERT INTO boosts (message_id, booster_id, content, created_at) VALUES (:message_id, :user_id, :content, :now)",
			args{":message_id": messageID, ":user_id": userID, ":content": content, ":now": tx.micros()})
		if err != nil {
			return err
		}
		if m, err = tx.messageUpdated(boosted); err != nil {
			return err
		}
		b = m.Boosts[len(m.Boosts)-1]
		return nil
	})
	return m, b, err
}

// RemoveBoost removes one of the user's own boosts.
func (s *Store) RemoveBoost(ctx context.Context, userID, boostID int64) (m Message, err error) {
	err = s.write(ctx, func(tx *tx) error {
		var messageID int64
		err := tx.one("SELECT message_id FROM boosts WHERE id = :id AND booster_id = :user_id",
			args{":id": boostID, ":user_id": userID}, func(row *sqlite.Stmt) { messageID = row.ColumnInt64(0) })
		if err != nil {
			return fmt.Errorf("boost %w", err)
		}
		boosted, err := tx.reachableMessage(userID, messageID)
		if err != nil {
			return err
		}
		if err := tx.exec("DELETE FROM boosts WHERE id = :id", args{":id": boostID}); err != nil {
			return err
		}
		m, err = tx.messageUpdated(boosted)
		return err
	})
	return m, err
}

// addBoosts fills in the boosts of messages that have any.
func (d db) addBoosts(messages []Message) error {
	var boosted []*Message
	for i := range messages {
		if messages[i].Boosts != nil {
			boosted = append(boosted, &messages[i])
		}
	}
	return d.fillInBoosts(boosted)
}

func (d db) fillInBoosts(messages []*Message) error {
	if len(messages) == 0 {
		return nil
	}
	ids := make([]int64, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	boosts := map[int64][]Boost{}
	err := d.each(`SELECT boosts.id, boosts.content, boosts.created_at, boosts.message_id, users.id, users.name, users.role, users.status
		FROM boosts JOIN users ON users.id = boosts.booster_id
		WHERE boosts.message_id IN (SELECT value FROM json_each(:ids)) ORDER BY boosts.id`,
		args{":ids": jsonIDs(ids)},
		func(row *sqlite.Stmt) error {
			messageID := row.ColumnInt64(3)
			boosts[messageID] = append(boosts[messageID], Boost{
				ID: row.ColumnInt64(0), Content: row.ColumnText(1), CreatedAt: timeColumn(row, 2), Booster: scanAuthor(row, 4),
			})
			return nil
		})
	for _, m := range messages {
		m.Boosts = boosts[m.ID]
	}
	return err
}

// checkBoost answers a boost's content as it is kept.
func checkBoost(content string) (string, error) {
	content, err := checkText("content", content, math.MaxInt)
	if err == nil && (len(content) > maxBoostBytes || uniseg.GraphemeClusterCount(content) > maxBoostLength) {
		err = &InvalidError{"content", fmt.Sprintf("must have at most %d characters, in %d bytes", maxBoostLength, maxBoostBytes)}
	}
	return content, err
}
