package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"
)

// MessageKind is how a message is shown.
type MessageKind string

// The kinds, as the database keeps them.
const (
	Text  MessageKind = "text"
	Emoji MessageKind = "emoji"
	Sound MessageKind = "sound"
)

// Body is what a message says, cleaned already.
type Body struct {
	HTML     string
	Text     string
	Kind     MessageKind
	Sound    string  // the name of one, for the kind Sound
	Mentions []int64 // the members it mentions
}

// Message is what someone posted to a room.
type Message struct {
	ID              int64
	RoomID          int64
	ClientMessageID string
	Creator         User // without address and bio
	Body            Body // without Mentions
	Boosts          []Boost
	CreatedAt       time.Time
	EditedAt        time.Time // zero if it never was
	Revision        int64
}

// Post is a new message.
type Post struct {
	RoomID          int64
	ClientMessageID string // one is made if it is empty
	Body            Body
	IsReply         bool // of a webhook: it speaks to no bot, so that two of them cannot talk for ever
}

// MessagesPage says which part of a conversation is wanted.
type MessagesPage struct {
	Anchor Anchor
	ID     int64 // of the message that the page is before, after or around
	Size   int   // 0 for 40
}

// Anchor is where in a conversation a page is.
type Anchor int

// The anchors.
const (
	Newest Anchor = iota
	Before
	After
	Around
)

const (
	maxHTMLLength            = 256 << 10 // bytes, of what was made of at most 64 kB
	maxTextLength            = 64 << 10  // bytes
	maxClientMessageIDLength = 64        // characters
	messagesPageSize         = 40
	maxMessagesPageSize      = 100
	maxPageBytes             = 2 << 20 // of bodies; a page of long messages has fewer of them
)

// PostMessage posts as the user. A repeated ClientMessageID answers the message already there.
func (s *Store) PostMessage(ctx context.Context, userID int64, p Post) (m Message, err error) {
	if err := checkBody(p.Body); err != nil {
		return Message{}, err
	}
	if err := checkClientMessageID(p.ClientMessageID); err != nil {
		return Message{}, err
	}
	if p.ClientMessageID == "" {
		p.ClientMessageID = rand.Text()
	}
	err = s.write(ctx, func(tx *tx) (err error) {
		m, err = tx.insertMessage(userID, p)
		return err
	})
	return m, err
}

// messagesPage is a page as it was read.
type messagesPage struct {
	messages           []Message
	hasOlder, hasNewer bool
}

// ListMessages answers a page of a room of the user's, oldest first, and whether there are messages before and after it.
// The messages are shared: nobody changes them.
func (s *Store) ListMessages(ctx context.Context, userID, roomID int64, page MessagesPage) (messages []Message, hasOlder, hasNewer bool, err error) {
	size := messagesPageSize
	switch {
	case page.Size < 0:
		return nil, false, false, &InvalidError{"page_size", "must not be negative"}
	case page.Size > 0:
		size = min(page.Size, maxMessagesPageSize)
	}
	found, known, version := s.memory.pages.find(roomID)
	usual := page.Anchor == Newest && size == messagesPageSize
	err = s.read(ctx, func(db db) error {
		if err := db.requireMember(userID, roomID); err != nil || known && usual {
			return err
		}
		found, err = db.messagesPage(roomID, page, size)
		return err
	})
	if err != nil {
		return nil, false, false, err
	}
	if usual && !known && sizeOf(found.messages) <= maxBytesRemembered {
		s.memory.pages.keep(roomID, found, version)
	}
	return found.messages, found.hasOlder, found.hasNewer, nil
}

func (d db) messagesPage(roomID int64, page MessagesPage, size int) (p messagesPage, err error) {
	switch page.Anchor {
	case Around:
		p.messages, p.hasOlder, p.hasNewer, err = d.messagesAround(roomID, page.ID, size)
	case After:
		if p.messages, p.hasNewer, err = d.newerMessages(roomID, page.ID, size); err == nil {
			p.hasOlder, err = d.exists("SELECT 1 FROM messages WHERE room_id = :room_id AND id <= :id LIMIT 1",
				args{":room_id": roomID, ":id": page.ID})
		}
	case Before:
		if p.messages, p.hasOlder, err = d.olderMessages(roomID, page.ID, size); err == nil {
			p.hasNewer, err = d.exists("SELECT 1 FROM messages WHERE room_id = :room_id AND id >= :id LIMIT 1",
				args{":room_id": roomID, ":id": page.ID})
		}
	default:
		p.messages, p.hasOlder, err = d.olderMessages(roomID, newest, size)
	}
	return p, err
}

// sizeOf is how many bytes the bodies of messages take.
func sizeOf(messages []Message) (bytes int) {
	for _, m := range messages {
		bytes += len(m.Body.HTML) + len(m.Body.Text)
	}
	return bytes
}

// messagesAround answers a message with what is before and after it.
func (d db) messagesAround(roomID, id int64, size int) (messages []Message, hasOlder, hasNewer bool, err error) {
	anchor, err := d.messages("messages.room_id = :room_id AND messages.id = :id", args{":room_id": roomID, ":id": id})
	if err == nil && len(anchor) == 0 {
		err = fmt.Errorf("message %w", ErrNotFound)
	}
	if err != nil {
		return nil, false, false, err
	}
	older, hasOlder, err := d.olderMessages(roomID, id, size)
	if err != nil {
		return nil, false, false, err
	}
	newer, hasNewer, err := d.newerMessages(roomID, id, size)
	return slices.Concat(older, anchor, newer), hasOlder, hasNewer, err
}

// newest is an id beyond every message.
const newest = 1<<63 - 1

func (d db) olderMessages(roomID, than int64, size int) (messages []Message, more bool, err error) {
	messages, more, err = d.pageOfMessages("messages.room_id = :room_id AND messages.id < :id ORDER BY messages.id DESC", roomID, than, size)
	slices.Reverse(messages)
	return messages, more, err
}

func (d db) newerMessages(roomID, than int64, size int) (messages []Message, more bool, err error) {
	return d.pageOfMessages("messages.room_id = :room_id AND messages.id > :id ORDER BY messages.id", roomID, than, size)
}

// pageOfMessages answers the first messages that where finds, as many as size and maxPageBytes allow, but at least one.
func (d db) pageOfMessages(where string, roomID, than int64, size int) (messages []Message, more bool, err error) {
	bytes := 0
	err = d.eachMessage(where+" LIMIT :limit", args{":room_id": roomID, ":id": than, ":limit": size + 1}, func(m Message) error {
		bytes += len(m.Body.HTML) + len(m.Body.Text)
		if len(messages) == size || len(messages) > 0 && bytes > maxPageBytes {
			more = true
			return errEnough
		}
		messages = append(messages, m)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, false, err
	}
	return messages, more, d.addBoosts(messages)
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough")

// GetMessage answers a message in one of the user's rooms.
func (s *Store) GetMessage(ctx context.Context, userID, messageID int64) (m Message, err error) {
	err = s.read(ctx, func(db db) (err error) {
		m, err = db.reachableMessage(userID, messageID)
		return err
	})
	return m, err
}

// EditMessage replaces the body of a message that the user wrote or administers.
func (s *Store) EditMessage(ctx context.Context, userID, messageID int64, body Body) (m Message, err error) {
	if err := checkBody(body); err != nil {
		return Message{}, err
	}
	err = s.write(ctx, func(tx *tx) error {
		old, err := tx.editableMessage(userID, messageID)
		if err != nil {
			return err
		}
		tx.unindex(messageID, old.RoomID, old.Body.Text)
		err = tx.exec(`UPDATE messages SET body_html = :html, body_text = :text, kind = :kind, sound = :sound, edited_at = :now
			WHERE id = :id`, args{
			":html": body.HTML, ":text": body.Text, ":kind": string(body.Kind), ":sound": body.Sound,
			":now": tx.micros(), ":id": messageID,
		})
		if err != nil {
			return err
		}
		tx.index(messageID, old.RoomID, body.Text)
		m, err = tx.messageUpdated(old)
		return err
	})
	return m, err
}

// DeleteMessage deletes a message that the user wrote or administers.
func (s *Store) DeleteMessage(ctx context.Context, userID, messageID int64) error {
	return s.write(ctx, func(tx *tx) error {
		m, err := tx.editableMessage(userID, messageID)
		if err != nil {
			return err
		}
		return tx.deleteMessage(m)
	})
}

// insertMessage posts as a user who must be a member. Its id is taken only once it is known to be new.
func (t *tx) insertMessage(creatorID int64, p Post) (Message, error) {
	creator, err := t.member(creatorID, p.RoomID)
	if err != nil {
		return Message{}, err
	}
	m := Message{
		ID:              t.writer.revision + 1,
		RoomID:          p.RoomID,
		ClientMessageID: p.ClientMessageID,
		Creator:         creator,
		Body:            p.Body,
		CreatedAt:       time.UnixMicro(t.micros()).UTC(),
	}
	m.Revision, m.Body.Mentions = m.ID, nil
	err = t.exec(`INSERT INTO messages
			(id, room_id, creator_id, client_message_id, body_html, body_text, kind, sound, created_at, revision)
		VALUES (:id, :room_id, :creator_id, :client_id, :html, :text, :kind, :sound, :now, :id)
		ON CONFLICT (room_id, client_message_id) DO NOTHING`, args{
		":id": m.ID, ":room_id": m.RoomID, ":creator_id": creatorID, ":client_id": m.ClientMessageID,
		":html": m.Body.HTML, ":text": m.Body.Text, ":kind": string(m.Body.Kind), ":sound": m.Body.Sound, ":now": t.micros(),
	})
	if err != nil {
		return Message{}, err
	}
	if t.conn.Changes() == 0 {
		return t.postedBefore(creatorID, p)
	}
	t.nextRevision()
	t.index(m.ID, m.RoomID, m.Body.Text)
	if err := t.touchRoom(m.RoomID); err != nil {
		return Message{}, err
	}
	if err := t.markRead(creatorID, m.RoomID, m.ID); err != nil {
		return Message{}, err
	}
	audience, err := t.audienceOf(m.RoomID)
	if err != nil {
		return Message{}, err
	}
	mentions := slices.Compact(slices.Sorted(slices.Values(p.Body.Mentions)))
	mentions = slices.DeleteFunc(mentions, func(id int64) bool { return !slices.Contains(audience.all, id) })
	created := MessageCreated{Message: m, Audience: audience.all, Visible: audience.visible, Mentions: mentions}
	if !p.IsReply {
		created.Bots = audience.spokenTo(creatorID, mentions)
	}
	t.changed(created)
	return m, nil
}

// postedBefore answers the message that has this room's client_message_id already, if it is the same user's.
func (t *tx) postedBefore(creatorID int64, p Post) (Message, error) {
	already, err := t.messages("messages.room_id = :room_id AND messages.client_message_id = :client_id",
		args{":room_id": p.RoomID, ":client_id": p.ClientMessageID})
	if err == nil && already[0].Creator.ID != creatorID {
		err = fmt.Errorf("this client_message_id is %w", ErrTaken)
	}
	if err != nil {
		return Message{}, err
	}
	return already[0], nil
}

// messageUpdated gives a message that has changed its revision, and tells its room.
func (t *tx) messageUpdated(old Message) (Message, error) {
	err := t.exec("UPDATE messages SET revision = :revision WHERE id = :id",
		args{":revision": t.nextRevision(), ":id": old.ID})
	if err != nil {
		return Message{}, err
	}
	if err := t.touchRoom(old.RoomID); err != nil {
		return Message{}, err
	}
	m, err := t.message(old.ID)
	if err != nil {
		return Message{}, err
	}
	audience, err := t.audienceOf(m.RoomID)
	t.changed(MessageUpdated{Message: m, Audience: audience.all})
	return m, err
}

func (t *tx) deleteMessage(m Message) error {
	t.unindex(m.ID, m.RoomID, m.Body.Text)
	if err := t.exec("DELETE FROM messages WHERE id = :id", args{":id": m.ID}); err != nil {
		return err
	}
	revision := t.nextRevision()
	err := t.exec("INSERT INTO deletions (revision, room_id, message_id, created_at) VALUES (:revision, :room_id, :id, :now)",
		args{":revision": revision, ":room_id": m.RoomID, ":id": m.ID, ":now": t.micros()})
	if err != nil {
		return err
	}
	if err := t.touchRoom(m.RoomID); err != nil {
		return err
	}
	audience, err := t.audienceOf(m.RoomID)
	if err != nil {
		return err
	}
	t.changed(MessageDeleted{RoomID: m.RoomID, MessageID: m.ID, Revision: revision, Audience: audience.all})
	return t.unmark(m)
}

// unmark tells those to whom a room was unread by nothing but a message that is deleted.
func (t *tx) unmark(m Message) error {
	members, err := t.ids(`SELECT user_id FROM memberships
		WHERE room_id = :room_id AND last_read_message_id < :id AND user_id <> :creator_id AND involvement <> 'invisible'
			AND NOT EXISTS (
				SELECT 1 FROM messages WHERE messages.room_id = :room_id
				AND messages.id > memberships.last_read_message_id AND messages.creator_id <> memberships.user_id
			)`, args{":room_id": m.RoomID, ":id": m.ID, ":creator_id": m.Creator.ID})
	for _, userID := range members {
		t.changed(RoomRead{UserID: userID, RoomID: m.RoomID})
	}
	return err
}

// touchRoom notes that something has happened in a room, which direct rooms are ordered by.
func (t *tx) touchRoom(roomID int64) error {
	return t.exec("UPDATE rooms SET updated_at = :now WHERE id = :id", args{":now": t.micros(), ":id": roomID})
}

func (d db) message(id int64) (Message, error) {
	messages, err := d.messages("messages.id = :id", args{":id": id})
	if err == nil && len(messages) == 0 {
		err = fmt.Errorf("message %w", ErrNotFound)
	}
	if err != nil {
		return Message{}, err
	}
	return messages[0], nil
}

// reachableMessage answers a message in one of the user's rooms.
func (d db) reachableMessage(userID, messageID int64) (Message, error) {
	m, err := d.message(messageID)
	if err != nil {
		return Message{}, err
	}
	switch err := d.requireMember(userID, m.RoomID); {
	case errors.Is(err, ErrNotFound):
		return Message{}, fmt.Errorf("message %w", ErrNotFound)
	case err != nil:
		return Message{}, err
	}
	return m, nil
}

// editableMessage answers a message in one of the user's rooms that they wrote or, as an administrator, may change.
func (d db) editableMessage(userID, messageID int64) (Message, error) {
	m, err := d.reachableMessage(userID, messageID)
	if err != nil || m.Creator.ID == userID {
		return m, err
	}
	u, err := d.user(userID)
	if err == nil && u.Role != Administrator {
		err = fmt.Errorf("%w: only its author and administrators change a message", ErrForbidden)
	}
	return m, err
}

// messages answers the messages that where finds, with their boosts.
func (d db) messages(where string, args args) ([]Message, error) {
	var messages []Message
	err := d.eachMessage(where, args, func(m Message) error {
		messages = append(messages, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return messages, d.addBoosts(messages)
}

// eachMessage gives the messages that where finds to read, without their boosts.
func (d db) eachMessage(where string, args args, read func(Message) error) error {
	return d.each("SELECT "+messageColumns+" FROM messages JOIN users ON users.id = messages.creator_id WHERE "+where, args,
		func(row *sqlite.Stmt) error { return read(scanMessage(row)) })
}

// messageColumns are those of messages and users that scanMessage reads.
const messageColumns = `messages.id, messages.room_id, messages.client_message_id, messages.body_html, messages.body_text,
	messages.kind, messages.sound, messages.created_at, messages.edited_at, messages.revision,
	users.id, users.name, users.role, users.status,
	EXISTS (SELECT 1 FROM boosts WHERE boosts.message_id = messages.id)`

func scanMessage(row *sqlite.Stmt) Message {
	m := Message{
		ID:              row.ColumnInt64(0),
		RoomID:          row.ColumnInt64(1),
		ClientMessageID: row.ColumnText(2),
		Body: Body{
			HTML: row.ColumnText(3), Text: row.ColumnText(4),
			Kind: MessageKind(row.ColumnText(5)), Sound: row.ColumnText(6),
		},
		CreatedAt: timeColumn(row, 7),
		Revision:  row.ColumnInt64(9),
		Creator:   scanAuthor(row, 10),
	}
	if !row.ColumnIsNull(8) {
		m.EditedAt = timeColumn(row, 8)
	}
	if row.ColumnBool(14) {
		m.Boosts = []Boost{} // to be filled in
	}
	return m
}

func scanAuthor(row *sqlite.Stmt, col int) User {
	return User{
		ID: row.ColumnInt64(col), Name: row.ColumnText(col + 1),
		Role: Role(row.ColumnInt(col + 2)), Status: Status(row.ColumnInt(col + 3)),
	}
}

func checkBody(b Body) error {
	switch {
	case IsBlank(b.Text):
		return &InvalidError{"body", "must not be empty"}
	case len(b.HTML) > maxHTMLLength || len(b.Text) > maxTextLength:
		return &InvalidError{"body", "is too long"}
	case !utf8.ValidString(b.HTML) || !utf8.ValidString(b.Text):
		return &InvalidError{"body", "must be UTF-8"}
	}
	return nil
}

func checkClientMessageID(id string) error {
	if utf8.RuneCountInString(id) > maxClientMessageIDLength || strings.ContainsFunc(id, unicode.IsControl) || !utf8.ValidString(id) {
		return &InvalidError{"client_message_id", fmt.Sprintf("must be at most %d characters of text", maxClientMessageIDLength)}
	}
	return nil
}
