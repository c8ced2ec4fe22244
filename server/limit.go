package server

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"campfire.example/store"
)

// client answers whom a request comes from, and whether it came by TLS. What a proxy says counts only if the operator
// trusts the proxy; then the client is the right-most address that is no trusted proxy itself.
func (s *Server) client(r *http.Request) (address netip.Addr, secure bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, r.TLS != nil
	}
	address, secure = peer.Addr().Unmap(), r.TLS != nil
	if !s.trusts(address) {
		return address, secure
	}
	secure = secure || r.Header.Get("X-Forwarded-Proto") == "https"
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap()
	}
	return address, secure
}

func (s *Server) trusts(address netip.Addr) bool {
	for _, network := range s.config.TrustedProxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

const (
	maxAttempts    = 10 // at a password or join code
	attemptsWindow = 3 * time.Minute
	maxAddresses   = 100_000 // remembered; each is some 100 bytes
)

// attempts counts what each network address tries, in windows that begin with its first attempt.
type attempts struct {
	mu      sync.Mutex
	windows map[netip.Prefix]*window
}

type window struct {
	ends  time.Time
	count int
}

func newAttempts() *attempts { return &attempts{windows: map[netip.Prefix]*window{}} }

// take counts an attempt; beyond maxAttempts it is an error that tells when to come back.
func (a *attempts) take(address netip.Addr) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	key := store.Network(address)
	w := a.windows[key]
	if w == nil || now.After(w.ends) {
		if len(a.windows) >= maxAddresses {
			a.forget(now)
		}
		w = &window{ends: now.Add(attemptsWindow)}
		a.windows[key] = w
	}
	w.count++
	if w.count > maxAttempts {
		return tooMany("too many attempts from your network address; wait a few minutes", w.ends.Sub(now))
	}
	return nil
}

// forget makes room: by the windows that are over or, should none be, by all of them.
func (a *attempts) forget(now time.Time) {
	for key, w := range a.windows {
		if now.After(w.ends) {
			delete(a.windows, key)
		}
	}
	if len(a.windows) >= maxAddresses {
		clear(a.windows)
	}
}
