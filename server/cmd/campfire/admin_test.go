package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
)

// campfireDoes carries out a command, and answers what it printed.
func campfireDoes(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(args, &out)
	return out.String(), err
}

// An operator's day: an unattended installation, a backup while the server runs, a lost password, a restore.
func TestAnOperatorsDay(t *testing.T) {
	t.Setenv("CAMPFIRE_ADMIN_NAME", "Olga")
	t.Setenv("CAMPFIRE_ADMIN_EMAIL", "olga@campfire.example")
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CAMPFIRE_ADMIN_PASSWORD_FILE", secret)
	program, data := build(t), t.TempDir()
	server := start(t, program, data)
	signIn := func(password string) error {
		sessions := campfirev1connect.NewSessionServiceClient(http.DefaultClient, "http://"+server.host)
		_, err := sessions.SignIn(context.Background(), &campfirev1.SignInRequest{EmailAddress: "olga@campfire.example", Password: password})
		return err
	}
	if err := signIn("from a file"); err != nil {
		t.Fatalf("Olga signs in after an unattended first run: %v", err)
	}
	file := filepath.Join(t.TempDir(), "olga.db")
	out := must(campfireDoes(t, "backup", "--data", data, file))(t)
	if out != "backed up to "+file+"\n" {
		t.Errorf("backup printed %q", out)
	}
	out = must(campfireDoes(t, "check", "--data", data))(t)
	if !regexp.MustCompile(`^the database is sound: 0 messages, \d+ bytes\n$`).MatchString(out) {
		t.Errorf("check printed %q", out)
	}
	for _, args := range [][]string{{"restore", "--data", data, file}, {"reset-password", "--data", data, "olga@campfire.example"}, {"check", "--data", data, "--repair"}} {
		if _, err := campfireDoes(t, args...); err == nil || !strings.Contains(err.Error(), "another Campfire is using the data folder") {
			t.Errorf("%s under a running server: got %v, want it refused", args[0], err)
		}
	}
	if err := server.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
	out = must(campfireDoes(t, "reset-password", "--data", data, "olga@campfire.example"))(t)
	password := strings.TrimSuffix(strings.TrimPrefix(out, "Olga's new password is "), "\n")
	server = start(t, program, data)
	if err := signIn(password); err != nil {
		t.Errorf("by the password printed in %q: %v", out, err)
	}
	if err := signIn("from a file"); err == nil {
		t.Error("the old password still works: the second start has set it again")
	}
	_ = server.end(t, syscall.SIGTERM)
	out = must(campfireDoes(t, "restore", "--data", data, file))(t)
	if !regexp.MustCompile(`^restored from \S+\nthe database that was there is kept as \S+campfire\.db\.\d{8}-\d{6}\n$`).MatchString(out) {
		t.Errorf("restore printed %q", out)
	}
	server = start(t, program, data)
	if err := signIn("from a file"); err != nil {
		t.Errorf("by the password of the backup: %v", err)
	}
}

func TestCommandsThatCannotBeCarriedOut(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for _, c := range []struct {
		args  []string
		want  string
		usage bool
	}{
		{[]string{"backup"}, "usage: campfire backup [--data FOLDER] FILE", true},
		{[]string{"backup", "a", "b"}, "usage: campfire backup [--data FOLDER] FILE", true},
		{[]string{"backup", "--dada", "x"}, "dada", true},
		{[]string{"check", "x"}, "usage: campfire check [--data FOLDER]", true},
		{[]string{"reset-password"}, "usage: campfire reset-password [--data FOLDER] ADDRESS", true},
		{[]string{"dance"}, "dance", true},
		{[]string{"--backups", "-3"}, "backups", true},
		{[]string{"--backups", "many"}, "backups", true},
		{[]string{"--push-subject", "ops"}, "push-subject", true},
		{[]string{"backup", "--data", empty, "x.db"}, "no database", false},
		{[]string{"restore", "--data", empty, filepath.Join(empty, "x.db")}, "x.db", false},
		{[]string{"check", "--data", empty}, "campfire.db", false},
		{[]string{"reset-password", "--data", empty, "a@b.example"}, "no database", false},
	} {
		_, err := campfireDoes(t, c.args...)
		var wrong usageError
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &wrong) != c.usage {
			t.Errorf("campfire %s: got %v, want %q (wrong usage: %v)", strings.Join(c.args, " "), err, c.want, c.usage)
		}
	}
	if entries := must(os.ReadDir(empty))(t); len(entries) > 1 { // a lock at most
		t.Errorf("they left %v", entries)
	}
}
