// Command campfire is a group chat in one program: it serves the web client, the API and its live events from one data
// folder.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
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
	"runtime"
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

// ballast is memory that is never touched, so that the system never gives it. The collector counts it as live and so comes
// when some 40 MB are used instead of 15: a small office needs 10 MB more, and what it asks for costs a tenth less.
var ballast = make([]byte, 16<<20)

func main() {
	defer runtime.KeepAlive(ballast)
	err := run(os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) { // asked for by a flag
		printHelp(os.Stdout)
		return
	}
	if err == nil {
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
	case "health":
		settings, err := readSettings(args)
		if err != nil {
			return err
		}
		return health(ctx, settings, out)
	case "help":
		printHelp(out)
		return nil
	default:
		return usageError{fmt.Errorf("no such command %q; campfire help lists them", command)}
	}
}

func serve(ctx context.Context, s settings) (err error) {
	options := &slog.HandlerOptions{Level: s.logLevel}
	log := slog.New(slog.NewTextHandler(os.Stderr, options))
	if s.logFormat == "json" {
		log = slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	if unknown := unknownVariables(os.Environ()); len(unknown) > 0 {
		log.Warn("no settings, though named so", "variables", unknown)
	}
	var certificates server.Certificates
	switch {
	case len(s.domains) > 0:
		certificates = server.IssuedCertificates(server.Issuance{
			Domains: s.domains, Email: s.email, Directory: s.directory, Folder: filepath.Join(s.data, "certificates"), Log: log,
		})
	case s.certificate != "":
		if certificates, err = server.CertificateFiles(s.certificate, s.key, log); err != nil {
			return usagef("tls-cert: %w", err)
		}
	}
	listeners, err := listenOn(s.address, s.plain, s.metrics) // before anything is written
	if err != nil {
		return err
	}
	defer listeners.close() // those that are not served
	st, err := store.Open(ctx, s.data, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if s.admin.EmailAddress != "" {
		if _, _, err := st.SetUp(ctx, s.admin, store.Device{}); err != nil && !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("first run: %w", err)
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	examined := make(chan error, 1)
	go func() {
		err := st.Examine(ctx)
		if ctx.Err() != nil {
			err = nil // it was not finished
		}
		if err != nil {
			stop() // a damaged database is not used any longer
		}
		examined <- err
	}()
	if s.backups > 0 {
		var backingUp sync.WaitGroup
		defer backingUp.Wait()
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		backingUp.Go(func() { backUpDaily(ctx, log, s) })
	}
	campfire := server.New(st, server.Config{
		Version: version, Client: webclient.Files(), URL: s.url, TrustedProxies: s.proxies, OutboundNetworks: s.outbound,
		Origins: s.origins, PushSubject: s.pushSubject, Streams: s.streams, Connections: s.connections, Log: log,
	})
	people, plain, operators := listeners[0], listeners[1], listeners[2]
	if operators != nil {
		metrics := &http.Server{Handler: campfire.Metrics(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
		go func() { _ = metrics.Serve(operators) }() // until it is closed
		defer func() { err = errors.Join(err, metrics.Close()) }()
		log.Info("metrics", "address", operators.Addr().String())
	}
	log.Info("listening", "address", people.Addr().String(), "url", s.whereToOpen(people.Addr()), "data", s.data, "version", version)
	if certificates != nil {
		err = campfire.ServeTLS(ctx, people, plain, certificates)
	} else {
		err = campfire.Serve(ctx, people)
	}
	log.Info("stopped")
	stop()
	return errors.Join(err, <-examined)
}

type listeners []net.Listener

// listenOn listens on each address; where it is empty there is nil.
func listenOn(addresses ...string) (listeners, error) {
	var all listeners
	for _, address := range addresses {
		if address == "" {
			all = append(all, nil)
			continue
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, listener)
	}
	return all, nil
}

func (all listeners) close() {
	for _, listener := range all {
		if listener != nil {
			_ = listener.Close() // it may be closed already
		}
	}
}

// whereToOpen is an address for a browser: what the operator says, or this machine.
func (s *settings) whereToOpen(listening net.Addr) string {
	if s.url != nil {
		return s.url.String()
	}
	here := listening.(*net.TCPAddr)
	host := "localhost"
	if !here.IP.IsUnspecified() {
		host = here.IP.String()
	}
	scheme := "http"
	if s.tls() {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(here.Port))
}

// health asks the server that runs with the same settings, here, whether it is up. A container has nothing else to ask it.
func health(ctx context.Context, s settings, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme, client := "http://", &http.Client{}
	if s.tls() {
		asked := &tls.Config{InsecureSkipVerify: true} // it asks itself: whether others trust the certificate is theirs to say
		if len(s.domains) > 0 {
			asked.ServerName = s.domains[0]
		}
		scheme, client.Transport = "https://", &http.Transport{TLSClientConfig: asked}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+net.JoinHostPort(host, port)+"/up", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not up: %s", strings.TrimSpace(string(answer)))
	}
	fmt.Fprint(out, string(answer))
	return nil
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
	flags.StringVar(&data, "data", cmp.Or(os.Getenv("CAMPFIRE_DATA"), "./data"), "")
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
