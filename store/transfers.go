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

// CreateTransfer makes a token that signs a person in on another device: the user themselves or, for administrators,
// anyone active. It works until it expires, also more than once.
func (s *Store) CreateTransfer(ctx context.Context, userID, personID int64) (token string, expires time.Time, err error) {
	expires = time.Now().Add(transferAge).Truncate(time.Second).UTC()
	err = s.read(ctx, func(db db) error {
		if personID != userID {
			if err := db.requireAdministrator(userID); err != nil {
				return err
			}
		}
		if _, err := db.activePerson(personID); err != nil {
			return err
		}
		token, err = db.signTransfer(personID, expires)
		return err
	})
	return token, expires, err
}

// ClaimTransfer starts a session for the person of a transfer token.
func (s *Store) ClaimTransfer(ctx context.Context, transfer string, device Device) (token string, u User, err error) {
	expired := &InvalidError{"transfer_token", "is expired or altered; ask for a new link"}
	payload, err := base64.RawURLEncoding.DecodeString(transfer)
	if err != nil || len(payload) != transferLength {
		return "", User{}, expired
	}
	personID := int64(binary.BigEndian.Uint64(payload))
	expires := time.Unix(int64(binary.BigEndian.Uint64(payload[8:])), 0)
	err = s.write(ctx, func(tx *tx) error {
		right, err := tx.signTransfer(personID, expires)
		if err != nil {
			return err
		}
		u, err = tx.activePerson(personID)
		if err != nil || !hmac.Equal([]byte(right), []byte(transfer)) || !tx.now.Before(expires) {
			return expired
		}
		token, err = tx.startSession(u.ID, device)
		return err
	})
	return token, u, err
}

// transferLength is what a transfer token is made of: a person, a time, and a signature of both.
const transferLength = 8 + 8 + sha256.Size

func (d db) signTransfer(personID int64, expires time.Time) (string, error) {
	var key []byte
	err := d.one("SELECT value FROM secrets WHERE name = 'transfer'", nil, func(row *sqlite.Stmt) {
		key = make([]byte, row.ColumnLen(0))
		row.ColumnBytes(0, key)
	})
	if err != nil {
		return "", err
	}
	payload := binary.BigEndian.AppendUint64(nil, uint64(personID))
	payload = binary.BigEndian.AppendUint64(payload, uint64(expires.Unix()))
	mac := hmac.New(sha256.New, key)
	mac.Write(payload)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(payload)), nil
}
