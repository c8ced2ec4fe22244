package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"campfire.example/store"
)

// shutdownGrace is how long calls and deliveries under way have to finish when the server stops.
const shutdownGrace = 10 * time.Second

// Serve answers HTTP/1.1 and, by prior knowledge, cleartext HTTP/2 on one listener until ctx ends. Then it tells the
// streams to reconnect, lets calls finish, and answers nil.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	srv := s.httpServer(s)
	return s.serveUntil(ctx, srv, func() error { return srv.Serve(s.limited(listener)) })
}

// ServeTLS is Serve by TLS. On plain, unless it is nil, it sends people on to Config.URL, and answers those who issue
// certificates.
func (s *Server) ServeTLS(ctx context.Context, listener, plain net.Listener, certificates Certificates) error {
	srv := s.httpServer(s)
	srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.counted(certificates.get)}
	redirect := redirection(s.config.URL)
	if issued, ok := certificates.(*issuedCertificates); ok {
		srv.Handler = alwaysTLS(s)
		srv.TLSConfig.NextProtos = []string{"h2", "http/1.1", acme.ALPNProto}
		if plain != nil {
			redirect = issued.manager.HTTPHandler(redirect)
		}
		for _, domain := range issued.domains {
			go issued.watch(ctx, domain)
		}
	}
	if plain != nil {
		redirecting := s.httpServer(redirect)
		redirecting.ReadTimeout, redirecting.WriteTimeout = maxReading, maxWriting
		go func() { _ = redirecting.Serve(s.limited(plain)) }() // until it is closed
		defer redirecting.Close()
	}
	return s.serveUntil(ctx, srv, func() error { return srv.ServeTLS(s.limited(listener), "", "") })
}

// counted has the metrics tell until when the certificates are good that are shown.
func (s *Server) counted(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate, err := get(hello)
		if err == nil && certificate.Leaf != nil && len(certificate.Leaf.DNSNames) > 0 && !provesName(hello) {
			s.metrics.expires.WithLabelValues(certificate.Leaf.DNSNames[0]).Set(float64(certificate.Leaf.NotAfter.Unix()))
		}
		return certificate, err
	}
}

// provesName tells whether it is an issuer who asks, to see that a name is ours.
func provesName(hello *tls.ClientHelloInfo) bool {
	return slices.Contains(hello.SupportedProtos, acme.ALPNProto)
}

// alwaysTLS has browsers come by TLS from then on, by themselves.
func alwaysTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=15552000")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) httpServer(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: 10 * time.Second, // a TLS handshake has as long
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 250,
			SendPingTimeout:      20 * time.Second, // a dead peer is found out
			PingTimeout:          10 * time.Second,
		},
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		// No WriteTimeout: it would end every stream. Streams set a deadline for each write.
	}
}

func (s *Server) serveUntil(ctx context.Context, srv *http.Server, serve func() error) error {
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		s.Close()
		grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		err := srv.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = srv.Close()
		}
		s.couriers.stop(grace)
		s.notifier.stop(grace)
		stopped <- err
	}()
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return <-stopped
}

// ConnectionLimits bound how many connections may be open at once on one listener.
type ConnectionLimits struct {
	PerAddress int // 3,000 if it is 0; of IPv6, all that share a /64 count together
	InAll      int // 30,000 if it is 0
}

// crowd counts what is going on at once: by each network address, and in all.
type crowd struct {
	perAddress, inAll int // at most

	mu       sync.Mutex
	count    int
	networks map[netip.Prefix]int
}

func newCrowd(perAddress, inAll int) *crowd {
	return &crowd{perAddress: perAddress, inAll: inAll, networks: map[netip.Prefix]int{}}
}

// enter tells whether there is room for one more. Who is trusted may have as many as there are.
func (c *crowd) enter(network netip.Prefix, trusted bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count >= c.inAll || c.networks[network] >= c.perAddress && !trusted {
		return false
	}
	c.count++
	c.networks[network]++
	return true
}

func (c *crowd) leave(network netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count--
	if c.networks[network]--; c.networks[network] == 0 {
		delete(c.networks, network)
	}
}

// limitedListener hangs up on those who have too many connections open.
type limitedListener struct {
	net.Listener
	crowd   *crowd
	trusts  func(netip.Addr) bool
	refused func(netip.Prefix)
}

func (s *Server) limited(listener net.Listener) net.Listener {
	limits := s.config.Connections
	refused := func(network netip.Prefix) {
		s.metrics.refused.Inc()
		s.refusals.Do(func() { s.log.Warn("connection refused: too many are open", "network", network) })
	}
	return &limitedListener{listener, newCrowd(cmp.Or(limits.PerAddress, 3000), cmp.Or(limits.InAll, 30_000)), s.trusts, refused}
}

// Accept waits for the next one that there is room for.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // those without one count together
		address := peer.Addr().Unmap()
		network := store.Network(address)
		if l.crowd.enter(network, l.trusts(address)) {
			return &limitedConn{conn, sync.OnceFunc(func() { l.crowd.leave(network) })}, nil
		}
		l.refused(network)
		_ = conn.Close() // it is of no use
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close makes room for another one.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// redirection sends people on to where the pages are, whatever name they came by: whoever wrote a name into a request
// must not choose where it leads. A program is told instead, as its next call would give its secret away again.
func redirection(to *url.URL) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		if to == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "call this server by https", http.StatusForbidden)
			return
		}
		target := url.URL{Scheme: to.Scheme, Host: to.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, target.String(), http.StatusFound)
	})
}

// Certificates prove to clients who the server is.
type Certificates interface {
	get(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// Issuance says for which names certificates are got, and from whom.
type Issuance struct {
	Domains   []string // as "chat.example.com"
	Email     string   // whom the issuer may write to; nobody if empty
	Directory string   // the URL of the issuer's ACME directory; Let's Encrypt's if empty
	Folder    string   // where certificates and the account's key are kept
	Log       *slog.Logger
}

// IssuedCertificates are got from an issuer by ACME when they are first needed, and renewed in time. What was issued is kept
// in the folder, so that a start needs no issuer.
func IssuedCertificates(issuance Issuance) Certificates {
	ours := autocert.HostWhitelist(issuance.Domains...)
	return &issuedCertificates{domains: issuance.Domains, log: issuance.Log, failures: map[string]failure{}, manager: &autocert.Manager{
		Prompt: autocert.AcceptTOS, // as whoever sets a domain does
		Cache:  autocert.DirCache(issuance.Folder),
		HostPolicy: func(ctx context.Context, host string) error {
			if name, _, err := net.SplitHostPort(host); err == nil {
				host = name
			}
			return ours(ctx, host)
		},
		Email:  issuance.Email,
		Client: &acme.Client{DirectoryURL: cmp.Or(issuance.Directory, autocert.DefaultACMEDirectory), UserAgent: "campfire"},
	}}
}

type issuedCertificates struct {
	domains []string
	log     *slog.Logger
	manager *autocert.Manager

	mu       sync.Mutex
	failures map[string]failure // by domain, until there is a certificate
}

// failure is why there is no certificate, and for how long it is left at that: issuers count what is asked in vain, and
// every visitor would have it asked.
type failure struct {
	err   error
	times int
	until time.Time
}

func (c *issuedCertificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(cmp.Or(hello.ServerName, c.domains[0])) // those who come by an IP address name none
	if !slices.Contains(c.domains, name) {
		return nil, fmt.Errorf("no certificate for %q", name)
	}
	last := c.failure(name)
	if time.Now().Before(last.until) && !provesName(hello) {
		return nil, last.err
	}
	certificate, err := c.manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName: name, SupportedProtos: hello.SupportedProtos,
		// One kind of key, or anyone could have a second certificate issued by asking for RSA.
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	})
	if !provesName(hello) {
		c.note(name, last, err)
	}
	return certificate, err
}

func (c *issuedCertificates) failure(name string) failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures[name]
}

// note remembers how getting a certificate has gone. Of those who have waited for the same attempt the first counts.
func (c *issuedCertificates) note(name string, last failure, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		delete(c.failures, name)
	case c.failures[name].until.Equal(last.until) && err.Error() != "acme/autocert: missing certificate": // which says that another one has failed
		rest := min(time.Minute<<last.times, time.Hour) + time.Second // the manager remembers a failure for a minute
		c.failures[name] = failure{err, min(last.times+1, 10), time.Now().Add(rest)}
		c.log.Warn("no certificate", "domain", name, "again", rest, "error", err)
	}
}

// watch gets what is missing before anyone asks for it, and tells the log how things stand, until ctx ends.
func (c *issuedCertificates) watch(ctx context.Context, domain string) {
	var known time.Time
	for {
		next := time.Hour
		certificate, err := c.get(&tls.ClientHelloInfo{ServerName: domain})
		switch {
		case err != nil:
			next = max(time.Until(c.failure(domain).until), time.Second)
		case !certificate.Leaf.NotAfter.Equal(known):
			known = certificate.Leaf.NotAfter
			c.log.Info("certificate", "domain", domain, "expires", known.UTC())
		case time.Until(known) < known.Sub(certificate.Leaf.NotBefore)/6: // half of the time there is to renew it
			c.log.Warn("certificate not renewed", "domain", domain, "expires", known.UTC())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		}
	}
}

// CertificateFiles read a certificate, with those between it and its root, and its key, both in PEM. What takes their place
// while the server runs is taken up; what cannot be used is told to the log, and the old one stays.
func CertificateFiles(certificate, key string, log *slog.Logger) (Certificates, error) {
	c := &certificateFiles{paths: [2]string{certificate, key}, log: log}
	return c, c.load()
}

type certificateFiles struct {
	paths [2]string
	log   *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	state  [2]fileState // when last read
	looked time.Time
}

type fileState struct {
	changed time.Time
	size    int64
}

func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) > time.Second {
		if err := c.load(); err != nil {
			c.log.Warn("new certificate not usable", "error", err) // perhaps half of it is still on its way
		}
	}
	return c.loaded, nil
}

// load reads the files if they have changed.
func (c *certificateFiles) load() error {
	var state [2]fileState
	for i, path := range c.paths {
		if info, err := os.Stat(path); err == nil {
			state[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	c.looked = time.Now()
	if c.loaded != nil && state == c.state {
		return nil
	}
	c.state = state
	loaded, err := tls.LoadX509KeyPair(c.paths[0], c.paths[1])
	if err != nil {
		return err
	}
	c.loaded = &loaded
	c.log.Info("certificate", "file", c.paths[0], "expires", loaded.Leaf.NotAfter.UTC())
	return nil
}
