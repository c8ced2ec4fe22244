package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/rivo/uniseg"
	"zombiezen.com/go/sqlite"
)

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
	var boosted []int64
	for _, m := range messages {
		if m.Boosts != nil {
			boosted = append(boosted, m.ID)
		}
	}
	if len(boosted) == 0 {
		return nil
	}
	boosts := map[int64][]Boost{}
	err := d.each(`SELECT boosts.id, boosts.content, boosts.created_at, boosts.message_id, users.id, users.name, users.role, users.status
		FROM boosts JOIN users ON users.id = boosts.booster_id
		WHERE boosts.message_id IN (SELECT value FROM json_each(:ids)) ORDER BY boosts.id`,
		args{":ids": jsonIDs(boosted)},
		func(row *sqlite.Stmt) error {
			messageID := row.ColumnInt64(3)
			boosts[messageID] = append(boosts[messageID], Boost{
				ID: row.ColumnInt64(0), Content: row.ColumnText(1), CreatedAt: timeColumn(row, 2), Booster: scanAuthor(row, 4),
			})
			return nil
		})
	for i := range messages {
		messages[i].Boosts = boosts[messages[i].ID]
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
