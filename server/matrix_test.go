package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

// The columns of the matrix. Ann has created the room and written the message that a call is about; Bender, the bot, and
// Jason are in the room; David administers the account and is in the room, Olga administers the account and is not.
var columns = []string{
	"a stranger", "Kevin, outside", "Jason, inside", "Ann, its creator", "David, administrator inside",
	"Olga, administrator outside", "Bender, a bot inside", "Dora, deactivated", "Bob, banned",
}

const (
	everyone       = "ok ok ok ok ok ok ok ok ok"
	people         = "un ok ok ok ok ok de un un"
	signedIn       = "un ok ok ok ok ok ok un un"
	administrators = "un de de de ok ok de un un"
	members        = "un no ok ok ok no ok un un" // of the room
	membersNoBots  = "un no ok ok ok no de un un"
)

var matrixWords = map[string]string{"ok": "", "un": "unauthenticated", "de": "permission_denied", "no": "not_found", "pre": "failed_precondition"}

// matrix is who may call what. Each call is as good as it can be but for its caller.
var matrix = []struct {
	procedure, what string
	body            func(*scene) string
	want            string
}{
	{"AccountService/GetAccount", "", nothing, everyone},
	{"AccountService/SetUp", "", newcomer, "pre pre pre pre pre pre pre pre pre"},
	{"AccountService/UpdateAccount", "", always(`{"name": "Acme"}`), administrators},
	{"AccountService/GetJoinCode", "", nothing, people},
	{"AccountService/ResetJoinCode", "", nothing, administrators},
	{"AccountService/GetCustomStyles", "", nothing, administrators},
	{"AccountService/UpdateCustomStyles", "", always(`{"styles": "p {}"}`), administrators},

	{"SessionService/SignIn", "", (*scene).credentials, "ok ok ok ok ok ok ok un un"},
	{"SessionService/CheckJoinCode", "", (*scene).joinCode, everyone},
	{"SessionService/Join", "", newcomer, everyone},
	{"SessionService/ClaimTransfer", "", (*scene).transfer, everyone},
	{"SessionService/SignOut", "", nothing, people},
	{"SessionService/GetCurrentUser", "", nothing, signedIn},
	{"SessionService/ListSessions", "", nothing, people},
	{"SessionService/RevokeSession", "their own", (*scene).ownSession, people},
	{"SessionService/RevokeSession", "another's", (*scene).othersSession, "un no no no no no de un un"},
	{"SessionService/CreateTransfer", "for themselves", nothing, people},
	{"SessionService/CreateTransfer", "for another", (*scene).victim, administrators},

	{"UserService/ListUsers", "", nothing, people},
	{"UserService/GetUser", "", (*scene).victim, people},
	{"UserService/SuggestUsers", "of the account", always(`{"query": "a"}`), people},
	{"UserService/SuggestUsers", "of a room", (*scene).aboutRoom, membersNoBots},
	{"UserService/UpdateProfile", "", always(`{"bio": "Hello"}`), people},
	{"UserService/SetUserRole", "", (*scene).victimsRole, administrators},
	{"UserService/DeactivateUser", "", (*scene).victim, administrators},
	{"UserService/BanUser", "", (*scene).victim, administrators},
	{"UserService/UnbanUser", "", (*scene).bannedVictim, administrators},

	{"RoomService/ListRooms", "", nothing, signedIn},
	{"RoomService/GetRoom", "", (*scene).aboutRoom, members},
	{"RoomService/ListMembers", "", (*scene).aboutRoom, members},
	{"RoomService/CreateRoom", "", always(`{"kind": "ROOM_KIND_CLOSED", "name": "New"}`), people},
	{"RoomService/CreateRoom", "restricted to administrators", (*scene).restrictedRoom, administrators},
	{"RoomService/UpdateRoom", "", (*scene).renaming, "un no de ok ok no de un un"},
	{"RoomService/UpdateRoom", "a direct room", (*scene).renamingPing, "un no no no no no de un un"},
	{"RoomService/DeleteRoom", "", (*scene).aboutRoom, "un no de ok ok no de un un"},
	{"RoomService/DeleteRoom", "a direct room", (*scene).aboutPing, "un no ok ok ok no de un un"},
	{"RoomService/OpenDirectRoom", "", (*scene).opening, people},
	{"RoomService/OpenDirectRoom", "while rooms are restricted", (*scene).restrictedOpening, people},
	{"RoomService/SetInvolvement", "", (*scene).involvement, membersNoBots},

	{"MessageService/PostMessage", "", (*scene).posting, members},
	{"MessageService/ListMessages", "", (*scene).aboutRoom, members},
	{"MessageService/GetMessage", "", (*scene).aboutMessage, members},
	{"MessageService/EditMessage", "another's", (*scene).editing, "un no de ok ok no de un un"},
	{"MessageService/EditMessage", "their own", (*scene).editingOwn, members},
	{"MessageService/DeleteMessage", "another's", (*scene).aboutMessage, "un no de ok ok no de un un"},
	{"MessageService/DeleteMessage", "their own", (*scene).aboutOwnMessage, members},
	{"MessageService/AddBoost", "", (*scene).boosting, members},
	{"MessageService/RemoveBoost", "another's", (*scene).aboutBoost, "un no no ok no no no un un"},
	{"MessageService/RemoveBoost", "their own", (*scene).aboutOwnBoost, members},

	{"SearchService/SearchMessages", "", always(`{"query": "a", "remember": true}`), people},
	{"SearchService/ListRecentSearches", "", nothing, people},
	{"SearchService/ClearRecentSearches", "", nothing, people},

	{"PresenceService/EnterRoom", "", (*scene).withStream, membersNoBots},
	{"PresenceService/RefreshPresence", "", (*scene).withStream, membersNoBots},
	{"PresenceService/LeaveRoom", "", (*scene).withStream, "un ok ok ok ok ok de un un"},
	{"PresenceService/StartTyping", "", (*scene).aboutRoom, members},
	{"PresenceService/StopTyping", "", (*scene).aboutRoom, members},

	{"EventService/Subscribe", "", nothing, signedIn},

	{"BotService/ListBots", "", nothing, administrators},
	{"BotService/CreateBot", "", always(`{"name": "Flexo"}`), administrators},
	{"BotService/UpdateBot", "", (*scene).spareBot, administrators},
	{"BotService/DeactivateBot", "", (*scene).spareBot, administrators},
	{"BotService/ResetBotKey", "", (*scene).spareBot, administrators},

	{"PushService/GetPushKey", "", nothing, people},
	{"PushService/ListPushSubscriptions", "", nothing, people},
	{"PushService/RegisterPushSubscription", "", (*scene).subscribing, people},
	{"PushService/RemovePushSubscription", "their own", (*scene).ownSubscription, people},
	{"PushService/RemovePushSubscription", "another's", (*scene).othersSubscription, "un no no no no no de un un"},
	{"PushService/SendTestNotification", "another's", (*scene).othersSubscription, "un no no no no no de un un"},
}

func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) {
		s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} // so that each call has an address of its own
	})
	cast := newCast(t, campfire)
	have, inRoom := map[string]bool{}, regexp.MustCompile("^(Room|Message|Presence)Service|of a room")
	for i, row := range matrix {
		have[row.procedure] = true
		wants := strings.Fields(row.want)
		for j, column := range columns {
			s := cast.scene(t, j, fmt.Sprintf("10.0.%d.%d", i, j))
			if inRoom.MatchString(row.procedure + row.what) {
				s.furnish()
			}
			got, want := s.call(t, row.procedure, row.body(s)), matrixWords[wants[j]]
			if got != want {
				t.Errorf("%s calls %s %s: got %q, want %q", column, row.procedure, row.what, got, want)
			}
			s.end()
		}
	}
	protoregistry.GlobalFiles.RangeFilesByPackage("campfire.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				method := methods.Get(j)
				if name := fmt.Sprintf("%s/%s", method.Parent().Name(), method.Name()); !have[name] {
					t.Errorf("%s has no row in the matrix", name)
				}
			}
		}
		return true
	})
}

// cast are those of the columns who last for the whole test.
type cast struct {
	*campfire
	ann, olga, dora, bob store.User
	bender, doras, bobs  *person // Dora's and Bob's sessions are from before they had to go
	count                int
}

func newCast(t *testing.T, campfire *campfire) *cast {
	c := &cast{campfire: campfire}
	c.ann, c.olga, c.dora, c.bob = c.Joined(t, "Ann"), c.Joined(t, "Olga"), c.Joined(t, "Dora"), c.Joined(t, "Bob")
	must(c.SetUserRole(t.Context(), c.David.ID, c.olga.ID, store.Administrator))(t)
	c.bender = c.bot("Bender")
	c.doras, c.bobs = c.again("Dora").byToken(), c.again("Bob").byToken()
	must(c.DeactivateUser(t.Context(), c.David.ID, c.dora.ID))(t)
	must(c.BanUser(t.Context(), store.Identity{UserID: c.David.ID}, c.bob.ID))(t)
	return c
}

// byToken is the same person in a program without cookies, which no answer signs in as someone else.
func (p *person) byToken() *person {
	return p.campfire.byKey(p.id, p.name, p.token)
}

// scene is one cell: somebody, and fresh things to act on.
type scene struct {
	*cast
	t             *testing.T
	caller        *person
	room, ping    store.Room
	message, mine store.Message // Ann's and the caller's, if they are in the room
	boost, myOwn  store.Boost
	stream        *listener
	restricted    bool // whether only administrators create rooms
}

func (c *cast) scene(t *testing.T, column int, address string) *scene {
	t.Helper()
	s := &scene{cast: c, t: t}
	c.count++
	names := []string{"", "Kevin", "Jason", "Ann", "David", "Olga"}
	switch {
	case column == 0:
		s.caller = c.stranger()
	case column < len(names):
		s.caller = c.again(names[column])
	default:
		s.caller = []*person{c.bender, c.doras, c.bobs}[column-len(names)]
	}
	s.caller = s.caller.with("X-Forwarded-For", address)
	return s
}

// furnish makes a room with messages and boosts of Ann's and, if they are in it, of the caller's.
func (s *scene) furnish() {
	c, t, ctx := s.cast, s.t, s.t.Context()
	s.room = must(c.CreateRoom(ctx, c.ann.ID, store.NewRoom{
		Kind: store.ClosedRoom, Name: fmt.Sprint("Workshop ", c.count), MemberIDs: []int64{c.Jason.ID, c.David.ID, c.bender.id},
	}))(t)
	s.ping = must(c.OpenDirectRoom(ctx, c.ann.ID, []int64{c.Jason.ID, c.David.ID, c.bender.id}))(t)
	s.message = must(c.PostMessage(ctx, c.ann.ID, store.Post{RoomID: s.room.ID, Body: storetest.Body("Ann's")}))(t)
	_, s.boost, _ = c.AddBoost(ctx, c.ann.ID, s.message.ID, "👍")
	s.mine, s.myOwn = s.message, s.boost
	if slices.Contains([]int64{c.Jason.ID, c.ann.ID, c.David.ID, c.bender.id}, s.caller.id) {
		s.mine = must(c.PostMessage(ctx, s.caller.id, store.Post{RoomID: s.room.ID, Body: storetest.Body("mine")}))(t)
		_, s.myOwn, _ = c.AddBoost(ctx, s.caller.id, s.message.ID, "🎉")
	}
}

func (s *scene) end() {
	if s.stream != nil {
		s.stream.hangUp()
	}
	if s.restricted {
		must(s.UpdateAccount(s.t.Context(), s.David.ID, store.AccountChanges{RestrictRoomCreation: new(false)}))(s.t)
	}
}

// call answers the code of the answer; "" if it is none.
func (s *scene) call(t *testing.T, procedure, body string) string {
	t.Helper()
	if strings.HasSuffix(procedure, "/Subscribe") {
		l := s.caller.subscribe(t, "")
		if _, open := <-l.events; open {
			l.hangUp()
			return ""
		}
		return connect.CodeOf(l.err).String()
	}
	got := s.caller.request(t, http.MethodPost, "/campfire.v1."+procedure, body, jsonBody)
	var failure struct{ Code string }
	if err := json.Unmarshal([]byte(got.body), &failure); err != nil {
		t.Fatalf("%s answers %d %.200s", procedure, got.status, got.body)
	}
	if (got.status == http.StatusOK) != (failure.Code == "") {
		t.Errorf("%s answers %d with the code %q", procedure, got.status, failure.Code)
	}
	return failure.Code
}

func always(body string) func(*scene) string { return func(*scene) string { return body } }

func nothing(*scene) string { return "{}" }

func newcomer(s *scene) string {
	code := must(s.GetJoinCode(s.t.Context()))(s.t)
	return fmt.Sprintf(`{"joinCode": %q, "name": "New", "emailAddress": "new%d@campfire.example", "password": "secret123456"}`, code, s.count)
}

func newcomerID(s *scene) int64 {
	s.JoinCode = must(s.GetJoinCode(s.t.Context()))(s.t) // which a call may have reset
	return s.Joined(s.t, fmt.Sprint("Vic", s.count)).ID
}

func (s *scene) joinCode() string {
	return fmt.Sprintf(`{"joinCode": %q}`, must(s.GetJoinCode(s.t.Context()))(s.t))
}

// credentials are the caller's own, or Jason's for those who have none.
func (s *scene) credentials() string {
	name := s.caller.name
	if s.caller.id == 0 || s.caller.id == s.bender.id {
		name = "Jason"
	}
	return fmt.Sprintf(`{"emailAddress": %q, "password": %q}`, storetest.Email(name), storetest.Password)
}

func (s *scene) transfer() string {
	token, _, err := s.CreateTransfer(s.t.Context(), s.Jason.ID, s.Jason.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf(`{"transferToken": %q}`, token)
}

func (s *scene) ownSession() string {
	id := int64(0)
	if sessions, err := s.ListSessions(s.t.Context(), s.caller.id); err == nil && len(sessions) > 0 {
		id = sessions[0].ID
	}
	return fmt.Sprintf(`{"sessionId": "%d"}`, id)
}

func (s *scene) othersSession() string {
	victim := newcomerID(s)
	return fmt.Sprintf(`{"sessionId": "%d"}`, must(s.ListSessions(s.t.Context(), victim))(s.t)[0].ID)
}

func (s *scene) victim() string { return fmt.Sprintf(`{"userId": "%d"}`, newcomerID(s)) }

func (s *scene) victimsRole() string {
	return fmt.Sprintf(`{"userId": "%d", "role": "USER_ROLE_ADMINISTRATOR"}`, newcomerID(s))
}

func (s *scene) bannedVictim() string {
	id := newcomerID(s)
	must(s.BanUser(s.t.Context(), store.Identity{UserID: s.David.ID}, id))(s.t)
	return fmt.Sprintf(`{"userId": "%d"}`, id)
}

func (s *scene) aboutRoom() string { return fmt.Sprintf(`{"roomId": "%d"}`, s.room.ID) }

func (s *scene) aboutPing() string { return fmt.Sprintf(`{"roomId": "%d"}`, s.ping.ID) }

func (s *scene) renaming() string { return fmt.Sprintf(`{"roomId": "%d", "name": "Other"}`, s.room.ID) }

func (s *scene) renamingPing() string {
	return fmt.Sprintf(`{"roomId": "%d", "name": "Other"}`, s.ping.ID)
}

func (s *scene) restrict() {
	s.restricted = true
	must(s.UpdateAccount(s.t.Context(), s.David.ID, store.AccountChanges{RestrictRoomCreation: new(true)}))(s.t)
}

func (s *scene) restrictedRoom() string {
	s.restrict()
	return `{"kind": "ROOM_KIND_OPEN", "name": "New"}`
}

func (s *scene) opening() string { return fmt.Sprintf(`{"userIds": ["%d"]}`, newcomerID(s)) }

func (s *scene) restrictedOpening() string {
	s.restrict()
	return s.opening()
}

func (s *scene) involvement() string {
	return fmt.Sprintf(`{"roomId": "%d", "involvement": "INVOLVEMENT_EVERYTHING"}`, s.room.ID)
}

func (s *scene) posting() string { return fmt.Sprintf(`{"roomId": "%d", "text": "Hello"}`, s.room.ID) }

func (s *scene) aboutMessage() string { return fmt.Sprintf(`{"messageId": "%d"}`, s.message.ID) }

func (s *scene) aboutOwnMessage() string { return fmt.Sprintf(`{"messageId": "%d"}`, s.mine.ID) }

func (s *scene) editing() string {
	return fmt.Sprintf(`{"messageId": "%d", "text": "Other"}`, s.message.ID)
}

func (s *scene) editingOwn() string {
	return fmt.Sprintf(`{"messageId": "%d", "text": "Other"}`, s.mine.ID)
}

func (s *scene) boosting() string {
	return fmt.Sprintf(`{"messageId": "%d", "content": "💯"}`, s.message.ID)
}

func (s *scene) aboutBoost() string { return fmt.Sprintf(`{"boostId": "%d"}`, s.boost.ID) }

func (s *scene) aboutOwnBoost() string { return fmt.Sprintf(`{"boostId": "%d"}`, s.myOwn.ID) }

func (s *scene) withStream() string {
	id := "nobody's"
	if s.caller.id != 0 && s.caller.id != s.dora.ID && s.caller.id != s.bob.ID {
		s.stream = s.caller.listen(s.t)
		id = s.stream.id()
	}
	return fmt.Sprintf(`{"roomId": "%d", "streamId": %q}`, s.room.ID, id)
}

func (s *scene) spareBot() string {
	bot, _, err := s.CreateBot(s.t.Context(), s.David.ID, fmt.Sprint("Spare ", s.count), "")
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf(`{"botId": "%d"}`, bot.ID)
}

func (s *scene) subscribing() string {
	return fmt.Sprintf(`{"endpoint": "https://push.example/%d", "p256dhKey": %q, "authKey": "AAAAAAAAAAAAAAAAAAAAAA"}`, s.count,
		base64.RawURLEncoding.EncodeToString(must(s.PushKey(s.t.Context()))(s.t).PublicKey().Bytes()))
}

func (s *scene) ownSubscription() string {
	if s.caller.id == 0 || s.caller == s.bender {
		return "{}"
	}
	return s.subscriptionOf(s.caller.id)
}

func (s *scene) othersSubscription() string { return s.subscriptionOf(newcomerID(s)) }

func (s *scene) subscriptionOf(userID int64) string {
	sessions := must(s.ListSessions(s.t.Context(), userID))(s.t)
	if len(sessions) == 0 {
		return "{}"
	}
	p, err := s.RegisterPushSubscription(s.t.Context(), store.Identity{UserID: userID, SessionID: sessions[0].ID}, store.PushSubscription{
		Endpoint:  fmt.Sprint("https://push.example/", s.count),
		P256DHKey: base64.RawURLEncoding.EncodeToString(must(s.PushKey(s.t.Context()))(s.t).PublicKey().Bytes()),
		AuthKey:   "AAAAAAAAAAAAAAAAAAAAAA",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf(`{"subscriptionId": "%d"}`, p.ID)
}
