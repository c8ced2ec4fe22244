package server

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	campfirev1 "campfire.example/gen/campfire/v1"
)

// bot is a program with a new bot's key as its bearer token.
func (c *campfire) bot(name string, by ...way) *person {
	c.t.Helper()
	profile, key, err := c.CreateBot(c.t.Context(), c.David.ID, name, "")
	if err != nil {
		c.t.Fatalf("David creates %s: %v", name, err)
	}
	return c.byKey(profile.ID, name, key, by...)
}

func (c *campfire) byKey(id int64, name, key string, by ...way) *person {
	p := c.stranger(by...).with("Authorization", "Bearer "+key)
	p.name, p.id, p.token = name, id, key
	return p
}

func TestAnAdministratorKeepsTheBots(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	for _, way := range []way{overHTTP1, overGRPC} {
		david := campfire.as("David", way)
		created := must(david.CreateBot(t.Context(), &campfirev1.CreateBotRequest{Name: "Bender"}))(t)
		id := created.GetBot().GetUser().GetId()
		wantEqual(t, "what Bender is", created.GetBot().GetUser().GetRole(), campfirev1.UserRole_USER_ROLE_BOT)
		if !regexp.MustCompile(fmt.Sprintf(`^%d-[A-Za-z0-9]{12}$`, id)).MatchString(created.GetBotKey()) {
			t.Errorf("got the key %q, want its id, a hyphen and 12 letters and digits", created.GetBotKey())
		}
		updated := must(david.UpdateBot(t.Context(), &campfirev1.UpdateBotRequest{BotId: id, Name: new("Flexo"), WebhookUrl: new("https://bots.example")}))(t)
		listed := must(david.ListBots(t.Context(), &campfirev1.ListBotsRequest{}))(t).GetBots()
		wantEqual(t, "bots", len(listed), 1)
		wantSame(t, "the bot in the list", listed[0], updated.GetBot())
		wantEqual(t, "its name and webhook", listed[0].GetUser().GetName()+" "+listed[0].GetWebhookUrl(), "Flexo https://bots.example")
		updated = must(david.UpdateBot(t.Context(), &campfirev1.UpdateBotRequest{BotId: id, WebhookUrl: new("")}))(t)
		wantEqual(t, "without a webhook", updated.GetBot().GetWebhookUrl()+updated.GetBot().GetWebhookSecret(), "")

		reset := must(david.ResetBotKey(t.Context(), &campfirev1.ResetBotKeyRequest{BotId: id}))(t)
		_, err := campfire.byKey(id, "Flexo", created.GetBotKey()).GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{})
		wantCode(t, "by the old key", err, connect.CodeUnauthenticated)
		flexo := campfire.byKey(id, "Flexo", reset.GetBotKey())
		wantEqual(t, "by the new key", must(flexo.GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{}))(t).GetUser().GetName(), "Flexo")

		must(david.DeactivateBot(t.Context(), &campfirev1.DeactivateBotRequest{BotId: id}))(t)
		wantEqual(t, "bots", len(must(david.ListBots(t.Context(), &campfirev1.ListBotsRequest{}))(t).GetBots()), 0)
		_, err = flexo.GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{})
		wantCode(t, "by the key of a bot that is gone", err, connect.CodeUnauthenticated)
		_, err = david.UpdateBot(t.Context(), &campfirev1.UpdateBotRequest{BotId: id, Name: new("Bender")})
		wantCode(t, "a bot that is gone", err, connect.CodeNotFound)
	}
}

// The permission matrix: what bots may call, and nothing else.
func TestBotsMayCallWhatTheConversationNeedsAndNothingElse(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	bender := campfire.bot("Bender")
	allowed := []string{
		"AccountService/GetAccount", "AccountService/SetUp",
		"SessionService/SignIn", "SessionService/Join", "SessionService/CheckJoinCode", "SessionService/ClaimTransfer",
		"SessionService/GetCurrentUser",
		"RoomService/ListRooms", "RoomService/GetRoom", "RoomService/ListMembers",
		"MessageService/PostMessage", "MessageService/ListMessages", "MessageService/GetMessage", "MessageService/EditMessage",
		"MessageService/DeleteMessage", "MessageService/AddBoost", "MessageService/RemoveBoost",
		"PresenceService/StartTyping", "PresenceService/StopTyping",
		"EventService/Subscribe",
	}
	refused := regexp.MustCompile(`"code":"permission_denied","message":"[^"]*not for bots`)
	methods := 0
	protoregistry.GlobalFiles.RangeFilesByPackage("campfire.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				name := fmt.Sprintf("%s/%s", service.Name(), method.Name())
				kind, body := "application/json", "{}"
				if method.IsStreamingServer() { // with a token that nobody gave, so that the stream ends
					kind, body = "application/connect+json", "\x00\x00\x00\x00\x16"+`{"resumeToken": "bad"}`
				}
				got := bender.request(t, "POST", "/campfire.v1."+name, body, "Content-Type: "+kind)
				wantEqual(t, name+" is refused to a bot", refused.MatchString(got.body), !slices.Contains(allowed, name))
				methods++
			}
		}
		return true
	})
	if methods < 50 {
		t.Errorf("found %d methods, want all of campfire.v1", methods)
	}
	wantEqual(t, "an avatar", bender.request(t, "GET", fmt.Sprintf("/users/%d/avatar", campfire.David.ID), "").status, 200)
}

func TestABotTakesPartInAConversation(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	for _, way := range allWays {
		david, bender := campfire.again("David"), campfire.bot("Bender by "+way.name, way)
		heard := david.listen(t)
		hello := david.post(t, campfire.AllTalk, "Hello Bender")
		heard.hears(t, `created "Hello Bender"`)
		page := bender.conversation(t, campfire.AllTalk)
		wantEqual(t, "what the bot reads last", page[len(page)-1].GetBodyText(), "Hello Bender")
		m := bender.post(t, campfire.AllTalk, "Hello David")
		bender.edit(t, m, "Bite my shiny metal app")
		boost := bender.boost(t, hello, "👍")
		heard.hears(t, `created "Hello David"`, `updated "Bite my shiny metal app"`, `updated "Hello Bender" + 👍`)
		if _, err := bender.RemoveBoost(t.Context(), &campfirev1.RemoveBoostRequest{BoostId: boost.GetId()}); err != nil {
			t.Errorf("the bot removes its boost: %v", err)
		}
		bender.delete(t, m)
		heard.hears(t, `updated "Hello Bender"`, fmt.Sprintf("deleted %d", m.GetId()))
		_, err := bender.EditMessage(t.Context(), &campfirev1.EditMessageRequest{
			MessageId: hello.GetId(), Body: &campfirev1.EditMessageRequest_Text{Text: "Hello me"},
		})
		wantCode(t, "the bot edits what David wrote", err, connect.CodePermissionDenied)
		_, err = bender.DeleteMessage(t.Context(), &campfirev1.DeleteMessageRequest{MessageId: hello.GetId()})
		wantCode(t, "the bot deletes what David wrote", err, connect.CodePermissionDenied)
		wantCode(t, "the bot reads a room it is not in", bender.read(t, campfire.Designers), connect.CodeNotFound)
		heard.hangUp()
	}
}

func TestABotsStreamResumesWhereItWasCut(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	for _, way := range allWays {
		david, bender := campfire.again("David"), campfire.bot("Bender by "+way.name, way)
		l := bender.listen(t)
		david.post(t, campfire.AllTalk, "one")
		david.post(t, campfire.Designers, "not for bots")
		l.hears(t, `created "one"`)
		l.hangUp()
		david.post(t, campfire.AllTalk, "two")
		l = bender.resume(t, l.token)
		david.post(t, campfire.AllTalk, "three")
		l.hears(t, `created "two"`, `created "three"`)
		l.hangUp()
	}
}

func TestALostKeyEndsTheBotsStreamsAtOnce(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.as("David")
	for what, lose := range map[string]func(id int64) error{
		"reset": func(id int64) error {
			_, err := david.ResetBotKey(t.Context(), &campfirev1.ResetBotKeyRequest{BotId: id})
			return err
		},
		"deactivated": func(id int64) error {
			_, err := david.DeactivateBot(t.Context(), &campfirev1.DeactivateBotRequest{BotId: id})
			return err
		},
	} {
		for _, way := range allWays {
			bender, calculon := campfire.bot("Bender", way), campfire.bot("Calculon", way)
			lost, kept := bender.listen(t), calculon.listen(t)
			must(0, lose(bender.id))(t)
			david.post(t, campfire.AllTalk, "secret")
			rest, err := lost.end(t)
			wantCode(t, what+" by "+way.name, err, connect.CodeUnauthenticated)
			for _, e := range rest {
				if e.GetMessageCreated() != nil {
					t.Errorf("%s by %s: heard %s after it had lost its key", what, way.name, told(e))
				}
			}
			_, err = bender.subscribe(t, lost.token).end(t)
			wantCode(t, what+" by "+way.name+": another stream", err, connect.CodeUnauthenticated)
			kept.take(t, func(e *campfirev1.SubscribeResponse) bool { return told(e) == `created "secret"` })
			kept.hangUp()
		}
	}
}

// The key may be lost after a call was let in and before its stream could have been ended: Subscribe asks again.
func TestWhoCameByAKeyThatIsResetMayNoLongerCall(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	bender := campfire.bot("Bender")
	who := must(campfire.AuthenticateBot(t.Context(), bender.token))(t)
	must(campfire.ResetBotKey(t.Context(), campfire.David.ID, bender.id))(t)
	if err := campfire.RequireSession(t.Context(), who); err == nil {
		t.Error("who came by the old key may still call")
	}
}

func TestABotKeyCountsAsABearerTokenAndAlone(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, bender := campfire.as("David"), campfire.bot("Bender")
	whoIs := func(p *person) (int64, error) {
		res, err := p.GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{})
		return res.GetUser().GetId(), err
	}
	cookie := func(value string) *person {
		p := campfire.stranger()
		p.http.Jar = must(cookiejar.New(nil))(t)
		return p.with("Cookie", (&http.Cookie{Name: sessionCookie, Value: value}).String())
	}
	id, err := whoIs(cookie(david.token).with("Authorization", "Bearer "+bender.token))
	wantEqual(t, "a bot's key beside David's cookie", []any{id, err}, []any{bender.id, nil})
	for what, p := range map[string]*person{
		"a bot's key as a cookie":                      cookie(bender.token),
		"a wrong key beside David's cookie":            cookie(david.token).with("Authorization", "Bearer "+bender.token+"x"),
		"David's id and no token beside his cookie":    cookie(david.token).with("Authorization", fmt.Sprintf("Bearer %d-", david.id)),
		"David's id and no token":                      campfire.stranger().with("Authorization", fmt.Sprintf("Bearer %d-", david.id)),
		"a bot's key in another scheme":                campfire.stranger().with("Authorization", "Basic "+bender.token),
		"a bot's key and a session's, one after other": campfire.stranger().with("Authorization", "Bearer "+bender.token+", Bearer "+david.token),
	} {
		_, err := whoIs(p)
		wantCode(t, what, err, connect.CodeUnauthenticated)
	}
	_, token, _ := strings.Cut(bender.token, "-")
	if kept := campfire.query("SELECT quote(bot_token_hash) || hex(bot_token_hash) FROM users WHERE role = 2"); strings.Contains(kept, token) ||
		strings.Contains(kept, fmt.Sprintf("%X", token)) {
		t.Errorf("the token %s is kept in the clear, as %s", token, kept)
	}
}
