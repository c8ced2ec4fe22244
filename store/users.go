package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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
	maxSuggestions    = 20
	maxBioLength      = 200 // characters
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

// SuggestUsers completes a name: active people and bots whose name contains the query, without case and accents, at most
// 20. Names that start with it come first, then those of which a later word does; within each by name. With a room, which
// must be one of the user's, it limits them to its members.
func (s *Store) SuggestUsers(ctx context.Context, userID int64, query string, roomID *int64) (users []User, err error) {
	if utf8.RuneCountInString(query) > maxNameLength {
		return nil, &InvalidError{"query", fmt.Sprintf("must have at most %d characters", maxNameLength)}
	}
	query = folded(strings.TrimSpace(query))
	from, args := "FROM users WHERE", args{":query": query}
	if roomID != nil {
		from = "FROM memberships JOIN users ON users.id = memberships.user_id WHERE memberships.room_id = :room_id AND"
		args[":room_id"] = *roomID
	}
	err = s.read(ctx, func(db db) error {
		if roomID != nil {
			if err := db.requireMember(userID, *roomID); err != nil {
				return err
			}
		}
		// Names beyond ASCII may hold the query under an accent; SQLite cannot tell.
		users, err = db.users("SELECT "+userColumns+" "+from+` users.status = 0
			AND (instr(users.sort_name, :query) OR users.sort_name GLOB '*[^ -~]*') ORDER BY users.sort_name, users.id`, args)
		return err
	})
	users = slices.DeleteFunc(users, func(u User) bool { return !strings.Contains(folded(u.Name), query) })
	slices.SortStableFunc(users, func(a, b User) int { return cmp.Compare(matchRank(a.Name, query), matchRank(b.Name, query)) })
	return users[:min(len(users), maxSuggestions)], err
}

// matchRank tells how well a name that contains the query answers it: 0 for the best.
func matchRank(name, query string) int {
	name = folded(name)
	switch {
	case strings.HasPrefix(name, query):
		return 0
	case strings.Contains(name, " "+query):
		return 1
	}
	return 2
}

// folded is text as names are looked for: without case and accents.
func folded(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(text)))
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

// activeUser answers a user who takes part.
func (d db) activeUser(id int64) (User, error) {
	u, err := d.user(id)
	if err == nil && u.Status != Active {
		err = fmt.Errorf("user %w", ErrNotFound)
	}
	return u, err
}

// activePerson answers a user who takes part and is no bot.
func (d db) activePerson(id int64) (User, error) {
	u, err := d.activeUser(id)
	if err == nil && u.Role == Bot {
		err = fmt.Errorf("person %w", ErrNotFound)
	}
	return u, err
}

func (d db) requireAdministrator(userID int64) error {
	u, err := d.user(userID)
	if err == nil && (u.Role != Administrator || u.Status != Active) {
		err = fmt.Errorf("%w: it is for administrators", ErrForbidden)
	}
	return err
}

// requireOtherAdministrator: the account can do without this one.
func (d db) requireOtherAdministrator(u User) error {
	if u.Role != Administrator {
		return nil
	}
	other, err := d.exists("SELECT 1 FROM users WHERE role = 1 AND status = 0 AND id <> :id", args{":id": u.ID})
	if err == nil && !other {
		err = fmt.Errorf("%w: %s is the only administrator", ErrConflict, u.Name)
	}
	return err
}

// requireFreeAddress: nobody else has it.
func (d db) requireFreeAddress(address string, userID int64) error {
	taken, err := d.exists("SELECT 1 FROM users WHERE email_address = :email AND id <> :id", args{":email": address, ":id": userID})
	if err == nil && taken {
		err = fmt.Errorf("this address is %w", ErrTaken)
	}
	return err
}

// insertPerson adds an active person to the account and to every open room.
func (t *tx) insertPerson(role Role, p newPerson) (User, error) {
	if err := t.requireFreeAddress(p.email, 0); err != nil {
		return User{}, err
	}
	var u User
	err := t.one(`INSERT INTO users (name, sort_name, email_address, password_digest, role, created_at, updated_at)
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

// ProfileChanges are what is to change of a person; nil leaves a thing alone.
type ProfileChanges struct {
	Name         *string
	EmailAddress *string
	Password     *string // empty leaves it alone too
	Bio          *string
}

// UpdateProfile changes the caller's own record. A new password ends their other sessions.
func (s *Store) UpdateProfile(ctx context.Context, who Identity, c ProfileChanges) (u User, err error) {
	digest, err := s.checkProfile(ctx, &c)
	if err != nil {
		return User{}, err
	}
	err = s.write(ctx, func(tx *tx) error {
		// A session that was ended while the password was hashed changes nothing any more.
		if err := tx.requireSession(who); err != nil {
			return err
		}
		if u, err = tx.user(who.UserID); err != nil {
			return err
		}
		if c.EmailAddress != nil {
			if err := tx.requireFreeAddress(*c.EmailAddress, u.ID); err != nil {
				return err
			}
			u.EmailAddress = *c.EmailAddress
		}
		if c.Name != nil {
			u.Name = *c.Name
		}
		if c.Bio != nil {
			u.Bio = *c.Bio
		}
		err := tx.exec(`UPDATE users SET name = :name, sort_name = :sort_name, email_address = :email, bio = :bio,
				password_digest = iif(:digest = '', password_digest, :digest), updated_at = :now
			WHERE id = :id`, args{
			":name": u.Name, ":sort_name": sortName(u.Name), ":email": u.EmailAddress, ":bio": u.Bio,
			":digest": string(digest), ":now": tx.micros(), ":id": u.ID,
		})
		if err != nil {
			return err
		}
		tx.changed(UserChanged{u})
		if len(digest) == 0 {
			return nil
		}
		return tx.endSessions(u.ID, who.SessionID)
	})
	return u, err
}

// checkProfile checks what is to change, and answers the digest of a new password.
func (s *Store) checkProfile(ctx context.Context, c *ProfileChanges) (digest []byte, err error) {
	if c.Name != nil {
		name, err := checkName(*c.Name)
		if err != nil {
			return nil, err
		}
		c.Name = &name
	}
	if c.EmailAddress != nil {
		address, err := checkEmail(*c.EmailAddress)
		if err != nil {
			return nil, err
		}
		c.EmailAddress = &address
	}
	if c.Bio != nil {
		bio := strings.TrimSpace(*c.Bio)
		if utf8.RuneCountInString(bio) > maxBioLength || !utf8.ValidString(bio) {
			return nil, &InvalidError{"bio", fmt.Sprintf("must be text of at most %d characters", maxBioLength)}
		}
		c.Bio = &bio
	}
	if c.Password == nil || *c.Password == "" {
		return nil, nil
	}
	if err := checkPassword(*c.Password); err != nil {
		return nil, err
	}
	return s.digest(ctx, *c.Password)
}

// SetUserRole makes a person an administrator or a member. For administrators.
func (s *Store) SetUserRole(ctx context.Context, userID, personID int64, role Role) (u User, err error) {
	if role != Member && role != Administrator {
		return User{}, &InvalidError{"role", "must be member or administrator"}
	}
	err = s.write(ctx, func(tx *tx) error {
		if u, err = tx.administered(userID, personID); err != nil {
			return err
		}
		if role == Member {
			if err := tx.requireOtherAdministrator(u); err != nil {
				return err
			}
		}
		u.Role = role
		tx.changed(UserChanged{u})
		return tx.exec("UPDATE users SET role = :role, updated_at = :now WHERE id = :id",
			args{":role": int(role), ":now": tx.micros(), ":id": u.ID})
	})
	return u, err
}

// DeactivateUser removes a person from the account. What they wrote stays, and so do their direct rooms. For
// administrators.
func (s *Store) DeactivateUser(ctx context.Context, userID, personID int64) (u User, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if u, err = tx.administered(userID, personID); err != nil {
			return err
		}
		if err := tx.requireOtherAdministrator(u); err != nil {
			return err
		}
		u, err = tx.deactivate(u)
		return err
	})
	return u, err
}

// administered answers an active person, to an administrator.
func (t *tx) administered(userID, personID int64) (User, error) {
	if err := t.requireAdministrator(userID); err != nil {
		return User{}, err
	}
	return t.activePerson(personID)
}

func (t *tx) deactivate(u User) (User, error) {
	rooms, err := t.ids(`SELECT room_id FROM memberships JOIN rooms ON rooms.id = memberships.room_id
		WHERE memberships.user_id = :id AND rooms.kind <> 'direct'`, args{":id": u.ID})
	if err != nil {
		return User{}, err
	}
	for _, roomID := range rooms {
		if err := t.revoke(roomID, []int64{u.ID}); err != nil {
			return User{}, err
		}
	}
	for _, table := range []string{"push_subscriptions", "searches"} {
		if err := t.exec("DELETE FROM "+table+" WHERE user_id = :id", args{":id": u.ID}); err != nil {
			return User{}, err
		}
	}
	if err := t.endSessions(u.ID, 0); err != nil {
		return User{}, err
	}
	u.Status = Deactivated
	if local, domain, found := strings.Cut(u.EmailAddress, "@"); found {
		// So that they, or someone else, may join with it again.
		u.EmailAddress = local + "-deactivated-" + strings.ToLower(rand.Text()) + "@" + domain
	}
	var address any
	if u.EmailAddress != "" {
		address = u.EmailAddress
	}
	t.changed(UserChanged{u})
	return u, t.exec("UPDATE users SET status = 1, email_address = :email, updated_at = :now WHERE id = :id",
		args{":email": address, ":now": t.micros(), ":id": u.ID})
}
