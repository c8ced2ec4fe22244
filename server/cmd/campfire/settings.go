package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"campfire.example/server"
	"campfire.example/store"
)

const usage = `Campfire: group chat in one program.

  campfire [serve] [settings]       answer people and bots (this is the default)
  campfire backup FILE              copy the database to FILE, also while a server runs
  campfire restore FILE             put FILE in the database's place, and keep the old one beside it
  campfire check [--repair]         examine the database; build a stale search index anew
  campfire reset-password ADDRESS   give the person of an email address a new password, and print it
  campfire health [settings]        ask the server that runs with these settings whether it is up
  campfire version                  print the version
  campfire help                     print this

Settings, each also by the environment variable beside it; the flag wins. backup, restore, check and reset-password take
--data only.

`

// usageError is a command line that cannot be carried out.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// settings are what the operator decides.
type settings struct {
	address     string
	data        string
	url         *url.URL // where people open it; nil if that is not known
	domains     []string
	email       string
	directory   string
	certificate string // a file
	key         string // its file
	plain       string // the address that leads from http to https; empty for none
	proxies     []netip.Prefix
	outbound    []netip.Prefix
	origins     []string
	pushSubject string
	streams     server.StreamLimits
	connections server.ConnectionLimits
	backups     int
	metrics     string // an address
	logFormat   string
	logLevel    slog.Level
	admin       store.Person
}

// setting is one of them on the command line and in the environment.
type setting struct {
	name, operand string
	fallback      string
	help          string
	set           func(string) error
}

// variable is the setting's name in the environment.
func (d setting) variable() string {
	return "CAMPFIRE_" + strings.ToUpper(strings.ReplaceAll(d.name, "-", "_"))
}

func (s *settings) all() []setting {
	return []setting{
		{"addr", "ADDRESS", "", "where to listen (:8080; with TLS :443)", endpoint(&s.address)},
		{"data", "FOLDER", "./data", "for the database, its backups and issued certificates", text(&s.data)},
		{"url", "URL", "", "where people open it, if not as --addr or --tls-domain say", publicURL(&s.url)},
		{"tls-domain", "NAMES", "", "have certificates issued for these, and serve by TLS", domains(&s.domains)},
		{"tls-email", "ADDRESS", "", "whom the issuer of certificates may write to", matching(&s.email, `.+@.+`, "no email address")},
		{"acme-directory", "URL", "", "of another issuer (Let's Encrypt)", matching(&s.directory, `https?://.+`, "no URL")},
		{"tls-cert", "FILE", "", "serve by TLS with this certificate and its chain, taken up anew when it changes", text(&s.certificate)},
		{"tls-key", "FILE", "", "its key", text(&s.key)},
		{"http-addr", "ADDRESS", "", "where http is led to https (:80 with --tls-domain); off for nowhere", endpointOrOff(&s.plain)},
		{"trusted-proxies", "NETWORKS", "", "whose X-Forwarded-For and X-Forwarded-Proto count, as 10.0.0.0/8", networks(&s.proxies)},
		{"outbound-networks", "NETWORKS", "", "private ones that webhooks and push services may be in", networks(&s.outbound)},
		{"origins", "ORIGINS", "", "others whose pages may call this server, as https://example.com", origins(&s.origins)},
		{"push-subject", "ADDRESS", "", "whom push services may write to, mailto: or https: (the account's contact)", matching(
			&s.pushSubject, `https://.+|mailto:.+@.+`, "neither mailto:someone@example.com nor an https URL")},
		{"max-streams", "NUMBER", "20000", "at most so many live streams in all", number(&s.streams.InAll, 1)},
		{"max-streams-per-address", "NUMBER", "2000", "at most so many from one network address, as of a whole office", number(&s.streams.PerAddress, 1)},
		{"max-connections", "NUMBER", "30000", "at most so many connections in all", number(&s.connections.InAll, 1)},
		{"max-connections-per-address", "NUMBER", "3000", "at most so many from one network address that is no trusted proxy", number(
			&s.connections.PerAddress, 1)},
		{"backups", "NUMBER", "7", "so many daily backups are kept in the data folder; 0 for none", number(&s.backups, 0)},
		{"metrics-addr", "ADDRESS", "", "for Prometheus and Go's profiles, for you alone, as 127.0.0.1:9090", endpoint(&s.metrics)},
		{"log", "FORMAT", "text", "text or json", matching(&s.logFormat, `text|json`, "neither text nor json")},
		{"log-level", "LEVEL", "info", "debug, info, warn or error", level(&s.logLevel)},
		{"admin-name", "NAME", "Administrator", "of whom an unattended first run makes the administrator", text(&s.admin.Name)},
		{"admin-email", "ADDRESS", "", "theirs", text(&s.admin.EmailAddress)},
		{"admin-password-file", "FILE", "", "the file with their password; or CAMPFIRE_ADMIN_PASSWORD", secret(&s.admin.Password)},
	}
}

// readSettings reads what the operator has decided, by flags first, then by the environment.
func readSettings(args []string) (settings, error) {
	s := settings{admin: store.Person{Password: os.Getenv("CAMPFIRE_ADMIN_PASSWORD")}}
	flags := flag.NewFlagSet("campfire", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error, help the usage
	for _, d := range s.all() {
		if err := d.read(d.fallback); err != nil {
			return s, err
		}
		flags.Func(d.name, "", d.set)
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return s, err
	case err != nil:
		return s, usagef("%w; campfire help lists the settings", err)
	case flags.NArg() > 0:
		return s, usagef("cannot use %q; campfire help lists the settings", flags.Arg(0))
	}
	return s, s.complete()
}

// read takes the setting's value from the environment, or the fallback. Empty, as compose files leave it, is not set.
func (d setting) read(fallback string) error {
	value := cmp.Or(os.Getenv(d.variable()), fallback)
	if value == "" {
		return nil
	}
	if err := d.set(value); err != nil {
		return usagef("%s: %q is %w", d.variable(), value, err)
	}
	return nil
}

// unknownVariables are those that look like settings and are none: perhaps mistyped.
func unknownVariables(environment []string) (unknown []string) {
	known := map[string]bool{"CAMPFIRE_ADMIN_PASSWORD": true}
	for _, d := range new(settings).all() {
		known[d.variable()] = true
	}
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "CAMPFIRE_") && !known[name] && value != "" {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// complete adds what follows from the settings, and refuses what does not go together.
func (s *settings) complete() error {
	issued, files := len(s.domains) > 0, s.certificate != "" || s.key != ""
	switch {
	case issued && files:
		return usagef("tls-domain has certificates issued, tls-cert takes one from a file: set one of them")
	case (s.certificate == "") != (s.key == ""):
		return usagef("tls-cert and tls-key go together")
	case !issued && (s.email != "" || s.directory != ""):
		return usagef("tls-email and acme-directory go with tls-domain")
	case !issued && !files && s.plain != "":
		return usagef("http-addr goes with tls-domain or tls-cert; without them, set addr")
	case files && s.plain != "" && s.plain != off && s.url == nil:
		return usagef("http-addr leads to the pages: set url to say where they are")
	case s.tls() && s.url != nil && s.url.Scheme != "https":
		return usagef("url: %q is no https address, though people come by TLS", s.url)
	case (s.admin.EmailAddress == "") != (s.admin.Password == ""):
		return usagef("admin-email and admin-password-file (or CAMPFIRE_ADMIN_PASSWORD) go together")
	}
	if issued && s.plain == "" {
		s.plain = ":80"
	}
	if s.plain == off {
		s.plain = ""
	}
	if s.address == "" {
		s.address = ":8080"
		if s.tls() {
			s.address = ":443"
		}
	}
	if issued && s.url == nil {
		s.url = &url.URL{Scheme: "https", Host: s.domains[0]}
		if _, port, _ := net.SplitHostPort(s.address); port != "443" && port != "https" {
			s.url.Host += ":" + port
		}
	}
	return nil
}

// off is an address that is none.
const off = "off"

// tls tells whether the server is to speak it.
func (s *settings) tls() bool { return len(s.domains) > 0 || s.certificate != "" }

// printHelp lists the commands and every setting.
func printHelp(out io.Writer) {
	fmt.Fprint(out, usage)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range new(settings).all() {
		help := d.help
		if d.fallback != "" {
			help += " (" + d.fallback + ")"
		}
		fmt.Fprintf(table, "  --%s %s\t%s\t%s\n", d.name, d.operand, d.variable(), help)
	}
	_ = table.Flush()
	fmt.Fprint(out, "\nLists are separated by commas. Certificates of another issuer's directory are checked against the system's\n"+
		"authorities, or against those in the file that SSL_CERT_FILE names.\n")
}

// What a setting's text becomes. Each error completes the sentence "it is …".

func text(to *string) func(string) error {
	return func(text string) error {
		*to = text
		return nil
	}
}

func matching(to *string, pattern, otherwise string) func(string) error {
	whole := regexp.MustCompile(`^(` + pattern + `)$`)
	return func(text string) error {
		*to = text
		if !whole.MatchString(text) {
			return errors.New(otherwise)
		}
		return nil
	}
}

func number(to *int, least int) func(string) error {
	return func(text string) (err error) {
		if *to, err = strconv.Atoi(text); err != nil || *to < least {
			return fmt.Errorf("no number, %d or more", least)
		}
		return nil
	}
}

func level(to *slog.Level) func(string) error {
	names := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return func(text string) error {
		known := false
		if *to, known = names[text]; !known {
			return errors.New("none of debug, info, warn and error")
		}
		return nil
	}
}

func endpoint(to *string) func(string) error {
	return func(text string) error {
		*to = text
		_, port, err := net.SplitHostPort(text)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		if err != nil {
			return errors.New("no address to listen on, as :8080 or 127.0.0.1:8080")
		}
		return nil
	}
}

func endpointOrOff(to *string) func(string) error {
	return func(text string) error {
		if *to = text; text == off {
			return nil
		}
		return endpoint(to)(text)
	}
}

func publicURL(to **url.URL) func(string) error {
	return func(text string) (err error) {
		*to, err = url.Parse(strings.TrimSuffix(text, "/"))
		if err != nil || !slices.Contains([]string{"http", "https"}, (*to).Scheme) || (*to).Host == "" ||
			(*to).String() != (*to).Scheme+"://"+(*to).Host {
			return errors.New("no address of a whole site, as https://chat.example.com")
		}
		return nil
	}
}

func domains(to *[]string) func(string) error {
	name := regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`)
	return func(text string) error {
		*to = list(strings.ToLower(text))
		if len(*to) == 0 || slices.ContainsFunc(*to, func(domain string) bool { return !name.MatchString(domain) }) {
			return errors.New("no name in the DNS, as chat.example.com (of other letters, its form with xn--)")
		}
		return nil
	}
}

func networks(to *[]netip.Prefix) func(string) error {
	return func(text string) error {
		*to = nil
		for _, text := range list(text) {
			network, err := netip.ParsePrefix(text)
			if err != nil {
				return errors.New("no list of networks, as 10.0.0.0/8")
			}
			*to = append(*to, network)
		}
		return nil
	}
}

func origins(to *[]string) func(string) error {
	return func(text string) error {
		*to = list(text)
		for _, origin := range *to {
			if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
				return fmt.Errorf("no list of origins: %w", err)
			}
		}
		return nil
	}
}

// secret reads a file of one line.
func secret(to *string) func(string) error {
	return func(file string) error {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("not to be read: %w", err)
		}
		*to = strings.TrimRight(string(content), "\r\n")
		return nil
	}
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}
