package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A release can be made again by anyone, wherever the sources are: the same bytes, with the version that was asked for.
func TestTheSameSourcesGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	here := filepath.Clean(strings.TrimSpace(string(must(exec.Command("go", "env", "GOMOD").Output())(t))) + "/..")
	elsewhere := t.TempDir()
	for _, part := range []string{"gen", "server", "store", "webclient/dist", "webclient/webclient.go", "go.mod", "go.sum", "Makefile"} {
		from, to := filepath.Join(here, part), filepath.Join(elsewhere, part)
		if must(os.Stat(from))(t).IsDir() {
			if err := os.CopyFS(to, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(to, must(os.ReadFile(from))(t), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var programs [2][]byte
	for i, folder := range []string{here, elsewhere} {
		into := filepath.Join(t.TempDir(), "campfire")
		// The command is the one that make prints.
		command := exec.Command("make", "--no-print-directory", "-n", "-o", "webclient/dist/index.html", "build", "VERSION=1.2.3")
		command.Dir = folder
		line := strings.ReplaceAll(strings.TrimSpace(string(must(command.Output())(t))), "-o campfire ", "-o "+into+" ")
		build := exec.Command("sh", "-c", line)
		build.Dir = folder
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, output)
		}
		if got := string(must(exec.Command(into, "version").Output())(t)); got != "1.2.3\n" {
			t.Errorf("its version is %q", got)
		}
		programs[i] = must(os.ReadFile(into))(t)
	}
	if !bytes.Equal(programs[0], programs[1]) {
		t.Errorf("the programs differ: %d and %d bytes", len(programs[0]), len(programs[1]))
	}
	for _, private := range []string{here, elsewhere} {
		if bytes.Contains(programs[0], []byte(private)) {
			t.Errorf("it names the folder it was built in: %s", private)
		}
	}
}
