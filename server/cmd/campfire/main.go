// Command campfire is a group chat in one program: it serves the web client, the API and its live events from one data
// folder.
package main

import (
	"cmp"
	"context"
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
	"regexp"
	"strings"
	"syscall"

	"campfire.example/server"
	"campfire.example/store"
	"campfire.example/webclient"
)

// version is set when a release is built: -ldflags "-X main.version=1.0.0".
var version = "0.0.0-dev"

const usage = `Campfire: group chat in one program.

  campfire [serve] [settings]   answer people and bots (this is the default)
  campfire version              print the version
  campfire help                 print this

Settings, each also by the environment variable beside it:
`

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "campfire:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	command := "serve"
	if len(args) > 0 && (!strings.HasPrefix(args[0], "-") || strings.TrimLeft(args[0], "-") == "version") {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		settings, err := readSettings(args)
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return serve(ctx, settings)
	case "version", "--version", "-version":
		fmt.Println(version)
		return nil
	case "help":
		_, err := readSettings([]string{"-help"})
		return err
	default:
		return fmt.Errorf("no such command %q; campfire help lists them", command)
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
		"`networks`, separated by commas, that webhooks may be in though they are not public (CAMPFIRE_OUTBOUND_NETWORKS)")
	flags.StringVar(&origins, "origins", env("CAMPFIRE_ORIGINS", ""),
		"other `origins`, separated by commas, whose pages may call this server (CAMPFIRE_ORIGINS)")
	flags.StringVar(&s.pushSubject, "push-subject", env("CAMPFIRE_PUSH_SUBJECT", ""),
		"`address` that push services may write to about our notifications: mailto: or https:;\nthe account's contact if empty (CAMPFIRE_PUSH_SUBJECT)")
	flags.StringVar(&logFormat, "log", env("CAMPFIRE_LOG", "text"), "`format` of the log: text or json (CAMPFIRE_LOG)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return s, err
	case err != nil:
		return s, fmt.Errorf("%w; campfire help lists the settings", err)
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("cannot use %q; campfire help lists the settings", flags.Arg(0))
	}
	var err error
	if s.proxies, err = networks("trusted-proxies", proxies); err != nil {
		return s, err
	}
	if s.outbound, err = networks("outbound-networks", outbound); err != nil {
		return s, err
	}
	s.origins = list(origins)
	for _, origin := range s.origins {
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			return s, fmt.Errorf("origins: %w", err)
		}
	}
	if !regexp.MustCompile(`^$|^https://.|^mailto:.+@`).MatchString(s.pushSubject) {
		return s, fmt.Errorf("push-subject: %q is neither mailto:someone@example.com nor an https URL", s.pushSubject)
	}
	switch logFormat {
	case "json":
		s.logJSON = true
	case "text":
	default:
		return s, fmt.Errorf("log: must be text or json, not %q", logFormat)
	}
	return s, nil
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
	campfire := server.New(st, server.Config{
		Version: version, Client: webclient.Files(), TrustedProxies: s.proxies, OutboundNetworks: s.outbound,
		Origins: s.origins, PushSubject: s.pushSubject, Log: log,
	})
	log.Info("listening", "address", listener.Addr().String(), "data", s.data, "version", version)
	err = campfire.Serve(ctx, listener)
	log.Info("stopped")
	return err
}
