package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// A database of every earlier schema, with something said in it, is brought up to date.
func TestEveryEarlierSchemaIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for version := 1; version <= len(files); version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			conn, err := sqlite.OpenConn(filepath.Join(folder, FileName))
			if err != nil {
				t.Fatal(err)
			}
			if err := prepare(conn); err != nil {
				t.Fatal(err)
			}
			for i, file := range files[:version] {
				sql, err := migrations.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := sqlitex.ExecuteScript(conn, string(sql), nil); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				if i > 0 {
					continue
				}
				if err := sqlitex.ExecuteScript(conn, `
					INSERT INTO users (id, name, sort_name, email_address, created_at, updated_at) VALUES (1, 'David', 'david', 'd@campfire.example', 0, 0);
					INSERT INTO rooms (id, kind, name, sort_name, creator_id, created_at, updated_at) VALUES (1, 'open', 'All Talk', 'all talk', 1, 0, 0);
					INSERT INTO memberships (room_id, user_id, involvement, last_read_message_id, created_at) VALUES (1, 1, 'mentions', 0, 0);
					INSERT INTO messages (id, room_id, creator_id, client_message_id, body_html, body_text, kind, created_at, revision)
						VALUES (1, 1, 1, 'a', 'hovercraft', 'hovercraft', 'text', 0, 1);
					INSERT INTO message_search_index (rowid, body_text) VALUES (1, 'hovercraft');
					UPDATE revisions SET latest = 1;`, nil); err != nil {
					t.Fatal(err)
				}
			}
			err = errors.Join(sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA application_id = %d", applicationID), nil),
				sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA user_version = %d", version), nil), conn.Close())
			if err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), folder, Options{PasswordCost: 4})
			if err != nil {
				t.Fatal(err)
			}
			found, err := s.SearchMessages(t.Context(), 1, "hovercraft", 0, false)
			if err != nil || len(found) != 1 {
				t.Errorf("found %d messages, %v; want the one that was said", len(found), err)
			}
			if _, err := s.PostMessage(t.Context(), 1, Post{RoomID: 1, Body: Body{HTML: "eels", Text: "eels", Kind: "text"}}); err != nil {
				t.Errorf("something more is said: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if report, err := Check(t.Context(), folder, false); err != nil || len(report.Problems) > 0 || report.Stale || report.Messages != 2 {
				t.Errorf("the check: %+v, %v", report, err)
			}
		})
	}
}
