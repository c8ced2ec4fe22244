//go:build unix

package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The last stage of the Dockerfile, built without any registry and run: small, private, without root, and it knows whether
// it is well.
func TestTheContainer(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("buildah"); err != nil || os.Getuid() != 0 {
		t.Skip("needs buildah, and root for its isolation")
	}
	storage, folder, program := t.TempDir(), t.TempDir(), build(t)
	buildah := func(args ...string) *exec.Cmd {
		cmd := exec.Command("buildah", append([]string{
			"--root", filepath.Join(storage, "root"), "--runroot", filepath.Join(storage, "run"), "--storage-driver", "vfs",
		}, args...)...)
		cmd.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot", "TMPDIR="+storage)
		return cmd
	}
	must := func(cmd *exec.Cmd) string {
		t.Helper()
		var complaint strings.Builder
		cmd.Stderr = &complaint
		output, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s%s", cmd.Args, err, output, complaint.String())
		}
		return strings.TrimSpace(string(output))
	}

	dockerfile, err := os.ReadFile("../../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, last, found := strings.Cut(string(dockerfile), "\nFROM scratch\n")
	if !found {
		t.Fatal("the last stage is not from scratch")
	}
	// What the stages before leave behind is in the folder.
	last = "FROM scratch\n" + strings.ReplaceAll(last, "--from=program ", "")
	out := filepath.Join(folder, "out")
	if err := os.MkdirAll(filepath.Join(out, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{
		filepath.Join(folder, "Dockerfile"): []byte(last), filepath.Join(out, "ca-certificates.crt"): []byte("none\n"),
	} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(program, filepath.Join(out, "campfire")); err != nil {
		t.Fatal(err)
	}
	must(buildah("build", "--format", "docker", "-t", "campfire", "-f", filepath.Join(folder, "Dockerfile"), folder))

	var image struct {
		Docker struct {
			Size   int64 `json:"size"`
			Config struct {
				User        string
				Volumes     map[string]any
				Entrypoint  []string
				Healthcheck struct{ Test []string }
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(must(buildah("inspect", "--type", "image", "campfire"))), &image); err != nil {
		t.Fatal(err)
	}
	config := image.Docker.Config
	if _, volume := config.Volumes["/data"]; config.User != "65532:65532" || !volume || strings.Join(config.Entrypoint, " ") != "/campfire" ||
		strings.Join(config.Healthcheck.Test, " ") != "CMD /campfire health" {
		t.Errorf("the image is set up as %+v", config)
	}
	must(buildah("push", "campfire", "docker-archive:"+filepath.Join(storage, "campfire.tar")))
	info, err := os.Stat(filepath.Join(storage, "campfire.tar"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the image has %d bytes", info.Size())
	if info.Size() >= 30_000_000 {
		t.Errorf("the image has %d bytes, want less than 30 MB", info.Size())
	}

	container := must(buildah("from", "campfire"))
	root := must(buildah("mount", container))
	defer must(buildah("umount", container))
	var files []string
	_ = filepath.WalkDir(root, func(path string, entry os.DirEntry, _ error) error {
		if !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, root))
		}
		return nil
	})
	if got := strings.Join(files, " "); got != "/campfire /etc/ssl/certs/ca-certificates.crt" {
		t.Errorf("in the image are %s", got)
	}
	port := freePorts(t, 1)[0]
	run := func(args ...string) *exec.Cmd {
		return buildah(append([]string{"run", "--user", "65532:65532", "--env", "CAMPFIRE_ADDR=" + local(port), container, "--"}, args...)...)
	}
	if output, err := run("/campfire", "health").CombinedOutput(); err == nil {
		t.Errorf("before it runs it is well: %s", output)
	}
	server := &process{cmd: run("/campfire"), log: &logbook{}, exited: make(chan struct{})}
	server.cmd.Stdout, server.cmd.Stderr = server.log, server.log
	server.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	server.run(t)
	t.Cleanup(func() { _ = syscall.Kill(-server.cmd.Process.Pid, syscall.SIGKILL) }) // what buildah has started too
	for late := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", local(port)); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(late) {
			t.Fatalf("nobody listens: %s", server.log)
		}
	}
	if got := must(run("/campfire", "health")); got != "up" {
		t.Errorf("it is %q", got)
	}
	res, err := http.Get("http://" + local(port) + "/up?full")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("/up?full: %s", res.Status)
	}
	// What it has written is the unprivileged user's, wherever the engine keeps its volume.
	owners := map[uint32]bool{}
	_ = filepath.WalkDir(storage, func(path string, entry os.DirEntry, _ error) error {
		if entry.Name() == "campfire.db" {
			if info, err := entry.Info(); err == nil {
				owners[info.Sys().(*syscall.Stat_t).Uid] = true
			}
		}
		return nil
	})
	if len(owners) != 1 || !owners[65532] {
		t.Errorf("the database belongs to the users %v, want 65532", owners)
	}
}
