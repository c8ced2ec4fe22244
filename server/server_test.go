package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"google.golang.org/protobuf/reflect/protoreflect"

	"campfire.example/gen/campfire/v1/campfirev1connect"
)

var services = []string{
	"campfire.v1.AccountService", "campfire.v1.BotService", "campfire.v1.EventService", "campfire.v1.MessageService",
	"campfire.v1.PresenceService", "campfire.v1.PushService", "campfire.v1.RoomService", "campfire.v1.SearchService",
	"campfire.v1.SessionService", "campfire.v1.UserService",
}

func TestTheServerDescribesItself(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	stranger := campfire.stranger(overGRPC) // as grpcurl
	client := grpcreflect.NewClient(stranger.http, campfire.url, connect.WithGRPC())
	stream := client.NewStream(t.Context())
	defer stream.Close()
	var names []string
	for _, name := range must(stream.ListServices())(t) {
		names = append(names, string(name))
		if files, err := stream.FileContainingSymbol(name); err != nil || len(files) == 0 {
			t.Errorf("the file of %s: got %d files, %v", name, len(files), err)
		}
	}
	slices.Sort(names)
	wantEqual(t, "services", names, append(slices.Clone(services), grpchealth.HealthV1ServiceName))
	_, err := stream.FileContainingSymbol(protoreflect.FullName("campfire.v1.Nothing"))
	wantCode(t, "what there is not", err, connect.CodeNotFound)
}

func TestTheServerSaysThatItIsWell(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	stranger := campfire.stranger(overGRPC)
	client := grpchealth.NewClient(stranger.http, campfire.url, connect.WithGRPC())
	for _, name := range append([]string{""}, services...) {
		res, err := client.Check(t.Context(), &grpchealth.CheckRequest{Service: name})
		if err != nil || res.Status != grpchealth.StatusServing {
			t.Errorf("the health of %q: got %v, %v; want serving", name, res, err)
		}
	}
	_, err := client.Check(t.Context(), &grpchealth.CheckRequest{Service: "campfire.v1.NothingService"})
	wantCode(t, "the health of what there is not", err, connect.CodeNotFound)
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Client = builtClient })
	david := campfire.as("David")
	ids := map[string]bool{}
	for _, c := range []struct {
		what, method, path, body, kind string
		status                         int
	}{
		{"a page", "GET", "/", "", "", 200},
		{"an asset", "GET", "/assets/app-1.js", "", "", 200},
		{"a missing asset", "GET", "/assets/app-0.js", "", "", 404},
		{"an avatar", "GET", fmt.Sprintf("/users/%d/avatar", david.id), "", "", 200},
		{"an avatar of nobody", "GET", "/users/4711/avatar", "", "", 404},
		{"whether it is up", "GET", "/up", "", "", 200},
		{"a call", "POST", campfirev1connect.RoomServiceListRoomsProcedure, "{}", "application/json", 200},
		{"a failing call", "POST", campfirev1connect.RoomServiceGetRoomProcedure, "{}", "application/json", 404},
		{"a form", "POST", campfirev1connect.RoomServiceListRoomsProcedure, "a=b", "application/x-www-form-urlencoded", 415},
		{"a stream", "POST", campfirev1connect.EventServiceSubscribeProcedure, "\x00\x00\x00\x00\x16" + `{"resumeToken": "bad"}`, "application/connect+json", 200},
	} {
		got := david.request(t, c.method, c.path, c.body, "Content-Type: "+c.kind)
		wantEqual(t, c.what+": status", got.status, c.status)
		policy := got.header.Get("Content-Security-Policy")
		for _, directive := range []string{"default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !slices.Contains(strings.Split(policy, "; "), directive) {
				t.Errorf("%s: the policy %q lacks %q", c.what, policy, directive)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: got the policy %q", c.what, policy)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options":     "nosniff",
			"X-Frame-Options":            "DENY",
			"Referrer-Policy":            "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin",
			"X-Version":                  "1.2.3",
		} {
			wantEqual(t, c.what+": "+header, got.header.Get(header), want)
		}
		if strings.HasPrefix(c.path, "/campfire.v1.") && !strings.Contains(got.header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: Cache-Control is %q, want no-store", c.what, got.header.Get("Cache-Control"))
		}
		id := got.header.Get("X-Request-Id")
		if ids[id] || len(id) != 12 {
			t.Errorf("%s: the request id is %q, want a new one", c.what, id)
		}
		ids[id] = true
	}
}

func TestOtherOriginsMayCallOnlyIfTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	const origin = "https://elsewhere.example"
	closed, open := newCampfire(t), newCampfire(t, func(s *setup) {
		s.Origins = []string{origin, "http://localhost:5173", "nonsense"}
	})
	allowed := func(c *campfire, origin string) (preflight, call answer) {
		browser := c.stranger()
		preflight = browser.request(t, "OPTIONS", campfirev1connect.RoomServiceListRoomsProcedure, "", "Origin: "+origin,
			"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,connect-protocol-version,content-type")
		call = browser.request(t, "POST", campfirev1connect.AccountServiceGetAccountProcedure, "{}", jsonBody, "Origin: "+origin)
		return preflight, call
	}
	for _, origin := range []string{origin, "http://localhost:5173"} {
		preflight, call := allowed(open, origin)
		for header, want := range map[string]string{
			"Access-Control-Allow-Origin":  origin,
			"Access-Control-Allow-Methods": "POST",
			"Access-Control-Allow-Headers": "authorization,connect-protocol-version,content-type",
			"Access-Control-Max-Age":       "600",
		} {
			wantEqual(t, origin+": preflight: "+header, preflight.header.Get(header), want)
		}
		wantEqual(t, origin+": call", []any{call.status, call.header.Get("Access-Control-Allow-Origin")}, []any{200, origin})
		for _, exposed := range []string{"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"} {
			if !strings.Contains(call.header.Get("Access-Control-Expose-Headers"), exposed) {
				t.Errorf("%s: %s is not exposed: %s", origin, exposed, call.header.Get("Access-Control-Expose-Headers"))
			}
		}
		for _, got := range []answer{preflight, call} {
			if !slices.ContainsFunc(got.header.Values("Vary"), func(vary string) bool { return strings.Contains(vary, "Origin") }) {
				t.Errorf("%s: Vary is %q, want Origin in it", origin, got.header.Values("Vary"))
			}
			wantEqual(t, origin+": with cookies", got.header.Get("Access-Control-Allow-Credentials"), "")
		}
	}
	preflight, call := allowed(closed, origin)
	wantEqual(t, "by default: permission", []any{
		preflight.header.Get("Access-Control-Allow-Origin"), call.header.Get("Access-Control-Allow-Origin"), call.status,
	}, []any{"", "", 403})
	for _, other := range []string{
		"http://elsewhere.example", "https://elsewhere.example:8443", "https://sub.elsewhere.example",
		"https://elsewhere.example.evil.example", "https://evil-elsewhere.example", "null", "nonsense", "*",
	} {
		preflight, call := allowed(open, other)
		wantEqual(t, other+": permission", []any{
			preflight.header.Get("Access-Control-Allow-Origin"), call.header.Get("Access-Control-Allow-Origin"), call.status,
		}, []any{"", "", 403})
	}
	if !strings.Contains(open.log.String(), "nonsense") {
		t.Error("the log does not say that nonsense is no origin")
	}
}

var builtClient = fstest.MapFS{
	"index.html":         {Data: []byte("<!doctype html><title>Campfire</title>")},
	"assets/app-1.js":    {Data: []byte(strings.Repeat("console.log('Campfire');\n", 200))},
	"sounds/bell.mp3":    {Data: []byte("ding")},
	"icons/icon-192.png": {Data: []byte("small")},
	"icons/icon-512.png": {Data: []byte("large")},
	"service-worker.js":  {Data: []byte("self")},
	"manifest.json":      {Data: []byte("{}")},
	".gitkeep":           {},
	"assets/app-1.css":   {Data: []byte("body { margin: 0 }")},
}
