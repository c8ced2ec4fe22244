package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestWhoIsRemovedFromARoomHearsNothingMoreOfIt(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	room := campfire.Designers
	if _, err := david.UpdateRoom(t.Context(), &campfirev1.UpdateRoomRequest{RoomId: room.ID, GrantUserIds: []int64{kevin.id}}); err != nil {
		t.Fatal(err)
	}
	heard, here, tokens := kevin.listen(t), david.listen(t), map[string]string{}
	var jasons []*listener
	for _, way := range allWays {
		l := jason.by(way).listen(t)
		jason.by(way).enter(t, room, l)
		jasons = append(jasons, l)
	}
	old := jason.post(t, room, "from before")
	for i, l := range jasons {
		l.hears(t, `created "from before"`)
		tokens[allWays[i].name] = l.token
	}
	heard.notes(t, isIn(jason, room), `created "from before"`, unread(room))

	if _, err := david.UpdateRoom(t.Context(), &campfirev1.UpdateRoomRequest{RoomId: room.ID, RevokeUserIds: []int64{jason.id}}); err != nil {
		t.Fatal(err)
	}
	heard.notes(t, hasLeft(jason, room), `room "Designers"`)
	happens(t, david, room, old, here, heard)
	david.announce(t, "the end")
	wantEqual(t, "what else Kevin, who is still there, heard", heard.until(t, "the end"), []string{})
	for i, l := range jasons {
		noted := l.until(t, "the end")
		removed := slices.Index(noted, fmt.Sprintf("room %d removed", room.ID))
		if removed < 0 || removed != len(noted)-1 {
			t.Errorf("by %s: Jason heard %q, want the removal and nothing after it", allWays[i].name, noted)
		}
		wantCode(t, "Jason enters by "+allWays[i].name, jason.tryEnter(t, room.ID, l.id()), connect.CodeNotFound)
		wantCode(t, "Jason refreshes by "+allWays[i].name, jason.tryRefresh(t, room.ID, l.id()), connect.CodeNotFound)
		resumed := jason.by(allWays[i]).resume(t, tokens[allWays[i].name])
		david.announce(t, "resumed")
		wantEqual(t, "what Jason hears who resumes from before by "+allWays[i].name, resumed.until(t, "resumed"), []string{})
		l.hangUp()
	}
	wantShutOut(t, jason, room, old)
}

// What waits in the queue of one who reads slowly is taken back.
func TestWhatWaitsOfARoomIsTakenBackFromWhoIsRemoved(t *testing.T) {
	t.Parallel()
	for what, remove := range map[string]func(*office) error{
		"revoked": func(o *office) error {
			_, err := o.UpdateRoom(t.Context(), o.David.ID, o.Designers.ID, store.RoomChanges{Revoke: []int64{o.Jason.ID}})
			return err
		},
		"deleted": func(o *office) error { return o.DeleteRoom(t.Context(), o.David.ID, o.Designers.ID) },
	} {
		office := newOffice(t)
		david, davids := office.join(office.David)
		_, slow := office.join(office.Jason)
		post := func(room store.Room, text string) store.Message {
			return must(office.PostMessage(t.Context(), office.David.ID, store.Post{RoomID: room.ID, Body: storetest.Body(text)}))(t)
		}
		m := post(office.Designers, "secret")
		post(office.AllTalk, "Hello all")
		if _, _, err := office.AddBoost(t.Context(), office.David.ID, m.ID, "👍"); err != nil {
			t.Fatal(err)
		}
		deleted := post(office.Designers, "to be deleted")
		must(0, office.DeleteMessage(t.Context(), office.David.ID, deleted.ID))(t)
		must(office.server.StartTyping(david, &campfirev1.StartTypingRequest{RoomId: office.Designers.ID}))(t)
		must(office.server.EnterRoom(david, &campfirev1.EnterRoomRequest{RoomId: office.Designers.ID, StreamId: davids.id}))(t)
		name := "Secret Designers"
		must(office.UpdateRoom(t.Context(), office.David.ID, office.Designers.ID, store.RoomChanges{Name: &name}))(t)
		if waiting := len(slow.queue); waiting < 9 {
			t.Fatalf("%d events wait, want all that happened", waiting)
		}
		must(0, remove(office))(t)
		post(office.AllTalk, "the end")
		wantEqual(t, what+": bytes that wait", slow.bytes, 4*eventOverhead+2*len("Hello all")+2*len("the end"))
		wantEqual(t, what+": what Jason hears", office.queued(slow), []string{
			`created "Hello all"`, fmt.Sprintf("room %d removed", office.Designers.ID),
			`created "the end"`, unread(office.AllTalk),
		})
	}
}

func TestADeletedRoomIsGoneForAll(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	room := campfire.Designers
	streams := map[*person]*listener{david: david.listen(t), jason: jason.by(overH2C).listen(t)}
	overheard := kevin.listen(t)
	for _, p := range []*person{david, jason} {
		p.enter(t, room, streams[p])
	}
	m := david.post(t, room, "secret")
	if _, err := david.DeleteRoom(t.Context(), &campfirev1.DeleteRoomRequest{RoomId: room.ID}); err != nil {
		t.Fatal(err)
	}
	wantNobodyPresent(t, campfire.server)
	for p := range streams {
		wantShutOut(t, p, room, m)
		wantCode(t, p.name+" enters", p.tryEnter(t, room.ID, streams[p].id()), connect.CodeNotFound)
	}
	david.announce(t, "the end")
	removed := fmt.Sprintf("room %d removed", room.ID)
	for p, l := range streams {
		noted := l.until(t, "the end")
		if i := slices.Index(noted, removed); i < 0 || i != len(noted)-1 {
			t.Errorf("%s heard %q, want the removal and nothing after it", p.name, noted)
		}
	}
	wantEqual(t, "what Kevin, an outsider, heard", overheard.until(t, "the end"), []string{})
}

func TestWhoIsDeactivatedIsOut(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	heard := david.listen(t)
	var streams []*listener
	for _, way := range allWays {
		streams = append(streams, campfire.again("Jason", way).listen(t))
	}
	here := jason.listen(t)
	jason.enter(t, campfire.Designers, here)
	heard.notes(t, isIn(jason, campfire.Designers))
	if _, err := david.DeactivateUser(t.Context(), &campfirev1.DeactivateUserRequest{UserId: jason.id}); err != nil {
		t.Fatal(err)
	}
	m := david.post(t, campfire.AllTalk, "after that")
	david.announce(t, "the end")
	for i, l := range append(streams, here) {
		rest, err := l.end(t)
		for _, e := range rest {
			if e.GetRoomRemoved() == nil {
				t.Errorf("Jason's stream %d heard %s", i, told(e))
			}
		}
		wantCode(t, fmt.Sprintf("Jason's stream %d", i), err, connect.CodeUnauthenticated)
	}
	noted := heard.until(t, "the end")
	for _, want := range []string{hasLeft(jason, campfire.Designers), `user "Jason"`, `created "after that"`} {
		if !slices.Contains(noted, want) {
			t.Errorf("David noted %q, want %s among it", noted, want)
		}
	}
	_, err := jason.PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: campfire.AllTalk.ID, Body: textOf("still here")})
	wantCode(t, "Jason posts", err, connect.CodeUnauthenticated)
	_, err = jason.subscribe(t, here.token).end(t)
	wantCode(t, "Jason opens a stream", err, connect.CodeUnauthenticated)
	wantCode(t, "Jason signs in again", campfire.stranger().signIn(t, storetest.Email("Jason"), storetest.Password), connect.CodeUnauthenticated)
	wantEqual(t, "the newest message", david.newest(t, campfire.AllTalk).GetId(), m.GetId())
	wantNobodyPresent(t, campfire.server)
}

// A direct room stays with the others when one of the two is deactivated. They must not seem to look at it for ever.
func TestWhoIsDeactivatedLeavesTheirDirectRoomsToo(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	res := must(david.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{jason.id}}))(t)
	room := store.Room{ID: res.GetRoom().GetId(), Name: res.GetRoom().GetName()}
	heard, here := david.listen(t), jason.listen(t)
	jason.enter(t, room, here)
	heard.notes(t, isIn(jason, room))
	must(david.DeactivateUser(t.Context(), &campfirev1.DeactivateUserRequest{UserId: jason.id}))(t)
	eventually(t, "Jason's stream is gone", func() bool { return streamsOf(campfire, jason.id) == 0 })
	eventually(t, "Jason looks at nothing", func() bool { return !campfire.server.presence.is(jason.id, room.ID) })
	heard.take(t, func(e *campfirev1.SubscribeResponse) bool { return note(e) == hasLeft(jason, room) })
}

func TestANewPasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	var streams []*listener
	for _, way := range allWays {
		streams = append(streams, campfire.again("Jason", way).listen(t))
	}
	own, others := jason.listen(t), david.listen(t)
	password, phone := "another secret", campfire.again("Jason")
	if _, err := jason.UpdateProfile(t.Context(), &campfirev1.UpdateProfileRequest{Password: &password}); err != nil {
		t.Fatal(err)
	}
	david.post(t, campfire.Designers, "after that")
	for i, l := range streams {
		rest, err := l.end(t)
		if len(rest) > 0 && (len(rest) > 1 || told(rest[0]) != `user "Jason"`) {
			t.Errorf("a stream by %s heard %v", allWays[i].name, rest)
		}
		wantCode(t, "a stream of another session by "+allWays[i].name, err, connect.CodeUnauthenticated)
	}
	own.hears(t, `user "Jason"`, `created "after that"`)
	others.hears(t, `user "Jason"`, `created "after that"`)
	wantCode(t, "a call of another session", phone.read(t, campfire.Designers), connect.CodeUnauthenticated)
	wantEqual(t, "a call of this session", jason.read(t, campfire.Designers), nil)
	wantCode(t, "the old password", campfire.stranger().signIn(t, storetest.Email("Jason"), storetest.Password), connect.CodeUnauthenticated)
	wantEqual(t, "the new password", campfire.stranger().signIn(t, storetest.Email("Jason"), password), nil)
}

func TestARevokedSessionEndsAtOnce(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, desk := campfire.as("David"), campfire.as("Jason")
	own, others := desk.listen(t), david.listen(t)
	for _, way := range allWays {
		phone := campfire.again("Jason", way)
		heard := phone.listen(t)
		var id int64
		for _, session := range must(phone.ListSessions(t.Context(), &campfirev1.ListSessionsRequest{}))(t).GetSessions() {
			if session.GetCurrent() {
				id = session.GetId()
			}
		}
		_, err := david.RevokeSession(t.Context(), &campfirev1.RevokeSessionRequest{SessionId: id})
		wantCode(t, "David revokes Jason's session", err, connect.CodeNotFound)
		david.post(t, campfire.Designers, "before that by "+way.name)
		heard.hears(t, fmt.Sprintf("created %q", "before that by "+way.name))

		must(desk.RevokeSession(t.Context(), &campfirev1.RevokeSessionRequest{SessionId: id}))(t)
		david.post(t, campfire.Designers, "after that by "+way.name)
		rest, err := heard.end(t)
		wantEqual(t, "what the phone still heard by "+way.name, rest, []any{})
		wantCode(t, "the phone's stream by "+way.name, err, connect.CodeUnauthenticated)
		wantCode(t, "the phone's call by "+way.name, phone.read(t, campfire.Designers), connect.CodeUnauthenticated)
		for _, l := range []*listener{own, others} {
			l.hears(t, fmt.Sprintf("created %q", "before that by "+way.name), fmt.Sprintf("created %q", "after that by "+way.name))
		}
		_, err = desk.RevokeSession(t.Context(), &campfirev1.RevokeSessionRequest{SessionId: id})
		wantCode(t, "revoking it again", err, connect.CodeNotFound)
	}
}

// Who is known when a call begins may be nobody when the last of its body arrives.
func TestASessionThatEndsWhileABodyIsOnTheWayActsNoMore(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	ended, goesOn := campfire.as("Jason"), campfire.again("Jason")
	finishEnded := ended.beginPost(t, campfire.Designers, "of the ended session")
	finishGoesOn := goesOn.beginPost(t, campfire.Designers, "of the other session")
	must(ended.SignOut(t.Context(), &campfirev1.SignOutRequest{}))(t)
	time.Sleep(1100 * time.Millisecond) // sooner nobody is asked again
	got := finishEnded()
	if got.status != http.StatusUnauthorized || !strings.Contains(got.body, `"code":"unauthenticated"`) {
		t.Errorf("the slow post of the ended session got %d %s, want unauthenticated", got.status, got.body)
	}
	got = finishGoesOn()
	wantEqual(t, "the slow post of the other session: status", got.status, http.StatusOK)
	wantEqual(t, "what was posted", texts(goesOn.conversation(t, campfire.Designers)), []string{"of the other session"})
}

func TestWhoIsNoLongerAnAdministratorAdministersNothing(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	davids := david.post(t, campfire.Designers, "David's")
	heard := jason.listen(t)
	ctx, name, styles := t.Context(), "Jason's", "body { color: red }"
	member, administrator := campfirev1.UserRole_USER_ROLE_MEMBER, campfirev1.UserRole_USER_ROLE_ADMINISTRATOR
	role := func(role campfirev1.UserRole) {
		t.Helper()
		must(david.SetUserRole(ctx, &campfirev1.SetUserRoleRequest{UserId: jason.id, Role: role}))(t)
		if got := heard.next(t).GetUserChanged().GetUser(); got.GetId() != jason.id || got.GetRole() != role {
			t.Fatalf("Jason heard of %v, want himself as %v", got, role)
		}
	}
	address := func() string {
		return must(jason.GetUser(ctx, &campfirev1.GetUserRequest{UserId: kevin.id}))(t).GetUser().GetEmailAddress()
	}
	calls := []struct {
		what string
		call func() error
	}{
		{"the account's name", func() error {
			_, err := jason.UpdateAccount(ctx, &campfirev1.UpdateAccountRequest{Name: &name})
			return err
		}},
		{"the styles", func() error {
			_, err := jason.UpdateCustomStyles(ctx, &campfirev1.UpdateCustomStylesRequest{Styles: styles})
			return err
		}},
		{"the join code", func() error {
			_, err := jason.ResetJoinCode(ctx, &campfirev1.ResetJoinCodeRequest{})
			return err
		}},
		{"a role", func() error {
			_, err := jason.SetUserRole(ctx, &campfirev1.SetUserRoleRequest{UserId: kevin.id, Role: member})
			return err
		}},
		{"a transfer of another's session", func() error {
			_, err := jason.CreateTransfer(ctx, &campfirev1.CreateTransferRequest{UserId: &kevin.id})
			return err
		}},
		{"another's room", func() error {
			_, err := jason.UpdateRoom(ctx, &campfirev1.UpdateRoomRequest{RoomId: campfire.Designers.ID, Name: &name})
			return err
		}},
		{"another's message", func() error {
			_, err := jason.EditMessage(ctx, &campfirev1.EditMessageRequest{
				MessageId: davids.GetId(), Body: &campfirev1.EditMessageRequest_Text{Text: "Jason's"},
			})
			return err
		}},
	}
	role(administrator)
	for _, c := range calls {
		wantEqual(t, "an administrator changes "+c.what, c.call(), nil)
	}
	wantEqual(t, "Kevin's address, to an administrator", address(), strings.ToLower(storetest.Email("Kevin")))
	david.announce(t, "before")
	heard.until(t, "before")

	role(member)
	for _, c := range calls {
		wantCode(t, "no administrator any more changes "+c.what, c.call(), connect.CodePermissionDenied)
	}
	_, err := jason.DeactivateUser(ctx, &campfirev1.DeactivateUserRequest{UserId: kevin.id})
	wantCode(t, "he deactivates Kevin", err, connect.CodePermissionDenied)
	_, err = jason.SetUserRole(ctx, &campfirev1.SetUserRoleRequest{UserId: jason.id, Role: administrator})
	wantCode(t, "he makes himself an administrator", err, connect.CodePermissionDenied)
	_, err = jason.DeleteMessage(ctx, &campfirev1.DeleteMessageRequest{MessageId: davids.GetId()})
	wantCode(t, "he deletes another's message", err, connect.CodePermissionDenied)
	_, err = jason.DeleteRoom(ctx, &campfirev1.DeleteRoomRequest{RoomId: campfire.Designers.ID})
	wantCode(t, "he deletes another's room", err, connect.CodePermissionDenied)
	wantEqual(t, "Kevin's address, to no administrator any more", address(), "")
	david.announce(t, "the end")
	wantEqual(t, "what changed meanwhile", heard.until(t, "the end"), []string{})
}

func TestARoomThatOpensTellsNewcomers(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	room := campfire.Designers
	david.post(t, room, "from before")
	var streams []*listener
	for _, way := range allWays {
		streams = append(streams, kevin.by(way).listen(t))
	}
	before := jason.listen(t)
	open, closed := campfirev1.RoomKind_ROOM_KIND_OPEN, campfirev1.RoomKind_ROOM_KIND_CLOSED
	must(david.UpdateRoom(t.Context(), &campfirev1.UpdateRoomRequest{RoomId: room.ID, Kind: &open}))(t)
	david.post(t, room, "Welcome")
	for _, l := range streams {
		e := l.next(t).GetRoomChanged().GetRoom()
		wantEqual(t, "the room as it is told", []any{e.GetId(), e.GetName(), e.GetKind(), e.GetUnread()}, []any{room.ID, room.Name, open, false})
		l.notes(t, `created "Welcome"`, unread(room))
	}
	before.notes(t, `room "Designers"`, `created "Welcome"`, unread(room))
	wantEqual(t, "what Kevin reads", texts(kevin.conversation(t, room)), []string{"from before", "Welcome"})
	wantEqual(t, "who is there when Kevin comes", kevin.enter(t, room, streams[0]), []int64{kevin.id})

	// Once it is closed again its members stay, but for those who are removed by the same stroke.
	must(david.UpdateRoom(t.Context(), &campfirev1.UpdateRoomRequest{RoomId: room.ID, Kind: &closed, RevokeUserIds: []int64{kevin.id}}))(t)
	david.post(t, room, "among us")
	david.announce(t, "the end")
	for i, l := range streams {
		noted := l.until(t, "the end")
		if len(noted) == 0 || noted[len(noted)-1] != fmt.Sprintf("room %d removed", room.ID) {
			t.Errorf("by %s: Kevin heard %q, want the removal last", allWays[i].name, noted)
		}
	}
	before.hears(t, `room "Designers"`, `created "among us"`)
}

func TestEveryoneHearsOfPeopleButNotTheirAddresses(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	streams := map[string]*listener{}
	for _, way := range allWays {
		for _, p := range []*person{david, jason, kevin} {
			streams[p.name+" by "+way.name] = p.by(way).listen(t)
		}
	}
	name, address, bio, account, styles := "Jason F.", "jf@campfire.example", "Hello", "Basecamp", "body { color: red }"
	res := must(jason.UpdateProfile(t.Context(), &campfirev1.UpdateProfileRequest{Name: &name, EmailAddress: &address, Bio: &bio}))(t)
	wantEqual(t, "Jason's address, to himself", res.GetUser().GetEmailAddress(), address)
	campfire.Joined(t, "Rosa")
	role := must(david.SetUserRole(t.Context(), &campfirev1.SetUserRoleRequest{UserId: kevin.id, Role: campfirev1.UserRole_USER_ROLE_ADMINISTRATOR}))(t)
	wantEqual(t, "Kevin's address, to an administrator", role.GetUser().GetEmailAddress(), strings.ToLower(storetest.Email("Kevin")))
	must(david.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{jason.id, kevin.id}}))(t)
	must(jason.StartTyping(t.Context(), &campfirev1.StartTypingRequest{RoomId: campfire.AllTalk.ID}))(t)
	jason.boost(t, jason.post(t, campfire.AllTalk, "Hello all"), "👍")
	must(david.UpdateAccount(t.Context(), &campfirev1.UpdateAccountRequest{Name: &account}))(t)
	must(david.UpdateCustomStyles(t.Context(), &campfirev1.UpdateCustomStylesRequest{Styles: styles}))(t)
	david.announce(t, "that is all")
	// whom answers of whom a stream hears until an announcement, and how often it hears of the account.
	whom := func(who, announcement string) (people []string, accounts int) {
		t.Helper()
		for {
			e := streams[who].any(t)
			if text := prototext.Format(e); strings.Contains(text, "@") || strings.Contains(text, "email") {
				t.Errorf("%s heard an address: %s", who, text)
			}
			if u := e.GetUserChanged().GetUser(); u != nil {
				people = append(people, fmt.Sprint(u.GetName(), " ", u.GetBio(), " ", u.GetRole().Number(), " ", u.GetStatus().Number()))
			}
			if e.GetAccountChanged() != nil {
				accounts++
			}
			if note(e) == fmt.Sprintf("account %q", announcement) {
				return people, accounts
			}
		}
	}
	for who := range streams {
		people, accounts := whom(who, "that is all")
		wantEqual(t, "people of whom "+who+" heard", people, []string{"Jason F. Hello 1 1", "Rosa  1 1", "Kevin  2 1"})
		wantEqual(t, "how often "+who+" heard of the account", accounts, 3)
	}
	must(david.DeactivateUser(t.Context(), &campfirev1.DeactivateUserRequest{UserId: jason.id}))(t)
	david.announce(t, "the end")
	for who := range streams {
		if !strings.HasPrefix(who, "Jason") {
			people, _ := whom(who, "the end")
			wantEqual(t, "people of whom "+who+" heard at last", people, []string{"Jason F. Hello 1 2"})
		}
	}
}

// Not parallel: it counts what memory is taken.
func TestABombForStrangersDoesNotGoOff(t *testing.T) {
	campfire := newCampfire(t)
	const path = "/grpc.health.v1.Health/Check"
	var bomb bytes.Buffer
	gz := must(gzip.NewWriterLevel(&bomb, gzip.BestCompression))(t)
	const unpacked = 7 << 20
	must(gz.Write(bytes.Repeat([]byte{0x0a, 0x00}, unpacked/2)))(t) // an empty service name, again and again
	must(0, gz.Close())(t)
	if bomb.Len() > maxStrangerBytes {
		t.Fatalf("packed, it has %d bytes: its size alone is refused", bomb.Len())
	}
	envelope := append([]byte{1}, binary.BigEndian.AppendUint32(nil, uint32(bomb.Len()))...)
	send := func(way way, what, kind, encoding string, body []byte) (string, answer) {
		got := campfire.stranger(way).request(t, "POST", path, string(body), "Content-Type: "+kind, encoding+": gzip", "Te: trailers")
		return what, got
	}
	check := func() {
		_, got := send(overHTTP1, "Connect", "application/proto", "Content-Encoding", bomb.Bytes())
		wantEqual(t, "a bomb by Connect: status", got.status, http.StatusTooManyRequests)
		if !strings.Contains(got.body, `"code":"resource_exhausted"`) {
			t.Errorf("a bomb by Connect got %s, want resource_exhausted", got.body)
		}
		_, got = send(overH2C, "gRPC-Web", "application/grpc-web+proto", "Grpc-Encoding", append(envelope, bomb.Bytes()...))
		if want := fmt.Sprintf("%d", connect.CodeResourceExhausted); got.header.Get("Grpc-Status") != want &&
			!strings.Contains(strings.ToLower(got.body), "grpc-status: "+want) {
			t.Errorf("a bomb by gRPC-Web got %v %q, want resource_exhausted", got.header, got.body)
		}
	}
	check() // what is made once and kept is made now
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const times = 10
	for range times {
		check()
	}
	runtime.ReadMemStats(&after)
	if taken := (after.TotalAlloc - before.TotalAlloc) / (2 * times); taken > unpacked/4 {
		t.Errorf("each bomb took %d kB, of %d kB unpacked", taken>>10, unpacked>>10)
	} else {
		t.Logf("each bomb took %d kB", taken>>10)
	}
	// What is small is answered, packed or not, and a large one is refused unpacked too.
	var small bytes.Buffer
	gz = gzip.NewWriter(&small)
	must(0, gz.Close())(t)
	_, got := send(overHTTP1, "Connect", "application/proto", "Content-Encoding", small.Bytes())
	wantEqual(t, "nothing, packed: status", got.status, http.StatusOK)
	got = campfire.stranger().request(t, "POST", path, strings.Repeat("\x0a\x00", maxStrangerBytes), "Content-Type: application/proto")
	wantEqual(t, "a large one: status", got.status, http.StatusTooManyRequests)
}

func TestAPageOfLongMessagesIsShorterAndNoneIsLost(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	jason, room := campfire.as("Jason"), campfire.Designers
	const posts = 100
	var ids []int64
	for i := range posts {
		m := must(campfire.PostMessage(t.Context(), campfire.David.ID, store.Post{RoomID: room.ID, Body: storetest.Body(bulk(i))}))(t)
		ids = append(ids, m.ID)
	}
	page := func(what string, req *campfirev1.ListMessagesRequest) *campfirev1.ListMessagesResponse {
		t.Helper()
		req.RoomId, req.PageSize = room.ID, 100
		res, err := jason.ListMessages(t.Context(), req)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if size := proto.Size(res); size > 4<<20 || len(res.GetMessages()) == 0 {
			t.Fatalf("%s: %d messages in %d bytes", what, len(res.GetMessages()), size)
		}
		return res
	}
	newest := page("the newest page", &campfirev1.ListMessagesRequest{})
	if n := len(newest.GetMessages()); n < 20 || n > 50 || !newest.GetHasOlder() || newest.GetHasNewer() {
		t.Errorf("the newest page: got %d messages, older: %v, newer: %v; want some 2 MB, older, and nothing newer", n, newest.GetHasOlder(), newest.GetHasNewer())
	}
	var back []int64
	for res := newest; ; {
		back = slices.Concat(idsOf(res.GetMessages()), back)
		wantEqual(t, "older ones, at "+fmt.Sprint(back[0]), res.GetHasOlder(), back[0] != ids[0])
		if !res.GetHasOlder() || len(back) > posts {
			break
		}
		res = page("back", &campfirev1.ListMessagesRequest{Anchor: &campfirev1.ListMessagesRequest_Before{Before: back[0]}})
		wantEqual(t, "newer ones, before "+fmt.Sprint(back[0]), res.GetHasNewer(), true)
	}
	wantEqual(t, "all, paging back", back, ids)

	var on []int64
	for after := int64(0); ; {
		res := page("on", &campfirev1.ListMessagesRequest{Anchor: &campfirev1.ListMessagesRequest_After{After: after}})
		on = append(on, idsOf(res.GetMessages())...)
		wantEqual(t, "older ones, after "+fmt.Sprint(after), res.GetHasOlder(), after != 0)
		after = on[len(on)-1]
		wantEqual(t, "newer ones, at "+fmt.Sprint(after), res.GetHasNewer(), after != ids[posts-1])
		if !res.GetHasNewer() || len(on) > posts {
			break
		}
	}
	wantEqual(t, "all, paging on from 0", on, ids)

	around := page("around", &campfirev1.ListMessagesRequest{Anchor: &campfirev1.ListMessagesRequest_Around{Around: ids[posts/2]}})
	got := idsOf(around.GetMessages())
	at := slices.Index(ids, got[0])
	wantEqual(t, "around the middle: without a gap", got, ids[at:at+len(got)])
	wantEqual(t, "around the middle: it, and more on either side", []bool{
		slices.Contains(got, ids[posts/2]), around.GetHasOlder(), around.GetHasNewer(),
	}, []bool{true, at > 0, at+len(got) < posts})

	// One alone is answered, however long; and there is nothing before the first.
	first := page("before the second", &campfirev1.ListMessagesRequest{Anchor: &campfirev1.ListMessagesRequest_Before{Before: ids[1]}})
	wantEqual(t, "before the second", idsOf(first.GetMessages()), ids[:1])
}

func TestATextFullOfAddressesIsAccepted(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	heard := jason.listen(t)
	const addresses = 600
	var text strings.Builder
	for i := range addresses {
		fmt.Fprintf(&text, "somebody.with.a.long.name.%03d@example.campfire.org\n", i)
	}
	if text.Len() > maxTextBytes || text.Len() < maxTextBytes*9/10 {
		t.Fatalf("the text has %d bytes", text.Len())
	}
	links := func(what string, m *campfirev1.Message) {
		t.Helper()
		if got := strings.Count(m.GetBodyHtml(), `href="mailto:somebody`); got != addresses {
			t.Errorf("%s has %d links, want %d; it has %d bytes", what, got, addresses, len(m.GetBodyHtml()))
		}
	}
	m := david.post(t, campfire.Designers, text.String())
	links("the post", m)
	links("what Jason heard", heard.next(t).GetMessageCreated().GetMessage())
	david.edit(t, m, "something else")
	david.edit(t, m, text.String())
	links("the edited message", jason.newest(t, campfire.Designers))
}

// happens does in a room all that is told of it, and checks that it is told to one who may hear it.
func happens(t testing.TB, p *person, room store.Room, m *campfirev1.Message, l, heard *listener) {
	t.Helper()
	posted := p.post(t, room, "secret")
	heard.notes(t, `created "secret"`, unread(room))
	p.boost(t, m, "👍")
	heard.notes(t, fmt.Sprintf("updated %q + 👍", m.GetBodyText()))
	p.edit(t, posted, "more secret")
	heard.notes(t, `updated "more secret"`)
	p.delete(t, posted)
	heard.notes(t, fmt.Sprintf("deleted %d", posted.GetId()))
	must(p.StartTyping(t.Context(), &campfirev1.StartTypingRequest{RoomId: room.ID}))(t)
	heard.notes(t, fmt.Sprintf("%s types in %d", p.name, room.ID))
	must(p.StopTyping(t.Context(), &campfirev1.StopTypingRequest{RoomId: room.ID}))(t)
	heard.notes(t, fmt.Sprintf("%d has stopped typing in %d", p.id, room.ID))
	wantEqual(t, "who is there when "+p.name+" comes", p.enter(t, room, l), []int64{p.id})
	heard.notes(t, isIn(p, room))
	p.leave(t, room, l)
	heard.notes(t, hasLeft(p, room))
}

// wantShutOut checks that to somebody there is no such room, nor anything in it.
func wantShutOut(t testing.TB, p *person, room store.Room, m *campfirev1.Message) {
	t.Helper()
	wantCode(t, p.name+" reads", p.read(t, room), connect.CodeNotFound)
	_, err := p.GetRoom(t.Context(), &campfirev1.GetRoomRequest{RoomId: room.ID})
	wantCode(t, p.name+" looks the room up", err, connect.CodeNotFound)
	_, err = p.PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: room.ID, Body: textOf("Hello")})
	wantCode(t, p.name+" posts", err, connect.CodeNotFound)
	_, err = p.GetMessage(t.Context(), &campfirev1.GetMessageRequest{MessageId: m.GetId()})
	wantCode(t, p.name+" looks a message up", err, connect.CodeNotFound)
	_, err = p.AddBoost(t.Context(), &campfirev1.AddBoostRequest{MessageId: m.GetId(), Content: "👍"})
	wantCode(t, p.name+" boosts", err, connect.CodeNotFound)
	_, err = p.StartTyping(t.Context(), &campfirev1.StartTypingRequest{RoomId: room.ID})
	wantCode(t, p.name+" types", err, connect.CodeNotFound)
	for _, r := range must(p.ListRooms(t.Context(), &campfirev1.ListRoomsRequest{IncludeInvisible: true}))(t).GetRooms() {
		if r.GetId() == room.ID {
			t.Errorf("%s still has the room %v", p.name, r)
		}
	}
}

// beginPost sends all of a post but its last byte, and waits until the server knows who is calling and reads on. The
// rest goes with finish.
func (p *person) beginPost(t testing.TB, room store.Room, text string) (finish func() answer) {
	t.Helper()
	conn := must(net.Dial("tcp", strings.TrimPrefix(p.campfire.url, "http://")))(t)
	t.Cleanup(func() { _ = conn.Close() })
	must(0, conn.SetDeadline(time.Now().Add(patience)))(t)
	body := fmt.Sprintf(`{"roomId": "%d", "text": %q}`, room.ID, text)
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		campfirev1connect.MessageServicePostMessageProcedure, conn.RemoteAddr(), p.token, jsonBody, len(body))
	answers := bufio.NewReader(conn)
	if res := must(http.ReadResponse(answers, nil))(t); res.StatusCode != http.StatusContinue {
		t.Fatalf("got %s, want 100 Continue", res.Status)
	}
	fmt.Fprint(conn, body[:len(body)-1])
	return func() answer {
		t.Helper()
		fmt.Fprint(conn, body[len(body)-1:])
		res := must(http.ReadResponse(answers, nil))(t)
		defer res.Body.Close()
		return answer{res.StatusCode, res.Header, string(must(io.ReadAll(res.Body))(t))}
	}
}

// newest is the last message of a room.
func (p *person) newest(t testing.TB, room store.Room) *campfirev1.Message {
	t.Helper()
	messages := p.conversation(t, room)
	if len(messages) == 0 {
		t.Fatalf("nothing was posted to %s", room.Name)
	}
	return messages[len(messages)-1]
}

func idsOf(messages []*campfirev1.Message) (ids []int64) {
	for _, m := range messages {
		ids = append(ids, m.GetId())
	}
	return ids
}
