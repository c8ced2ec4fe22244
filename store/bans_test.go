package store_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

// from signs somebody in from an address.
func from(t testing.TB, campfire *storetest.Campfire, name, address string) store.Identity {
	t.Helper()
	device := store.Device{IPAddress: address, UserAgent: "test"}
	token, _, err := campfire.SignIn(t.Context(), storetest.Email(name), storetest.Password, device)
	if err != nil {
		t.Fatal(err)
	}
	return must(campfire.Authenticate(t.Context(), token, device))(t)
}

func banned(t testing.TB, campfire *storetest.Campfire) []string {
	t.Helper()
	return inDatabase(t, campfire.Folder, "SELECT ip_address FROM bans ORDER BY ip_address")
}

func TestABanBlocksThePublicAddressesOfEverySession(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, kevin := t.Context(), campfire.Kevin.ID
	david := from(t, campfire, "David", "203.0.113.1")
	var sessions []store.Identity
	for _, address := range []string{
		"198.51.100.7", "198.51.100.7", "198.51.100.8", "2001:db8:0:1::5", "2001:db8:0:1::6", "203.0.113.1", "10.0.0.1", "127.0.0.1",
		"169.254.1.1", "fe80::1", "fd00::1", "::1", "0.0.0.0", "192.168.1.1", "", "nonsense",
	} {
		sessions = append(sessions, from(t, campfire, "Kevin", address))
	}
	inDatabase(t, campfire.Folder, `INSERT INTO push_subscriptions (user_id, endpoint, p256dh_key, auth_key, user_agent, created_at, updated_at)
		VALUES (?, 'https://push.example', '', '', '', 0, 0)`, kevin)
	var changes []store.Change
	campfire.OnCommit(func(c []store.Change) { changes = append(changes, c...) })
	u := must(campfire.BanUser(ctx, david, kevin))(t)
	wantEqual(t, "his status", u.Status, store.Banned)
	wantEqual(t, "his address", u.EmailAddress, "kevin@campfire.example")
	wantEqual(t, "his push subscriptions", inDatabase(t, campfire.Folder, "SELECT count(*) FROM push_subscriptions"), []int{0})
	got := banned(t, campfire)
	wantEqual(t, "how many bans", len(got), 3) // of two addresses of one network one stands for both
	if joined := strings.Join(got, " "); !strings.HasPrefix(joined, "198.51.100.7 198.51.100.8 2001:db8:0:1::") {
		t.Errorf("banned: got %s", joined)
	}
	for _, who := range sessions {
		wantErr(t, "his session", campfire.RequireSession(ctx, who), store.ErrUnauthenticated)
	}
	ended := 0
	for _, c := range changes {
		if c, ok := c.(store.SessionEnded); ok && c.UserID == kevin {
			ended++
		}
	}
	wantEqual(t, "told to end", ended, len(sessions)+1) // and the one he joined with
	_, _, err := campfire.SignIn(ctx, storetest.Email("Kevin"), storetest.Password, store.Device{})
	wantErr(t, "Kevin signs in", err, store.ErrUnauthenticated)
	blocked := func() (addresses []string) {
		for _, address := range []string{"198.51.100.7", "198.51.100.8", "198.51.100.9", "2001:db8:0:1:ffff::1", "2001:db8:0:2::5", "203.0.113.1", "10.0.0.1", "::1"} {
			if campfire.IsBlocked(netip.MustParseAddr(address)) {
				addresses = append(addresses, address)
			}
		}
		return addresses
	}
	wantEqual(t, "blocked", blocked(), []string{"198.51.100.7", "198.51.100.8", "2001:db8:0:1:ffff::1"})
	wantEqual(t, "whether nobody's address is", campfire.IsBlocked(netip.Addr{}), false)
	must(campfire.BanUser(ctx, david, kevin))(t)
	wantEqual(t, "blocked, banned twice", blocked(), []string{"198.51.100.7", "198.51.100.8", "2001:db8:0:1:ffff::1"})

	campfire.OnCommit(func([]store.Change) {})
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	campfire.Store = storetest.Open(t, campfire.Folder)
	wantEqual(t, "blocked, after a restart", blocked(), []string{"198.51.100.7", "198.51.100.8", "2001:db8:0:1:ffff::1"})
	u = must(campfire.UnbanUser(ctx, david.UserID, kevin))(t)
	wantEqual(t, "his status", u.Status, store.Active)
	wantEqual(t, "bans", banned(t, campfire), []string(nil))
	wantEqual(t, "blocked", blocked(), []string(nil))
	from(t, campfire, "Kevin", "198.51.100.7")
}

func TestWhoMayBanWhom(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	david, jason := identity(t, campfire, "David"), identity(t, campfire, "Jason")
	ban := func(who store.Identity, whom int64) error { _, err := campfire.BanUser(ctx, who, whom); return err }
	unban := func(who store.Identity, whom int64) error {
		_, err := campfire.UnbanUser(ctx, who.UserID, whom)
		return err
	}
	wantErr(t, "a member bans", ban(jason, campfire.Kevin.ID), store.ErrForbidden)
	wantErr(t, "a member unbans", unban(jason, campfire.Kevin.ID), store.ErrForbidden)
	wantErr(t, "a member looks for nobody", ban(jason, 4711), store.ErrForbidden)
	wantErr(t, "nobody is banned", ban(david, 4711), store.ErrNotFound)
	wantErr(t, "the last administrator bans himself", ban(david, david.UserID), store.ErrForbidden)
	wantErr(t, "someone is unbanned who is not banned", unban(david, campfire.Kevin.ID), store.ErrNotFound)
	must(campfire.DeactivateUser(ctx, david.UserID, campfire.Kevin.ID))(t)
	wantErr(t, "someone who has left is banned", ban(david, campfire.Kevin.ID), store.ErrNotFound)
	wantErr(t, "someone who has left is unbanned", unban(david, campfire.Kevin.ID), store.ErrNotFound)
	must(campfire.SetUserRole(ctx, david.UserID, jason.UserID, store.Administrator))(t)
	wantErr(t, "one of two administrators bans himself", ban(david, david.UserID), store.ErrForbidden)
	wantErr(t, "one of two administrators is banned", ban(jason, david.UserID), nil)
	wantErr(t, "who is banned unbans", unban(david, david.UserID), store.ErrForbidden)
	_, err := campfire.SetUserRole(ctx, jason.UserID, jason.UserID, store.Member)
	wantErr(t, "the only one left steps down", err, store.ErrConflict)
}

func TestWhoIsUnbannedBelongsToEveryOpenRoom(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, kevin := t.Context(), identity(t, campfire, "David"), campfire.Kevin
	must(campfire.SetInvolvement(ctx, kevin.ID, campfire.AllTalk.ID, store.Everything))(t)
	must(campfire.BanUser(ctx, david, kevin.ID))(t)
	must(campfire.CreateRoom(ctx, david.UserID, store.NewRoom{Kind: store.OpenRoom, Name: "Meanwhile"}))(t)
	opened := store.OpenRoom
	must(campfire.UpdateRoom(ctx, david.UserID, campfire.Designers.ID, store.RoomChanges{Kind: &opened}))(t)
	must(campfire.UnbanUser(ctx, david.UserID, kevin.ID))(t)
	wantEqual(t, "Kevin's rooms", sidebar(t, campfire.Store, kevin), []string{"All Talk", "Designers", "Meanwhile"})
	room := must(campfire.GetRoom(ctx, kevin.ID, campfire.AllTalk.ID))(t)
	wantEqual(t, "how much he hears of All Talk, as before", room.Involvement, store.Everything)
}

func TestABanTakesAwayOnesWords(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david := t.Context(), identity(t, campfire, "David")
	ping := direct(t, campfire, campfire.David, campfire.Kevin)
	for i := range 250 {
		room := []int64{campfire.AllTalk.ID, ping.ID}[i%2]
		m := post(t, campfire.Store, campfire.Kevin, room, fmt.Sprint("eel ", i))
		must(boostOnly(campfire.AddBoost(ctx, david.UserID, m.ID, "🐍")))(t)
	}
	kept := post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, "an eel of mine")
	must(boostOnly(campfire.AddBoost(ctx, campfire.Kevin.ID, kept.ID, "👍")))(t)
	deleted := map[int64]int{}
	campfire.OnCommit(func(changes []store.Change) {
		for _, c := range changes {
			if c, ok := c.(store.MessageDeleted); ok {
				deleted[c.MessageID]++
			}
		}
	})
	must(campfire.BanUser(ctx, david, campfire.Kevin.ID))(t)
	wantEqual(t, "told as deleted", len(deleted), 250)
	wantEqual(t, "found", search(t, campfire.Store, campfire.David, "eel"), []string{"an eel of mine"})
	wantEqual(t, "Kevin's boost", len(must(campfire.GetMessage(ctx, david.UserID, kept.ID))(t).Boosts), 1)
	wantEqual(t, "All Talk", members(t, campfire.Store, campfire.David, campfire.AllTalk.ID), []string{"David", "Jason"})
	wantEqual(t, "to be removed", inDatabase(t, campfire.Folder, "SELECT count(*) FROM removals"), []int{0})
	wantSearchIndexInStep(t, campfire)
}

// Whoever asks for a ban may hang up, and the program may end: the rest of the words go at the next start.
func TestABanThatWasInterruptedIsFinished(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, kevin := t.Context(), identity(t, campfire, "David"), campfire.Kevin.ID
	postMany(t, campfire.Store, campfire.Kevin, campfire.AllTalk.ID, 150)
	// As if it had ended after the ban's first write.
	hurried, hangUp := context.WithCancel(ctx)
	campfire.OnCommit(func([]store.Change) { hangUp() })
	must(campfire.BanUser(hurried, david, kevin))(t)
	campfire.OnCommit(func([]store.Change) {})
	wantEqual(t, "messages, though David hung up", inDatabase(t, campfire.Folder, "SELECT count(*) FROM messages"), []int{0})

	must(campfire.UnbanUser(ctx, david.UserID, kevin))(t)
	postMany(t, campfire.Store, campfire.Kevin, campfire.AllTalk.ID, 150)
	last := inDatabase(t, campfire.Folder, "SELECT max(id) FROM messages")
	inDatabase(t, campfire.Folder, "INSERT INTO removals (user_id, newest_message_id) VALUES (?, ?)", kevin, last[0])
	post(t, campfire.Store, campfire.Kevin, campfire.AllTalk.ID, "unbanned meanwhile")
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	campfire.Store = storetest.Open(t, campfire.Folder)
	awaitRemovals(t, campfire)
	wantEqual(t, "messages after the start", inDatabase(t, campfire.Folder, "SELECT body_text FROM messages"), []string{"unbanned meanwhile"})
}

func TestABanRacingPostsLeavesNone(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david := t.Context(), identity(t, campfire, "David")
	var posting sync.WaitGroup
	for poster := range 8 {
		posting.Go(func() {
			for i := 0; ; i++ {
				text := fmt.Sprint(poster, " ", i)
				if _, err := campfire.PostMessage(ctx, campfire.Kevin.ID, store.Post{RoomID: campfire.AllTalk.ID, Body: storetest.Body(text)}); err != nil {
					wantErr(t, "a post after the ban", err, store.ErrNotFound)
					return
				}
			}
		})
	}
	for len(search(t, campfire.Store, campfire.David, "1")) < 4 {
	}
	must(campfire.BanUser(ctx, david, campfire.Kevin.ID))(t)
	posting.Wait()
	wantEqual(t, "what is left of Kevin's", inDatabase(t, campfire.Folder, "SELECT count(*) FROM messages"), []int{0})
}
