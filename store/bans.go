package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"zombiezen.com/go/sqlite"
)

// removedAtOnce bounds how many messages of a banned person or a deleted room go in one write, so that others' posts get
// their turn.
const removedAtOnce = 100

// BanUser signs a person out, blocks the public addresses they came from and removes what they wrote. The administrator's
// own address stays open, or nobody could lift the ban. Banning again goes on with what a first attempt left. For
// administrators, of others.
func (s *Store) BanUser(ctx context.Context, who Identity, personID int64) (u User, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.requireAdministrator(who.UserID); err != nil {
			return err
		}
		if personID == who.UserID { // so that an administrator is always left, too
			return fmt.Errorf("%w: nobody bans themselves", ErrForbidden)
		}
		if u, err = tx.user(personID); err != nil {
			return err
		}
		if u.Status == Banned {
			return nil
		}
		if u, err = tx.activePerson(personID); err != nil {
			return err
		}
		return tx.ban(&u, who)
	})
	if err != nil {
		return User{}, err
	}
	// Whoever hangs up now has banned nevertheless.
	ctx = context.WithoutCancel(ctx)
	return u, errors.Join(s.readBlocked(ctx), s.removeMessagesOf(ctx, personID))
}

// UnbanUser lets a banned person sign in again. For administrators.
func (s *Store) UnbanUser(ctx context.Context, userID, personID int64) (u User, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.requireAdministrator(userID); err != nil {
			return err
		}
		if u, err = tx.user(personID); err != nil {
			return err
		}
		if u.Status != Banned {
			return fmt.Errorf("banned person %w", ErrNotFound)
		}
		if err := tx.exec("DELETE FROM bans WHERE user_id = :id", args{":id": u.ID}); err != nil {
			return err
		}
		if err := tx.grantOpenRooms(u.ID); err != nil { // those that have opened meanwhile, too
			return err
		}
		return tx.setStatus(&u, Active)
	})
	if err != nil {
		return User{}, err
	}
	return u, s.readBlocked(context.WithoutCancel(ctx))
}

// IsBlocked tells whether a ban keeps an address from changing anything.
func (s *Store) IsBlocked(address netip.Addr) bool {
	return (*s.blocked.Load())[Network(address)]
}

// Network is what counts as one network address: of IPv6 the first 64 bits, as one subscriber has all that share them.
func Network(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits) // the zero prefix for the zero address
	return prefix
}

func (t *tx) ban(u *User, by Identity) error {
	own, err := t.networksOf("SELECT ip_address FROM sessions WHERE id = :id", by.SessionID)
	if err != nil {
		return err
	}
	theirs, err := t.networksOf("SELECT ip_address FROM sessions WHERE user_id = :id", u.ID)
	if err != nil {
		return err
	}
	for network, address := range theirs {
		if _, same := own[network]; same || !address.IsGlobalUnicast() || address.IsPrivate() {
			continue // nobody else must be shut out who comes by the same proxy or from the same office
		}
		err := t.exec("INSERT OR IGNORE INTO bans (user_id, ip_address, created_at) VALUES (:id, :address, :now)",
			args{":id": u.ID, ":address": address.String(), ":now": t.micros()})
		if err != nil {
			return err
		}
	}
	if err := t.exec("DELETE FROM push_subscriptions WHERE user_id = :id", args{":id": u.ID}); err != nil {
		return err
	}
	if err := t.endSessions(u.ID, 0); err != nil {
		return err
	}
	err = t.exec("INSERT OR REPLACE INTO removals (user_id, newest_message_id) VALUES (:id, :newest)",
		args{":id": u.ID, ":newest": t.writer.revision})
	if err != nil {
		return err
	}
	return t.setStatus(u, Banned)
}

func (t *tx) setStatus(u *User, status Status) error {
	u.Status = status
	t.changed(UserChanged{*u})
	return t.exec("UPDATE users SET status = :status, updated_at = :now WHERE id = :id",
		args{":status": int(status), ":now": t.micros(), ":id": u.ID})
}

// networksOf answers the networks of the addresses that a query finds, each with one address of it.
func (d db) networksOf(sql string, id int64) (map[netip.Prefix]netip.Addr, error) {
	networks := map[netip.Prefix]netip.Addr{}
	err := d.each(sql, args{":id": id}, func(row *sqlite.Stmt) error {
		if address, err := netip.ParseAddr(row.ColumnText(0)); err == nil {
			networks[Network(address)] = address
		}
		return nil
	})
	return networks, err
}

// readBlocked notes which addresses are blocked: every call asks.
func (s *Store) readBlocked(ctx context.Context) error {
	s.blocking.Lock()
	defer s.blocking.Unlock()
	blocked := map[netip.Prefix]bool{}
	err := s.read(ctx, func(db db) error {
		return db.each("SELECT ip_address FROM bans", nil, func(row *sqlite.Stmt) error {
			if address, err := netip.ParseAddr(row.ColumnText(0)); err == nil {
				blocked[Network(address)] = true
			}
			return nil
		})
	})
	if err == nil {
		s.blocked.Store(&blocked)
	}
	return err
}

// removeMessagesOf removes what a banned person wrote, some of it at a time.
func (s *Store) removeMessagesOf(ctx context.Context, personID int64) error {
	after := int64(0)
	for {
		var some []int64
		// By the order of ids and not by an index of authors, which each post would have to pay for.
		err := s.read(ctx, func(db db) (err error) {
			some, err = db.ids(`SELECT id FROM messages WHERE creator_id = :id AND id > :after
				AND id <= (SELECT newest_message_id FROM removals WHERE user_id = :id) ORDER BY id LIMIT :limit`,
				args{":id": personID, ":after": after, ":limit": removedAtOnce})
			return err
		})
		if err != nil {
			return err
		}
		err = s.write(ctx, func(tx *tx) error {
			for _, id := range some {
				m, err := tx.message(id)
				if errors.Is(err, ErrNotFound) {
					continue // someone else was quicker
				}
				if err := errors.Join(err, tx.deleteMessage(m)); err != nil {
					return err
				}
			}
			if len(some) == removedAtOnce {
				return nil
			}
			return tx.exec("DELETE FROM removals WHERE user_id = :id", args{":id": personID})
		})
		if err != nil || len(some) < removedAtOnce {
			return err
		}
		after = some[len(some)-1]
	}
}

// removalPause is how long what could not be removed waits, as when the disk is full.
const removalPause = time.Minute

// removeWhatIsLeft removes deleted rooms until ctx ends, at first those, and the messages of banned people, that the end of
// the program has left behind.
func (s *Store) removeWhatIsLeft(ctx context.Context) {
	for {
		var again <-chan time.Time
		if err := s.finishRemovals(ctx); err != nil {
			again = time.After(removalPause)
		}
		select {
		case <-s.deleted:
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

// finishRemovals carries on with bans and deletions of rooms.
func (s *Store) finishRemovals(ctx context.Context) error {
	var people, rooms []int64
	err := s.read(ctx, func(db db) (err error) {
		if people, err = db.ids("SELECT user_id FROM removals", nil); err != nil {
			return err
		}
		rooms, err = db.ids("SELECT room_id FROM removed_rooms", nil)
		return err
	})
	for _, id := range people {
		err = errors.Join(err, s.removeMessagesOf(ctx, id))
	}
	for _, id := range rooms {
		err = errors.Join(err, s.removeRoom(ctx, id))
	}
	return err
}
