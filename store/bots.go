package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"
)

// BotProfile is a bot as administrators see it.
type BotProfile struct {
	User
	WebhookURL    string // where it is told of messages to it; empty for nowhere
	WebhookSecret string // what signs what is sent there
	LastDelivery  Delivery
}

// Delivery is what became of telling a bot of a message.
type Delivery struct {
	At     time.Time // zero if there was none
	Status int       // of HTTP; 0 for no answer
	Error  string    // why it failed; empty if it did not
}

const (
	maxBots             = 500
	maxWebhookURLLength = 2048 // bytes
	botTokenLength      = 12
	roomTokenLength     = 32 // longer than a bot's, so that they are told apart
)

const botColumns = userColumns + `, coalesce(webhooks.url, ''), coalesce(webhooks.secret, ''),
	webhooks.delivered_at, webhooks.delivery_status, webhooks.delivery_error`

func scanBot(row *sqlite.Stmt) BotProfile {
	b := BotProfile{User: scanUser(row), WebhookURL: row.ColumnText(7), WebhookSecret: row.ColumnText(8)}
	if !row.ColumnIsNull(9) {
		b.LastDelivery = Delivery{At: timeColumn(row, 9), Status: row.ColumnInt(10), Error: row.ColumnText(11)}
	}
	return b
}

// ListBots lists the active bots by name. For administrators.
func (s *Store) ListBots(ctx context.Context, userID int64) (bots []BotProfile, err error) {
	err = s.read(ctx, func(db db) error {
		if err := db.requireAdministrator(userID); err != nil {
			return err
		}
		bots, err = db.bots("true ORDER BY users.sort_name, users.id", nil)
		return err
	})
	return bots, err
}

// bots answers the active bots that where finds.
func (d db) bots(where string, args args) (bots []BotProfile, err error) {
	err = d.each("SELECT "+botColumns+` FROM users LEFT JOIN webhooks ON webhooks.user_id = users.id
		WHERE users.role = 2 AND users.status = 0 AND `+where, args, func(row *sqlite.Stmt) error {
		bots = append(bots, scanBot(row))
		return nil
	})
	return bots, err
}

// CreateBot adds a bot to the account and to every open room, and answers its key. For administrators.
func (s *Store) CreateBot(ctx context.Context, userID int64, name, webhookURL string) (b BotProfile, key string, err error) {
	if name, err = checkName(name); err != nil {
		return BotProfile{}, "", err
	}
	if webhookURL, err = checkWebhookURL(webhookURL); err != nil {
		return BotProfile{}, "", err
	}
	token := randomLetters(botTokenLength)
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.requireAdministrator(userID); err != nil {
			return err
		}
		if err := tx.requireRoomForBots(); err != nil {
			return err
		}
		var u User
		err := tx.one(`INSERT INTO users (name, sort_name, role, bot_token_hash, created_at, updated_at)
			VALUES (:name, :sort_name, 2, :hash, :now, :now) RETURNING `+userColumns,
			args{":name": name, ":sort_name": sortName(name), ":hash": hashToken(token), ":now": tx.micros()},
			func(row *sqlite.Stmt) { u = scanUser(row) })
		if err != nil {
			return err
		}
		tx.changed(UserChanged{u})
		if err := tx.grantOpenRooms(u.ID); err != nil {
			return err
		}
		if err := tx.setWebhook(u.ID, webhookURL); err != nil {
			return err
		}
		b, err = tx.bot(u.ID)
		return err
	})
	return b, botKey(b.ID, token), err
}

func (d db) requireRoomForBots() error {
	var bots int
	err := d.one("SELECT count(*) FROM users WHERE role = 2 AND status = 0", nil, func(row *sqlite.Stmt) { bots = row.ColumnInt(0) })
	if err == nil && bots >= maxBots {
		err = fmt.Errorf("%w: there are %d bots already", ErrConflict, maxBots)
	}
	return err
}

// BotChanges are what is to change of a bot; nil leaves a thing alone.
type BotChanges struct {
	Name       *string
	WebhookURL *string // empty for none
}

// UpdateBot changes a bot. For administrators.
func (s *Store) UpdateBot(ctx context.Context, userID, botID int64, c BotChanges) (b BotProfile, err error) {
	if c.Name != nil {
		name, err := checkName(*c.Name)
		if err != nil {
			return BotProfile{}, err
		}
		c.Name = &name
	}
	if c.WebhookURL != nil {
		address, err := checkWebhookURL(*c.WebhookURL)
		if err != nil {
			return BotProfile{}, err
		}
		c.WebhookURL = &address
	}
	err = s.write(ctx, func(tx *tx) error {
		if b, err = tx.administeredBot(userID, botID); err != nil {
			return err
		}
		if c.Name != nil {
			b.Name = *c.Name
			tx.changed(UserChanged{b.User})
			err := tx.exec("UPDATE users SET name = :name, sort_name = :sort_name, updated_at = :now WHERE id = :id",
				args{":name": b.Name, ":sort_name": sortName(b.Name), ":now": tx.micros(), ":id": b.ID})
			if err != nil {
				return err
			}
		}
		if c.WebhookURL != nil && *c.WebhookURL != b.WebhookURL {
			if err := tx.setWebhook(b.ID, *c.WebhookURL); err != nil {
				return err
			}
		}
		b, err = tx.bot(b.ID)
		return err
	})
	return b, err
}

// DeactivateBot removes a bot from the account, as DeactivateUser does people. For administrators.
func (s *Store) DeactivateBot(ctx context.Context, userID, botID int64) error {
	return s.write(ctx, func(tx *tx) error {
		b, err := tx.administeredBot(userID, botID)
		if err != nil {
			return err
		}
		if err := tx.setBotToken(b.ID, ""); err != nil {
			return err
		}
		_, err = tx.deactivate(b.User)
		return err
	})
}

// ResetBotKey makes a new key for a bot; the old one and its streams end. For administrators.
func (s *Store) ResetBotKey(ctx context.Context, userID, botID int64) (key string, err error) {
	token := randomLetters(botTokenLength)
	return botKey(botID, token), s.write(ctx, func(tx *tx) error {
		b, err := tx.administeredBot(userID, botID)
		if err != nil {
			return err
		}
		return tx.setBotToken(b.ID, token)
	})
}

// setBotToken replaces a bot's token, the empty one for none, and ends what goes on by the old one.
func (t *tx) setBotToken(botID int64, token string) error {
	var hash any
	if token != "" {
		hash = hashToken(token)
	}
	t.changed(SessionEnded{Identity{UserID: botID}})
	return t.exec("UPDATE users SET bot_token_hash = :hash, updated_at = :now WHERE id = :id",
		args{":hash": hash, ":now": t.micros(), ":id": botID})
}

// setWebhook replaces a bot's webhook, the empty one for none. Its secret stays as long as it has one.
func (t *tx) setWebhook(botID int64, address string) error {
	if address == "" {
		return t.exec("DELETE FROM webhooks WHERE user_id = :id", args{":id": botID})
	}
	return t.exec(`INSERT INTO webhooks (user_id, url, secret) VALUES (:id, :url, :secret)
		ON CONFLICT (user_id) DO UPDATE SET url = :url, delivered_at = NULL, delivery_status = 0, delivery_error = ''`,
		args{":id": botID, ":url": address, ":secret": newWebhookSecret()})
}

// administeredBot answers an active bot, to an administrator.
func (t *tx) administeredBot(userID, botID int64) (BotProfile, error) {
	if err := t.requireAdministrator(userID); err != nil {
		return BotProfile{}, err
	}
	return t.bot(botID)
}

// bot answers an active bot.
func (d db) bot(id int64) (BotProfile, error) {
	bots, err := d.bots("users.id = :id", args{":id": id})
	if err == nil && len(bots) == 0 {
		err = fmt.Errorf("bot %w", ErrNotFound)
	}
	if err != nil {
		return BotProfile{}, err
	}
	return bots[0], nil
}

// AuthenticateBot answers the active bot of a key. ErrUnauthenticated: it is nobody's.
func (s *Store) AuthenticateBot(ctx context.Context, key string) (who Identity, err error) {
	id, token, ok := readBotKey(key)
	if !ok {
		return Identity{}, ErrUnauthenticated
	}
	who = Identity{UserID: id, BotToken: string(hashToken(token))}
	if err := s.RequireSession(ctx, who); err != nil {
		return Identity{}, err
	}
	return who, nil
}

// AuthenticateBotIn answers the active bot of a key or of its key for that room alone. What a webhook is told has such a
// one, as the bot's own key is kept only hashed; it ends when that is reset.
func (s *Store) AuthenticateBotIn(ctx context.Context, roomID int64, key string) (who Identity, err error) {
	id, token, ok := readBotKey(key)
	if !ok || len(token) != roomTokenLength {
		return s.AuthenticateBot(ctx, key)
	}
	err = s.read(ctx, func(db db) error {
		right, kept, err := db.roomToken(id, roomID)
		if errors.Is(err, ErrNotFound) || err == nil && !hmac.Equal([]byte(right), []byte(token)) {
			return ErrUnauthenticated
		}
		who = Identity{UserID: id, BotToken: string(kept)}
		return err
	})
	return who, err
}

// roomToken answers the token of an active bot's key for a room, and the bot's own as it is kept.
func (d db) roomToken(botID, roomID int64) (token string, kept []byte, err error) {
	err = d.one(`SELECT secrets.value, users.bot_token_hash FROM users, secrets
		WHERE users.id = :id AND users.role = 2 AND users.status = 0 AND secrets.name = 'room key'`, args{":id": botID},
		func(row *sqlite.Stmt) {
			secret := make([]byte, row.ColumnLen(0))
			row.ColumnBytes(0, secret)
			kept = make([]byte, row.ColumnLen(1))
			row.ColumnBytes(1, kept)
			mac := hmac.New(sha256.New, secret)
			fmt.Fprintf(mac, "%d %d ", botID, roomID)
			mac.Write(kept)
			token = hex.EncodeToString(mac.Sum(nil))[:roomTokenLength]
		})
	return token, kept, err
}

// CountMessages counts the messages in a room of the user's.
func (s *Store) CountMessages(ctx context.Context, userID, roomID int64) (count int, err error) {
	err = s.read(ctx, func(db db) error {
		if err := db.requireMember(userID, roomID); err != nil {
			return err
		}
		return db.one("SELECT count(*) FROM messages WHERE room_id = :room_id", args{":room_id": roomID},
			func(row *sqlite.Stmt) { count = row.ColumnInt(0) })
	})
	return count, err
}

func (d db) requireBotToken(who Identity) error {
	current, err := d.exists("SELECT 1 FROM users WHERE id = :id AND bot_token_hash = :hash AND role = 2 AND status = 0",
		args{":id": who.UserID, ":hash": []byte(who.BotToken)})
	if err == nil && !current {
		err = ErrUnauthenticated
	}
	return err
}

// spokenTo are the bots that a message speaks to.
func (a audience) spokenTo(authorID int64, mentions []int64) (bots []int64) {
	for _, id := range a.bots {
		if id != authorID && (a.direct || slices.Contains(mentions, id)) {
			bots = append(bots, id)
		}
	}
	return bots
}

// Webhook is what a bot is to be told of a message.
type Webhook struct {
	Bot     BotProfile
	Room    Room // as the bot sees it
	Message Message
	RoomKey string // with which the bot may act there
}

// Webhook answers what an active bot is to be told of a message now. ErrNotFound: nothing, as one of them is gone or the
// bot has no webhook.
func (s *Store) Webhook(ctx context.Context, botID, messageID int64) (w Webhook, err error) {
	err = s.read(ctx, func(db db) error {
		if w.Bot, err = db.bot(botID); err != nil {
			return err
		}
		if w.Bot.WebhookURL == "" {
			return fmt.Errorf("webhook %w", ErrNotFound)
		}
		if w.Message, err = db.reachableMessage(botID, messageID); err != nil {
			return err
		}
		if w.Room, err = db.room(botID, w.Message.RoomID); err != nil {
			return err
		}
		token, _, err := db.roomToken(botID, w.Room.ID)
		w.RoomKey = botKey(botID, token)
		return err
	})
	return w, err
}

// NoteDelivery notes what became of the last delivery to a bot's webhook, if that is still where it is told.
func (s *Store) NoteDelivery(ctx context.Context, bot BotProfile, d Delivery) error {
	return s.write(ctx, func(tx *tx) error {
		return tx.exec(`UPDATE webhooks SET delivered_at = :at, delivery_status = :status, delivery_error = :error
			WHERE user_id = :id AND url = :url`, args{
			":at": d.At.UnixMicro(), ":status": d.Status, ":error": d.Error, ":id": bot.ID, ":url": bot.WebhookURL,
		})
	})
}

func botKey(botID int64, token string) string { return strconv.FormatInt(botID, 10) + "-" + token }

// readBotKey takes a key apart. One without a number or without a token is none.
func readBotKey(key string) (botID int64, token string, ok bool) {
	number, token, _ := strings.Cut(strings.TrimSpace(key), "-")
	botID, err := strconv.ParseInt(number, 10, 64)
	return botID, token, err == nil && botID > 0 && token != ""
}

// checkWebhookURL answers an address as it is kept; empty for none.
func checkWebhookURL(address string) (string, error) {
	address = strings.TrimSpace(address)
	if address == "" {
		return "", nil
	}
	parsed, err := url.Parse(address)
	switch {
	case len(address) > maxWebhookURLLength || !utf8.ValidString(address):
		err = errors.New("too long")
	case err == nil && parsed.Scheme != "http" && parsed.Scheme != "https", err == nil && parsed.Hostname() == "":
		err = errors.New("of another kind")
	}
	if err != nil {
		return "", &InvalidError{"webhook_url", fmt.Sprintf("must be an http or https URL of at most %d characters", maxWebhookURLLength)}
	}
	return address, nil
}

// newWebhookSecret answers a secret of 256 random bits, written as the Standard Webhooks have it.
func newWebhookSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(secret)
}
