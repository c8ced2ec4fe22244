package store

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"slices"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
)

// What tests see of the inside.

// Commits counts the commits of the writer.
func (s *Store) Commits() int64 { return s.writer.commits.Load() }

// DummyDigest is what passwords are compared with for addresses nobody has.
func (s *Store) DummyDigest() []byte { return s.dummyDigest }

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

// Readers is how many connections read, one after the other.
func (s *Store) Readers() int { return cap(s.readers) }

// ReadForever counts, until ctx ends, and tells when it has begun.
func (s *Store) ReadForever(ctx context.Context, begun chan<- struct{}) error {
	return s.read(ctx, func(db db) error {
		begun <- struct{}{}
		return db.exec("WITH RECURSIVE counting (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM counting) SELECT max(n) FROM counting", nil)
	})
}

// ReadAndHangUp has hangUp called while SQLite prepares, within another query, what needs a virtual table that the connection
// does not know yet.
func (s *Store) ReadAndHangUp(ctx context.Context, hangUp func()) error {
	return s.read(ctx, func(db db) error {
		return db.each("VALUES (1)", nil, func(*sqlite.Stmt) error {
			authorize := sqlite.AuthorizeFunc(func(sqlite.Action) sqlite.AuthResult {
				hangUp()
				return sqlite.AuthResultOK
			})
			if err := db.conn.SetAuthorizer(authorize); err != nil {
				return err
			}
			return errors.Join(db.exec("SELECT value FROM json_each('[1]')", nil), db.conn.SetAuthorizer(nil))
		})
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

// CheckSearchIndex has SQLite compare the index with the messages themselves, which only rank 1 does.
func (s *Store) CheckSearchIndex(ctx context.Context) error {
	return s.write(ctx, func(tx *tx) error {
		return tx.exec("INSERT INTO message_search_index (message_search_index, rank) VALUES ('integrity-check', 1)", nil)
	})
}

// Statement is one that the store has prepared.
type Statement struct {
	SQL        string
	Plan       []string // how SQLite carries it out
	Reprepared int      // how often it was prepared anew
}

// Statements lists every statement that the store has prepared so far.
func (s *Store) Statements(ctx context.Context) (all []Statement, err error) {
	if err := s.write(ctx, func(tx *tx) error { return addStatements(&all, tx.conn) }); err != nil {
		return nil, err
	}
	var readers []*reader
	for range cap(s.readers) {
		readers = append(readers, <-s.readers)
	}
	for _, r := range readers {
		err = errors.Join(err, addStatements(&all, r.conn))
		s.readers <- r
	}
	return all, err
}

// addStatements reads what the driver keeps to itself: its statements, by their text, and their handles.
func addStatements(all *[]Statement, conn *sqlite.Conn) error {
	inside := reflect.ValueOf(conn).Elem()
	tls := (*libc.TLS)(inside.FieldByName("tls").UnsafePointer())
	for it := inside.FieldByName("stmts").MapRange(); it.Next(); {
		statement := Statement{SQL: it.Key().String()}
		handle := uintptr(it.Value().Elem().FieldByName("stmt").Uint())
		statement.Reprepared = int(sqlite3.Xsqlite3_stmt_status(tls, handle, sqlite3.SQLITE_STMTSTATUS_REPREPARE, 0))
		explain, _, err := conn.PrepareTransient("EXPLAIN QUERY PLAN " + statement.SQL)
		if err != nil {
			return err
		}
		row, err := explain.Step()
		for ; row && err == nil; row, err = explain.Step() {
			statement.Plan = append(statement.Plan, explain.ColumnText(3))
		}
		if err := errors.Join(err, explain.Finalize()); err != nil {
			return err
		}
		*all = append(*all, statement)
	}
	return nil
}

// Pragma reads a setting of the writing connection.
func (s *Store) Pragma(ctx context.Context, name string) (value string, err error) {
	err = s.write(ctx, func(tx *tx) error {
		return tx.one("PRAGMA "+name, nil, func(row *sqlite.Stmt) { value = row.ColumnText(0) })
	})
	return value, err
}
