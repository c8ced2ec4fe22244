// Command campfire is a group chat in one program: it serves the web client, the API and its live events from one data
// folder.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"campfire.example/server"
	"campfire.example/store"
	"campfire.example/webclient"
)

// version is set when a release is built: -ldflags "-X main.version=1.0.0".
var version = "0.0.0-dev"

const usage = `Campfire: group chat in one program.

  campfire [serve] [settings]       answer people and bots (this is the default)
  campfire backup FILE              copy the database to FILE, also while a server runs
  campfire restore FILE             put FILE in the database's place, and keep the old one beside it
  campfire check [--repair]         examine the database; build a stale search index anew
  campfire reset-password ADDRESS   give the person of an email address a new password, and print it
  campfire version                  print the version
  campfire help                     print this

Settings, each also by the environment variable beside it. Of the commands but serve, each takes --data only.

`

// usageError is a command line that cannot be carried out.
type usageError struct{ error }

func main() {
	err := run(os.Args[1:], os.Stdout)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "campfire:", err)
	if wrong := new(usageError); errors.As(err, wrong) {
		os.Exit(2)
	}
	os.Exit(1)
}

func run(args []string, out io.Writer) error {
	command := "serve"
	if len(args) > 0 && (!strings.HasPrefix(args[0], "-") || strings.TrimLeft(args[0], "-") == "version") {
		command, args = args[0], args[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch command {
	case "serve":
		settings, err := readSettings(args)
		if err != nil {
			return err
		}
		return serve(ctx, settings)
	case "backup":
		return backup(ctx, args, out)
	case "restore":
		return restore(ctx, args, out)
	case "check":
		return check(ctx, args, out)
	case "reset-password":
		return resetPassword(ctx, args, out)
	case "version", "--version", "-version":
		fmt.Fprintln(out, version)
		return nil
	case "help":
		_, err := readSettings([]string{"-help"})
		return err
	default:
		return usageError{fmt.Errorf("no such command %q; campfire help lists them", command)}
	}
}

// settings are what the operator decides.
type settings struct {
	address     string
	data        string
	proxies     []netip.Prefix
	outbound    []netip.Prefix
	origins     []string
	logJSON     bool
	pushSubject string
	backups     int
	metrics     string // an address
	admin       store.Person
}

func readSettings(args []string) (settings, error) {
	var s settings
	var logFormat, proxies, outbound, origins string
	flags := flag.NewFlagSet("campfire", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error, help the usage
	flags.StringVar(&s.address, "addr", env("CAMPFIRE_ADDR", ":8080"), "`address` to listen on (CAMPFIRE_ADDR)")
	flags.StringVar(&s.data, "data", env("CAMPFIRE_DATA", "./data"), "`folder` for the database (CAMPFIRE_DATA)")
	flags.StringVar(&proxies, "trusted-proxies", env("CAMPFIRE_TRUSTED_PROXIES", ""),
		"`networks`, separated by commas, whose X-Forwarded-For counts (CAMPFIRE_TRUSTED_PROXIES)")
	flags.StringVar(&outbound, "outbound-networks", env("CAMPFIRE_OUTBOUND_NETWORKS", ""),
		"`networks`, separated by commas, that webhooks and push services may be in though they are not public\n(CAMPFIRE_OUTBOUND_NETWORKS)")
	flags.StringVar(&origins, "origins", env("CAMPFIRE_ORIGINS", ""),
		"other `origins`, separated by commas, whose pages may call this server (CAMPFIRE_ORIGINS)")
	flags.StringVar(&s.pushSubject, "push-subject", env("CAMPFIRE_PUSH_SUBJECT", ""),
		"`address` that push services may write to about our notifications: mailto: or https:;\nthe account's contact if empty (CAMPFIRE_PUSH_SUBJECT)")
	flags.IntVar(&s.backups, "backups", envInt("CAMPFIRE_BACKUPS", 7),
		"`how many` daily backups to keep in the data folder; 0 for none (CAMPFIRE_BACKUPS)")
	flags.StringVar(&s.metrics, "metrics-addr", env("CAMPFIRE_METRICS_ADDR", ""),
		"`address` for Prometheus metrics and profiles, for the operator alone, as 127.0.0.1:9090; none if empty (CAMPFIRE_METRICS_ADDR)")
	flags.StringVar(&logFormat, "log", env("CAMPFIRE_LOG", "text"), "`format` of the log: text or json (CAMPFIRE_LOG)")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return s, err
	case err != nil:
		return s, usagef("%w; campfire help lists the settings", err)
	}
	if flags.NArg() > 0 {
		return s, usagef("cannot use %q; campfire help lists the settings", flags.Arg(0))
	}
	if s.proxies, err = networks("trusted-proxies", proxies); err != nil {
		return s, err
	}
	if s.outbound, err = networks("outbound-networks", outbound); err != nil {
		return s, err
	}
	s.origins = list(origins)
	for _, origin := range s.origins {
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			return s, usagef("origins: %w", err)
		}
	}
	if !regexp.MustCompile(`^$|^https://.|^mailto:.+@`).MatchString(s.pushSubject) {
		return s, usagef("push-subject: %q is neither mailto:someone@example.com nor an https URL", s.pushSubject)
	}
	if s.backups < 0 {
		return s, usagef("backups: must be a number, 0 or more")
	}
	if s.admin, err = readAdministrator(); err != nil {
		return s, err
	}
	switch logFormat {
	case "json":
		s.logJSON = true
	case "text":
	default:
		return s, usagef("log: must be text or json, not %q", logFormat)
	}
	return s, nil
}

// readAdministrator reads whom an unattended first run makes the administrator.
func readAdministrator() (store.Person, error) {
	p := store.Person{
		Name: env("CAMPFIRE_ADMIN_NAME", "Administrator"), EmailAddress: env("CAMPFIRE_ADMIN_EMAIL", ""), Password: env("CAMPFIRE_ADMIN_PASSWORD", ""),
	}
	if file := env("CAMPFIRE_ADMIN_PASSWORD_FILE", ""); file != "" {
		password, err := os.ReadFile(file)
		if err != nil {
			return store.Person{}, usagef("CAMPFIRE_ADMIN_PASSWORD_FILE: %w", err)
		}
		p.Password = strings.TrimRight(string(password), "\r\n")
	}
	if (p.EmailAddress == "") != (p.Password == "") {
		return store.Person{}, usagef("CAMPFIRE_ADMIN_EMAIL and CAMPFIRE_ADMIN_PASSWORD go together")
	}
	return p, nil
}

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// envInt answers -1 for what is no number, which no setting allows.
func envInt(name string, otherwise int) int {
	text := env(name, strconv.Itoa(otherwise))
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return -1
}

func env(name, otherwise string) string {
	return cmp.Or(os.Getenv(name), otherwise) // empty, as compose files leave it, is not set
}

func networks(setting, text string) (networks []netip.Prefix, err error) {
	for _, text := range list(text) {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no network, as 10.0.0.0/8", setting, text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func serve(ctx context.Context, s settings) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if s.logJSON {
		log = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	listener, err := net.Listen("tcp", s.address) // before anything is written
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, s.data, store.Options{})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if s.admin.EmailAddress != "" {
		if _, _, err := st.SetUp(ctx, s.admin, store.Device{}); err != nil && !errors.Is(err, store.ErrConflict) {
			return errors.Join(fmt.Errorf("first run: %w", err), listener.Close())
		}
	}
	if s.backups > 0 {
		var backingUp sync.WaitGroup
		defer backingUp.Wait()
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		backingUp.Go(func() { backUpDaily(ctx, log, s) })
	}
	campfire := server.New(st, server.Config{
		Version: version, Client: webclient.Files(), TrustedProxies: s.proxies, OutboundNetworks: s.outbound,
		Origins: s.origins, PushSubject: s.pushSubject, Log: log,
	})
	if s.metrics != "" {
		operators, err := net.Listen("tcp", s.metrics)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		metrics := &http.Server{Handler: campfire.Metrics(), ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = metrics.Serve(operators) }() // until it is closed
		defer func() { err = errors.Join(err, metrics.Close()) }()
		log.Info("metrics", "address", operators.Addr().String())
	}
	log.Info("listening", "address", listener.Addr().String(), "data", s.data, "version", version)
	err = campfire.Serve(ctx, listener)
	log.Info("stopped")
	return err
}

// backUpDaily makes a backup now and then, until ctx ends. It looks each hour, so that a machine that sleeps at night has
// one nevertheless.
func backUpDaily(ctx context.Context, log *slog.Logger, s settings) {
	for {
		made, err := store.BackUpDaily(ctx, s.data, s.backups, time.Now())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("backup failed", "error", err)
		case made != "":
			log.Info("backed up", "file", made)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

// readOperands reads the data folder and the operands of a command, whose names are for its error.
func readOperands(flags *flag.FlagSet, args []string, names ...string) (data string, operands []string, err error) {
	flags.SetOutput(io.Discard)
	flags.StringVar(&data, "data", env("CAMPFIRE_DATA", "./data"), "")
	if err := flags.Parse(args); err != nil {
		return "", nil, usageError{err}
	}
	if flags.NArg() != len(names) {
		return "", nil, usagef("usage: campfire %s", strings.Join(append([]string{flags.Name(), "[--data FOLDER]"}, names...), " "))
	}
	return data, flags.Args(), nil
}

func backup(ctx context.Context, args []string, out io.Writer) error {
	data, operands, err := readOperands(flag.NewFlagSet("backup", flag.ContinueOnError), args, "FILE")
	if err != nil {
		return err
	}
	if err := store.Backup(ctx, data, operands[0]); err != nil {
		return err
	}
	fmt.Fprintln(out, "backed up to", operands[0])
	return nil
}

func restore(ctx context.Context, args []string, out io.Writer) error {
	data, operands, err := readOperands(flag.NewFlagSet("restore", flag.ContinueOnError), args, "FILE")
	if err != nil {
		return err
	}
	kept, err := store.Restore(ctx, data, operands[0])
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "restored from", operands[0])
	if kept != "" {
		fmt.Fprintln(out, "the database that was there is kept as", kept)
	}
	return nil
}

func check(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	repair := flags.Bool("repair", false, "")
	data, _, err := readOperands(flags, args)
	if err != nil {
		return err
	}
	report, err := store.Check(ctx, data, *repair)
	if err != nil {
		return err
	}
	for _, problem := range report.Problems {
		fmt.Fprintln(out, problem)
	}
	switch {
	case len(report.Problems) > 0:
		return errors.New("the database is damaged; campfire restore FILE brings back a backup")
	case report.Stale && !*repair:
		return errors.New("the search index is not in step with the messages; campfire check --repair builds it anew, with the server stopped")
	case report.Stale:
		fmt.Fprintln(out, "the search index was built anew")
	}
	fmt.Fprintf(out, "the database is sound: %d messages, %d bytes\n", report.Messages, report.Bytes)
	return nil
}

func resetPassword(ctx context.Context, args []string, out io.Writer) (err error) {
	data, operands, err := readOperands(flag.NewFlagSet("reset-password", flag.ContinueOnError), args, "ADDRESS")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(data, store.FileName)); err != nil {
		return fmt.Errorf("no database: %w", err)
	}
	st, err := store.Open(ctx, data, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	password := rand.Text()
	u, err := st.ResetPassword(ctx, operands[0], password)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s's new password is %s\n", u.Name, password)
	return nil
}
