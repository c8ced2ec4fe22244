package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// maxBatch bounds how many writes share a commit, and so how long the first of them waits.
const maxBatch = 256

// gathering is how long a batch waits for more after one that many shared: those who were answered then come again soon. It
// costs less than a commit.
const gathering = 200 * time.Microsecond

// writer owns the only writing connection. It carries out the writes that wait together: each in its own savepoint, one
// commit for all, so that one sync of the disk serves many posts. No caller is answered before its rows are durable.
type writer struct {
	conn      *sqlite.Conn
	queue     chan *pendingWrite
	closing   chan struct{}
	stopped   chan struct{}
	memory    *memory
	committed atomic.Pointer[func([]Change)]
	commits   atomic.Int64
	writes    atomic.Int64  // carried out, well or not
	waited    atomic.Int64  // nanoseconds, by all of them
	indexed   chan struct{} // holds one when the search index may have changed
	epoch     string        // of this life of the database

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

func startWriter(conn *sqlite.Conn, memory *memory) (*writer, error) {
	w := &writer{
		conn:    conn,
		queue:   make(chan *pendingWrite, maxBatch),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
		memory:  memory,
		indexed: make(chan struct{}, 1),
		members: map[int64]audience{},
	}
	if err := w.readRevision(); err != nil {
		return nil, err
	}
	w.noteIndexed() // before the last stop, perhaps
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
	Writes   int64         // carried out by the one writer, well or not, also in the background
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
		together := len(batch) > 1
		batch = w.fill(append(batch[:0], first))
		if together && len(batch) < maxBatch {
			time.Sleep(gathering)
			batch = w.fill(batch)
		}
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

// errNotIndexed: the search index did not take what it was told, perhaps because it is damaged.
var errNotIndexed = errors.New("not indexed")

// carryOut runs a batch in one transaction, tells what was committed, and leaves each write its error. As the index is told
// of all at once, one write that it refuses would fail the others: then each is run alone.
func (w *writer) carryOut(batch []*pendingWrite) {
	before := w.revision
	changes, err := w.transact(batch)
	if err != nil {
		clear(w.members)
		w.revision = before
	}
	if errors.Is(err, errNotIndexed) && len(batch) > 1 {
		for i := range batch {
			w.carryOut(batch[i : i+1])
		}
		return
	}
	if err != nil {
		err = fmt.Errorf("write to the database: %w", err)
		for _, pending := range batch {
			if pending.err == nil {
				pending.err = err
			}
		}
		return
	}
	if committed := w.committed.Load(); committed != nil && len(changes) > 0 {
		(*committed)(changes)
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
			return nil, fmt.Errorf("%w: %w", errNotIndexed, err)
		}
	}
	if w.revision != before {
		if err := (db{w.conn}).exec("UPDATE revisions SET latest = :latest", args{":latest": w.revision}); err != nil {
			return nil, err
		}
	}
	w.memory.changing(changes)
	defer w.memory.settle()
	if err := w.exec("COMMIT"); err != nil {
		return nil, err
	}
	w.commits.Add(1)
	if len(indexed) > 0 {
		w.noteIndexed()
	}
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

func (w *writer) noteIndexed() {
	select {
	case w.indexed <- struct{}{}:
	default:
	}
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

// memory is what calls ask for so often that it is not read each time.
type memory struct {
	sessions remembered[[sha256.Size]byte, session] // by the hash of their token
	pages    remembered[int64, messagesPage]        // the newest of a room, by its id
}

const (
	maxSessionsRemembered = 20_000 // some 200 bytes each
	maxPagesRemembered    = 500    // of so many bytes of bodies, at most:
	maxBytesRemembered    = 32 << 10
)

func newMemory() *memory {
	return &memory{
		sessions: remembered[[sha256.Size]byte, session]{most: maxSessionsRemembered},
		pages:    remembered[int64, messagesPage]{most: maxPagesRemembered},
	}
}

// changing forgets what changes that are about to be committed concern.
func (m *memory) changing(changes []Change) {
	rooms := map[int64]bool{}
	ended, everywhere := false, false
	for _, change := range changes {
		switch c := change.(type) {
		case SessionEnded:
			ended = true
		case UserChanged: // the author of whatever
			everywhere = true
		case MessageCreated:
			rooms[c.Message.RoomID] = true
		case MessageUpdated:
			rooms[c.Message.RoomID] = true
		case MessageDeleted:
			rooms[c.RoomID] = true
		}
	}
	if ended {
		m.sessions.forget(func([sha256.Size]byte) bool { return true })
	}
	if everywhere || len(rooms) > 0 {
		m.pages.forget(func(roomID int64) bool { return everywhere || rooms[roomID] })
	}
}

// settle is called when they are committed, or are not.
func (m *memory) settle() {
	m.sessions.settle()
	m.pages.settle()
}

// remembered keeps values that were read, until what they were read from changes. They are shared: nobody changes them.
type remembered[K comparable, V any] struct {
	most int

	mu       sync.Mutex
	values   map[K]V
	version  int  // of what they are read from
	changing bool // to another
}

// find answers a value, and the version that one read from here on has.
func (r *remembered[K, V]) find(key K) (value V, known bool, version int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	value, known = r.values[key]
	return value, known, r.version
}

// keep remembers a value of a version, if it is still that one and not about to change.
func (r *remembered[K, V]) keep(key K, value V, version int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changing || version != r.version {
		return
	}
	if r.values == nil || len(r.values) >= r.most {
		r.values = map[K]V{}
	}
	r.values[key] = value
}

func (r *remembered[K, V]) drop(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.values, key)
}

// forget is called before a change. Nothing is kept until settle, so that nobody who was told of the change still finds
// what was before.
func (r *remembered[K, V]) forget(which func(K) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changing = true
	maps.DeleteFunc(r.values, func(key K, _ V) bool { return which(key) })
}

func (r *remembered[K, V]) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changing {
		r.changing = false
		r.version++
	}
}
