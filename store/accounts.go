package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"
)

// Account is the one account of this installation.
type Account struct {
	Name                 string
	RestrictRoomCreation bool // to administrators
}

const maxStylesLength = 65536 // bytes

// FirstRoomName is the name of the open room that the first run creates.
const FirstRoomName = "All Talk"

// GetAccount answers the account and whom to ask for help: its first active administrator. ErrNotFound: the first run is
// still to come.
func (s *Store) GetAccount(ctx context.Context) (a Account, contact User, err error) {
	err = s.read(ctx, func(db db) error {
		if a, err = db.account(); err != nil {
			return err
		}
		err := db.one("SELECT "+userColumns+" FROM users WHERE role = 1 AND status = 0 ORDER BY id LIMIT 1", nil,
			func(row *sqlite.Stmt) { contact = scanUser(row) })
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	return a, contact, err
}

func (d db) account() (a Account, err error) {
	err = d.one("SELECT name, restrict_room_creation FROM accounts", nil, func(row *sqlite.Stmt) {
		a = Account{Name: row.ColumnText(0), RestrictRoomCreation: row.ColumnBool(1)}
	})
	return a, err
}

// SetUp is the first run: the account, its first administrator, its first room, and a session, or nothing of it.
// ErrConflict: it has been done.
func (s *Store) SetUp(ctx context.Context, p Person, device Device) (token string, u User, err error) {
	person, err := s.checkPerson(p)
	if err != nil {
		return "", User{}, err
	}
	// Before the costly hash, so that only a first run pays for it.
	if err := s.read(ctx, db.requireNoAccount); err != nil {
		return "", User{}, err
	}
	if person.digest, err = s.digest(ctx, p.Password); err != nil {
		return "", User{}, err
	}
	err = s.write(ctx, func(tx *tx) (err error) {
		if err := tx.requireNoAccount(); err != nil {
			return err
		}
		err = tx.exec(`INSERT INTO accounts (id, name, join_code, created_at, updated_at)
			VALUES (1, 'Campfire', :join_code, :now, :now)`, args{":join_code": newJoinCode(), ":now": tx.micros()})
		if err != nil {
			return err
		}
		if u, err = tx.insertPerson(Administrator, person); err != nil {
			return err
		}
		if _, err = tx.insertRoom(u.ID, OpenRoom, FirstRoomName, ""); err != nil {
			return err
		}
		token, err = tx.startSession(u.ID, device)
		return err
	})
	return token, u, err
}

func (d db) requireNoAccount() error {
	switch _, err := d.account(); {
	case err == nil:
		return fmt.Errorf("%w: this Campfire is set up already", ErrConflict)
	case errors.Is(err, ErrNotFound):
		return nil
	default:
		return err
	}
}

// AccountChanges are what is to change of the account; nil leaves a thing alone.
type AccountChanges struct {
	Name                 *string
	RestrictRoomCreation *bool
}

// UpdateAccount changes the account. For administrators.
func (s *Store) UpdateAccount(ctx context.Context, userID int64, c AccountChanges) (a Account, err error) {
	if c.Name != nil {
		name, err := checkName(*c.Name)
		if err != nil {
			return Account{}, err
		}
		c.Name = &name
	}
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.requireAdministrator(userID); err != nil {
			return err
		}
		if a, err = tx.account(); err != nil {
			return err
		}
		if c.Name != nil {
			a.Name = *c.Name
		}
		if c.RestrictRoomCreation != nil {
			a.RestrictRoomCreation = *c.RestrictRoomCreation
		}
		tx.changed(AccountChanged{a})
		return tx.exec("UPDATE accounts SET name = :name, restrict_room_creation = :restrict, updated_at = :now",
			args{":name": a.Name, ":restrict": a.RestrictRoomCreation, ":now": tx.micros()})
	})
	return a, err
}

// GetCustomStyles answers the account's own stylesheet. It is public, but only administrators see it to edit it.
func (s *Store) GetCustomStyles(ctx context.Context, userID int64) (styles string, err error) {
	err = s.read(ctx, func(db db) error {
		if err := db.requireAdministrator(userID); err != nil {
			return err
		}
		styles, err = db.customStyles()
		return err
	})
	return styles, err
}

// CustomStyles answers the account's own stylesheet, for everyone's pages; empty before the first run.
func (s *Store) CustomStyles(ctx context.Context) (styles string, err error) {
	err = s.read(ctx, func(db db) error {
		styles, err = db.customStyles()
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return styles, err
}

func (d db) customStyles() (styles string, err error) {
	err = d.one("SELECT custom_styles FROM accounts", nil, func(row *sqlite.Stmt) { styles = row.ColumnText(0) })
	return styles, err
}

// UpdateCustomStyles replaces the account's own stylesheet. For administrators.
func (s *Store) UpdateCustomStyles(ctx context.Context, userID int64, styles string) error {
	switch {
	case len(styles) > maxStylesLength:
		return &InvalidError{"styles", fmt.Sprintf("must have at most %d bytes", maxStylesLength)}
	case !utf8.ValidString(styles):
		return &InvalidError{"styles", "must be UTF-8"}
	}
	return s.write(ctx, func(tx *tx) error {
		if err := tx.requireAdministrator(userID); err != nil {
			return err
		}
		account, err := tx.account()
		if err != nil {
			return err
		}
		tx.changed(AccountChanged{account})
		return tx.exec("UPDATE accounts SET custom_styles = :styles, updated_at = :now", args{":styles": styles, ":now": tx.micros()})
	})
}

// ResetJoinCode makes a new join code, and so the old one useless. For administrators.
func (s *Store) ResetJoinCode(ctx context.Context, userID int64) (code string, err error) {
	code = newJoinCode()
	return code, s.write(ctx, func(tx *tx) error {
		if err := tx.requireAdministrator(userID); err != nil {
			return err
		}
		account, err := tx.account()
		if err != nil {
			return err
		}
		tx.changed(AccountChanged{account})
		return tx.exec("UPDATE accounts SET join_code = :code, updated_at = :now", args{":code": code, ":now": tx.micros()})
	})
}

// GetJoinCode answers the code with which people join.
func (s *Store) GetJoinCode(ctx context.Context) (code string, err error) {
	err = s.read(ctx, func(db db) error {
		return db.one("SELECT join_code FROM accounts", nil, func(row *sqlite.Stmt) { code = row.ColumnText(0) })
	})
	return code, err
}

// CheckJoinCode answers ErrNotFound for what is not the account's join code.
func (s *Store) CheckJoinCode(ctx context.Context, code string) error {
	return s.read(ctx, func(db db) error { return db.requireJoinCode(code) })
}

func (d db) requireJoinCode(code string) error {
	right, err := d.exists("SELECT 1 FROM accounts WHERE join_code = :code", args{":code": code})
	if err == nil && !right {
		err = fmt.Errorf("join code %w", ErrNotFound)
	}
	return err
}

// newJoinCode answers three groups of four random letters and digits, as people can read them out.
func newJoinCode() string {
	code := randomLetters(12)
	return code[:4] + "-" + code[4:8] + "-" + code[8:]
}

// randomLetters answers n random letters and digits, each as likely as any other.
func randomLetters(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var text strings.Builder
	for random := make([]byte, 1); text.Len() < n; {
		_, _ = rand.Read(random) // never fails
		// What is over a multiple of their number is drawn again.
		if i := int(random[0]); i < len(letters)*(256/len(letters)) {
			text.WriteByte(letters[i%len(letters)])
		}
	}
	return text.String()
}
