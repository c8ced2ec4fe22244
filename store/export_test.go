package store

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
)

// What tests see of the inside.

// Commits counts the commits of the writer.
func (s *Store) Commits() int64 { return s.writer.commits.Load() }

// HoldWriter keeps the writer busy until release is called, so that the writes that come meanwhile share a batch.
func (s *Store) HoldWriter() (release func()) {
	held, released := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.write(context.Background(), func(*tx) error {
			close(held)
			<-released
			return errors.New("only held it")
		})
	}()
	<-held
	return func() { close(released) }
}

// AwaitQueue waits until as many writes wait.
func (s *Store) AwaitQueue(n int) {
	for len(s.writer.queue) < n {
		runtime.Gosched()
	}
}

// PostAndPanic posts, then panics in the middle of a query.
func (s *Store) PostAndPanic(ctx context.Context, userID int64, p Post) error {
	return s.write(ctx, func(tx *tx) error {
		if _, err := tx.insertMessage(userID, p); err != nil {
			return err
		}
		return tx.each("SELECT id FROM messages", nil, func(*sqlite.Stmt) error { panic("out of the blue") })
	})
}

// GrantAndFail makes someone a member, lets the writer remember it, and fails.
func (s *Store) GrantAndFail(ctx context.Context, userID, roomID int64) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.grant(roomID, []int64{userID}, Mentions); err != nil {
			return err
		}
		audience, err := tx.audienceOf(roomID)
		members := audience.all
		if err != nil {
			return err
		}
		if !slices.Contains(members, userID) {
			return errors.New("the new member is not among the members")
		}
		tx.nextRevision()
		return ErrForbidden
	})
}

// Statements lists every statement that the store has prepared so far, with how SQLite carries it out.
func (s *Store) Statements(ctx context.Context) (plans map[string][]string, err error) {
	plans = map[string][]string{}
	collect := func(db db) error {
		// The library keeps them by their text in a field of its own.
		for _, sql := range reflect.ValueOf(db.conn).Elem().FieldByName("stmts").MapKeys() {
			if strings.HasPrefix(sql.String(), "EXPLAIN") {
				continue
			}
			stmt, _, err := db.conn.PrepareTransient("EXPLAIN QUERY PLAN " + sql.String())
			if err != nil {
				return err
			}
			defer func() { _ = stmt.Finalize() }()
			for row, err := stmt.Step(); row || err != nil; row, err = stmt.Step() {
				if err != nil {
					return err
				}
				plans[sql.String()] = append(plans[sql.String()], stmt.ColumnText(3))
			}
		}
		return nil
	}
	if err := s.write(ctx, func(tx *tx) error { return collect(tx.db) }); err != nil {
		return nil, err
	}
	var conns []*sqlite.Conn
	for range reflect.ValueOf(s.readers).Elem().FieldByName("free").Cap() {
		conn, err := s.readers.Take(ctx)
		if err != nil {
			return nil, err
		}
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		err = errors.Join(err, collect(db{conn}))
		s.readers.Put(conn)
	}
	return plans, err
}
