package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"zombiezen.com/go/sqlite"
)

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
