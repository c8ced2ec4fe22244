package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const chat = "chat.campfire.example"

// pebble is Let's Encrypt's own small issuer of certificates, for tests.
const pebble = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.8.0"

// issuer is one of them, running.
type issuer struct {
	*process
	settings   []string // that have the server get its certificates there
	https      string   // where it wants to find the server, by TLS
	http       string   // and without
	management string
	trusted    string // a file with the certificate that it shows itself
}

// install builds a program of others.
func install(t *testing.T, program string) string {
	t.Helper()
	folder := t.TempDir()
	cmd := exec.Command("go", "install", program)
	cmd.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=-mod=mod")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go install %s: %v\n%s", program, err, output)
	}
	return must(filepath.Glob(filepath.Join(folder, "*")))(t)[0]
}

// startIssuer starts an issuer, and waits until it answers. Its certificates are good for a while only.
func startIssuer(t *testing.T, good time.Duration) *issuer {
	t.Helper()
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "issuer.pem"), filepath.Join(folder, "issuer.key")
	writeCertificate(t, certificate, key, "issuer")
	ports := freePorts(t, 4)
	i := &issuer{https: local(ports[0]), http: local(ports[1]), management: "https://" + local(ports[3]), trusted: certificate}
	config := must(json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": local(ports[2]), "managementListenAddress": local(ports[3]), "certificate": certificate, "privateKey": key,
		"tlsPort": ports[0], "httpPort": ports[1],
		"profiles": map[string]any{"default": map[string]any{"description": "for a while", "validityPeriod": int(good.Seconds())}},
	}}))(t)
	configFile := filepath.Join(folder, "pebble.json")
	if err := os.WriteFile(configFile, config, 0o600); err != nil {
		t.Fatal(err)
	}
	i.process = &process{cmd: exec.Command(install(t, pebble), "-strict", "-config", configFile, "-dnsserver", startDNS(t)), log: &logbook{}, exited: make(chan struct{})}
	i.cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	i.cmd.Stdout, i.cmd.Stderr = i.log, i.log
	i.run(t)
	directory := "https://" + local(ports[2]) + "/dir"
	i.settings = []string{"--addr", i.https, "--tls-domain", chat, "--tls-email", "ops@campfire.example", "--acme-directory", directory}
	for late := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if res, err := i.client(t, nil).Get(directory); err == nil {
			res.Body.Close()
			return i
		} else if time.Now().After(late) {
			t.Fatal(err)
		}
	}
}

// client trusts the issuer itself or, given a pool of them, other authorities, and finds the server whatever its name.
func (i *issuer) client(t *testing.T, authorities *x509.CertPool) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: authorities}}
	transport.Protocols.SetHTTP1(true)
	transport.Protocols.SetHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	if authorities == nil {
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(must(os.ReadFile(i.trusted))(t))
		return &http.Client{Transport: transport}
	}
	transport.DisableKeepAlives = true // each call sees the certificate anew
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasSuffix(address, ":80") {
			return new(net.Dialer).DialContext(ctx, network, i.http)
		}
		return new(net.Dialer).DialContext(ctx, network, i.https)
	}
	return &http.Client{Transport: transport, Timeout: patience}
}

// authorities are those that its certificates lead to.
func (i *issuer) authorities(t *testing.T) *x509.CertPool {
	t.Helper()
	res := must(i.client(t, nil).Get(i.management + "/roots/0"))(t)
	defer res.Body.Close()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(must(io.ReadAll(res.Body))(t)) {
		t.Fatal("the issuer has no root")
	}
	return pool
}

// serve starts the server with certificates of the issuer's.
func (i *issuer) serve(t *testing.T, program, data string, settings ...string) *process {
	t.Helper()
	args := append(append([]string{"--data", data, "--backups", "0"}, i.settings...), settings...)
	p := &process{cmd: exec.Command(program, args...), log: &logbook{}, exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+i.trusted)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.run(t)
	p.says(t, "msg=listening")
	return p
}

// startDNS answers that every name is this machine.
func startDNS(t *testing.T) string {
	t.Helper()
	socket := must(net.ListenPacket("udp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { socket.Close() })
	go func() {
		packet := make([]byte, 4096)
		for {
			n, from, err := socket.ReadFrom(packet)
			if err != nil {
				return // closed
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = socket.WriteTo(answer, from) // who has gone asks no more
			}
		}
	}()
	return socket.LocalAddr().String()
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePorts finds ports that nobody listens on.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// writeCertificate makes a certificate that nobody has signed but its owner.
func writeCertificate(t *testing.T, certificate, key, name string) *x509.Certificate {
	t.Helper()
	secret := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name, chat},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret))(t)
	for file, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: der},
		key:         {Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(secret))(t)},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return must(x509.ParseCertificate(der))(t)
}

// get asks for a page, and answers what came, with its body read.
func get(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	res := must(client.Get(url))(t)
	defer res.Body.Close()
	body := must(io.ReadAll(res.Body))(t)
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res
}

// From nothing to https by one setting; renewed while the server runs; started anew while the issuer is away.
func TestCertificatesAreIssuedRenewedAndKept(t *testing.T) {
	t.Parallel()
	const good = 20 * time.Second // so that the time to renew it, a third of it before the end, comes within the test
	program, data, issuer := build(t), t.TempDir(), startIssuer(t, good)
	server := issuer.serve(t, program, data, "--http-addr", issuer.http, "--metrics-addr", "127.0.0.1:0")
	if url := server.says(t, `msg=listening .* url=(\S+)`); url != "https://"+chat+":"+strings.Split(issuer.https, ":")[1] {
		t.Errorf("it can be opened at %s", url)
	}
	server.says(t, "msg=certificate domain="+chat) // without anyone having asked for it
	people := issuer.client(t, issuer.authorities(t))
	up := get(t, people, "https://"+chat+"/up")
	if up.StatusCode != 200 || up.ProtoMajor != 2 || up.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("got %s by %s and %v, want HTTP/2, from now on always by TLS", up.Status, up.Proto, up.Header)
	}
	first := up.TLS.PeerCertificates[0]
	metrics := must(http.Get("http://" + server.says(t, `msg=metrics address=(\S+)`) + "/metrics"))(t)
	defer metrics.Body.Close()
	expires := fmt.Sprintf("campfire_certificate_expires_seconds{name=%q} %s\n", chat, strconv.FormatFloat(float64(first.NotAfter.Unix()), 'g', -1, 64))
	if text := string(must(io.ReadAll(metrics.Body))(t)); !strings.Contains(text, expires) {
		t.Errorf("the metrics do not say %s", expires)
	}
	for late := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		now := get(t, people, "https://"+chat+"/up").TLS.PeerCertificates[0] // also fails once it has run out
		if now.SerialNumber.Cmp(first.SerialNumber) != 0 {
			t.Logf("renewed %v before its end", time.Until(first.NotAfter))
			break
		}
		if time.Now().After(late) {
			t.Fatal("the certificate is not renewed")
		}
	}
	t.Run("plain HTTP leads there", func(t *testing.T) {
		visitor := *people
		visitor.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		_, port, _ := net.SplitHostPort(issuer.https)
		for _, host := range []string{chat, "evil.example"} { // whatever name is asked for
			res := get(t, &visitor, "http://"+host+"/rooms/1?q=a%20b")
			if got, want := res.Header.Get("Location"), "https://"+chat+":"+port+"/rooms/1?q=a%20b"; res.StatusCode != 302 || got != want {
				t.Errorf("by the name %s: got %s to %s, want to %s", host, res.Status, got, want)
			}
		}
		res := must(visitor.Post("http://"+chat+"/campfire.v1.SessionService/SignIn", "application/json", strings.NewReader("{}")))(t)
		res.Body.Close()
		if res.StatusCode != 403 {
			t.Errorf("a call without TLS: %s, want it refused", res.Status)
		}
	})
	t.Run("nobody else's name is served", func(t *testing.T) {
		before := strings.Count(issuer.log.String(), "POST /order-plz")
		for _, name := range []string{"evil.example", "a." + chat, "localhost"} {
			if conn, err := tls.Dial("tcp", issuer.https, &tls.Config{ServerName: name, InsecureSkipVerify: true}); err == nil {
				conn.Close()
				t.Errorf("it has a certificate for %s", name)
			}
		}
		if got := strings.Count(issuer.log.String(), "POST /order-plz"); got > before+1 { // one may be a renewal
			t.Errorf("%d certificates were ordered", got-before)
		}
	})
	if files := must(filepath.Glob(filepath.Join(data, "certificates", "*")))(t); len(files) == 0 {
		t.Fatal("no certificate is kept")
	}
	for _, path := range []string{"certificates", filepath.Join("certificates", chat)} {
		if mode := must(os.Stat(filepath.Join(data, path)))(t).Mode(); mode&0o077 != 0 {
			t.Errorf("%s has mode %v, want it private", path, mode)
		}
	}
	last := get(t, people, "https://"+chat+"/up").TLS.PeerCertificates[0]
	if err := server.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
	_ = issuer.end(t, syscall.SIGKILL)
	server = issuer.serve(t, program, data, "--http-addr", issuer.http)
	if again := get(t, people, "https://"+chat+"/up").TLS.PeerCertificates[0]; again.SerialNumber.Cmp(last.SerialNumber) != 0 {
		t.Errorf("after a start without the issuer the certificate is %v, want the one from before", again.SerialNumber)
	}
	if out, err := campfireDoes(t, append([]string{"health", "--data", data}, issuer.settings...)...); err != nil || out != "up\n" {
		t.Errorf("campfire health: %q, %v", out, err)
	}
	if err := server.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
}

// Behind a firewall that lets only one of the two ports pass, the other way of proving the name does.
func TestCertificatesAreIssuedByEitherPort(t *testing.T) {
	t.Parallel()
	program := build(t)
	t.Run("https alone", func(t *testing.T) {
		t.Parallel()
		issuer := startIssuer(t, time.Hour)
		server := issuer.serve(t, program, t.TempDir(), "--http-addr", "off")
		server.says(t, "msg=certificate domain="+chat)
		if conn, err := net.Dial("tcp", issuer.http); err == nil {
			conn.Close()
			t.Error("it listens for plain HTTP though that is off")
		}
	})
	t.Run("http alone", func(t *testing.T) {
		t.Parallel()
		issuer := startIssuer(t, time.Hour)
		server := issuer.serve(t, program, t.TempDir(), "--http-addr", issuer.http, "--addr", local(freePorts(t, 1)[0]))
		server.says(t, "msg=certificate domain="+chat)
		if !strings.Contains(issuer.log.String(), "/.well-known/acme-challenge/") {
			t.Error("it was not proved by plain HTTP")
		}
	})
}

func TestAnIssuerThatIsAwayIsToldToTheLog(t *testing.T) {
	t.Parallel()
	program, data := build(t), t.TempDir()
	port := freePorts(t, 1)[0] // where nobody listens
	server := launch(t, program, "--data", data, "--addr", "127.0.0.1:0", "--http-addr", "off", "--tls-domain", chat,
		"--acme-directory", fmt.Sprintf("https://127.0.0.1:%d/dir", port))
	server.says(t, `level=WARN msg="no certificate" domain=`+chat+` again=1m1s error=.*connection refused`)
	if err := server.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
}

// Certificates of the operator's own are taken up when they change, and an unusable one changes nothing.
func TestCertificatesFromFiles(t *testing.T) {
	t.Parallel()
	program, data, folder := build(t), t.TempDir(), t.TempDir()
	certificate, key := filepath.Join(folder, "tls.pem"), filepath.Join(folder, "tls.key")
	first := writeCertificate(t, certificate, key, "first.example")
	server := launch(t, program, "--data", data, "--addr", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key,
		"--http-addr", "127.0.0.1:0", "--url", "https://chat.campfire.example")
	host := server.says(t, `msg=listening address=(\S+)`)
	shown := func() *x509.Certificate {
		t.Helper()
		conn := must(tls.Dial("tcp", host, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}))(t)
		defer conn.Close()
		if got := conn.ConnectionState().NegotiatedProtocol; got != "h2" {
			t.Errorf("it speaks %q, want h2", got)
		}
		return conn.ConnectionState().PeerCertificates[0]
	}
	if got := shown(); !got.Equal(first) {
		t.Errorf("it shows the certificate of %v", got.Subject)
	}
	if err := os.WriteFile(certificate, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor := func(what string, met func() bool) {
		t.Helper()
		for late := time.Now().Add(patience); !met(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(late) {
				t.Fatal(what)
			}
		}
	}
	waitFor("an unusable certificate is not told", func() bool {
		return shown().Equal(first) && strings.Contains(server.log.String(), "new certificate not usable")
	})
	second := writeCertificate(t, certificate, key, "second.example")
	waitFor("the new certificate is not taken up", func() bool { return shown().Equal(second) })
	res := must(http.Get("http://" + host + "/up"))(t) // someone forgot the s
	res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP on the port of TLS: %s", res.Status)
	}
}
