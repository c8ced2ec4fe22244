package server

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store/storetest"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func (p *person) signIn(t testing.TB, emailAddress, password string) error {
	_, err := p.SignIn(t.Context(), &campfirev1.SignInRequest{EmailAddress: emailAddress, Password: password})
	return err
}

func TestTenAttemptsToSignInAndNoMore(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	guesser := campfire.stranger()
	wrong := guesser.signIn(t, storetest.Email("David"), "wrong")
	wantCode(t, "a wrong password", wrong, connect.CodeUnauthenticated)
	unknown := guesser.signIn(t, "nobody@campfire.example", "wrong")
	wantCode(t, "an unknown address", unknown, connect.CodeUnauthenticated)
	wantEqual(t, "what an unknown address is told", unknown, wrong)
	for range 6 {
		wantCode(t, "a wrong password", guesser.signIn(t, storetest.Email("David"), "wrong"), connect.CodeUnauthenticated)
	}
	_, err := guesser.Join(t.Context(), &campfirev1.JoinRequest{
		JoinCode: "wrong", Name: "Guesser", EmailAddress: "guesser@campfire.example", Password: "wrong",
	})
	wantCode(t, "a wrong join code", err, connect.CodeNotFound)
	if err := guesser.signIn(t, storetest.Email("David"), storetest.Password); err != nil {
		t.Errorf("the tenth attempt: got %v, want David signed in", err)
	}

	wantDelay(t, "the eleventh attempt", guesser.signIn(t, storetest.Email("David"), storetest.Password), attemptsWindow)
	wantDelay(t, "the eleventh attempt by h2c", guesser.by(overH2C).signIn(t, storetest.Email("David"), storetest.Password), attemptsWindow)
	_, err = guesser.Join(t.Context(), &campfirev1.JoinRequest{
		JoinCode: campfire.JoinCode, Name: "Guesser", EmailAddress: "guesser@campfire.example", Password: "right",
	})
	wantDelay(t, "joining instead", err, attemptsWindow)
	// Nobody believes what a client says of itself.
	err = guesser.with("X-Forwarded-For", "203.0.113.1").signIn(t, storetest.Email("David"), storetest.Password)
	wantDelay(t, "another address, as the client says", err, attemptsWindow)
}

func TestAttemptsAreCountedForTheClientBehindTheProxies(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) {
		s.TrustedProxies = append([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, loopback...)
	})
	guesser := campfire.stranger()
	attempt := func(forwardedFor string) error {
		return guesser.with("X-Forwarded-For", forwardedFor).signIn(t, "nobody@campfire.example", "wrong")
	}
	for i := range maxAttempts {
		// The left-most are the client's own invention.
		wantCode(t, "an attempt", attempt(fmt.Sprintf("198.51.100.%d, 203.0.113.1, 10.0.0.1", i)), connect.CodeUnauthenticated)
	}
	wantDelay(t, "one more", attempt("203.0.113.1"), attemptsWindow)
	wantDelay(t, "one more through other proxies", attempt("203.0.113.1, 10.0.0.2, 10.0.0.3"), attemptsWindow)
	wantCode(t, "a neighbour", attempt("203.0.113.2"), connect.CodeUnauthenticated)

	for i := range maxAttempts {
		wantCode(t, "an attempt by IPv6", attempt(fmt.Sprintf("2001:db8:0:1:%x::1", i)), connect.CodeUnauthenticated)
	}
	wantDelay(t, "one more from the same /64", attempt("2001:db8:0:1:ffff:ffff:ffff:ffff"), attemptsWindow)
	wantCode(t, "the next /64", attempt("2001:db8:0:2::1"), connect.CodeUnauthenticated)
}

func TestWhoIsTheClient(t *testing.T) {
	t.Parallel()
	s := &Server{config: Config{TrustedProxies: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48"),
	}}}
	for _, c := range []struct {
		peer         string
		forwardedFor []string
		proto        string
		address      string
		secure       bool
	}{
		{"203.0.113.1:80", nil, "", "203.0.113.1", false},
		{"203.0.113.1:80", []string{"198.51.100.1"}, "https", "203.0.113.1", false}, // no proxy of ours
		{"10.0.0.1:80", nil, "", "10.0.0.1", false},
		{"10.0.0.1:80", []string{"203.0.113.1"}, "https", "203.0.113.1", true},
		{"10.0.0.1:80", []string{"203.0.113.1"}, "http", "203.0.113.1", false},
		{"[::ffff:10.0.0.1]:80", []string{"::ffff:203.0.113.1"}, "https", "203.0.113.1", true},
		{"[2001:db8:ffff::1]:80", []string{"2001:db8::1"}, "", "2001:db8::1", false},
		{"10.0.0.1:80", []string{"198.51.100.1,203.0.113.1 , 10.0.0.2"}, "", "203.0.113.1", false},
		{"10.0.0.1:80", []string{"198.51.100.1", "203.0.113.1", "10.0.0.2"}, "", "203.0.113.1", false},
		{"10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "", "10.0.0.3", false},
		{"10.0.0.1:80", []string{"203.0.113.1, nonsense, 10.0.0.2"}, "", "10.0.0.2", false},
		{"10.0.0.1:80", []string{""}, "", "10.0.0.1", false},
		{"nonsense", []string{"203.0.113.1"}, "https", "invalid IP", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.forwardedFor
		r.Header.Set("X-Forwarded-Proto", c.proto)
		address, secure := s.client(r)
		wantEqual(t, fmt.Sprintf("the client of %s, forwarded for %q by %q", c.peer, c.forwardedFor, c.proto),
			[]any{address, secure}, []any{c.address, c.secure})
	}
}

func TestAttemptsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, address := newAttempts(), netip.MustParseAddr("203.0.113.1")
		for range 3 {
			for i := range maxAttempts {
				if err := a.take(address); err != nil {
					t.Fatalf("attempt %d: got %v, want nil", i+1, err)
				}
				time.Sleep(time.Second)
			}
			wantDelay(t, "one more", a.take(address), attemptsWindow-maxAttempts*time.Second)
			time.Sleep(attemptsWindow - maxAttempts*time.Second - time.Millisecond)
			wantDelay(t, "just before the end", a.take(address), time.Millisecond)
			time.Sleep(2 * time.Millisecond)
		}
	})
}

// Whoever has many addresses must not fill the memory with them, nor be forgotten before the others' windows are over.
func TestAttemptsAreRememberedWithinBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, guesser := newAttempts(), netip.MustParseAddr("203.0.113.1")
		address := netip.MustParseAddr("10.0.0.0")
		for range maxAddresses - 1 {
			address = address.Next()
			_ = a.take(address)
		}
		time.Sleep(attemptsWindow / 2)
		for range maxAttempts + 1 {
			_ = a.take(guesser)
		}
		time.Sleep(attemptsWindow/2 + time.Second) // the others' are over
		_ = a.take(address)
		_ = a.take(netip.MustParseAddr("10.255.0.1"))
		wantEqual(t, "addresses remembered", len(a.windows) <= maxAddresses, true)
		wantDelay(t, "the guesser", a.take(guesser), attemptsWindow/2)
		for range 2 * maxAddresses {
			address = address.Next()
			_ = a.take(address)
		}
		wantEqual(t, "addresses remembered of many more", len(a.windows) <= maxAddresses, true)
	})
}
