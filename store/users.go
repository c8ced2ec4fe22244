package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// Role is what a user may do.
type Role int

// The roles, as the database keeps them.
const (
	Member Role = iota
	Administrator
	Bot
)

// Status is whether a user takes part.
type Status int

// The statuses, as the database keeps them.
const (
	Active Status = iota
	Deactivated
	Banned
)

// User is a person or a bot.
type User struct {
	ID           int64
	Name         string
	EmailAddress string // empty for bots, and in messages
	Bio          string
	Role         Role
	Status       Status
	CreatedAt    time.Time
}

const (
	maxNameLength     = 100 // characters
	maxEmailLength    = 254 // RFC 5321
	maxPasswordLength = 1024
	maxUsersPage      = 500
)

const userColumns = "users.id, users.name, users.email_address, users.bio, users.role, users.status, users.created_at"

func scanUser(row *sqlite.Stmt) User {
	return User{
		ID:           row.ColumnInt64(0),
		Name:         row.ColumnText(1),
		EmailAddress: row.ColumnText(2),
		Bio:          row.ColumnText(3),
		Role:         Role(row.ColumnInt(4)),
		Status:       Status(row.ColumnInt(5)),
		CreatedAt:    timeColumn(row, 6),
	}
}

// GetCurrentUser answers the caller's own record.
func (s *Store) GetCurrentUser(ctx context.Context, userID int64) (User, error) {
	return s.GetUser(ctx, userID)
}

// GetUser answers one user, whatever their status.
func (s *Store) GetUser(ctx context.Context, id int64) (u User, err error) {
	err = s.read(ctx, func(db db) (err error) {
		u, err = db.user(id)
		return err
	})
	return u, err
}

func (d db) user(id int64) (u User, err error) {
	err = d.one("SELECT "+userColumns+" FROM users WHERE id = :id", args{":id": id}, func(row *sqlite.Stmt) { u = scanUser(row) })
	if err != nil {
		err = fmt.Errorf("user %w", err)
	}
	return u, err
}

func (d db) users(sql string, args args) ([]User, error) {
	var users []User
	err := d.each(sql, args, func(row *sqlite.Stmt) error {
		users = append(users, scanUser(row))
		return nil
	})
	return users, err
}

// ListUsers lists the active people by name; to administrators also the banned ones.
func (s *Store) ListUsers(ctx context.Context, userID int64, page Page) (users []User, next string, err error) {
	err = s.read(ctx, func(db db) error {
		caller, err := db.user(userID)
		if err != nil {
			return err
		}
		users, next, err = db.pageOfUsers("FROM users WHERE role <> 2 AND (status = 0 OR (status = 2 AND :sees_banned))",
			args{":sees_banned": caller.Role == Administrator}, page)
		return err
	})
	return users, next, err
}

// Page says which part of a long list is wanted.
type Page struct {
	Size  int    // 0 for the most there is
	Token string // the one the page before answered; empty for the first page
}

// pageOfUsers answers a page of the users that from finds, by name without case. from ends in a WHERE clause.
func (d db) pageOfUsers(from string, args args, page Page) (users []User, next string, err error) {
	if page.Size < 0 {
		return nil, "", &InvalidError{"page_size", "must not be negative"}
	}
	size := maxUsersPage
	if page.Size > 0 {
		size = min(page.Size, maxUsersPage)
	}
	afterName, afterID, err := readPageToken(page.Token)
	if err != nil {
		return nil, "", err
	}
	args[":after_name"], args[":after_id"], args[":limit"] = afterName, afterID, size+1
	users, err = d.users("SELECT "+userColumns+" "+from+` AND (users.sort_name, users.id) > (:after_name, :after_id)
		ORDER BY users.sort_name, users.id LIMIT :limit`, args)
	if err != nil || len(users) <= size {
		return users, "", err
	}
	users = users[:size]
	last := users[size-1]
	return users, pageToken(sortName(last.Name), last.ID), nil
}

func pageToken(name string, id int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", id, name))
}

func readPageToken(token string) (name string, id int64, err error) {
	if token == "" {
		return "", 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	idText, name, found := strings.Cut(string(text), " ")
	id, idErr := strconv.ParseInt(idText, 10, 64)
	if err != nil || !found || idErr != nil {
		return "", 0, &InvalidError{"page_token", "is not one that was answered"}
	}
	return name, id, nil
}

// sortName is a name without case, as lists are ordered by it.
func sortName(name string) string { return strings.ToLower(name) }

func checkName(name string) (string, error) { return checkText("name", name, maxNameLength) }

// checkEmail answers an address as it is kept: in lower case, so that case tells nobody apart.
func checkEmail(address string) (string, error) {
	address, err := checkText("email_address", strings.ToLower(address), maxEmailLength)
	if err != nil {
		return "", err
	}
	if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
		return "", &InvalidError{"email_address", "must be an email address"}
	}
	return address, nil
}

func checkPassword(password string) error {
	switch {
	case password == "":
		return &InvalidError{"password", "must not be empty"}
	case len(password) > maxPasswordLength:
		return &InvalidError{"password", fmt.Sprintf("must have at most %d bytes", maxPasswordLength)}
	}
	return nil
}

// insertPerson adds an active person to the account and to every open room.
func (t *tx) insertPerson(role Role, p newPerson) (User, error) {
	taken, err := t.exists("SELECT 1 FROM users WHERE email_address = :email", args{":email": p.email})
	if err != nil {
		return User{}, err
	}
	if taken {
		return User{}, fmt.Errorf("this address is %w", ErrTaken)
	}
	var u User
	err = t.one(`INSERT INTO users (name, sort_name, email_address, password_digest, role, created_at, updated_at)
		VALUES (:name, :sort_name, :email, :digest, :role, :now, :now) RETURNING `+userColumns,
		args{
			":name": p.name, ":sort_name": sortName(p.name), ":email": p.email, ":digest": string(p.digest),
			":role": int(role), ":now": t.micros(),
		},
		func(row *sqlite.Stmt) { u = scanUser(row) })
	if err != nil {
		return User{}, err
	}
	t.changed(UserChanged{u})
	return u, t.grantOpenRooms(u.ID)
}
