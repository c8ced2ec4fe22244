//go:build linux

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var manual = flag.Bool("manual", false, "run every command of docs/operations.md, as root in a sandbox; make test-manual")

// inSandbox runs a script as root on a machine of its own: a copy of this one's files that forgets what is written, a network
// that leads nowhere, in which the name of the manual is this machine. What cannot be there is put beside it: systemd, for
// which Debian's systemctl stands in, and Let's Encrypt, for which Pebble does.
const inSandbox = `set -eu
sandbox=$1 script=$2
mount -t tmpfs tmpfs "$sandbox"
mkdir "$sandbox/upper" "$sandbox/work" "$sandbox/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$sandbox/upper",workdir="$sandbox/work" "$sandbox/root"
root=$sandbox/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
cp -r "$sandbox.files" "$root/manual"
ip link set lo up || true
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
printf '127.0.0.1 localhost chat.example.com\n' > "$root/etc/hosts"
cp "$root/manual/systemctl" "$root/usr/bin/systemctl"
exec chroot "$root" /bin/bash "/manual/$script"
`

func TestTheManual(t *testing.T) {
	if !*manual {
		t.Skip("needs root and a while: make test-manual")
	}
	litestream := must(exec.LookPath("litestream"))(t)
	text := string(must(os.ReadFile("../../../docs/operations.md"))(t))
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(text, -1)
	if len(blocks) < 10 {
		t.Fatalf("the manual has %d blocks of commands", len(blocks))
	}
	sandbox := filepath.Join(openTempDir(t), "sandbox")
	files := sandbox + ".files"
	for _, folder := range []string{sandbox, files} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(files, "campfire-1.0.0-linux-amd64")
	for from, to := range map[string]string{
		build(t): program, litestream: filepath.Join(files, "litestream"), install(t, pebble): filepath.Join(files, "pebble"),
		"../../../docs/litestream.yml": filepath.Join(files, "litestream.yml"), os.Getenv("SYSTEMCTL"): filepath.Join(files, "systemctl"),
	} {
		if err := os.WriteFile(to, must(os.ReadFile(from))(t), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sums := string(must(exec.Command("sha256sum", program).Output())(t))
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(files, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("SHA256SUMS", strings.ReplaceAll(sums, files+"/", ""))
	writeCertificate(t, filepath.Join(files, "issuer.pem"), filepath.Join(files, "issuer.key"), "localhost")
	write("pebble.json", `{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
		"certificate": "/manual/issuer.pem", "privateKey": "/manual/issuer.key", "tlsPort": 443, "httpPort": 80}}`)
	// Beside what is printed: who issues certificates in the sandbox, and who is trusted there.
	write("service.conf", "[Service]\nEnvironment=CAMPFIRE_ACME_DIRECTORY=https://127.0.0.1:14000/dir\nEnvironment=SSL_CERT_FILE=/manual/issuer.pem\n")
	var script strings.Builder
	script.WriteString(`set -eu
trap 'code=$?; [ $code = 0 ] || tail -n 20 /var/log/journal/campfire*.log /manual/pebble.log; exit $code' EXIT
cd /manual
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin CURL_CA_BUNDLE=/manual/trusted.pem
PEBBLE_VA_NOSLEEP=1 ./pebble -config pebble.json > pebble.log 2>&1 &
until curl -sS --cacert issuer.pem https://127.0.0.1:15000/roots/0 > trusted.pem 2>/dev/null; do sleep 0.1; done
chmod 644 issuer.pem
mkdir -p /etc/systemd/system/campfire.service.d
cp service.conf /etc/systemd/system/campfire.service.d/issuer.conf
`)
	for i, block := range blocks {
		fmt.Fprintf(&script, "echo '=== block %d'\nset -x\n%s{ set +x; } 2>/dev/null\n", i+1, block[1])
	}
	script.WriteString("echo '=== the end'\n")
	write("script", script.String())
	sandboxed := filepath.Join(files, "sandbox")
	write("sandbox", inSandbox)
	cmd := exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", sandboxed, sandbox, "script")
	output := &logbook{}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(output, os.Stderr), io.MultiWriter(output, os.Stderr)
	began := time.Now()
	if err := cmd.Run(); err != nil || !strings.Contains(output.String(), "=== the end") {
		t.Fatalf("the manual does not work: %v", err)
	}
	t.Logf("%d blocks of commands, in %v", len(blocks), time.Since(began).Round(time.Second))
	for _, want := range []string{
		"campfire-1.0.0-linux-amd64: OK", "location: https://chat.example.com/", "backed up to /srv/backups/before-the-change.db",
		"the database is sound", "restored from /srv/backups/before-the-change.db", "restored from /srv/restored.db", "campfire_streams_open",
		"restored from /srv/backups/before-the-upgrade.db", "Olga's new password is",
	} {
		if !strings.Contains(strings.ToLower(output.String()), strings.ToLower(want)) {
			t.Errorf("it does not say %q", want)
		}
	}
}
