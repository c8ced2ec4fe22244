package store_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestSigningIn(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for _, address := range []string{"jason@campfire.example", "JASON@Campfire.Example", " Jason@campfire.example\n"} {
		token, u, err := campfire.SignIn(t.Context(), address, storetest.Password, store.Device{IPAddress: "192.0.2.1", UserAgent: "Firefox"})
		wantErr(t, "signing in as "+address, err, nil)
		wantEqual(t, "who it is", u, campfire.Jason)
		who := must(campfire.Authenticate(t.Context(), token, store.Device{}))(t)
		wantEqual(t, "whose session it is", who.UserID, campfire.Jason.ID)
	}
	for _, c := range []struct{ what, address, password string }{
		{"a wrong password", "jason@campfire.example", "wrong"},
		{"a password in other case", "jason@campfire.example", strings.ToUpper(storetest.Password)},
		{"no password", "jason@campfire.example", ""},
		{"an unknown address", "eve@campfire.example", storetest.Password},
		{"an unknown address and the password of nobody", "eve@campfire.example", "nobody"},
		{"no address", "", storetest.Password},
		{"a pattern", "%", storetest.Password},
		{"an overlong password", "jason@campfire.example", storetest.Password + strings.Repeat("a", 1024)},
	} {
		token, u, err := campfire.SignIn(t.Context(), c.address, c.password, store.Device{})
		wantErr(t, c.what, err, store.ErrUnauthenticated)
		if token != "" || u != (store.User{}) {
			t.Errorf("%s: got the token %q of %+v, want none", c.what, token, u)
		}
	}
	wantEqual(t, "devices", inDatabase(t, campfire.Folder, "SELECT DISTINCT ip_address, user_agent FROM sessions WHERE ip_address <> ''"), []string{"192.0.2.1 Firefox"})
}

func TestAnUnknownAddressTakesAsLongAsAWrongPassword(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	if cost, err := bcrypt.Cost(campfire.DummyDigest()); err != nil || cost != bcrypt.MinCost {
		t.Errorf("got cost %d, %v; want that of everyone's passwords here, %d", cost, err, bcrypt.MinCost)
	}
	err := bcrypt.CompareHashAndPassword(campfire.DummyDigest(), []byte(storetest.Password))
	wantErr(t, "compared to the end", err, bcrypt.ErrMismatchedHashAndPassword)
}

func TestOnlyTheFirst72BytesOfAPasswordCount(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	long := strings.Repeat("x", 71) + strings.Repeat("ä", 114) + "x" // 300 bytes; byte 72 is half a character
	_, _, err := campfire.Join(t.Context(), campfire.JoinCode, store.Person{Name: "Sam", EmailAddress: "sam@campfire.example", Password: long}, store.Device{})
	wantErr(t, "joining with 300 bytes", err, nil)
	for what, c := range map[string]struct {
		password string
		want     error
	}{
		"all of them":           {long, nil},
		"72, then others":       {long[:72] + "something else", nil},
		"72":                    {long[:72], nil},
		"71":                    {long[:71], store.ErrUnauthenticated},
		"71 and another":        {long[:71] + "x", store.ErrUnauthenticated},
		"the first ones wrong":  {"y" + long[1:], store.ErrUnauthenticated},
		"all of them, and more": {long + long, nil},
	} {
		_, _, err := campfire.SignIn(t.Context(), "sam@campfire.example", c.password, store.Device{})
		wantErr(t, "signing in with "+what, err, c.want)
	}
}

func TestWhoDoesNotTakePartCannotSignIn(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	token, _, err := campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{})
	wantErr(t, "Jason signs in", err, nil)
	known, _, err := campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{})
	wantErr(t, "Jason signs in once more", err, nil)
	who := must(campfire.Authenticate(t.Context(), known, store.Device{}))(t)
	for what, change := range map[string]string{
		"deactivated": "UPDATE users SET status = 1 WHERE name = 'Jason'",
		"banned":      "UPDATE users SET status = 2 WHERE name = 'Jason'",
		"a bot":       "UPDATE users SET status = 0, role = 2, password_digest = NULL WHERE name = 'Jason'",
	} {
		inDatabase(t, campfire.Folder, change)
		_, _, err := campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{})
		wantErr(t, "signing in as one who is "+what, err, store.ErrUnauthenticated)
		if what == "a bot" {
			continue
		}
		_, err = campfire.Authenticate(t.Context(), token, store.Device{})
		wantErr(t, "the session of one who is "+what, err, store.ErrUnauthenticated)
		wantErr(t, "the session of one who is "+what, campfire.RequireSession(t.Context(), who), store.ErrUnauthenticated)
	}
}

func TestSigningOutEndsOneSession(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var tokens [2]string
	for i := range tokens {
		var err error
		tokens[i], _, err = campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{})
		wantErr(t, "Jason signs in", err, nil)
	}
	who := must(campfire.Authenticate(t.Context(), tokens[0], store.Device{}))(t)
	var told []store.Change
	campfire.OnCommit(func(changes []store.Change) { told = append(told, changes...) })
	wantErr(t, "Jason signs out", campfire.SignOut(t.Context(), who, ""), nil)
	wantEqual(t, "told", told, []store.Change{store.SessionEnded{Identity: who}})
	_, err := campfire.Authenticate(t.Context(), tokens[0], store.Device{})
	wantErr(t, "the session that has ended", err, store.ErrUnauthenticated)
	wantErr(t, "the session that has ended", campfire.RequireSession(t.Context(), who), store.ErrUnauthenticated)
	_, err = campfire.Authenticate(t.Context(), tokens[1], store.Device{})
	wantErr(t, "the other session", err, nil)
	wantErr(t, "signing out again", campfire.SignOut(t.Context(), who, ""), nil)

	again, _, err := campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{})
	wantErr(t, "Jason signs in again", err, nil)
	if next := must(campfire.Authenticate(t.Context(), again, store.Device{}))(t); next.SessionID == who.SessionID {
		t.Errorf("the new session has the id %d of the one that has ended, want its own", next.SessionID)
	}
}

func TestWhoHasSignedOutIsNotRememberedByThoseWhoCameMeanwhile(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for range 20 {
		token, _, err := campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{})
		wantErr(t, "Jason signs in", err, nil)
		who := must(campfire.Authenticate(t.Context(), token, store.Device{}))(t)
		other, _, err := campfire.SignIn(t.Context(), storetest.Email("Kevin"), storetest.Password, store.Device{})
		wantErr(t, "Kevin signs in", err, nil)
		kevin := must(campfire.Authenticate(t.Context(), other, store.Device{}))(t)
		var coming sync.WaitGroup
		var over atomic.Bool
		for range 4 {
			coming.Go(func() {
				for !over.Load() {
					if _, err := campfire.Authenticate(t.Context(), token, store.Device{}); err != nil {
						wantErr(t, "Jason, who has left", err, store.ErrUnauthenticated)
						return
					}
				}
			})
		}
		wantErr(t, "Kevin signs out", campfire.SignOut(t.Context(), kevin, ""), nil) // so that Jason is read anew
		wantErr(t, "Jason signs out", campfire.SignOut(t.Context(), who, ""), nil)
		for range 100 {
			_, err := campfire.Authenticate(t.Context(), token, store.Device{})
			wantErr(t, "a call that comes after", err, store.ErrUnauthenticated)
		}
		over.Store(true)
		coming.Wait()
	}
}

func TestStrangersAreNotAuthenticated(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for _, token := range []string{"", " ", "unknown", "%", strings.Repeat("a", 100_000), "\xff\x00"} {
		who, err := campfire.Authenticate(t.Context(), token, store.Device{})
		wantErr(t, "a stranger's token", err, store.ErrUnauthenticated)
		wantEqual(t, "who it is", who, store.Identity{})
	}
}

func TestASessionsActivityIsNotedOnceAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // in which an hour takes no time
		campfire := storetest.New(t)
		token, _, err := campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{IPAddress: "192.0.2.1", UserAgent: "Firefox"})
		wantErr(t, "Jason signs in", err, nil)
		signedIn := time.Now()
		commits := campfire.Commits()
		seen := func() string {
			t.Helper()
			_, err := campfire.Authenticate(t.Context(), token, store.Device{IPAddress: "192.0.2.2", UserAgent: strings.Repeat("ä", 300)})
			wantErr(t, "Jason's session", err, nil)
			rows := inDatabase(t, campfire.Folder, "SELECT (last_active_at - ?) / 60000000, ip_address, length(user_agent) FROM sessions ORDER BY id DESC LIMIT 1", signedIn.UnixMicro())
			return rows[0]
		}
		time.Sleep(time.Hour)
		wantEqual(t, "after an hour: minute, address, length of agent", seen(), "0 192.0.2.1 7")
		time.Sleep(time.Minute)
		wantEqual(t, "after 61 minutes", seen(), "61 192.0.2.2 256") // 512 bytes
		time.Sleep(30 * time.Minute)
		wantEqual(t, "after 91 minutes", seen(), "61 192.0.2.2 256")
		wantEqual(t, "commits", campfire.Commits()-commits, 1)
	})
}

func TestSecretsAreNotInTheDatabase(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	token, _, err := campfire.SignIn(t.Context(), storetest.Email("Jason"), storetest.Password, store.Device{UserAgent: "Firefox"})
	wantErr(t, "Jason signs in", err, nil)
	if len(token) < 43 { // 256 bits, six a character
		t.Errorf("got the token %q, want at least 43 characters", token)
	}
	wantErr(t, "close", campfire.Close(), nil)
	files := must(filepath.Glob(filepath.Join(campfire.Folder, "*")))(t)
	var everything []byte
	for _, file := range files {
		everything = append(everything, must(os.ReadFile(file))(t)...)
	}
	for what, secret := range map[string]string{"token": token, "password": storetest.Password} {
		if bytes.Contains(everything, []byte(secret)) {
			t.Errorf("the %s is in the database in clear", what)
		}
	}
	if !bytes.Contains(everything, []byte("Firefox")) {
		t.Error("the session's agent is not in the files, want it there: the test reads the wrong ones")
	}
}

func TestSigningOutForgetsThePushSubscriptionOfItsBrowser(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	who := identity(t, campfire, "Jason")
	inDatabase(t, campfire.Folder, `INSERT INTO push_subscriptions (user_id, endpoint, p256dh_key, auth_key, user_agent, created_at, updated_at)
		SELECT users.id, 'https://push.example/' || value, '', '', '', 0, 0
		FROM users, json_each('["this browser", "another"]') WHERE name IN ('Jason', 'Kevin')`)
	wantErr(t, "Jason signs out", campfire.SignOut(t.Context(), who, "https://push.example/this browser"), nil)
	kept := inDatabase(t, campfire.Folder, `SELECT users.name, substr(endpoint, 22) FROM push_subscriptions
		JOIN users ON users.id = push_subscriptions.user_id ORDER BY 1, 2`)
	wantEqual(t, "kept", kept, []string{"Jason another", "Kevin another", "Kevin this browser"})
}

func TestABrowserIsToldNothingOnceItsSessionHasEnded(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	laptop, phone, tablet := identity(t, campfire, "Jason"), identity(t, campfire, "Jason"), identity(t, campfire, "Jason")
	subscribe := func(who store.Identity, browser string) {
		point := must(ecdh.P256().GenerateKey(rand.Reader))(t).PublicKey().Bytes()
		must(campfire.RegisterPushSubscription(t.Context(), who, store.PushSubscription{
			Endpoint: "https://push.example/" + browser, P256DHKey: base64.RawURLEncoding.EncodeToString(point),
			AuthKey: base64.RawURLEncoding.EncodeToString(make([]byte, 16)),
		}))(t)
	}
	told := func() []string {
		return inDatabase(t, campfire.Folder, "SELECT substr(endpoint, 22) FROM push_subscriptions ORDER BY 1")
	}
	subscribe(laptop, "laptop")
	subscribe(phone, "phone")
	subscribe(tablet, "tablet")
	wantErr(t, "Jason signs his phone out", campfire.RevokeSession(t.Context(), laptop.UserID, phone.SessionID), nil)
	wantEqual(t, "told", told(), []string{"laptop", "tablet"})
	must(campfire.UpdateProfile(t.Context(), laptop, store.ProfileChanges{Password: new("another secret")}))(t)
	wantEqual(t, "told, with a new password", told(), []string{"laptop"})
	must(campfire.ResetPassword(t.Context(), storetest.Email("Jason"), "a third secret"))(t)
	wantEqual(t, "told, after an administrator set another", told(), []string{})
}
