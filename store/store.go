// Package store is Campfire itself: who is in a room, who may change what, what a message is. It keeps all of it in one
// SQLite file and knows nothing of how it is reached.
package store

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/gofrs/flock"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"
)

// The errors of the store. Each says what the caller did, never what they may not know.
var (
	// ErrNotFound: it is not there, or not for this caller.
	ErrNotFound = errors.New("not found")
	// ErrForbidden: the caller sees it but may not change it.
	ErrForbidden = errors.New("you may not do that")
	// ErrTaken: someone else has that already.
	ErrTaken = errors.New("already taken")
	// ErrConflict: the right request at the wrong moment.
	ErrConflict = errors.New("not possible now")
	// ErrUnauthenticated: nobody who is known.
	ErrUnauthenticated = errors.New("not signed in")
	// ErrBusy: too much of the costly work is asked for at once.
	ErrBusy = errors.New("too busy")
	// ErrUnwritable: the disk is full, or does not let anything be written. What was read before still can be.
	ErrUnwritable = errors.New("the server's disk is full or cannot be written; try again later")
	// ErrClosed: the store was closed before the call was carried out.
	ErrClosed = errors.New("the store is closed")
)

// InvalidError says which field of a request breaks a rule, and how.
type InvalidError struct {
	Field  string // as in the proto: "email_address"
	Reason string // goes on after the field's name: "must not be empty"
}

// Error names the field and the rule.
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

// Options are the settings of a store. The zero value is what production uses.
type Options struct {
	// PasswordCost is bcrypt's; 12 if it is 0. Tests take a lower one to be fast.
	PasswordCost int
}

// Store is one Campfire in one SQLite file.
type Store struct {
	path         string       // of the database
	readers      chan *reader // those that nobody reads with
	examiners    chan *reader // one, for what takes seconds
	writer       *writer
	close        func() error
	passwordCost int
	hashing      chan struct{} // holds one for each password being hashed
	waiting      atomic.Int32  // passwords to be hashed
	dummyDigest  []byte        // of no password: compared for addresses nobody has, so that they take as long
	memory       *memory
	examined     bool          // whether its pages were when it was opened
	deleted      chan struct{} // holds one when there may be a room to remove
	blocked      atomic.Pointer[map[netip.Prefix]bool]
	blocking     sync.Mutex  // held to read them anew
	subscribed   atomic.Bool // whether any browser gets notifications
}

const migrationFiles = "migrations/*.sql" // in their order

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as Campfire's (PRAGMA application_id): "Camp".
const applicationID = 0x43616d70

// FileName is the name of the database in its data folder.
const FileName = "campfire.db"

// Open opens the database in folder, creates what is missing and brings its schema up to date.
func Open(ctx context.Context, folder string, opts Options) (*Store, error) {
	if opts.PasswordCost == 0 {
		opts.PasswordCost = 12
	}
	if err := keepPlans(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, filepath.Join(folder, FileName), opts)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	closeDatabase := s.close
	s.close = sync.OnceValue(func() error { return errors.Join(closeDatabase(), lock.Close()) })
	return s, nil
}

// lockFolder keeps every other Campfire out: revisions and members are remembered by one process.
func lockFolder(folder string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(folder, "campfire.lock"), flock.SetPermissions(0o600))
	switch mine, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock data folder: %w", err)
	case !mine:
		return nil, fmt.Errorf("another Campfire is using the data folder %s", folder)
	}
	return lock, nil
}

func open(ctx context.Context, path string, opts Options) (*Store, error) {
	conn, examined, err := openWriting(ctx, path)
	if isDamage(err) {
		err = damagedError(path, err.Error())
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// As many as can read at once: if more took turns, each would be slower, and the last one late.
	readers, err := openReaders(path, max(2, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), conn.Close())
	}
	examiners, err := openReaders(path, 1)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), closeReaders(readers, cap(readers)), conn.Close())
	}
	s := &Store{
		path:         path,
		readers:      readers,
		examiners:    examiners,
		passwordCost: opts.PasswordCost,
		memory:       newMemory(),
		examined:     examined,
		deleted:      make(chan struct{}, 1),
		hashing:      make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		dummyDigest:  fmt.Appendf(nil, "$2a$%02d$%s", opts.PasswordCost, strings.Repeat(".", 53)),
	}
	if s.writer, err = startWriter(conn, s.memory); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.closeReading(), conn.Close())
	}
	background, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	s.close = func() error {
		cancel()
		working.Wait()
		s.writer.stop()
		// The writing connection last: only it can leave one file behind, without a write-ahead log.
		return errors.Join(s.closeReading(), conn.Close())
	}
	if err := errors.Join(s.readBlocked(ctx), s.readSubscribed(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.close())
	}
	working.Go(func() { s.removeWhatIsLeft(background) })
	working.Go(func() { s.tidyIndex(background) })
	return s, nil
}

// Close carries out the writes that wait, then closes the database. Closing again does nothing.
func (s *Store) Close() error { return s.close() }

// OnCommit names the function that is told what was committed, in commit order, before the writes' callers are
// answered. It must not wait for anything. To be called before the first write.
func (s *Store) OnCommit(committed func([]Change)) { s.writer.committed.Store(&committed) }

// examinedAtOnce is how large a database, in bytes, may be to be examined before it is used also after a clean stop: that
// takes hundredths of a second. Of a larger one everyone would wait for.
const examinedAtOnce = 8 << 20

// suspect is at the end of the name of an empty file beside a database that was found damaged while it was used: the next
// start examines it first.
const suspect = "-suspect"

func openWriting(ctx context.Context, path string) (conn *sqlite.Conn, examined bool, err error) {
	// Nobody else may read it, whatever folder it is in; what SQLite puts beside it is as private.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	if err := errors.Join(file.Chmod(0o600), file.Close()); err != nil {
		return nil, false, err
	}
	log, err := os.Stat(path + "-wal")
	unclean := err == nil && log.Size() > 0 // a clean stop leaves none
	if conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite); err != nil {
		return nil, false, err
	}
	writing := conn
	defer func() {
		if err != nil {
			err = errors.Join(err, writing.Close())
		}
	}()
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, err
	}
	_, err = os.Stat(path + suspect)
	badIndex := false
	if examined = unclean || err == nil || info.Size() <= examinedAtOnce; examined {
		if badIndex, err = (db{conn}).requireSound(path); err != nil {
			return nil, false, err
		}
		if err := os.Remove(path + suspect); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, false, err
		}
	}
	for _, pragma := range []string{
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL", // an acknowledged message survives a power cut
		"PRAGMA journal_size_limit = 67108864",
	} {
		if err := sqlitex.ExecuteTransient(conn, pragma, nil); err != nil {
			return nil, false, err
		}
	}
	if err := prepare(conn); err != nil {
		return nil, false, err
	}
	if err := migrate(ctx, conn); err != nil {
		return nil, false, err
	}
	if unclean || badIndex {
		if err := (db{conn}).mendSearchIndex(); err != nil {
			return nil, false, err
		}
	}
	return conn, examined, errors.Join(db{conn}.forgetDeletions(time.Now()), db{conn}.makePushKey())
}

// migrate brings the schema up to date. A database of a newer Campfire is refused: its rules are not known here.
func migrate(ctx context.Context, conn *sqlite.Conn) error {
	var schema sqlitemigration.Schema
	schema.AppID = applicationID
	files, err := fs.Glob(migrations, migrationFiles)
	if err != nil {
		return err
	}
	for _, file := range files {
		sql, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		schema.Migrations = append(schema.Migrations, string(sql))
	}
	if err := (db{conn}).requireKnownSchema(); err != nil {
		return err
	}
	return sqlitemigration.Migrate(ctx, conn, schema)
}

func (d db) requireKnownSchema() error {
	files, err := fs.Glob(migrations, migrationFiles)
	if err != nil {
		return err
	}
	newest, version := len(files), 0
	err = d.one("PRAGMA user_version", nil, func(row *sqlite.Stmt) { version = row.ColumnInt(0) })
	if err == nil && version > newest {
		err = fmt.Errorf("made by a newer Campfire: its schema has version %d, this program knows %d", version, newest)
	}
	return err
}

// prepare sets what every connection needs; a pragma for each statement, as none works inside a savepoint.
func prepare(conn *sqlite.Conn) error {
	if err := conn.CreateFunction("searchable", searchableFunction); err != nil {
		return err
	}
	for _, pragma := range []string{
		"PRAGMA foreign_keys = ON",
		"PRAGMA busy_timeout = 5000",
		"PRAGMA cache_size = -8000",
	} {
		if err := sqlitex.ExecuteTransient(conn, pragma, nil); err != nil {
			return err
		}
	}
	return nil
}

// reader is a connection that reads.
type reader struct {
	conn   *sqlite.Conn
	hungUp chan struct{} // closed to interrupt it
}

func openReaders(path string, count int) (chan *reader, error) {
	readers := make(chan *reader, count)
	for range count {
		conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
		if err != nil {
			return nil, errors.Join(err, closeReaders(readers, len(readers)))
		}
		r := &reader{conn: conn}
		readers <- r
		if err := prepare(conn); err != nil {
			return nil, errors.Join(err, closeReaders(readers, len(readers)))
		}
		r.listen()
	}
	return readers, nil
}

// closeReaders closes so many of them, each when what it reads has been read.
func closeReaders(readers chan *reader, opened int) (err error) {
	for range opened {
		err = errors.Join(err, (<-readers).conn.Close())
	}
	return err
}

func (s *Store) closeReading() error {
	return errors.Join(closeReaders(s.readers, cap(s.readers)), closeReaders(s.examiners, cap(s.examiners)))
}

// listen has the connection be interrupted when its caller hangs up. A goroutine of the driver waits for that: it is the same
// for one read after the other, as starting and ending one took a twentieth of a read.
func (r *reader) listen() {
	r.hungUp = make(chan struct{})
	r.conn.SetInterrupt(r.hungUp)
}

func (r *reader) interrupt() { close(r.hungUp) }

// read runs f on a reading connection, in a transaction, so that all it reads is of one moment.
func (s *Store) read(ctx context.Context, f func(db) error) error {
	return s.readWith(ctx, s.readers, f)
}

func (s *Store) readWith(ctx context.Context, readers chan *reader, f func(db) error) (err error) {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var r *reader
	select {
	case r = <-readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.writer.closing:
		return ErrClosed
	}
	hungUp := context.AfterFunc(ctx, r.interrupt)
	defer func() {
		if !hungUp() {
			<-r.hungUp
			r.listen()
		}
		readers <- r
		switch sqlite.ErrCode(err) {
		case sqlite.ResultInterrupt, sqlite.ResultError: // that was about to get to know a virtual table, or is not SQLite's
			err = cmp.Or(ctx.Err(), err)
		}
	}()
	defer sqlitex.Transaction(r.conn)(&err)
	return f(db{r.conn})
}

// Ping reads from the database, to see that it is there.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(db db) error { return db.exec("SELECT 1", nil) })
}

// db is a connection within a transaction.
type db struct{ conn *sqlite.Conn }

// args are a statement's parameters by their names, as ":room_id".
type args map[string]any

func (d db) exec(sql string, args args) error {
	return sqlitex.Execute(d.conn, sql, &sqlitex.ExecOptions{Named: args})
}

func (d db) each(sql string, args args, row func(*sqlite.Stmt) error) error {
	return sqlitex.Execute(d.conn, sql, &sqlitex.ExecOptions{Named: args, ResultFunc: row})
}

// one gives the only row to row; without any it answers ErrNotFound.
func (d db) one(sql string, args args, row func(*sqlite.Stmt)) error {
	err := ErrNotFound
	queryErr := d.each(sql, args, func(stmt *sqlite.Stmt) error {
		row(stmt)
		err = nil
		return nil
	})
	if queryErr != nil {
		return queryErr
	}
	return err
}

func (d db) exists(sql string, args args) (bool, error) {
	err := d.one(sql, args, func(*sqlite.Stmt) {})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// ids lists one column of ids.
func (d db) ids(sql string, args args) ([]int64, error) {
	var ids []int64
	err := d.each(sql, args, func(row *sqlite.Stmt) error {
		ids = append(ids, row.ColumnInt64(0))
		return nil
	})
	return ids, err
}

func timeColumn(row *sqlite.Stmt, col int) time.Time {
	return time.UnixMicro(row.ColumnInt64(col)).UTC()
}

// checkText enforces the bounds of a one-line text that people type, and trims it.
func checkText(field, text string, most int) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "", &InvalidError{field, "must be text without control characters"}
	case IsBlank(text):
		return "", &InvalidError{field, "must not be empty"}
	case utf8.RuneCountInString(text) > most:
		return "", &InvalidError{field, fmt.Sprintf("must have at most %d characters", most)}
	}
	return text, nil
}

// IsBlank tells whether a text shows nothing: only spaces, and characters that have no shape of their own.
func IsBlank(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		const noDots = '\u2800' // of braille
		return r != noDots && !unicode.IsSpace(r) && !unicode.IsControl(r) &&
			!unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	})
}

// keepPlans has SQLite plan each statement once. Without it SQLite looks at the values bound to a statement, in the hope
// of a better plan, and so prepares nearly all of ours anew each time: a third of the writer's work. The driver has no
// door to this setting, but SQLite shows each connection that is opened to a function of ours.
var keepPlans = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	// A C function is the address of a Go function, as the driver has it too.
	onOpen := struct {
		f func(tls *libc.TLS, conn, message, api uintptr) int32
	}{keepPlansOf}
	if code := sqlite3.Xsqlite3_auto_extension(tls, *(*uintptr)(unsafe.Pointer(&onOpen))); code != sqlite3.SQLITE_OK {
		return fmt.Errorf("set up SQLite: code %d", code)
	}
	return nil
})

func keepPlansOf(tls *libc.TLS, conn, _, _ uintptr) int32 {
	on := libc.NewVaList(int32(1), uintptr(0))
	defer libc.Xfree(tls, on)
	return sqlite3.Xsqlite3_db_config(tls, conn, sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, on)
}
