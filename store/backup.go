package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// backupFolder is where the daily backups are, in the data folder.
const backupFolder = "backups"

// DamagedError says that a database cannot be trusted, and what could take its place.
type DamagedError struct {
	Path     string
	Problems []string // as SQLite tells them
	Backup   string   // the newest one; empty if there is none
}

// Error tells what is wrong and what to do.
func (e *DamagedError) Error() string {
	text := fmt.Sprintf("the database %s is damaged: %s", e.Path, strings.Join(e.Problems, "; "))
	if e.Backup == "" {
		return text + "; there is no backup beside it: restore one with campfire restore FILE"
	}
	return text + fmt.Sprintf("; the newest backup is %s: campfire restore %s brings it back, and keeps the damaged one", e.Backup, e.Backup)
}

// Backup copies the database in a folder to a file that is not there yet, also while a server writes to it. The copy is
// whole, checked and on the disk before it gets its name.
func Backup(ctx context.Context, folder, file string) (err error) {
	source := filepath.Join(folder, FileName)
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("no database to back up: %w", err)
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is there already", file)
	}
	conn, err := openChecking(source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetInterrupt(ctx.Done())
	copying := file + ".part"
	if err := os.Remove(copying); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(copying) // what could be removed
		}
	}()
	if err := touch(copying); err != nil {
		return err
	}
	if err := sqlitex.ExecuteTransient(conn, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{copying}}); err != nil {
		return fmt.Errorf("copy %s: %w", source, err)
	}
	if err := checkFile(ctx, copying); err != nil {
		return fmt.Errorf("examine the copy: %w", err)
	}
	return moveInto(copying, file)
}

// touch makes an empty file that nobody else may read.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// moveInto gives a file its name once it is on the disk.
func moveInto(from, to string) error {
	f, err := os.OpenFile(from, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(from, to)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrInvalid) || errors.Is(err, os.ErrPermission) {
		err = nil // as on Windows, where folders are not synced
	}
	return errors.Join(err, d.Close())
}

// Restore puts a backup in the place of the database in a folder, which no server may be using. The old database is kept
// beside it under the name that is answered; empty if there was none. Clients load everything anew.
func Restore(ctx context.Context, folder, backup string) (kept string, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	lock, err := lockFolder(folder)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	path := filepath.Join(folder, FileName)
	copying := path + ".part"
	if err := copyFile(backup, copying); err != nil {
		return "", err
	}
	// The copy is examined: to open the backup itself is to write beside it, which a disk of backups may not allow.
	if err = checkFile(ctx, copying); err == nil {
		err = renewEpoch(copying)
	}
	if damage := new(DamagedError); errors.As(err, &damage) {
		damage.Path = backup
	} else if err != nil {
		err = fmt.Errorf("%s: %w", backup, err)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(copying))
	}
	if _, err := os.Stat(path); err == nil {
		kept = path + time.Now().UTC().Format(".20060102-150405")
		// What was not yet moved into the database belongs to it.
		for _, part := range []string{"", "-wal", "-shm"} {
			if err := os.Rename(path+part, kept+part); err != nil && !(part != "" && errors.Is(err, os.ErrNotExist)) {
				return "", err
			}
		}
	}
	return kept, moveInto(copying, path)
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// renewEpoch gives a restored database a new life, in which the positions of the old one mean nothing.
func renewEpoch(path string) error {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	err = db{conn}.requireKnownSchema()
	if err == nil {
		err = db{conn}.exec("UPDATE revisions SET epoch = :epoch", args{":epoch": rand.Text()})
	}
	return errors.Join(err, conn.Close())
}

// Report is what a check has found.
type Report struct {
	Problems []string // none if all is well
	Stale    bool     // the search index is not in step with the messages
	Messages int64
	Bytes    int64 // of the database, also those still in its log
}

// Check examines the database in a folder: its pages, its references, and its search index against the messages. With
// repair it builds a stale index anew; then no server may be using the folder.
func Check(ctx context.Context, folder string, repair bool) (r Report, err error) {
	path := filepath.Join(folder, FileName)
	if _, err := os.Stat(path); err != nil {
		return Report{}, err
	}
	lock, lockErr := lockFolder(folder)
	if lockErr == nil {
		defer func() { err = errors.Join(err, lock.Close()) }()
	} else if repair {
		return Report{}, lockErr
	}
	conn, err := openChecking(path)
	if isDamage(err) {
		r.Problems = []string{err.Error()}
		return r, nil
	}
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetInterrupt(ctx.Done())
	badIndex := false
	if r.Problems, badIndex, err = (db{conn}).problems("integrity_check"); err != nil || len(r.Problems) > 0 {
		return r, err
	}
	err = db{conn}.one("SELECT (SELECT count(*) FROM messages), page_count * page_size FROM pragma_page_count, pragma_page_size", nil,
		func(row *sqlite.Stmt) { r.Messages, r.Bytes = row.ColumnInt64(0), row.ColumnInt64(1) })
	if err != nil {
		return r, err
	}
	if lockErr != nil && !badIndex {
		r.Stale, err = copyIsStale(ctx, folder)
		return r, err
	}
	if r.Stale = badIndex; !badIndex {
		r.Stale, err = db{conn}.searchIndexIsStale()
	}
	if err == nil && r.Stale && repair {
		err = db{conn}.rebuildSearchIndex()
	}
	return r, err
}

// copyIsStale examines the search index of a copy: in the database itself it would keep a server from writing.
func copyIsStale(ctx context.Context, folder string) (stale bool, err error) {
	copied := filepath.Join(folder, "check-"+rand.Text()+".db")
	if err := Backup(ctx, folder, copied); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.Remove(copied)) }()
	conn, err := openChecking(copied)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return db{conn}.searchIndexIsStale()
}

// checkFile finds out whether a file is a sound database of Campfire's.
func checkFile(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	conn, err := openChecking(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetInterrupt(ctx.Done())
	id := 0
	err = db{conn}.one("PRAGMA application_id", nil, func(row *sqlite.Stmt) { id = row.ColumnInt(0) })
	if err == nil && id != applicationID {
		err = errors.New("it is not a database of Campfire's")
	}
	if err != nil {
		return err
	}
	problems, _, err := db{conn}.problems("quick_check") // a start builds a bad index anew
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return &DamagedError{Path: path, Problems: problems}
	}
	return nil
}

// openChecking opens a database to examine it. SQLite's own check of a search index writes, though it changes nothing.
func openChecking(path string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := prepare(conn); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), conn.Close())
	}
	return conn, nil
}

func isDamage(err error) bool {
	code := sqlite.ErrCode(err).ToPrimary()
	return code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB
}

// problems runs quick_check or integrity_check, and looks for references that lead nowhere. What is wrong within the search
// index alone is no problem, as it can be built anew.
func (d db) problems(check string) (problems []string, badIndex bool, err error) {
	note := func(row *sqlite.Stmt) error {
		switch text := row.ColumnText(0); {
		case text == "ok":
		case strings.Contains(strings.ToLower(text), "fts5") && strings.Contains(text, "message_search_index"):
			badIndex = true
		default:
			problems = append(problems, text)
		}
		return nil
	}
	err = sqlitex.ExecuteTransient(d.conn, "PRAGMA "+check+"(10)", &sqlitex.ExecOptions{ResultFunc: note})
	if isDamage(err) {
		return append(problems, err.Error()), badIndex, nil
	}
	if err != nil || len(problems) > 0 || check == "quick_check" {
		return problems, badIndex, err
	}
	err = sqlitex.ExecuteTransient(d.conn, "PRAGMA foreign_key_check", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		problems = append(problems, fmt.Sprintf("row %d of %s refers to nothing in %s", row.ColumnInt64(1), row.ColumnText(0), row.ColumnText(2)))
		return nil
	}})
	return problems, badIndex, err
}

// searchIndexIsStale compares the search index with the messages, which only rank 1 does.
func (d db) searchIndexIsStale() (bool, error) {
	err := d.exec("INSERT INTO message_search_index (message_search_index, rank) VALUES ('integrity-check', 1)", nil)
	switch code := sqlite.ErrCode(err).ToPrimary(); {
	case err == nil:
		return false, nil
	case code == sqlite.ResultCorrupt || code == sqlite.ResultError:
		return true, nil
	default:
		return false, err
	}
}

func (d db) rebuildSearchIndex() error {
	return d.exec("INSERT INTO message_search_index (message_search_index) VALUES ('rebuild')", nil)
}

// Verify looks for some space on the disk, writes to the database, and examines its pages, as far as that can be done while
// others use it.
func (s *Store) Verify(ctx context.Context) error {
	if err := requireSpace(s.path + "-space"); err != nil {
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	err := s.write(ctx, func(tx *tx) error { return tx.exec("UPDATE revisions SET latest = latest", nil) })
	if err != nil {
		return err
	}
	badIndex, err := s.requireSound(ctx)
	if err == nil && badIndex {
		err = errors.New("the search index is damaged; a restart builds it anew")
	}
	return err
}

// requireSound examines the database while others use it.
func (s *Store) requireSound(ctx context.Context) (badIndex bool, err error) {
	err = s.readWith(ctx, s.examiners, func(db db) error {
		badIndex, err = db.requireSound(s.path)
		return err
	})
	return badIndex, err
}

// requireSpace writes a file of a megabyte, and removes it.
func requireSpace(file string) (err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(file)) }()
	_, err = f.Write(make([]byte, 1<<20))
	return err
}

// requireSound refuses a damaged database at the start, before anything is written to it.
func (d db) requireSound(path string) (badIndex bool, err error) {
	problems, badIndex, err := d.problems("quick_check")
	if err == nil && len(problems) > 0 {
		err = damagedError(path, problems...)
	}
	return badIndex, err
}

func damagedError(path string, problems ...string) error {
	newest, _ := newestBackup(filepath.Dir(path)) // without one the error says so
	return &DamagedError{Path: path, Problems: problems, Backup: newest}
}

// Examine examines the pages of a database that was too large for that when it was opened. It takes about a second for each
// 100 MB, beside whatever else goes on. A damaged search index is built anew; if anything else is damaged, the database is not to be
// used any longer, and the next start examines it first.
func (s *Store) Examine(ctx context.Context) error {
	if s.examined {
		return nil
	}
	badIndex, err := s.requireSound(ctx)
	if damage := new(DamagedError); errors.As(err, &damage) {
		return errors.Join(err, os.WriteFile(s.path+suspect, nil, 0o600))
	}
	if err == nil && badIndex {
		err = s.write(ctx, func(tx *tx) error { return tx.rebuildSearchIndex() })
	}
	return err
}

// mendSearchIndex builds anew what an unclean stop has left behind.
func (d db) mendSearchIndex() error {
	stale, err := d.searchIndexIsStale()
	if err == nil && stale {
		err = d.rebuildSearchIndex()
	}
	return err
}

// BackUpDaily makes a backup in the data folder if the newest one is older than a day, and lets go of all but some.
func BackUpDaily(ctx context.Context, folder string, keep int, now time.Time) (made string, err error) {
	backups, err := dailyBackups(folder)
	if err != nil {
		return "", err
	}
	name := filepath.Join(folder, backupFolder, now.UTC().Format("campfire-20060102-150405.db"))
	if len(backups) > 0 {
		newest, err := os.Stat(backups[len(backups)-1])
		if err != nil {
			return "", err
		}
		if age := now.Sub(newest.ModTime()); 0 <= age && age < 24*time.Hour { // less than 0: the clock was wrong, or is
			return "", nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", err
	}
	if err := Backup(ctx, folder, name); err != nil {
		return "", err
	}
	for _, old := range append(backups, name)[:max(0, len(backups)+1-keep)] {
		err = errors.Join(err, os.Remove(old))
	}
	return name, err
}

// dailyBackups lists the backups in the data folder, the oldest first.
func dailyBackups(folder string) ([]string, error) {
	backups, err := filepath.Glob(filepath.Join(folder, backupFolder, "campfire-????????-??????.db"))
	slices.Sort(backups)
	return backups, err
}

func newestBackup(folder string) (string, error) {
	backups, err := dailyBackups(folder)
	if len(backups) == 0 {
		return "", err
	}
	return backups[len(backups)-1], err
}
