package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store/storetest"
)

func signInBody(name string) string {
	return fmt.Sprintf(`{"emailAddress": %q, "password": %q}`, storetest.Email(name), storetest.Password)
}

// sessionCookieOf is the session cookie that an answer sets.
func sessionCookieOf(t testing.TB, header http.Header) *http.Cookie {
	t.Helper()
	lines := header.Values("Set-Cookie")
	if len(lines) != 1 {
		t.Fatalf("got cookies %q, want one", lines)
	}
	cookie := must(http.ParseSetCookie(lines[0]))(t)
	if cookie.Name != sessionCookie || cookie.Path != "/" || cookie.Domain != "" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("got the cookie %q, want session_token for every path of this host alone, HttpOnly and SameSite=Lax", lines[0])
	}
	return cookie
}

func TestTheSessionCookie(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	browser := campfire.stranger()
	got := browser.request(t, "POST", campfirev1connect.SessionServiceSignInProcedure, signInBody("David"), jsonBody)
	cookie := sessionCookieOf(t, got.header)
	var answered struct{ SessionToken string }
	if err := json.Unmarshal([]byte(got.body), &answered); err != nil || answered.SessionToken != cookie.Value || cookie.Value == "" {
		t.Errorf("the answer has the token %q, the cookie %q", answered.SessionToken, cookie.Value)
	}
	wantEqual(t, "the cookie's age", cookie.MaxAge, int(sessionCookieAge.Seconds()))

	renewed := sessionCookieOf(t, browser.request(t, "POST", campfirev1connect.SessionServiceGetCurrentUserProcedure, "{}", jsonBody).header)
	wantEqual(t, "the renewed cookie", renewed.Raw, cookie.Raw)
	byToken := campfire.stranger().with("Authorization", "Bearer "+cookie.Value)
	got = byToken.request(t, "POST", campfirev1connect.SessionServiceGetCurrentUserProcedure, "{}", jsonBody)
	wantEqual(t, "cookies for one who has none", got.header.Values("Set-Cookie"), []string{})

	out := sessionCookieOf(t, browser.request(t, "POST", campfirev1connect.SessionServiceSignOutProcedure, "{}", jsonBody).header)
	wantEqual(t, "the cookie after signing out", []any{out.Value, out.MaxAge}, []any{"", -1})
	got = browser.request(t, "POST", campfirev1connect.SessionServiceGetCurrentUserProcedure, "{}", jsonBody)
	wantEqual(t, "signed out: status", got.status, 401)
	got = byToken.request(t, "POST", campfirev1connect.SessionServiceGetCurrentUserProcedure, "{}", jsonBody)
	wantEqual(t, "the token after signing out: status", got.status, 401)

	join := fmt.Sprintf(`{"joinCode": %q, "name": "Rosa", "emailAddress": "rosa@campfire.example", "password": "secret"}`, campfire.JoinCode)
	sessionCookieOf(t, browser.request(t, "POST", campfirev1connect.SessionServiceJoinProcedure, join, jsonBody).header)
	got = browser.request(t, "POST", campfirev1connect.SessionServiceGetCurrentUserProcedure, "{}", jsonBody)
	if !strings.Contains(got.body, `"Rosa"`) {
		t.Errorf("having joined, the browser is %s, want Rosa", got.body)
	}
	for _, body := range []string{`{"emailAddress": "rosa@campfire.example", "password": "wrong"}`, `{}`} {
		got := campfire.stranger().request(t, "POST", campfirev1connect.SessionServiceSignInProcedure, body, jsonBody)
		wantEqual(t, "a failed sign-in: status and cookies", []any{got.status, got.header.Values("Set-Cookie")}, []any{401, []string{}})
	}
}

func TestTheFirstRunSignsIn(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(New(storetest.Open(t, t.TempDir()), Config{}))
	defer server.Close()
	setUp := func() *http.Response {
		res, err := server.Client().Post(server.URL+campfirev1connect.AccountServiceSetUpProcedure, "application/json",
			strings.NewReader(`{"name": "David", "emailAddress": "david@campfire.example", "password": "secret"}`))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	sessionCookieOf(t, setUp().Header)
	again := setUp()
	wantEqual(t, "a second first run: status and cookies", []any{again.StatusCode, again.Header.Values("Set-Cookie")}, []any{400, []string{}})
}

func TestTheCookieIsSecureWheneverTheRequestCameByTLS(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.TrustedProxies = loopback })
	signIn := func(server *httptest.Server, proto string) *http.Cookie {
		req := must(http.NewRequestWithContext(t.Context(), http.MethodPost,
			server.URL+campfirev1connect.SessionServiceSignInProcedure, strings.NewReader(signInBody("David"))))(t)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Forwarded-Proto", proto)
		res := must(server.Client().Do(req))(t)
		res.Body.Close()
		return sessionCookieOf(t, res.Header)
	}
	plain, tls := httptest.NewServer(campfire.server), httptest.NewTLSServer(campfire.server)
	defer plain.Close()
	defer tls.Close()
	wantEqual(t, "Secure by TLS", signIn(tls, "").Secure, true)
	wantEqual(t, "Secure by TLS, whatever is said", signIn(tls, "http").Secure, true)
	wantEqual(t, "Secure in the clear", signIn(plain, "").Secure, false)
	wantEqual(t, "Secure by a proxy that had TLS", signIn(plain, "https").Secure, true)
	wantEqual(t, "Secure by a proxy that had none", signIn(plain, "http").Secure, false)
	campfire.server.config.TrustedProxies = nil
	wantEqual(t, "Secure as nobody trusted says", signIn(plain, "https").Secure, false)
}

func TestABearerTokenCountsAlone(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.as("David")
	nobody := strings.Repeat("A", len(david.token))
	for _, c := range []struct {
		what, cookie, authorization string
		known                       bool
	}{
		{"nothing", "", "", false},
		{"a cookie", david.token, "", true},
		{"a cookie of nobody", nobody, "", false},
		{"a bearer token", "", "Bearer " + david.token, true},
		{"a bearer token in small letters", "", "bearer " + david.token, true},
		{"a bearer token beside a cookie of nobody", nobody, "Bearer " + david.token, true},
		{"a bearer token of nobody", "", "Bearer " + nobody, false},
		{"a bearer token of nobody beside a cookie", david.token, "Bearer " + nobody, false},
		{"an empty bearer token beside a cookie", david.token, "Bearer ", false},
		{"the word beside a cookie", david.token, "Bearer", false},
		{"another scheme beside a cookie", david.token, "Basic ZGF2aWQ6c2VjcmV0", false},
		{"a token without its scheme", "", david.token, false},
	} {
		for _, way := range allWays {
			browser := campfire.stranger(way)
			if c.cookie != "" {
				browser = browser.with("Cookie", sessionCookie+"="+c.cookie)
			}
			if c.authorization != "" {
				browser = browser.with("Authorization", c.authorization)
			}
			what := c.what + " by " + way.name
			res, err := browser.GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{})
			stream := browser.subscribe(t, "")
			avatar := browser.request(t, "GET", fmt.Sprintf("/users/%d/avatar", david.id), "")
			if c.known {
				wantEqual(t, what, []any{res.GetUser().GetId(), err}, []any{david.id, nil})
				if hello := stream.any(t).GetHello(); hello == nil {
					t.Errorf("%s: the stream starts with no hello", what)
				}
				stream.hangUp()
				wantEqual(t, what+": avatar", avatar.status, 200)
				continue
			}
			wantCode(t, what, err, connect.CodeUnauthenticated)
			_, err = stream.end(t)
			wantCode(t, what+": stream", err, connect.CodeUnauthenticated)
			wantEqual(t, what+": avatar", avatar.status, 401)
		}
	}
}

func TestStrangersMayCallOnlyWhatIsOpenToThem(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	stranger := campfire.stranger()
	open := map[string]string{ // and what each answers to nothing
		"/campfire.v1.AccountService/GetAccount":    "",
		"/campfire.v1.AccountService/SetUp":         "invalid_argument",
		"/campfire.v1.SessionService/SignIn":        "unauthenticated",
		"/campfire.v1.SessionService/CheckJoinCode": "not_found",
		"/campfire.v1.SessionService/Join":          "invalid_argument",
		"/campfire.v1.SessionService/ClaimTransfer": "invalid_argument",
	}
	codeOf, methods := regexp.MustCompile(`"code":"([a-z_]+)"`), 0
	protoregistry.GlobalFiles.RangeFilesByPackage("campfire.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				procedure := fmt.Sprintf("/%s/%s", service.FullName(), method.Name())
				want, isOpen := open[procedure]
				if !isOpen {
					want = "unauthenticated"
				}
				kind, body := "application/json", "{}"
				if method.IsStreamingServer() {
					kind, body = "application/connect+json", "\x00\x00\x00\x00\x02{}"
				}
				got := stranger.request(t, "POST", procedure, body, "Content-Type: "+kind)
				code := ""
				if found := codeOf.FindStringSubmatch(got.body); found != nil {
					code = found[1]
				}
				wantEqual(t, procedure+" to a stranger: code", code, want)
				methods++
			}
		}
		return true
	})
	if methods < 50 {
		t.Errorf("found %d methods, want all of campfire.v1", methods)
	}
}

func TestPagesOfOtherSitesActForNobody(t *testing.T) {
	t.Parallel()
	const trusted, public = "https://elsewhere.example", "https://chat.campfire.example:8443"
	campfire := newCampfire(t, func(s *setup) {
		s.Origins = []string{trusted}
		s.URL = must(url.Parse(public))(t)
	})
	david := campfire.as("David")
	for _, c := range []struct {
		site, origin string
		passes       bool
	}{
		{"", "", true}, // curl, programs
		{"same-origin", campfire.url, true},
		{"none", "", true}, // typed into the address bar
		{"", campfire.url, true},
		{"cross-site", trusted, true},
		{"", trusted, true},
		{"", public, true}, // through a proxy that has told another name
		{"", "https://chat.campfire.example", false},
		{"cross-site", "", false},
		{"cross-site", "https://evil.example", false},
		{"same-site", "https://evil.example", false},
		{"", "https://evil.example", false},
		{"", "https://elsewhere.example.evil.example", false},
		{"", "http://elsewhere.example", false},
		{"", "null", false},
	} {
		browser := david
		if c.site != "" {
			browser = browser.with("Sec-Fetch-Site", c.site)
		}
		if c.origin != "" {
			browser = browser.with("Origin", c.origin)
		}
		what := fmt.Sprintf("site %q, origin %q", c.site, c.origin)
		_, err := browser.PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: campfire.AllTalk.ID, Body: textOf(what)})
		stream := browser.subscribe(t, "")
		if c.passes {
			wantEqual(t, what, err, nil)
			wantEqual(t, what+": stream", stream.any(t).GetHello() != nil, true)
			stream.hangUp()
			continue
		}
		wantCode(t, what, err, connect.CodePermissionDenied)
		_, err = stream.end(t)
		wantCode(t, what+": stream", err, connect.CodePermissionDenied)
		if origin := "origin=" + c.origin; c.origin != "" && !strings.Contains(campfire.log.String(), origin) {
			t.Errorf("%s: the log does not say %s", what, origin)
		}
	}
	for _, m := range david.conversation(t, campfire.AllTalk) {
		if strings.Contains(m.GetBodyText(), "evil") {
			t.Errorf("it was posted nevertheless: %s", m.GetBodyText())
		}
	}
	// Reading does no harm, and its answer stays with the browser.
	get := campfirev1connect.RoomServiceListRoomsProcedure + "?encoding=json&message=%7B%7D&connect=v1"
	got := david.request(t, "GET", get, "", "Sec-Fetch-Site: cross-site", "Origin: https://evil.example")
	wantEqual(t, "a GET from elsewhere: status and permission to read it", []any{got.status, got.header.Get("Access-Control-Allow-Origin")}, []any{200, ""})
}

func TestASessionRemembersItsDevice(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.TrustedProxies = []netip.Prefix{loopback[0]} })
	browser := campfire.stranger().with("X-Forwarded-For", "203.0.113.1").with("User-Agent", "Lynx")
	if err := browser.signIn(t, storetest.Email("David"), storetest.Password); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "the session's device", campfire.query("SELECT ip_address || ' ' || user_agent FROM sessions ORDER BY id DESC LIMIT 1"), "203.0.113.1 Lynx")
}
