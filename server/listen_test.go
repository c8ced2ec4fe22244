package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
)

func TestStoppingEndsStreamsAndLetsCallsFinish(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	var streams []*listener
	for _, way := range allWays {
		streams = append(streams, jason.by(way).listen(t))
	}
	finishers := []func() answer{begin(t, david, "by HTTP/1.1"), begin(t, david.by(overH2C), "by h2c")}

	began, stopped := time.Now(), make(chan error, 1)
	go func() { stopped <- campfire.stop() }()
	for i, stream := range streams {
		rest, err := stream.end(t)
		if len(rest) != 1 || rest[0].GetReconnect() == nil || rest[0].GetReconnect().GetDelay().AsDuration() > campfire.server.timing.reconnect {
			t.Errorf("by %s: heard %v at last, want reconnect within %v", allWays[i].name, rest, campfire.server.timing.reconnect)
		}
		wantCode(t, "the stream by "+allWays[i].name, err, connect.CodeUnavailable)
	}
	for _, finish := range finishers {
		got := finish()
		wantEqual(t, "a call under way: status of "+got.body, got.status, 200)
	}
	select {
	case err := <-stopped:
		if took := time.Since(began); err != nil || took > shutdownGrace {
			t.Errorf("Serve answered %v after %v, want nil within %v", err, took, shutdownGrace)
		}
	case <-time.After(patience):
		t.Fatal("Serve does not return")
	}
	if conn, err := net.Dial("tcp", campfire.url[len("http://"):]); err == nil {
		t.Errorf("there is still somebody at %v", conn.RemoteAddr())
		conn.Close()
	}
	messages, _, _, err := campfire.ListMessages(t.Context(), campfire.David.ID, campfire.Designers.ID, store.MessagesPage{})
	if err != nil || len(messages) != 2 {
		t.Errorf("got %d messages, %v; want the two that were under way", len(messages), err)
	}
}

// begin sends the first half of a post. Once it answers, the server is at it; the function it answers sends the rest.
func begin(t *testing.T, p *person, text string) (finish func() answer) {
	t.Helper()
	body, pipe := io.Pipe()
	post := must(json.Marshal(map[string]any{"roomId": fmt.Sprint(p.campfire.Designers.ID), "text": text}))(t)
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost,
		p.campfire.url+campfirev1connect.MessageServicePostMessageProcedure, body))(t)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Expect", "100-continue") // so that no byte is sent before the handler asks for it
	transport := p.http.Transport.(*http.Transport)
	transport.ExpectContinueTimeout = patience
	answered := make(chan answer, 1)
	go func() {
		res, err := p.http.Do(req)
		if err != nil {
			answered <- answer{body: err.Error()}
			return
		}
		defer res.Body.Close()
		var text bytes.Buffer
		_, _ = text.ReadFrom(res.Body)
		answered <- answer{res.StatusCode, res.Header, text.String()}
	}()
	_, err := pipe.Write(post[:len(post)/2])
	if err != nil {
		t.Fatalf("begin to post %s: %v", text, err)
	}
	return func() answer {
		_, _ = pipe.Write(post[len(post)/2:]) // the answer tells
		_ = pipe.Close()
		return <-answered
	}
}

func TestServingOnNoSocketIsAnError(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	socket := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	socket.Close()
	if err := New(campfire.Store, Config{}).Serve(context.Background(), socket); err == nil {
		t.Error("got nil, want an error")
	}
}

// An issuer that says no is asked less and less, however many visitors come; what it says in the end is taken up.
func TestAnIssuerIsNotAskedInVain(t *testing.T) {
	t.Parallel()
	log, folder := &logbook{}, t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := IssuedCertificates(Issuance{
			Domains: []string{"chat.campfire.example"}, Folder: folder, Log: slog.New(slog.NewTextHandler(log, nil)),
		}).(*issuedCertificates)
		asked := 0
		c.manager.Client.HTTPClient = &http.Client{Transport: refusing(func() { asked++ })}
		hello := &tls.ClientHelloInfo{ServerName: "Chat.Campfire.example"}
		for began := time.Now(); time.Since(began) < 3*time.Hour; time.Sleep(time.Second) {
			if _, err := c.get(hello); err == nil || !strings.Contains(err.Error(), "out of order") {
				t.Fatalf("got %v, want what the issuer says", err)
			}
		}
		if asked < 6 || asked > 9 {
			t.Errorf("in three hours it was asked %d times, want 1, 2, 4, 8, 16, 32 minutes apart, then hours", asked)
		}
		if told := strings.Count(log.String(), "no certificate"); told != asked {
			t.Errorf("%d failures were told to the log, of %d", told, asked)
		}
		for _, name := range []string{"evil.example", "campfire.example"} {
			if _, err := c.get(&tls.ClientHelloInfo{ServerName: name}); err == nil {
				t.Errorf("there is a certificate for %s", name)
			}
		}
	})
}

// refusing is an issuer out of order, that counts who asks.
type refusing func()

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) {
	r()
	return nil, errors.New("out of order")
}
