//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The configuration of docs/litestream.yml, with Litestream itself beside the program under load: the machine is lost, and
// what had been copied from it goes on elsewhere.
func TestLitestreamBringsBackWhatIsLost(t *testing.T) {
	t.Parallel()
	litestream, err := exec.LookPath("litestream")
	if err != nil {
		t.Skip("needs litestream; make test-manual")
	}
	c := newCampsite(t, t.TempDir())
	replica := "file://" + t.TempDir()
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(litestream, append(args[:1:1], append([]string{"-config", "../../../docs/litestream.yml"}, args[1:]...)...)...)
		cmd.Env = append(os.Environ(), "CAMPFIRE_DATA="+c.data, "REPLICA="+replica)
		return cmd
	}
	copying := &process{cmd: run("replicate"), log: &logbook{}, exited: make(chan struct{})}
	copying.cmd.Stdout, copying.cmd.Stderr = copying.log, copying.log
	copying.run(t)

	var posting sync.WaitGroup
	for i := range 4 {
		messages, _ := c.at.client(t, i)
		posting.Go(func() {
			for j := range 200 {
				post(t.Context(), t, messages, c.room, fmt.Sprintf("%d of poster %d", j, i))
			}
		})
	}
	posting.Wait()
	var all []string
	for i := range 4 {
		for j := range 200 {
			all = append(all, fmt.Sprintf("%d of poster %d", j, i))
		}
	}
	c.wantThere(t, all...)
	if err := c.says(t, theEnd); err != nil {
		t.Fatal(err)
	}

	restored := filepath.Join(t.TempDir(), "restored.db")
	for late := time.Now().Add(patience); ; time.Sleep(500 * time.Millisecond) { // until the last one has been copied
		cmd := run("restore", "-o", restored, filepath.Join(c.data, "campfire.db"))
		output, err := cmd.CombinedOutput()
		if err == nil && strings.Contains(string(must(os.ReadFile(restored))(t)), theEnd) {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("restore: %v\n%s\n%s", err, output, copying.log)
		}
		if err := os.Remove(restored); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	_ = c.server.end(t, syscall.SIGKILL) // with the whole machine
	_ = copying.end(t, syscall.SIGKILL)

	c.data = t.TempDir() // of another one
	if output, code := c.does(t, "restore", restored); code != 0 {
		t.Fatalf("campfire restore: %s", output)
	}
	if output, code := c.does(t, "check"); code != 0 {
		t.Errorf("campfire check: %s", output)
	}
	c.start(t)
	c.wantThere(t, append(all, theEnd)...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	messages, _ := c.at.client(t, 0)
	post(ctx, t, messages, c.room, "on we go")
}
