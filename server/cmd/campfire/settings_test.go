package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// samples are a value for each setting, and one that cannot be meant.
var samples = map[string]struct{ good, wrong string }{
	"addr":                        {"127.0.0.1:9000", "nowhere"},
	"data":                        {"/srv/campfire", ""},
	"url":                         {"https://talk.example.com/", "talk.example.com"},
	"tls-domain":                  {"chat.example.com, Talk.example.com", "192.0.2.1"},
	"tls-email":                   {"ops@example.com", "ops"},
	"acme-directory":              {"https://ca.example.com/dir", "ca.example.com"},
	"tls-cert":                    {"cert.pem", ""},
	"tls-key":                     {"key.pem", ""},
	"http-addr":                   {"off", "80"},
	"trusted-proxies":             {"10.0.0.0/8, ::1/128", "10.0.0.1"},
	"outbound-networks":           {"192.168.0.0/16", "localhost"},
	"origins":                     {"https://a.example https://b.example", "a.example"},
	"push-subject":                {"mailto:ops@example.com", "ops"},
	"max-streams":                 {"9", "0"},
	"max-streams-per-address":     {"8", "many"},
	"backups":                     {"0", "-3"},
	"max-connections":             {"7", "none"},
	"max-connections-per-address": {"6", "0"},
	"metrics-addr":                {"127.0.0.1:9090", "localhost"},
	"log":                         {"json", "xml"},
	"log-level":                   {"warn", "loud"},
	"admin-name":                  {"Olga", ""},
	"admin-email":                 {"olga@example.com", ""},
	"admin-password-file":         {"", "/nowhere/password"},
}

// beside is what has to be set beside a setting for it to make sense.
var beside = map[string][]string{
	"tls-email": {"tls-domain"}, "acme-directory": {"tls-domain"}, "http-addr": {"tls-domain"}, "tls-cert": {"tls-key"}, "tls-key": {"tls-cert"},
	"admin-email": {"admin-password-file"}, "admin-password-file": {"admin-email"},
}

func TestEverySettingIsAFlagAndAVariable(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nothing := must(readSettings(nil))(t)
	for _, d := range new(settings).all() {
		good := func(name string) string {
			if name == "admin-password-file" {
				return password
			}
			return samples[name].good
		}
		t.Run(d.name, func(t *testing.T) {
			var others []string
			for _, name := range beside[d.name] {
				others = append(others, "--"+name, good(name))
			}
			byFlag := must(readSettings(append(others, "--"+d.name, good(d.name))))(t)
			t.Setenv(d.variable(), good(d.name))
			byVariable := must(readSettings(others))(t)
			if !reflect.DeepEqual(byFlag, byVariable) {
				t.Errorf("by flag %+v, by variable %+v", byFlag, byVariable)
			}
			if reflect.DeepEqual(byFlag, nothing) {
				t.Errorf("%q changes nothing", good(d.name))
			}
			wrong := samples[d.name].wrong
			if wrong == "" {
				return
			}
			t.Setenv(d.variable(), wrong)
			wantUsageError(t, nil, d.variable(), wrong)
			t.Setenv(d.variable(), "")
			wantUsageError(t, []string{"--" + d.name, wrong}, "-"+d.name, wrong)
		})
	}
	t.Setenv("CAMPFIRE_BACKUPS", "3")
	if s := must(readSettings([]string{"--backups", "4"}))(t); s.backups != 4 {
		t.Errorf("of a flag and a variable the variable counts: %d", s.backups)
	}
}

// wantUsageError wants one line that says what is wrong.
func wantUsageError(t *testing.T, args []string, says ...string) {
	t.Helper()
	_, err := readSettings(args)
	var wrong usageError
	if err == nil || errors.Is(err, flag.ErrHelp) || !errors.As(err, &wrong) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%q: got %v, want a line about usage", args, err)
		return
	}
	for _, what := range says {
		if !strings.Contains(err.Error(), what) {
			t.Errorf("%q: got %v, want %s named", args, err, what)
		}
	}
}

func TestAMistypedVariableIsTold(t *testing.T) {
	t.Setenv("CAMPFIRE_TLS_DOMIAN", "chat.example.com")
	t.Setenv("CAMPFIRE_TLS_EMAIL", "")
	server := launch(t, build(t), "--addr", "127.0.0.1:0", "--data", t.TempDir())
	if got := server.says(t, `level=WARN msg="no settings, though named so" variables=(\S+)`); got != "[CAMPFIRE_TLS_DOMIAN]" {
		t.Errorf("it names %s", got)
	}
}

func TestSettingsThatDoNotGoTogether(t *testing.T) {
	t.Parallel()
	for _, c := range [][]string{
		{"--tls-domain", "chat.example.com", "--tls-cert", "a", "--tls-key", "b"},
		{"--tls-cert", "a"},
		{"--tls-email", "ops@example.com"},
		{"--http-addr", ":80"},
		{"--http-addr", ":80", "--tls-cert", "a", "--tls-key", "b"},
		{"--url", "http://chat.example.com", "--tls-domain", "chat.example.com"},
		{"--url", "http://chat.example.com", "--tls-cert", "a", "--tls-key", "b", "--http-addr", ":80"},
		{"--admin-email", "olga@example.com"},
		{"now"},
		{"--colour"},
	} {
		wantUsageError(t, c, strings.TrimLeft(c[0], "-"))
	}
}

func TestWhatFollowsFromTheSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args                []string
		address, plain, url string
	}{
		{nil, ":8080", "", ""},
		{[]string{"--url", "https://chat.example.com/"}, ":8080", "", "https://chat.example.com"},
		{[]string{"--tls-domain", "chat.example.com"}, ":443", ":80", "https://chat.example.com"},
		{[]string{"--tls-domain", "chat.example.com,c.example.com", "--addr", ":8443", "--http-addr", "off"}, ":8443", "", "https://chat.example.com:8443"},
		{[]string{"--tls-cert", "a", "--tls-key", "b"}, ":443", "", ""},
	} {
		s := must(readSettings(c.args))(t)
		url := ""
		if s.url != nil {
			url = s.url.String()
		}
		if s.address != c.address || s.plain != c.plain || url != c.url {
			t.Errorf("%q: got %q, %q, %q", c.args, s.address, s.plain, url)
		}
	}
}

// The program itself: help is complete and in columns, and what is wrong is told in one line.
func TestHelpAndUsage(t *testing.T) {
	t.Parallel()
	program := build(t)
	for _, args := range [][]string{{"help"}, {"--help"}, {"serve", "-h"}} {
		cmd := exec.Command(program, args...)
		help := string(must(cmd.Output())(t))
		columns := map[int]bool{}
		for _, d := range new(settings).all() {
			line := regexp.MustCompile(`(?m)^  --` + d.name + ` [A-Z]+ +` + d.variable() + ` .*$`).FindString(help)
			if line == "" || !strings.Contains(line, d.fallback) {
				t.Errorf("%q: --%s is not explained, with its default: %q", args, d.name, line)
			}
			columns[strings.Index(line, "CAMPFIRE_")] = true
		}
		if len(columns) != 1 {
			t.Errorf("%q: the variables begin in the columns %v", args, columns)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"dance"}, `campfire: no such command "dance"; campfire help lists them` + "\n"},
		{[]string{"--log", "xml"}, `campfire: invalid value "xml" for flag -log: neither text nor json; campfire help lists the settings` + "\n"},
		{[]string{"--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"}, "campfire: tls-cert: open /nowhere.pem: no such file or directory\n"},
	} {
		cmd := exec.Command(program, c.args...)
		cmd.Dir = t.TempDir()
		output, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || string(output) != c.want {
			t.Errorf("campfire %s: %v, %q; want exit 2, %q", strings.Join(c.args, " "), err, output, c.want)
		}
		if left := must(os.ReadDir(cmd.Dir))(t); len(left) > 0 {
			t.Errorf("campfire %s leaves %v", strings.Join(c.args, " "), left)
		}
	}
}

func TestTheLogSaysWhereToOpenIt(t *testing.T) {
	t.Parallel()
	program := build(t)
	server := launch(t, program, "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--log", "json", "--log-level", "info")
	address := server.says(t, `"msg":"listening","address":"([^"]+)"`)
	if url := server.says(t, `"url":"([^"]+)"`); url != "http://"+address {
		t.Errorf("it says %s and listens at %s", url, address)
	}
	quiet := launch(t, program, "--addr", address, "--data", t.TempDir(), "--log-level", "error")
	<-quiet.exited
	if got := quiet.log.String(); !strings.HasPrefix(got, "campfire: listen tcp "+address) || strings.Count(got, "\n") != 1 {
		t.Errorf("an address that is taken: %q", got)
	}
	if out := must(campfireDoes(t, "health", "--addr", address))(t); out != "up\n" {
		t.Errorf("campfire health: %q", out)
	}
	if _, err := campfireDoes(t, "health", "--addr", local(freePorts(t, 1)[0])); err == nil {
		t.Error("nobody is up")
	}
}
