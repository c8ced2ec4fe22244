package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const (
	maxRedirects       = 3
	connectTimeout     = 7 * time.Second
	maxOutboundHeaders = 64 << 10
)

// errNotPublic: the address is not one of the public internet, and the operator has not allowed it.
var errNotPublic = errors.New("not a public address")

// guard keeps requests that leave the house away from what is inside, or should not be there at all.
type guard struct {
	allowed []netip.Prefix // by the operator, though they are not public
	public  *ssrf.Guardian // knows the registries of special addresses
}

func newGuard(allowed []netip.Prefix) *guard {
	return &guard{allowed: allowed, public: ssrf.New(
		ssrf.WithAnyPort(),
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32")), // a cloud's own, for its machines
	)}
}

// check answers errNotPublic for an address that must not be reached.
func (g *guard) check(address netip.Addr) error {
	for _, network := range g.allowed {
		if network.Contains(address) {
			return nil
		}
	}
	checked := address
	if ssrf.IPv6NAT64Prefix.Contains(address) { // leads to the IPv4 address at its end
		bytes := address.As16()
		checked = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !address.IsValid() || g.public.SafeAddr(checked) != nil {
		return fmt.Errorf("%s is %w", address, errNotPublic)
	}
	return nil
}

// control checks an address at the last moment: when its name has been resolved, and is about to be dialled. Whatever a
// name server answers before or after that does not matter.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s is %w", address, errNotPublic)
	}
	return g.check(to.Addr())
}

// oddAddress is a host name that some programs take for an IPv4 address: it ends in a number.
var oddAddress = regexp.MustCompile(`(?:^|\.)(?:[0-9]+|0[Xx][0-9A-Fa-f]*)$`)

// checkRequest checks what can be known of a request before its host is resolved.
func (g *guard) checkRequest(r *http.Request) error {
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return fmt.Errorf("%s: no scheme of the web", r.URL.Scheme)
	}
	host := strings.TrimSuffix(r.URL.Hostname(), ".")
	if address, err := netip.ParseAddr(host); err == nil {
		return g.check(address)
	}
	if oddAddress.MatchString(host) || host == "" {
		return fmt.Errorf("%q is %w", host, errNotPublic)
	}
	return nil
}

// guarded checks each request of a client, also those that a redirect asks for.
type guarded struct {
	*guard
	http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.checkRequest(r); err != nil {
		return nil, err
	}
	return t.RoundTripper.RoundTrip(r)
}

// dialer connects where the guard lets it.
func (g *guard) dialer(resolver *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, Resolver: resolver, Control: g.control}
}

// client is for every request that leaves the house. Its requests need a context with a deadline, its answers a reader
// with a bound. It knows no proxy, which would dial in its stead.
func (g *guard) client(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: guarded{g, &http.Transport{
			DialContext:            dial,
			TLSHandshakeTimeout:    connectTimeout,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: maxOutboundHeaders,
			MaxIdleConns:           32,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		}},
		CheckRedirect: followFew,
	}
}

// followFew follows a few redirects, and only such as ask for the same request again: no POST becomes a GET. What was
// sent in secret is not sent again in the open.
func followFew(r *http.Request, before []*http.Request) error {
	last := before[len(before)-1]
	switch {
	case r.Method != last.Method:
		return http.ErrUseLastResponse
	case last.URL.Scheme == "https" && r.URL.Scheme != "https":
		return errors.New("it redirects from https to http")
	case len(before) > maxRedirects:
		return fmt.Errorf("it redirects more than %d times", maxRedirects)
	}
	return nil
}
