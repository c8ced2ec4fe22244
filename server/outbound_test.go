package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// addresses are those that requests must and must not reach, by the acceptance list they prove and beyond it.
var addresses = []struct {
	what             string
	blocked, allowed []string
}{
	{what: "this network", blocked: []string{"0.0.0.0", "0.0.0.1", "0.255.255.255"}, allowed: []string{"1.0.0.0", "1.1.1.1"}},
	{what: "loopback", blocked: []string{"127.0.0.0", "127.0.0.1", "127.1.2.3", "127.255.255.255"}, allowed: []string{"126.255.255.255", "128.0.0.0"}},
	{
		what: "private",
		blocked: []string{
			"10.0.0.0", "10.0.0.5", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255",
		},
		allowed: []string{"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"},
	},
	{
		what: "link-local and metadata", blocked: []string{"169.254.0.0", "169.254.0.1", "169.254.169.254", "169.254.255.255"},
		allowed: []string{"169.253.255.255", "169.255.0.0"},
	},
	{what: "a cloud's own", blocked: []string{"168.63.129.16"}, allowed: []string{"168.63.129.15", "168.63.129.17"}},
	{what: "public", allowed: []string{"93.184.216.34", "8.8.8.8", "203.0.114.1", "198.20.0.1", "223.255.255.255"}},
	{what: "shared by carriers", blocked: []string{"100.64.0.0", "100.64.0.1", "100.127.255.255"}, allowed: []string{"100.63.255.255", "100.128.0.0"}},
	{
		what: "reserved",
		blocked: []string{
			"192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
			"240.0.0.1", "255.255.255.254", "255.255.255.255",
		},
	},
	{what: "multicast", blocked: []string{"224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1", "ff00::"}},
	{
		what:    "IPv4 mapped into IPv6",
		blocked: []string{"::ffff:10.0.0.1", "::ffff:192.168.1.1", "::ffff:172.16.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1"},
	},
	{what: "metadata mapped into IPv6", blocked: []string{"::ffff:169.254.169.254", "::ffff:a9fe:a9fe"}},
	{what: "public IPv4 mapped into IPv6", blocked: []string{"::ffff:8.8.8.8", "::ffff:808:808"}},
	{what: "private IPv4-compatible IPv6", blocked: []string{"::10.0.0.1", "::192.168.0.1", "::127.0.0.1"}},
	{what: "metadata as IPv4-compatible IPv6", blocked: []string{"::169.254.169.254", "::a9fe:a9fe"}},
	{what: "public IPv4-compatible IPv6", blocked: []string{"::8.8.8.8", "::808:808"}},
	{
		what:    "NAT64 of the inside",
		blocked: []string{"64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.5", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::0.0.0.0", "64:ff9b::168.63.129.16"},
	},
	{what: "local NAT64", blocked: []string{"64:ff9b:1::1", "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff:ffff:ffff:808:808"}},
	{
		what:    "SIIT",
		blocked: []string{"::ffff:0:169.254.169.254", "::ffff:0:a9fe:a9fe", "::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1", "::ffff:0:c0a8:1"},
	},
	{what: "NAT64 of the outside", allowed: []string{"64:ff9b::8.8.8.8", "64:ff9b::808:808", "64:ff9b::93.184.216.34"}},
	{what: "6to4 and Teredo", blocked: []string{"2002:a9fe:a9fe::", "2002:7f00:1::1", "2001::1", "2001:0:a9fe:a9fe::1"}},
	{
		what: "inside of IPv6",
		blocked: []string{
			"::", "::1", "fc00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1",
		},
	},
	{what: "reserved in IPv6", blocked: []string{"2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "5f00::1", "100::1", "100:0:0:1::1", "4000::1", "8000::1"}},
	{what: "public IPv6", allowed: []string{"2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:82a::200e", "2400:cb00::1"}},
}

func TestOnlyPublicAddressesAreReached(t *testing.T) {
	t.Parallel()
	guard, cases := newGuard(nil), 0
	check := func(what, text string, blocked bool) {
		cases++
		address := must(netip.ParseAddr(text))(t)
		if err := guard.check(address); errors.Is(err, errNotPublic) != blocked {
			t.Errorf("%s: %s: got %v, want it blocked: %v", what, text, err, blocked)
		}
		dialled := netip.AddrPortFrom(address, 443).String()
		if err := guard.control("tcp", dialled, nil); errors.Is(err, errNotPublic) != blocked {
			t.Errorf("%s: dialling %s: got %v, want it blocked: %v", what, dialled, err, blocked)
		}
	}
	for _, group := range addresses {
		for _, text := range group.blocked {
			check(group.what, text, true)
		}
		for _, text := range group.allowed {
			check(group.what, text, false)
		}
	}
	if cases < 100 {
		t.Errorf("%d cases, want 100 at least", cases)
	}
}

func TestWhatIsNoAddressIsNotReached(t *testing.T) {
	t.Parallel()
	guard := newGuard(nil)
	if err := guard.check(netip.Addr{}); !errors.Is(err, errNotPublic) {
		t.Errorf("no address: got %v", err)
	}
	for _, dialled := range []string{"", "8.8.8.8", ":80", "x:80", "8.8.8.8:x", "/run/docker.sock", "8.8.8.8.8:80"} {
		if err := guard.control("unix", dialled, nil); !errors.Is(err, errNotPublic) {
			t.Errorf("dialling %q: got %v, want it blocked", dialled, err)
		}
	}
	// Spellings that some programs take for an address, and those of a name.
	for host, blocked := range map[string]bool{
		"2130706433": true, "0x7f000001": true, "017700000001": true, "0x7F.1": true, "127.1": true, "127.0.1": true, "0177.0.0.1": true,
		"127.0.0.01": true, "127.0.0.0x1": true, "127.0.0.1.": true, "1.2.3.4.5": true, "256.256.256.256": true, "10.0.0.1": true, "0": true, "8.8.8.8.": false,
		"[::1]": true, "[::ffff:8.8.8.8]": true, "[fe80::1%25eth0]": true, "[2606:4700:4700::1111]": false, "8.8.8.8": false,
		"bots.example": false, "1.example": false, "x1": false, "0x7f.example": false, "xn--bcher-kva.example": false, "": true,
	} {
		r, err := http.NewRequest(http.MethodPost, "http://"+host+":80/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := guard.checkRequest(r); errors.Is(err, errNotPublic) != blocked {
			t.Errorf("the host %q: got %v, want it blocked: %v", host, err, blocked)
		}
	}
	for _, url := range []string{"file:///etc/passwd", "gopher://bots.example/", "//bots.example/", "ws://bots.example/"} {
		r, err := http.NewRequest(http.MethodPost, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if guard.checkRequest(r) == nil {
			t.Errorf("%s passes", url)
		}
	}
}

func TestTheOperatorMayAllowNetworks(t *testing.T) {
	t.Parallel()
	guard := newGuard([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")})
	for address, blocked := range map[string]bool{
		"10.1.0.1": false, "10.1.255.255": false, "10.2.0.1": true, "127.0.0.1": true, "192.168.0.1": true, "8.8.8.8": false,
		"fd00::1": false, "fc00::1": true, "::1": true, "::ffff:10.1.0.1": true,
	} {
		if err := guard.check(netip.MustParseAddr(address)); errors.Is(err, errNotPublic) != blocked {
			t.Errorf("%s: got %v, want it blocked: %v", address, err, blocked)
		}
	}
}

// nameServer is a real one. It answers with what a name has at the moment, in turn if there are several times.
type nameServer struct {
	mu    sync.Mutex
	times map[string][][]string // by name: what it has at first, then, and from then on
	asked map[string]int
}

func newNameServer(t testing.TB, times map[string][][]string) (*nameServer, *net.Resolver) {
	t.Helper()
	n := &nameServer{times: times, asked: map[string]int{}}
	conn := must(net.ListenPacket("udp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		for buf := make([]byte, 1500); ; {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer, err := n.answer(buf[:size]); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return n, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (n *nameServer) answer(asked []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(asked); err != nil || len(message.Questions) != 1 {
		return nil, errors.New("not one question")
	}
	question := message.Questions[0]
	name := strings.TrimSuffix(question.Name.String(), ".")
	n.mu.Lock()
	times, known := n.times[name]
	var now []string
	if known {
		now = times[min(n.asked[name], len(times)-1)]
	}
	if question.Type == dnsmessage.TypeA {
		n.asked[name]++
	}
	n.mu.Unlock()
	message.Response, message.RecursionAvailable = true, true
	message.Additionals = nil
	if !known {
		message.RCode = dnsmessage.RCodeNameError
	}
	for _, text := range now {
		address, header := netip.MustParseAddr(text), dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 0}
		switch {
		case address.Is4() && question.Type == dnsmessage.TypeA:
			message.Answers = append(message.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}})
		case address.Is6() && question.Type == dnsmessage.TypeAAAA:
			message.Answers = append(message.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	return message.Pack()
}

// errWouldConnect stands for a connection that nothing kept from being made.
var errWouldConnect = errors.New("would connect")

// dry is a dialer that does all but connect, and notes where it would.
func dry(guard *guard, resolver *net.Resolver) (*net.Dialer, func() []string) {
	var mu sync.Mutex
	var would []string
	dialer := guard.dialer(resolver)
	dialer.Control = func(network, address string, conn syscall.RawConn) error {
		if err := guard.control(network, address, conn); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		would = append(would, address)
		return errWouldConnect
	}
	return dialer, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Sorted(slices.Values(would))
	}
}

func TestANameIsReachedWhereItIsPublic(t *testing.T) {
	t.Parallel()
	_, resolver := newNameServer(t, map[string][][]string{
		"private.example":  {{"10.0.0.5"}},
		"metadata.example": {{"169.254.169.254", "fd00:ec2::254"}},
		"six.example":      {{"::1"}},
		"mapped.example":   {{"::ffff:127.0.0.1"}},
		"public.example":   {{"93.184.216.34"}},
		"both.example":     {{"127.0.0.1", "93.184.216.34", "192.168.0.1"}},
		"empty.example":    {{}},
	})
	for name, want := range map[string][]string{
		"public.example": {"93.184.216.34:443"}, "both.example": {"93.184.216.34:443"},
		"private.example": nil, "metadata.example": nil, "six.example": nil, "mapped.example": nil, "empty.example": nil, "nobody.example": nil,
	} {
		dialer, would := dry(newGuard(nil), resolver)
		_, err := dialer.DialContext(t.Context(), "tcp", name+":443")
		wantEqual(t, name+": where it would connect", would(), want)
		unknown := new(net.DNSError)
		switch lookupFailed := errors.As(err, &unknown); {
		case name == "empty.example" || name == "nobody.example":
			if !lookupFailed || errors.Is(err, errNotPublic) {
				t.Errorf("%s: got %v, want that the name leads nowhere", name, err)
			}
		case want == nil && !errors.Is(err, errNotPublic):
			t.Errorf("%s: got %v, want that it is not public", name, err)
		}
	}
}

// A name server may give one answer to who checks a name and another to who connects: what counts is where a connection
// goes.
func TestANameThatChangesItsAddressLeadsNowhere(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was led inside") }))
	defer inside.Close()
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	names, resolver := newNameServer(t, map[string][][]string{
		"rebinding.example": {{"93.184.216.34"}, {"127.0.0.1"}},
	})
	guard := newGuard(nil)
	if addresses := must(resolver.LookupHost(t.Context(), "rebinding.example"))(t); !slices.Equal(addresses, []string{"93.184.216.34"}) {
		t.Fatalf("at first the name has %v", addresses)
	}
	for range 3 { // also when it was called before
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		req := must(http.NewRequestWithContext(ctx, http.MethodPost, "http://rebinding.example:"+port+"/", nil))(t)
		_, err := guard.client(guard.dialer(resolver).DialContext).Do(req)
		cancel()
		if !errors.Is(err, errNotPublic) {
			t.Errorf("got %v, want that it is not public", err)
		}
	}
	names.mu.Lock()
	defer names.mu.Unlock()
	if names.asked["rebinding.example"] < 4 {
		t.Errorf("the name server was asked %d times", names.asked["rebinding.example"])
	}
}

// By a redirect, too, a name may change its address.
func TestARedirectToANameThatChangesItsAddressLeadsNowhere(t *testing.T) {
	t.Parallel()
	inside := must(net.Listen("tcp", "127.0.0.2:0"))(t)
	defer inside.Close()
	go func() {
		if conn, err := inside.Accept(); err == nil {
			t.Error("it was led inside")
			_ = conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(inside.Addr().String())
	outside := httptest.NewServer(http.RedirectHandler("http://rebinding.example:"+port+"/", http.StatusTemporaryRedirect))
	defer outside.Close()
	_, resolver := newNameServer(t, map[string][][]string{"rebinding.example": {{"127.0.0.2"}}})
	guard := newGuard([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, outside.URL, strings.NewReader("{}")))(t)
	if _, err := guard.client(guard.dialer(resolver).DialContext).Do(req); !errors.Is(err, errNotPublic) {
		t.Errorf("got %v, want that it is not public", err)
	}
}

func TestAProxyOfTheEnvironmentIsNotAsked(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	_, resolver := newNameServer(t, map[string][][]string{"private.example": {{"10.0.0.5"}}})
	guard := newGuard(nil)
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "http://private.example/", nil))(t)
	if _, err := guard.client(guard.dialer(resolver).DialContext).Do(req); !errors.Is(err, errNotPublic) {
		t.Errorf("got %v, want that it is not public", err)
	}
}
