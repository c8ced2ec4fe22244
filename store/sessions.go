package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
	"zombiezen.com/go/sqlite"
)

// activityInterval is how exact a session's last_active_at is kept.
const activityInterval = time.Hour

// bcryptLimit is how many bytes of a password bcrypt counts; it refuses longer ones instead of cutting them.
const bcryptLimit = 72

const maxUserAgentLength = 512

// Device is what a session is used from.
type Device struct {
	IPAddress string
	UserAgent string
}

// Identity is who is calling, and by what.
type Identity struct {
	UserID    int64
	SessionID int64  // a person's
	BotToken  string // a bot's, hashed
}

// IsBot tells whether it is a bot by its key.
func (who Identity) IsBot() bool { return who.BotToken != "" }

// SignIn starts a session for the active person of that address and password, and answers its secret token.
func (s *Store) SignIn(ctx context.Context, emailAddress, password string, device Device) (token string, u User, err error) {
	digest, id := s.dummyDigest, int64(0)
	err = s.read(ctx, func(db db) error {
		return db.one("SELECT id, password_digest FROM users WHERE email_address = :email AND status = 0 AND role <> 2",
			args{":email": strings.ToLower(strings.TrimSpace(emailAddress))},
			func(row *sqlite.Stmt) { id, digest = row.ColumnInt64(0), []byte(row.ColumnText(1)) })
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", User{}, err
	}
	right := false
	err = s.hash(ctx, func() error {
		right = bcrypt.CompareHashAndPassword(digest, cutPassword(password)) == nil
		return nil
	})
	if err != nil {
		return "", User{}, err
	}
	if !right || id == 0 || len(password) > maxPasswordLength {
		return "", User{}, fmt.Errorf("%w: address and password do not match", ErrUnauthenticated)
	}
	err = s.write(ctx, func(tx *tx) (err error) {
		// Read again: they may have been removed, or have changed their password, while it was compared.
		current := false
		err = tx.one("SELECT "+userColumns+", password_digest = :digest AND status = 0 FROM users WHERE id = :id",
			args{":id": id, ":digest": string(digest)},
			func(row *sqlite.Stmt) { u, current = scanUser(row), row.ColumnBool(7) })
		if err != nil {
			return err
		}
		if !current {
			return fmt.Errorf("%w: address and password do not match", ErrUnauthenticated)
		}
		token, err = tx.startSession(u.ID, device)
		return err
	})
	return token, u, err
}

// SignOut ends a session, and with it the push subscription of its browser; also one of before, if it is named.
func (s *Store) SignOut(ctx context.Context, who Identity, pushEndpoint string) error {
	return s.write(ctx, func(tx *tx) error {
		err := tx.exec("DELETE FROM push_subscriptions WHERE user_id = :user_id AND endpoint = :endpoint",
			args{":user_id": who.UserID, ":endpoint": pushEndpoint})
		if err != nil {
			return err
		}
		if err := tx.exec("DELETE FROM sessions WHERE id = :id", args{":id": who.SessionID}); err != nil {
			return err
		}
		tx.changed(SessionEnded{who})
		return nil
	})
}

// Join adds a person by the account's join code and signs them in.
func (s *Store) Join(ctx context.Context, joinCode string, p Person, device Device) (token string, u User, err error) {
	person, err := s.checkPerson(p)
	if err != nil {
		return "", User{}, err
	}
	// Before the costly hash, so that guessing codes costs the server nothing.
	if err := s.CheckJoinCode(ctx, joinCode); err != nil {
		return "", User{}, err
	}
	if person.digest, err = s.digest(ctx, p.Password); err != nil {
		return "", User{}, err
	}
	err = s.write(ctx, func(tx *tx) (err error) {
		if err := tx.requireJoinCode(joinCode); err != nil {
			return err
		}
		if u, err = tx.insertPerson(Member, person); err != nil {
			return err
		}
		token, err = tx.startSession(u.ID, device)
		return err
	})
	return token, u, err
}

// Authenticate answers whose session token belongs to, and notes once an hour that it is used. ErrUnauthenticated:
// nobody's who may take part.
func (s *Store) Authenticate(ctx context.Context, token string, device Device) (Identity, error) {
	hash := [sha256.Size]byte(hashToken(token))
	found, known, version := s.memory.sessions.find(hash)
	if !known {
		err := s.read(ctx, func(db db) error {
			return db.one(`SELECT sessions.id, sessions.user_id, sessions.last_active_at
				FROM sessions JOIN users ON users.id = sessions.user_id
				WHERE sessions.token_hash = :hash AND users.status = 0`, args{":hash": hash[:]},
				func(row *sqlite.Stmt) {
					found.who = Identity{SessionID: row.ColumnInt64(0), UserID: row.ColumnInt64(1)}
					found.lastActive = timeColumn(row, 2)
				})
		})
		if errors.Is(err, ErrNotFound) {
			return Identity{}, ErrUnauthenticated
		}
		if err != nil {
			return Identity{}, err
		}
		s.memory.sessions.keep(hash, found, version)
	}
	if time.Since(found.lastActive) <= activityInterval {
		return found.who, nil
	}
	// Whoever may come in does so even if that cannot be noted, as when the disk is full.
	_ = s.write(ctx, func(tx *tx) error {
		return tx.exec("UPDATE sessions SET last_active_at = :now, ip_address = :ip, user_agent = :agent WHERE id = :id",
			args{":now": tx.micros(), ":ip": device.IPAddress, ":agent": cut(device.UserAgent), ":id": found.who.SessionID})
	})
	s.memory.sessions.drop(hash)
	return found.who, nil
}

// session is whom a token belongs to.
type session struct {
	who        Identity
	lastActive time.Time
}

// RequireSession: the session is still there, or the bot's key, and its user takes part.
func (s *Store) RequireSession(ctx context.Context, who Identity) error {
	return s.read(ctx, func(db db) error { return db.requireSession(who) })
}

func (d db) requireSession(who Identity) error {
	if who.IsBot() {
		return d.requireBotToken(who)
	}
	current, err := d.exists(`SELECT 1 FROM sessions JOIN users ON users.id = sessions.user_id
		WHERE sessions.id = :id AND sessions.user_id = :user_id AND users.status = 0`,
		args{":id": who.SessionID, ":user_id": who.UserID})
	if err == nil && !current {
		err = ErrUnauthenticated
	}
	return err
}

// Session is one browser or program in which a person is signed in.
type Session struct {
	ID           int64
	Device       Device
	CreatedAt    time.Time
	LastActiveAt time.Time
}

const maxSessionsListed = 100

// ListSessions lists a person's sessions, the most recently active first.
func (s *Store) ListSessions(ctx context.Context, userID int64) (sessions []Session, err error) {
	err = s.read(ctx, func(db db) error {
		return db.each(`SELECT id, ip_address, user_agent, created_at, last_active_at FROM sessions WHERE user_id = :user_id
			ORDER BY last_active_at DESC, id DESC LIMIT :limit`, args{":user_id": userID, ":limit": maxSessionsListed},
			func(row *sqlite.Stmt) error {
				sessions = append(sessions, Session{
					ID:           row.ColumnInt64(0),
					Device:       Device{IPAddress: row.ColumnText(1), UserAgent: row.ColumnText(2)},
					CreatedAt:    timeColumn(row, 3),
					LastActiveAt: timeColumn(row, 4),
				})
				return nil
			})
	})
	return sessions, err
}

// RevokeSession ends one of a person's sessions.
func (s *Store) RevokeSession(ctx context.Context, userID, sessionID int64) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.exec("DELETE FROM sessions WHERE id = :id AND user_id = :user_id", args{":id": sessionID, ":user_id": userID}); err != nil {
			return err
		}
		if tx.conn.Changes() == 0 {
			return fmt.Errorf("session %w", ErrNotFound)
		}
		tx.changed(SessionEnded{Identity{UserID: userID, SessionID: sessionID}})
		return nil
	})
}

// ResetPassword gives the active person of an address another password, and ends their sessions. For the operator.
func (s *Store) ResetPassword(ctx context.Context, emailAddress, password string) (u User, err error) {
	if err := checkPassword(password); err != nil {
		return User{}, err
	}
	digest, err := s.digest(ctx, password)
	if err != nil {
		return User{}, err
	}
	err = s.write(ctx, func(tx *tx) error {
		err := tx.one("SELECT "+userColumns+" FROM users WHERE email_address = :email AND status = 0 AND role <> 2",
			args{":email": strings.ToLower(strings.TrimSpace(emailAddress))}, func(row *sqlite.Stmt) { u = scanUser(row) })
		if err != nil {
			return fmt.Errorf("active person with this address %w", err)
		}
		err = tx.exec("UPDATE users SET password_digest = :digest, updated_at = :now WHERE id = :id",
			args{":digest": string(digest), ":now": tx.micros(), ":id": u.ID})
		if err != nil {
			return err
		}
		return tx.endSessions(u.ID, 0)
	})
	return u, err
}

// endSessions ends every session of a user but one.
func (t *tx) endSessions(userID, exceptID int64) error {
	sessions, err := t.ids("SELECT id FROM sessions WHERE user_id = :user_id AND id <> :except", args{":user_id": userID, ":except": exceptID})
	if err != nil {
		return err
	}
	for _, id := range sessions {
		if err := t.exec("DELETE FROM sessions WHERE id = :id", args{":id": id}); err != nil {
			return err
		}
		t.changed(SessionEnded{Identity{UserID: userID, SessionID: id}})
	}
	return nil
}

func (t *tx) startSession(userID int64, device Device) (token string, err error) {
	token = newToken()
	err = t.exec(`INSERT INTO sessions (user_id, token_hash, ip_address, user_agent, last_active_at, created_at)
		VALUES (:user_id, :hash, :ip, :agent, :now, :now)`,
		args{
			":user_id": userID, ":hash": hashToken(token), ":ip": device.IPAddress, ":agent": cut(device.UserAgent),
			":now": t.micros(),
		})
	return token, err
}

// Person is who wants to become a user.
type Person struct {
	Name         string
	EmailAddress string
	Password     string
}

// newPerson is a person whose every field was checked.
type newPerson struct {
	name, email string
	digest      []byte
}

func (s *Store) checkPerson(p Person) (checked newPerson, err error) {
	if checked.name, err = checkName(p.Name); err != nil {
		return newPerson{}, err
	}
	if checked.email, err = checkEmail(p.EmailAddress); err != nil {
		return newPerson{}, err
	}
	return checked, checkPassword(p.Password)
}

func (s *Store) digest(ctx context.Context, password string) (digest []byte, err error) {
	err = s.hash(ctx, func() error {
		digest, err = bcrypt.GenerateFromPassword(cutPassword(password), s.passwordCost)
		return err
	})
	return digest, err
}

// maxWaitingHashes bounds how many passwords wait to be hashed: some seconds' worth.
const maxWaitingHashes = 32

// hash does costly work on a password in its turn. Not all processors do it at once, so that the conversation goes on
// while many sign in, or someone tries many passwords.
func (s *Store) hash(ctx context.Context, work func() error) error {
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > maxWaitingHashes {
		return fmt.Errorf("%w: many people are signing in; try again in a moment", ErrBusy)
	}
	select {
	case s.hashing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.hashing }()
	return work()
}

func cutPassword(password string) []byte { return []byte(password)[:min(len(password), bcryptLimit)] }

func cut(userAgent string) string {
	return strings.ToValidUTF8(userAgent[:min(len(userAgent), maxUserAgentLength)], "")
}

// newToken answers a secret of 260 random bits, in letters and digits.
func newToken() string { return rand.Text() + rand.Text() }

// hashToken is how a token is kept. As it is random, a fast hash is enough.
func hashToken(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}

// transferAge is how long a transfer link works.
const transferAge = 4 * time.Hour

// transfer is what a transfer token says: who signs in, by whose link, until when.
type transfer struct {
	personID, issuerID int64
	expires            time.Time
}

// transferLength is that of the token's bytes: what it says, and a signature.
const transferLength = 3*8 + sha256.Size

// CreateTransfer makes a token that signs a person in on another device: the user themselves or, for administrators,
// anyone active. It works until it expires, also more than once; but no longer than the person keeps their password, and
// the user their right to have made it.
func (s *Store) CreateTransfer(ctx context.Context, userID, personID int64) (token string, expires time.Time, err error) {
	t := transfer{personID: personID, issuerID: userID, expires: time.Now().Add(transferAge).Truncate(time.Second).UTC()}
	err = s.read(ctx, func(db db) error {
		if err := db.requireTransferable(t); err != nil {
			return err
		}
		token, err = db.sign(t)
		return err
	})
	return token, t.expires, err
}

// ClaimTransfer starts a session for the person of a transfer token.
func (s *Store) ClaimTransfer(ctx context.Context, claimed string, device Device) (token string, u User, err error) {
	// Before the write, so that rubbish does not wait behind the one writer.
	if err := s.read(ctx, func(db db) error { _, err := db.claim(claimed, time.Now()); return err }); err != nil {
		return "", User{}, err
	}
	err = s.write(ctx, func(tx *tx) error {
		if u, err = tx.claim(claimed, tx.now); err != nil {
			return err
		}
		token, err = tx.startSession(u.ID, device)
		return err
	})
	return token, u, err
}

// claim answers whom a transfer token signs in now.
func (d db) claim(claimed string, now time.Time) (User, error) {
	refused := &InvalidError{"transfer_token", "is expired or altered; ask for a new link"}
	bytes, err := base64.RawURLEncoding.DecodeString(claimed)
	if err != nil || len(bytes) != transferLength {
		return User{}, refused
	}
	t := transfer{
		personID: int64(binary.BigEndian.Uint64(bytes)),
		issuerID: int64(binary.BigEndian.Uint64(bytes[8:])),
		expires:  time.Unix(int64(binary.BigEndian.Uint64(bytes[16:])), 0),
	}
	right, err := d.sign(t)
	if err != nil || !hmac.Equal([]byte(right), []byte(claimed)) || !now.Before(t.expires) || d.requireTransferable(t) != nil {
		return User{}, refused
	}
	return d.user(t.personID)
}

// requireTransferable: the issuer may sign the person in.
func (d db) requireTransferable(t transfer) error {
	if t.issuerID != t.personID {
		if err := d.requireAdministrator(t.issuerID); err != nil {
			return err
		}
	}
	_, err := d.activePerson(t.personID)
	return err
}

// sign writes a token. The person's password goes into the signature, so that another one ends what was signed before.
func (d db) sign(t transfer) (string, error) {
	mac := hmac.New(sha256.New, nil)
	err := d.one("SELECT value FROM secrets WHERE name = 'transfer'", nil, func(row *sqlite.Stmt) {
		key := make([]byte, row.ColumnLen(0))
		row.ColumnBytes(0, key)
		mac = hmac.New(sha256.New, key)
	})
	if err != nil {
		return "", err
	}
	said := binary.BigEndian.AppendUint64(nil, uint64(t.personID))
	said = binary.BigEndian.AppendUint64(said, uint64(t.issuerID))
	said = binary.BigEndian.AppendUint64(said, uint64(t.expires.Unix()))
	mac.Write(said)
	err = d.one("SELECT password_digest FROM users WHERE id = :id", args{":id": t.personID},
		func(row *sqlite.Stmt) { mac.Write([]byte(row.ColumnText(0))) })
	return base64.RawURLEncoding.EncodeToString(mac.Sum(said)), err
}
