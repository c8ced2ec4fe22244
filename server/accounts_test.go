package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestCustomStylesAreServedToEveryPageAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, stranger := campfire.as("David"), campfire.stranger()
	heard := campfire.as("Kevin").listen(t)
	before := stranger.request(t, "GET", "/custom.css", "")
	wantEqual(t, "without any: status and body", []any{before.status, before.body}, []any{200, ""})

	const styles = "/* <b>&amp;</b> */ .message::after { content: \"</style>\\201C\"; color: red }\n"
	must(david.UpdateCustomStyles(t.Context(), &campfirev1.UpdateCustomStylesRequest{Styles: styles}))(t)
	heard.hears(t, `account "Campfire"`) // and so every page knows that there are others
	got := stranger.request(t, "GET", "/custom.css", "")
	wantEqual(t, "the styles, to a stranger", []any{got.status, got.body, got.header.Get("Content-Type"), got.header.Get("Cache-Control")},
		[]any{200, styles, "text/css; charset=utf-8", "no-cache"})
	tag := got.header.Get("ETag")
	again := stranger.request(t, "GET", "/custom.css", "", "If-None-Match: "+tag)
	wantEqual(t, "once more: status and body", []any{again.status, again.body}, []any{304, ""})
	must(david.UpdateCustomStyles(t.Context(), &campfirev1.UpdateCustomStylesRequest{Styles: "p {}"}))(t)
	changed := stranger.request(t, "GET", "/custom.css", "", "If-None-Match: "+tag)
	wantEqual(t, "once they have changed: status and body", []any{changed.status, changed.body}, []any{200, "p {}"})
}

func TestJoiningSignsInAndTellsWhyItCannot(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	join := func(code, name string) answer {
		return campfire.stranger().request(t, "POST", campfirev1connect.SessionServiceJoinProcedure,
			fmt.Sprintf(`{"joinCode": %q, "name": %q, "emailAddress": %q, "password": "secret123456"}`, code, name, storetest.Email(name)), jsonBody)
	}
	check := func(code string) error {
		_, err := campfire.stranger().CheckJoinCode(t.Context(), &campfirev1.CheckJoinCodeRequest{JoinCode: code})
		return err
	}
	for what, c := range map[string]struct {
		got          answer
		status, code string
	}{
		"a wrong code":    {join("AAAA-BBBB-CCCC", "Rosa"), "404", "not_found"},
		"a known address": {join(campfire.JoinCode, "Kevin"), "409", "already_exists"},
	} {
		wantEqual(t, what+": status and cookies", []any{c.got.status, c.got.header.Values("Set-Cookie")}, []any{c.status, []string{}})
		if !strings.Contains(c.got.body, fmt.Sprintf(`"code":%q`, c.code)) {
			t.Errorf("%s: got %s, want the code %s", what, c.got.body, c.code)
		}
	}
	wantEqual(t, "people", campfire.query("SELECT count(*) FROM users"), "3")
	wantEqual(t, "the right code", check(campfire.JoinCode), nil)
	wantCode(t, "a wrong code", check("AAAA-BBBB-CCCC"), connect.CodeNotFound)

	must(campfire.CreateRoom(t.Context(), campfire.Kevin.ID, store.NewRoom{Kind: store.OpenRoom, Name: "Watercooler"}))(t)
	joined := join(campfire.JoinCode, "Rosa")
	rosa := campfire.stranger().with("Cookie", sessionCookie+"="+sessionCookieOf(t, joined.header).Value)
	me := must(rosa.GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{}))(t).GetUser()
	wantEqual(t, "who is signed in, as what", []any{me.GetName(), me.GetRole()}, []any{"Rosa", campfirev1.UserRole_USER_ROLE_MEMBER})
	var rooms []string
	for _, room := range must(rosa.ListRooms(t.Context(), &campfirev1.ListRoomsRequest{}))(t).GetRooms() {
		rooms = append(rooms, room.GetName())
	}
	wantEqual(t, "Rosa's rooms: the open ones", rooms, []string{"All Talk", "Watercooler"})
}

// What fetches links, to show what they lead to, must not sign anyone in.
func TestATransferLinkSignsInWhoPostsIt(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Client = builtClient })
	david := campfire.as("David")
	made := must(david.CreateTransfer(t.Context(), &campfirev1.CreateTransferRequest{UserId: &campfire.Kevin.ID}))(t)
	token, stranger := made.GetTransferToken(), campfire.stranger()
	for _, path := range []string{"/session/transfers/" + token, "/session/transfers/rubbish"} {
		page := stranger.request(t, "GET", path, "")
		wantEqual(t, path+": status and cookies", []any{page.status, page.header.Values("Set-Cookie")}, []any{200, []string{}})
	}
	const claim = campfirev1connect.SessionServiceClaimTransferProcedure
	body := fmt.Sprintf(`{"transferToken": %q}`, token)
	fetched := stranger.request(t, "GET", claim+"?connect=v1&encoding=json&message="+url.QueryEscape(body), "")
	wantEqual(t, "claimed by GET: status and cookies", []any{fetched.status, fetched.header.Values("Set-Cookie")}, []any{405, []string{}})

	cookie := sessionCookieOf(t, stranger.request(t, "POST", claim, body, jsonBody).header)
	browser := campfire.stranger().with("Cookie", sessionCookie+"="+cookie.Value)
	wantEqual(t, "who is signed in", must(browser.GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{}))(t).GetUser().GetName(), "Kevin")
	refused := campfire.stranger().request(t, "POST", claim, `{"transferToken": "rubbish"}`, jsonBody)
	wantEqual(t, "rubbish: status and cookies", []any{refused.status, refused.header.Values("Set-Cookie")}, []any{400, []string{}})
}
