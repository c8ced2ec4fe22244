package store

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// PushSubscription is one browser that gets notifications.
type PushSubscription struct {
	ID        int64
	UserID    int64
	Endpoint  string // the URL of its push service
	P256DHKey string // its public key, in URL-safe base64
	AuthKey   string // its secret, in URL-safe base64
	UserAgent string
	CreatedAt time.Time
	Failures  int // in a row
}

// Notification is what one browser is to be told of a message.
type Notification struct {
	Subscription PushSubscription
	Unread       int // rooms of its person
}

const (
	maxEndpointLength    = 2048 // characters
	maxPushSubscriptions = 100  // of each person
	maxPushFailures      = 5    // in a row
	authKeyLength        = 16   // bytes, by RFC 8291
)

const pushColumns = `push_subscriptions.id, push_subscriptions.user_id, push_subscriptions.endpoint, push_subscriptions.p256dh_key,
	push_subscriptions.auth_key, push_subscriptions.user_agent, push_subscriptions.created_at, push_subscriptions.failures`

func scanPush(row *sqlite.Stmt) PushSubscription {
	return PushSubscription{
		ID: row.ColumnInt64(0), UserID: row.ColumnInt64(1), Endpoint: row.ColumnText(2), P256DHKey: row.ColumnText(3),
		AuthKey: row.ColumnText(4), UserAgent: row.ColumnText(5), CreatedAt: timeColumn(row, 6), Failures: row.ColumnInt(7),
	}
}

// PushKey is the key that the server signs notifications with: VAPID's, on the curve P-256 (RFC 8292). It stays the same
// as long as the database: browsers subscribe with its public half.
func (s *Store) PushKey(ctx context.Context) (key *ecdh.PrivateKey, err error) {
	err = s.read(ctx, func(db db) error {
		var bytes []byte
		err := db.one("SELECT value FROM secrets WHERE name = 'push'", nil, func(row *sqlite.Stmt) {
			bytes = make([]byte, row.ColumnLen(0))
			row.ColumnBytes(0, bytes)
		})
		if err != nil {
			return err
		}
		key, err = ecdh.P256().NewPrivateKey(bytes)
		return err
	})
	return key, err
}

// makePushKey makes the key at the first start.
func (d db) makePushKey() error {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	return d.exec("INSERT OR IGNORE INTO secrets (name, value) VALUES ('push', :key)", args{":key": key.Bytes()})
}

// AnyoneSubscribed tells whether any browser gets notifications, or did since the start: most messages need not ask whose.
func (s *Store) AnyoneSubscribed() bool { return s.subscribed.Load() }

func (s *Store) readSubscribed(ctx context.Context) error {
	return s.read(ctx, func(db db) error {
		any, err := db.exists("SELECT 1 FROM push_subscriptions LIMIT 1", nil)
		s.subscribed.Store(any)
		return err
	})
}

// ListPushSubscriptions lists a person's browsers, newest first.
func (s *Store) ListPushSubscriptions(ctx context.Context, userID int64) (subscriptions []PushSubscription, err error) {
	err = s.read(ctx, func(db db) error {
		return db.each("SELECT "+pushColumns+" FROM push_subscriptions WHERE user_id = :user_id ORDER BY id DESC LIMIT :most",
			args{":user_id": userID, ":most": maxPushSubscriptions}, func(row *sqlite.Stmt) error {
				subscriptions = append(subscriptions, scanPush(row))
				return nil
			})
	})
	return subscriptions, err
}

// GetPushSubscription answers one of a person's browsers.
func (s *Store) GetPushSubscription(ctx context.Context, userID, id int64) (p PushSubscription, err error) {
	err = s.read(ctx, func(db db) error {
		return db.one("SELECT "+pushColumns+" FROM push_subscriptions WHERE id = :id AND user_id = :user_id",
			args{":id": id, ":user_id": userID}, func(row *sqlite.Stmt) { p = scanPush(row) })
	})
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("push subscription %w", err)
	}
	return p, err
}

// RegisterPushSubscription adds the session's browser, until the session ends. The same endpoint and keys again answer the
// subscription already there, which is this session's from then on; whoever had the browser before no longer has it.
func (s *Store) RegisterPushSubscription(ctx context.Context, who Identity, p PushSubscription) (PushSubscription, error) {
	if err := p.check(); err != nil {
		return PushSubscription{}, err
	}
	s.subscribed.Store(true)
	err := s.write(ctx, func(tx *tx) error {
		// A session that has ended, as by a ban, leaves nothing behind that goes on telling.
		if err := tx.requireSession(who); err != nil {
			return err
		}
		keys := args{":user_id": who.UserID, ":endpoint": p.Endpoint, ":p256dh": p.P256DHKey, ":auth": p.AuthKey}
		err := tx.exec(`DELETE FROM push_subscriptions
			WHERE endpoint = :endpoint AND p256dh_key = :p256dh AND auth_key = :auth AND user_id <> :user_id`, keys)
		if err != nil {
			return err
		}
		keys[":agent"], keys[":now"], keys[":session_id"] = cut(p.UserAgent), tx.micros(), who.SessionID
		err = tx.one(`INSERT INTO push_subscriptions
				(user_id, session_id, endpoint, p256dh_key, auth_key, user_agent, created_at, updated_at)
			VALUES (:user_id, :session_id, :endpoint, :p256dh, :auth, :agent, :now, :now)
			ON CONFLICT (user_id, endpoint, p256dh_key, auth_key) DO UPDATE SET
				updated_at = :now, failures = iif(session_id IS :session_id, failures, 0), session_id = :session_id
			RETURNING `+strings.ReplaceAll(pushColumns, "push_subscriptions.", ""), keys, func(row *sqlite.Stmt) { p = scanPush(row) })
		if err != nil {
			return err
		}
		return tx.exec(`DELETE FROM push_subscriptions WHERE user_id = :user_id AND id NOT IN (
				SELECT id FROM push_subscriptions WHERE user_id = :user_id ORDER BY updated_at DESC, id DESC LIMIT :most
			)`, args{":user_id": who.UserID, ":most": maxPushSubscriptions})
	})
	return p, err
}

func (p *PushSubscription) check() error {
	endpoint, err := url.Parse(p.Endpoint)
	if err != nil || endpoint.Scheme != "https" || endpoint.Host == "" || endpoint.User != nil || len(p.Endpoint) > maxEndpointLength {
		return &InvalidError{"endpoint", fmt.Sprintf("must be an https URL of at most %d characters", maxEndpointLength)}
	}
	point, err := readKey(p.P256DHKey)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(point)
	}
	if err != nil {
		return &InvalidError{"p256dh_key", "must be a point of the curve P-256 in URL-safe base64"}
	}
	if secret, err := readKey(p.AuthKey); err != nil || len(secret) != authKeyLength {
		return &InvalidError{"auth_key", fmt.Sprintf("must be %d bytes in URL-safe base64", authKeyLength)}
	}
	return nil
}

func readKey(text string) ([]byte, error) {
	return base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
}

// RemovePushSubscription removes one of a person's browsers.
func (s *Store) RemovePushSubscription(ctx context.Context, userID, id int64) error {
	return s.write(ctx, func(tx *tx) error {
		err := tx.exec("DELETE FROM push_subscriptions WHERE id = :id AND user_id = :user_id", args{":id": id, ":user_id": userID})
		if err == nil && tx.conn.Changes() == 0 {
			err = fmt.Errorf("push subscription %w", ErrNotFound)
		}
		return err
	})
}

// NotePush notes whether a push service took a notification. A browser is forgotten if the service has forgotten it, or
// has refused several in a row.
func (s *Store) NotePush(ctx context.Context, p PushSubscription, taken, gone bool) error {
	if taken && p.Failures == 0 {
		return nil
	}
	return s.write(ctx, func(tx *tx) error {
		switch {
		case gone:
			return tx.exec("DELETE FROM push_subscriptions WHERE endpoint = :endpoint", args{":endpoint": p.Endpoint})
		case taken:
			return tx.exec("UPDATE push_subscriptions SET failures = 0 WHERE id = :id", args{":id": p.ID})
		}
		if err := tx.exec("UPDATE push_subscriptions SET failures = failures + 1 WHERE id = :id", args{":id": p.ID}); err != nil {
			return err
		}
		return tx.exec("DELETE FROM push_subscriptions WHERE id = :id AND failures >= :most", args{":id": p.ID, ":most": maxPushFailures})
	})
}

// Notifications answers whom a message should wake of those who are absent: by their involvement in its room, and by
// whether it mentions them. room names the room; it is empty for a direct one.
func (s *Store) Notifications(ctx context.Context, m Message, absent, mentioned []int64) (room string, notifications []Notification, err error) {
	err = s.read(ctx, func(db db) error {
		err := db.one("SELECT name FROM rooms WHERE id = :id", args{":id": m.RoomID}, func(row *sqlite.Stmt) { room = row.ColumnText(0) })
		if err != nil {
			return err
		}
		return db.each("SELECT "+pushColumns+`, (
				SELECT count(*) FROM memberships AS theirs
				WHERE theirs.user_id = users.id AND theirs.involvement <> 'invisible' AND EXISTS (
					SELECT 1 FROM messages WHERE messages.room_id = theirs.room_id
					AND messages.id > theirs.last_read_message_id AND messages.creator_id <> users.id
				)
			)
			FROM memberships JOIN users ON users.id = memberships.user_id
				JOIN push_subscriptions ON push_subscriptions.user_id = users.id
			WHERE memberships.room_id = :room_id AND users.status = 0 AND users.id <> :author_id
				AND users.id IN (SELECT value FROM json_each(:absent))
				AND (memberships.involvement = 'everything'
					OR (memberships.involvement = 'mentions' AND users.id IN (SELECT value FROM json_each(:mentioned))))`,
			args{":room_id": m.RoomID, ":author_id": m.Creator.ID, ":absent": jsonIDs(absent), ":mentioned": jsonIDs(mentioned)},
			func(row *sqlite.Stmt) error {
				notifications = append(notifications, Notification{Subscription: scanPush(row), Unread: row.ColumnInt(8)})
				return nil
			})
	})
	return room, notifications, err
}
