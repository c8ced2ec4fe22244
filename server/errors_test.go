package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
)

func TestWhatNobodyExpectedIsLoggedAndNotTold(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, stranger := campfire.as("David"), campfire.stranger()
	token := david.listen(t).hello.GetResumeToken()
	campfire.sql("DROP TABLE message_search_index") // what a post cannot do without
	campfire.sql("DROP TABLE deletions")            // nor a stream that resumes
	const secret = "nobody's business"
	for _, way := range allWays {
		browser := david.by(way)
		ctx, call := connect.NewClientContext(t.Context())
		_, err := browser.PostMessage(ctx, &campfirev1.PostMessageRequest{RoomId: campfire.AllTalk.ID, Body: textOf(secret)})
		wantInternal(t, campfire, "a post by "+way.name, err, call.ResponseHeader().Get("X-Request-Id"))
		_, err = browser.subscribe(t, token).end(t)
		wantInternal(t, campfire, "a stream by "+way.name, err, "")
	}

	jason := campfire.as("Jason") // whose session nobody has asked for yet
	campfire.sql("ALTER TABLE sessions RENAME TO others")
	for _, way := range allWays {
		_, err := jason.by(way).ListRooms(t.Context(), &campfirev1.ListRoomsRequest{})
		wantInternal(t, campfire, "who is calling by "+way.name, err, "")
	}
	got := jason.request(t, "GET", fmt.Sprintf("/users/%d/avatar", david.id), "")
	wantEqual(t, "an avatar: status", got.status, 500)
	if strings.Contains(got.body, "sessions") {
		t.Errorf("an avatar: got %s, want nothing of the cause", got.body)
	}
	_, err := stranger.GetAccount(t.Context(), &campfirev1.GetAccountRequest{})
	wantEqual(t, "what needs no session", err, nil)
	for _, private := range []string{secret, david.token, "@campfire.example"} {
		if strings.Contains(campfire.log.String(), private) {
			t.Errorf("the log has %q in it", private)
		}
	}
}

func TestACallOfNoKnownKindIsToldWhy(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	for _, kind := range []string{"", "text/plain", "application/xml", "application/grpc-web-text", "application/connect+xml"} {
		got := campfire.as("David").request(t, "POST", campfirev1connect.RoomServiceListRoomsProcedure, "{}", "Content-Type: "+kind)
		if got.status != http.StatusUnsupportedMediaType || !strings.Contains(got.body, "application/json") {
			t.Errorf("content type %q: got %d %q, want 415 and what would do", kind, got.status, got.body)
		}
	}
	for _, kind := range []string{"application/json; charset=utf-8", "Application/JSON"} {
		got := campfire.as("David").request(t, "POST", campfirev1connect.RoomServiceListRoomsProcedure, "{}", "Content-Type: "+kind)
		wantEqual(t, "content type "+kind, got.status, 200)
	}
}

func TestTheLogKnowsEachCallByTheIdItsAnswerCarried(t *testing.T) {
	t.Parallel()
	log := &logbook{}
	campfire := newCampfire(t, func(s *setup) {
		s.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	david := campfire.as("David")
	for _, way := range allWays {
		ctx, call := connect.NewClientContext(t.Context())
		_, err := david.by(way).GetMessage(ctx, &campfirev1.GetMessageRequest{MessageId: 4711})
		wantCode(t, "by "+way.name, err, connect.CodeNotFound)
		want := "request=" + call.ResponseHeader().Get("X-Request-Id") + " procedure=" + campfirev1connect.MessageServiceGetMessageProcedure + " code=not_found"
		eventually(t, "the log says "+want, func() bool { return strings.Contains(log.String(), want) })
	}
}

func TestStrangersCannotFillTheLog(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	stranger := campfire.stranger().with("Origin", "https://evil.example")
	for range toldAtOnce + 20 {
		_, err := stranger.GetAccount(t.Context(), &campfirev1.GetAccountRequest{})
		wantCode(t, "a page of another origin", err, connect.CodePermissionDenied)
	}
	wantEqual(t, "lines of the log", strings.Count(campfire.log.String(), "cross-origin request refused"), toldAtOnce)
}

// wantInternal checks that an error tells nothing but the request's id, by which the log knows the cause.
func wantInternal(t testing.TB, c *campfire, what string, err error, id string) {
	t.Helper()
	wantCode(t, what, err, connect.CodeInternal)
	if err == nil {
		return
	}
	before, told, found := strings.Cut(err.Error(), "the log knows more of request ")
	if !found || before != "internal: something went wrong here; " || len(told) != 12 || id != "" && told != id {
		t.Errorf("%s: got %q, want nothing but a request id (%q)", what, err, id)
	}
	for line := range strings.Lines(c.log.String()) {
		if strings.Contains(line, "request="+told) && strings.Contains(line, "no such table") {
			return
		}
	}
	t.Errorf("%s: the log does not know why request %s failed", what, told)
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	stranger, david := campfire.stranger(), campfire.as("David")
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	for _, way := range allWays {
		_, err := stranger.by(way).GetAccount(t.Context(), &campfirev1.GetAccountRequest{})
		wantCode(t, "GetAccount by "+way.name, err, connect.CodeUnavailable)
		_, err = david.by(way).PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: campfire.AllTalk.ID, Body: textOf("Hello")})
		wantCode(t, "a post by "+way.name, err, connect.CodeUnavailable)
		_, err = david.by(way).subscribe(t, "").end(t)
		wantCode(t, "a stream by "+way.name, err, connect.CodeUnavailable)
	}
	got := david.request(t, "GET", fmt.Sprintf("/users/%d/avatar", david.id), "")
	wantEqual(t, "an avatar: status", got.status, 503)
}

func TestAPanicIsAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	broken := New(campfire.Store, campfire.server.config)
	broken.store = nil
	server := httptest.NewServer(broken)
	defer server.Close()
	for _, way := range allWays {
		account := campfirev1connect.NewAccountServiceClient(&http.Client{Transport: way.transport(t)}, server.URL, way.options...)
		if way.h2c {
			continue
		}
		_, err := account.GetAccount(context.Background(), &campfirev1.GetAccountRequest{})
		wantCode(t, "a call that panics by "+way.name, err, connect.CodeInternal)
		if err != nil && (strings.Contains(err.Error(), "nil pointer") || !strings.Contains(err.Error(), "the log knows more of request ")) {
			t.Errorf("by %s: got %q, want nothing but a request id", way.name, err)
		}
	}
	if log := campfire.log.String(); !strings.Contains(log, "nil pointer") || !strings.Contains(log, "accounts.go") {
		t.Errorf("the log does not say where it panicked: %s", log)
	}
}
