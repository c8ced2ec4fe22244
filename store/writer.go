package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// maxBatch bounds how many writes share a commit, and so how long the first of them waits.
const maxBatch = 256

// writer owns the only writing connection. It carries out the writes that wait together: each in its own savepoint, one
// commit for all, so that one sync of the disk serves many posts. No caller is answered before its rows are durable.
type writer struct {
	conn      *sqlite.Conn
	queue     chan *pendingWrite
	closing   chan struct{}
	stopped   chan struct{}
	sessions  *knownSessions
	committed func([]Change)
	commits   atomic.Int64
	writes    atomic.Int64 // carried out, well or not
	waited    atomic.Int64 // nanoseconds, by all of them
	epoch     string       // of this life of the database

	// Only the writer's goroutine touches what follows.
	revision int64              // the newest one given out
	members  map[int64]audience // by room, as of the last commit or the write under way
}

// pendingWrite is a write that waits its turn.
type pendingWrite struct {
	ctx  context.Context
	run  func(*tx) error
	err  error // of its own, or of the commit
	done chan struct{}
}

// tx is one write under way.
type tx struct {
	db
	writer  *writer
	now     time.Time
	changes []Change
	touched []int64    // rooms whose members it changed
	indexed []indexing // what it does to the search index
}

func startWriter(conn *sqlite.Conn, sessions *knownSessions) (*writer, error) {
	w := &writer{
		conn:      conn,
		queue:     make(chan *pendingWrite, maxBatch),
		closing:   make(chan struct{}),
		stopped:   make(chan struct{}),
		sessions:  sessions,
		committed: func([]Change) {},
		members:   map[int64]audience{},
	}
	if err := w.readRevision(); err != nil {
		return nil, err
	}
	go w.loop()
	return w, nil
}

// stop carries out the writes that wait, and no more. It is called once.
func (w *writer) stop() {
	close(w.closing)
	<-w.stopped
}

// write carries out run in its turn, whole or not at all, and answers when the change is durable. Nothing in run may wait
// for anything but the database. If ctx ends before its turn, run is not carried out.
func (s *Store) write(ctx context.Context, run func(*tx) error) error {
	w, began := s.writer, time.Now()
	defer func() { w.writes.Add(1); w.waited.Add(int64(time.Since(began))) }()
	pending := &pendingWrite{ctx: ctx, run: run, done: make(chan struct{})}
	select {
	case w.queue <- pending:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return ErrClosed
	}
	select {
	case <-pending.done:
		return whyUnwritten(pending.err)
	case <-w.stopped:
		// Stopped, but perhaps only after this one.
		select {
		case <-pending.done:
			return whyUnwritten(pending.err)
		default:
			return ErrClosed
		}
	}
}

// whyUnwritten tells the failures of the disk from all others.
func whyUnwritten(err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultReadOnly, sqlite.ResultCantOpen:
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	default:
		return err
	}
}

// Stats are what an operator watches of a store, since it was opened.
type Stats struct {
	Writes   int64         // carried out by the one writer, well or not
	Commits  int64         // that made them durable
	Waited   time.Duration // by their callers, in all
	Bytes    int64         // of the database
	LogBytes int64         // of its write-ahead log
}

// Stats answers them as of now.
func (s *Store) Stats() Stats {
	stats := Stats{Writes: s.writer.writes.Load(), Commits: s.writer.commits.Load(), Waited: time.Duration(s.writer.waited.Load())}
	if info, err := os.Stat(s.path); err == nil {
		stats.Bytes = info.Size()
	}
	if info, err := os.Stat(s.path + "-wal"); err == nil {
		stats.LogBytes = info.Size()
	}
	return stats
}

func (w *writer) loop() {
	defer close(w.stopped)
	var batch []*pendingWrite
	for {
		var first *pendingWrite
		select {
		case first = <-w.queue:
		case <-w.closing:
			select {
			case first = <-w.queue:
			default:
				return
			}
		}
		batch = w.fill(append(batch[:0], first))
		w.carryOut(batch)
		for i, pending := range batch {
			close(pending.done)
			batch[i] = nil
		}
	}
}

// fill adds to batch what waits already; it does not wait for more.
func (w *writer) fill(batch []*pendingWrite) []*pendingWrite {
	for len(batch) < maxBatch {
		select {
		case pending := <-w.queue:
			batch = append(batch, pending)
		default:
			return batch
		}
	}
	return batch
}

// carryOut runs a batch in one transaction, tells what was committed, and leaves each write its error.
func (w *writer) carryOut(batch []*pendingWrite) {
	before := w.revision
	changes, err := w.transact(batch)
	if err != nil {
		err = fmt.Errorf("write to the database: %w", err)
		for _, pending := range batch {
			if pending.err == nil {
				pending.err = err
			}
		}
		clear(w.members)
		w.revision = before
		return
	}
	if slices.ContainsFunc(changes, func(c Change) bool { _, ended := c.(SessionEnded); return ended }) {
		w.sessions.forget()
	}
	if len(changes) > 0 {
		w.committed(changes)
	}
}

func (w *writer) transact(batch []*pendingWrite) (changes []Change, err error) {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && !w.conn.AutocommitEnabled() {
			err = errors.Join(err, w.exec("ROLLBACK"))
		}
	}()
	before, succeeded := w.revision, false
	var indexed []indexing
	for _, pending := range batch {
		if pending.err = pending.ctx.Err(); pending.err != nil {
			continue
		}
		made, err := w.runOne(pending)
		if err != nil {
			return nil, err
		}
		if pending.err == nil {
			succeeded = true
			changes = append(changes, made.changes...)
			indexed = append(indexed, made.indexed...)
		}
	}
	if !succeeded {
		return nil, w.exec("ROLLBACK")
	}
	for _, i := range indexed {
		if err := i.carryOut(db{w.conn}); err != nil {
			return nil, err
		}
	}
	if w.revision != before {
		if err := (db{w.conn}).exec("UPDATE revisions SET latest = :latest", args{":latest": w.revision}); err != nil {
			return nil, err
		}
	}
	if err := w.exec("COMMIT"); err != nil {
		return nil, err
	}
	w.commits.Add(1)
	return changes, nil
}

// runOne runs one write in a savepoint. Its own failure goes into pending.err and takes back its rows alone; an error
// is one of the whole transaction.
func (w *writer) runOne(pending *pendingWrite) (*tx, error) {
	if err := w.exec("SAVEPOINT one_write"); err != nil {
		return nil, err
	}
	t, before := &tx{db: db{w.conn}, writer: w, now: time.Now()}, w.revision
	if pending.err = runSafely(pending.run, t); pending.err != nil {
		w.revision = before
		for _, room := range t.touched {
			delete(w.members, room)
		}
		if w.conn.AutocommitEnabled() {
			return nil, pending.err // SQLite has rolled everything back by itself, as when the disk is full
		}
		if err := w.exec("ROLLBACK TO one_write"); err != nil {
			return nil, err
		}
	}
	return t, w.exec("RELEASE one_write")
}

// runSafely turns a panic into an error, so that one bad write does not end the writer for all.
func runSafely(run func(*tx) error, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
	}()
	return run(t)
}

func (w *writer) exec(sql string) error { return sqlitex.Execute(w.conn, sql, nil) }

func (w *writer) readRevision() error {
	return db{w.conn}.one("SELECT latest, epoch FROM revisions", nil, func(row *sqlite.Stmt) {
		w.revision, w.epoch = row.ColumnInt64(0), row.ColumnText(1)
	})
}

// changed notes what this write changes. It is told once it is committed.
func (t *tx) changed(c Change) { t.changes = append(t.changes, c) }

// nextRevision takes the next number of the one counter of changes. A write that fails gives its numbers back.
func (t *tx) nextRevision() int64 {
	t.writer.revision++
	return t.writer.revision
}

// micros is the write's moment as the database keeps it.
func (t *tx) micros() int64 { return t.now.UnixMicro() }

// audience is whom the news of a room concerns. Its lists are shared: nobody changes them.
type audience struct {
	all     []int64
	visible []int64 // those who have the room in their sidebar
	bots    []int64 // also those that are gone
	direct  bool    // whether the room is
}

// audienceOf lists who is in a room. As only the writer changes memberships it may remember them, so that a post costs no
// read for each member.
func (t *tx) audienceOf(roomID int64) (audience, error) {
	if a, ok := t.writer.members[roomID]; ok {
		return a, nil
	}
	var a audience
	err := t.each(`SELECT memberships.user_id, memberships.involvement, users.role = 2, rooms.kind = 'direct'
		FROM memberships JOIN users ON users.id = memberships.user_id JOIN rooms ON rooms.id = memberships.room_id
		WHERE memberships.room_id = :room_id`, args{":room_id": roomID},
		func(row *sqlite.Stmt) error {
			userID := row.ColumnInt64(0)
			a.all = append(a.all, userID)
			if Involvement(row.ColumnText(1)) != Invisible {
				a.visible = append(a.visible, userID)
			}
			if row.ColumnBool(2) {
				a.bots = append(a.bots, userID)
			}
			a.direct = row.ColumnBool(3)
			return nil
		})
	if err == nil {
		t.writer.members[roomID] = a
	}
	return a, err
}

// forgetMembersOf is called when the members of a room, or what they see of it, have changed.
func (t *tx) forgetMembersOf(roomID int64) {
	delete(t.writer.members, roomID)
	t.touched = append(t.touched, roomID)
}
