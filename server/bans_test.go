package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store/storetest"
)

// behindProxy trusts the loopback addresses, as of a proxy, so that a test may come from anywhere.
func behindProxy(s *setup) { s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// from is somebody, signed in from an address.
func (c *campfire) from(name, address string) *person {
	c.t.Helper()
	p := c.stranger().with("X-Forwarded-For", address)
	res, err := p.SignIn(c.t.Context(), &campfirev1.SignInRequest{EmailAddress: storetest.Email(name), Password: storetest.Password})
	if err != nil {
		c.t.Fatalf("%s signs in from %s: %v", name, address, err)
	}
	p.name, p.id, p.token = name, res.GetUser().GetId(), res.GetSessionToken()
	return p
}

func TestABannedPersonIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, behindProxy)
	david, jason, kevin := campfire.from("David", "203.0.113.1"), campfire.from("Jason", "198.51.100.7"), campfire.from("Kevin", "198.51.100.7")
	m := kevin.post(t, campfire.AllTalk, "Mine")
	heard, theirs := david.listen(t), kevin.listen(t)
	user := must(david.BanUser(t.Context(), &campfirev1.BanUserRequest{UserId: kevin.id}))(t).GetUser()
	wantEqual(t, "his status", user.GetStatus(), campfirev1.UserStatus_USER_STATUS_BANNED)
	heard.hears(t, `user "Kevin"`, fmt.Sprintf("deleted %d", m.GetId()))
	rest, err := theirs.end(t)
	wantCode(t, "his stream", err, connect.CodeUnauthenticated)
	wantEqual(t, "what it still told him", rest, []string{})
	wantCode(t, "he reads", kevin.read(t, campfire.AllTalk), connect.CodeUnauthenticated)

	// From his address nobody changes anything, and everyone reads.
	_, err = jason.PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: campfire.AllTalk.ID, Body: textOf("Hello")})
	wantCode(t, "Jason posts from there", err, connect.CodeResourceExhausted)
	if err := jason.read(t, campfire.AllTalk); err != nil {
		t.Errorf("Jason reads from there: %v", err)
	}
	jason.listen(t)
	for _, way := range allWays {
		_, err := jason.by(way).with("X-Forwarded-For", "198.51.100.7").StartTyping(t.Context(), &campfirev1.StartTypingRequest{RoomId: campfire.AllTalk.ID})
		wantCode(t, "Jason types from there by "+way.name, err, connect.CodeResourceExhausted)
	}
	stranger := campfire.stranger().with("X-Forwarded-For", "198.51.100.7")
	_, err = stranger.SignIn(t.Context(), &campfirev1.SignInRequest{EmailAddress: storetest.Email("Jason"), Password: storetest.Password})
	wantCode(t, "a sign-in from there", err, connect.CodeResourceExhausted)
	wantEqual(t, "any other request from there", stranger.request(t, http.MethodPost, "/anything", "").status, http.StatusTooManyRequests)
	wantEqual(t, "a page from there", stranger.request(t, http.MethodGet, "/up", "").status, http.StatusOK)
	next := campfire.from("Jason", "198.51.100.8")
	next.post(t, campfire.AllTalk, "Hello from next door")

	seen := func(p *person) (names []string) {
		for _, u := range must(p.ListUsers(t.Context(), &campfirev1.ListUsersRequest{}))(t).GetUsers() {
			names = append(names, fmt.Sprint(u.GetName(), " ", u.GetStatus()))
		}
		return names
	}
	wantEqual(t, "whom Jason sees", seen(jason), []string{"David USER_STATUS_ACTIVE", "Jason USER_STATUS_ACTIVE"})
	wantEqual(t, "whom David sees", seen(david), []string{"David USER_STATUS_ACTIVE", "Jason USER_STATUS_ACTIVE", "Kevin USER_STATUS_BANNED"})
	_, err = next.UnbanUser(t.Context(), &campfirev1.UnbanUserRequest{UserId: kevin.id})
	wantCode(t, "Jason, a member, lifts the ban", err, connect.CodePermissionDenied)
	user = must(david.UnbanUser(t.Context(), &campfirev1.UnbanUserRequest{UserId: kevin.id}))(t).GetUser()
	wantEqual(t, "his status", user.GetStatus(), campfirev1.UserStatus_USER_STATUS_ACTIVE)
	jason.post(t, campfire.AllTalk, "Hello again")
	wantCode(t, "his old session", kevin.read(t, campfire.AllTalk), connect.CodeUnauthenticated)
	campfire.from("Kevin", "198.51.100.7").post(t, campfire.AllTalk, "I am back")
}
