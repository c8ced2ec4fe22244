package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// atTheDoor are the program's listeners that strangers reach: by TLS and plain, as an operator has them on the internet.
func atTheDoor(t *testing.T, settings ...string) (https, plain string) {
	t.Helper()
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "tls.pem"), filepath.Join(folder, "tls.key")
	writeCertificate(t, certificate, key, chat)
	plain = local(freePorts(t, 1)[0])
	server := launch(t, build(t), append([]string{
		"--data", t.TempDir(), "--addr", "127.0.0.1:0", "--http-addr", plain, "--tls-cert", certificate, "--tls-key", key,
		"--url", "https://" + chat, "--backups", "0",
	}, settings...)...)
	return server.says(t, `msg=listening address=(\S+)`), plain
}

func dialTLS(t *testing.T, address string, protocols ...string) *tls.Conn {
	t.Helper()
	conn := must(tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}))(t)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Those who hold a connection and say nothing, or little by little, are hung up on.
func TestTheSlowAreHungUpOn(t *testing.T) {
	t.Parallel()
	https, plain := atTheDoor(t)
	dial := func(address string) net.Conn {
		conn := must(net.Dial("tcp", address))(t)
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	slow := func(conn net.Conn, beginning string) {
		_, _ = io.WriteString(conn, beginning)
		go func() {
			for range time.Tick(500 * time.Millisecond) {
				if _, err := io.WriteString(conn, "a"); err != nil {
					return
				}
			}
		}()
	}
	callers := map[string]net.Conn{
		"one who does not shake hands":          dial(https),
		"one who shakes hands and is silent":    dialTLS(t, https),
		"the same by HTTP/2":                    dialTLS(t, https, "h2"),
		"one who is silent where there is http": dial(plain),
	}
	for name, conn := range map[string]net.Conn{"headers, letter by letter": dialTLS(t, https), "the same, plain": dial(plain)} {
		slow(conn, "GET / HTTP/1.1\r\nHost: "+chat+"\r\nX-Slow: ")
		callers[name] = conn
	}
	began := time.Now()
	for name, conn := range callers {
		t.Run(name, func(t *testing.T) {
			_ = conn.SetReadDeadline(began.Add(patience))
			_, err := io.Copy(io.Discard, conn)
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Errorf("still there after %v", patience)
			} else {
				t.Logf("gone after %v", time.Since(began).Round(time.Second))
			}
		})
	}
}

// What is too large is refused before it is kept.
func TestTheLargeAreRefused(t *testing.T) {
	t.Parallel()
	https, plain := atTheDoor(t)
	for _, c := range []struct {
		name, url string
		http2     bool
	}{{"https", "https://" + https, false}, {"by HTTP/2", "https://" + https, true}, {"http", "http://" + plain, false}} {
		transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		transport.Protocols.SetHTTP1(!c.http2)
		transport.Protocols.SetHTTP2(c.http2)
		t.Cleanup(transport.CloseIdleConnections)
		client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		req := must(http.NewRequest(http.MethodGet, c.url+"/up", nil))(t)
		req.Header.Set("X-Huge", strings.Repeat("a", 1<<20))
		res, err := client.Do(req)
		if err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%s: a megabyte of headers: %s", c.name, res.Status)
			}
		}
		res, err = client.Post(c.url+"/campfire.v1.SessionService/SignIn", "application/json",
			strings.NewReader(`{"emailAddress":"`+strings.Repeat("a", 500_000)+`"}`))
		if err == nil {
			body := string(must(io.ReadAll(res.Body))(t))
			res.Body.Close()
			if res.StatusCode == http.StatusOK || c.name != "http" && !strings.Contains(body, "resource_exhausted") {
				t.Errorf("%s: half a megabyte from a stranger: %s %s", c.name, res.Status, body)
			}
		}
	}
}

// One network address does not get all connections there are, and nobody gets more than there are.
func TestNobodyTakesAllConnections(t *testing.T) {
	t.Parallel()
	server := start(t, build(t), t.TempDir(), "--max-connections-per-address", "5", "--max-connections", "8", "--trusted-proxies", "127.0.0.9/32")
	http.DefaultClient.CloseIdleConnections()
	// from opens a connection from one of this machine's addresses, and tells whether it is answered.
	from := func(address string) (net.Conn, bool) {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		conn, err := dialer.Dial("tcp", server.host)
		if err != nil {
			return nil, false
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "GET /up HTTP/1.1\r\nHost: %s\r\n\r\n", chat)
		_, err = conn.Read(make([]byte, 1))
		return conn, err == nil
	}
	answered := func(address string, n int) (count int, last net.Conn) {
		for range n {
			if conn, ok := from(address); ok {
				count++
				last = conn
			}
		}
		return count, last
	}
	one, last := answered("127.0.0.2", 10)
	if one != 5 {
		t.Errorf("one address gets %d connections, want 5", one)
	}
	server.says(t, `msg="connection refused: too many are open" network=127.0.0.2/32`)
	if another, _ := answered("127.0.0.3", 2); another != 2 {
		t.Errorf("another one gets %d, want 2", another)
	}
	last.Close()
	for late := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if again, _ := answered("127.0.0.2", 1); again == 1 {
			break // the place that was left
		}
		if time.Now().After(late) {
			t.Fatal("a connection that is closed leaves its place to nobody")
		}
	}
	if proxy, _ := answered("127.0.0.9", 10); proxy != 1 {
		t.Errorf("a proxy gets %d, want the 1 that is left", proxy)
	}
	proxied := start(t, build(t), t.TempDir(), "--max-connections-per-address", "5", "--trusted-proxies", "127.0.0.9/32")
	server = proxied
	if proxy, _ := answered("127.0.0.9", 20); proxy != 20 {
		t.Errorf("a proxy gets %d, want 20", proxy)
	}
}
