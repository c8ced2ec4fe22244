package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestAStreamResumesWhereItWasCut(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Streams.PerSession = 100 })
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	heard, overheard := jason.listen(t), kevin.listen(t)
	edited := david.post(t, campfire.Designers, "to be edited")
	boosted := david.post(t, campfire.Designers, "to be boosted")
	unboosted := david.post(t, campfire.Designers, "to lose its boost")
	boost := david.boost(t, unboosted, "👎")
	deleted := david.post(t, campfire.Designers, "to be deleted")
	heard.hears(t, `created "to be edited"`, `created "to be boosted"`, `created "to lose its boost"`,
		`updated "to lose its boost" + 👎`, `created "to be deleted"`)
	heard.hangUp()
	overheard.hangUp()

	david.edit(t, edited, "edited")
	jason.boost(t, boosted, "👍")
	david.delete(t, deleted)
	david.post(t, campfire.Designers, "new")
	short := david.post(t, campfire.Designers, "gone before anyone saw it")
	late := david.post(t, campfire.Designers, "not yet what it will be")
	david.delete(t, short)
	if _, err := david.RemoveBoost(t.Context(), &campfirev1.RemoveBoostRequest{BoostId: boost.GetId()}); err != nil {
		t.Fatal(err)
	}
	david.edit(t, late, "new and edited")
	missed := []string{
		`updated "edited"`, `updated "to be boosted" + 👍`, fmt.Sprintf("deleted %d", deleted.GetId()), `created "new"`,
		`created "new and edited"`, fmt.Sprintf("deleted %d", short.GetId()), `updated "to lose its boost"`,
		`updated "new and edited"`,
	}
	var streams []*listener
	for _, way := range allWays {
		resumed := jason.by(way).resume(t, heard.token)
		tokens := []string{heard.token}
		for _, want := range missed {
			resumed.hears(t, want)
			tokens = append(tokens, resumed.token)
		}
		streams = append(streams, resumed)
		for i, token := range tokens { // cut again at any of these, it goes on with the same story
			again := jason.by(way).resume(t, token)
			again.hears(t, missed[i:]...)
			streams = append(streams, again)
		}
	}
	david.post(t, campfire.Designers, "live")
	for _, stream := range streams {
		stream.hears(t, `created "live"`)
	}
	// Of a room of others nothing is told to one who resumes either.
	resumed := kevin.resume(t, overheard.hello.GetResumeToken())
	david.post(t, campfire.AllTalk, "Hello all")
	resumed.hears(t, `created "Hello all"`)
}

// However often a stream is cut while others post, edit, boost and delete: nothing is lost, doubled or out of order.
func TestResumingAmidTrafficLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	const posters, posts = 4, 120
	campfire := newCampfire(t)
	jason := campfire.as("Jason")
	var started sync.WaitGroup // the posters go on once the first stream is open
	started.Add(1)
	var group sync.WaitGroup
	for i := range posters {
		david := campfire.again("David")
		group.Go(func() {
			started.Wait()
			for j := range posts {
				m := david.post(t, campfire.Designers, fmt.Sprintf("%d of poster %d", j, i))
				switch (i + j) % 4 {
				case 0:
					david.edit(t, m, fmt.Sprintf("%d of poster %d, edited", j, i))
				case 1:
					david.boost(t, m, "👍")
				case 2:
					david.delete(t, m)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		group.Wait()
		if !t.Failed() {
			campfire.again("David").post(t, campfire.Designers, "the end")
		}
		close(ended)
	}()
	defer func() { <-ended }()

	// What Jason's client knows, only by events, through streams that it lets go after a few events each.
	known, gone := map[int64]*campfirev1.Message{}, map[int64]bool{}
	var position, cuts int64
	var token, last string
	byH2C := jason.by(overH2C)
	for last != "the end" {
		browser := jason
		if cuts%2 == 1 {
			browser = byH2C
		}
		heard := browser.resume(t, token)
		if cuts == 0 {
			started.Done()
		}
		for range 1 + cuts%17 {
			e := heard.next(t)
			switch {
			case e.GetMessageCreated() != nil:
				m := e.GetMessageCreated().GetMessage()
				if known[m.GetId()] != nil || gone[m.GetId()] {
					t.Fatalf("after %d cuts: message %d is created again", cuts, m.GetId())
				}
				known[m.GetId()] = m
				last = m.GetBodyText()
			case e.GetMessageUpdated() != nil:
				m := e.GetMessageUpdated().GetMessage()
				if known[m.GetId()].GetRevision() > m.GetRevision() || known[m.GetId()] == nil {
					t.Fatalf("after %d cuts: message %d is updated from %v", cuts, m.GetId(), known[m.GetId()])
				}
				known[m.GetId()] = m
			case e.GetMessageDeleted() != nil:
				id := e.GetMessageDeleted().GetMessageId()
				delete(known, id)
				gone[id] = true
			default:
				t.Fatalf("after %d cuts: heard %s", cuts, told(e))
			}
			next := must(readResumeToken(e.GetResumeToken()))(t).Revision
			if next <= position {
				t.Fatalf("after %d cuts: heard change %d after %d", cuts, next, position)
			}
			position = next
			if last == "the end" {
				break
			}
		}
		token = heard.token
		heard.hangUp()
		cuts++
	}
	room := jason.conversation(t, campfire.Designers)
	wantEqual(t, "how many messages Jason knows", len(known), len(room))
	wantEqual(t, "how many messages are there", len(room), posters*posts*3/4+1)
	wantEqual(t, "how many Jason knows to be gone, at most", len(gone) <= posters*posts/4, true)
	for _, m := range room {
		wantSame(t, fmt.Sprintf("message %d as Jason knows it", m.GetId()), known[m.GetId()], m)
	}
	wantNoErrors(t, campfire)
	t.Logf("%d changes over %d streams", position, cuts)
}

func TestAStreamThatCannotGoOnIsToldToLoadEverythingAnew(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.messages = 1100 })
	david, jason := campfire.as("David"), campfire.as("Jason")

	// resynced checks that a stream is told so, and that both it and its token go on.
	resynced := func(what, token, reason string) {
		t.Helper()
		heard := jason.resume(t, token)
		heard.hears(t, "resync: "+reason)
		if heard.token == "" || heard.token == token {
			t.Fatalf("%s: the token to go on from is %q", what, heard.token)
		}
		goOn := heard.token
		david.post(t, campfire.Designers, what)
		heard.hears(t, fmt.Sprintf("created %q", what))
		jason.resume(t, goOn).hears(t, fmt.Sprintf("created %q", what))
	}
	resynced("another life of the database", resumeToken(store.Position{Epoch: "another", Revision: 1}), "UNKNOWN_EPOCH")
	resynced("a position still to come", resumeToken(store.Position{Epoch: campfire.Epoch(), Revision: 1 << 40}), "UNKNOWN_EPOCH")

	// A thousand changes can be told, one more cannot.
	position := must(readResumeToken(jason.listen(t).hello.GetResumeToken()))(t)
	now := resumeToken(*position)
	position.Revision -= 1000
	heard := jason.resume(t, resumeToken(*position))
	for i := range int64(1000) {
		if got, want := heard.next(t).GetMessageCreated().GetMessage().GetRevision(), position.Revision+1+i; got != want {
			t.Fatalf("missed change %d: got revision %d, want %d", i+1, got, want)
		}
	}
	wantEqual(t, "the token after a thousand missed changes", heard.token, now)
	// Three have been posted since.
	position.Revision--
	resynced("more changes", resumeToken(*position), "TOO_FAR_BEHIND")
}

func TestAResumeTokenThatNobodyGaveIsRefused(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	jason := campfire.as("Jason")
	encode := base64.RawURLEncoding.EncodeToString
	for _, token := range []string{
		"!", "abc", "AAAA====", encode([]byte("epoch")), encode([]byte("epoch:")), encode([]byte("epoch:-1")), encode([]byte("epoch:1x")),
		encode([]byte("epoch:9223372036854775808")), encode([]byte(":")), jason.token,
		encode([]byte(strings.Repeat("e", maxTokenLength) + ":1")),
	} {
		for _, way := range allWays {
			_, err := jason.by(way).subscribe(t, token).end(t)
			wantInvalid(t, fmt.Sprintf("%q by %s", token, way.name), err, "resume_token")
		}
	}
	wantNoStreams(t, campfire)
}

func FuzzResumeToken(f *testing.F) {
	campfire := storetest.New(f)
	encode := base64.RawURLEncoding.EncodeToString
	// Epochs are random, what the fuzzer keeps is not: in the text of a token E stands for this one's.
	for _, text := range []string{
		"E:0", "E:1", "E:3", "E:5", "E:6", "E:9223372036854775807", "E:9223372036854775808", "E:-1", "E:+1", "E:01", "E:1x", "E: 1", "E:", ":", "E",
		":1", "EE:1", "E:1:1", "e:1", "E\x00:1", "\xff:1", "E:0x1", "E:1_0", "%:1", "' OR 1=1 --:1",
	} {
		f.Add(text, "")
	}
	for _, token := range []string{"", "!", "abc", "AAAA====", "A\nA", "RTox", "RTox=", "RTp4", "\xff", encode(make([]byte, maxTokenLength))} {
		f.Add("", token)
	}
	ctx, designers := f.Context(), map[int64]bool{}
	for i, room := range []store.Room{campfire.AllTalk, campfire.Designers, campfire.AllTalk, campfire.Designers} {
		m, err := campfire.PostMessage(ctx, campfire.David.ID, store.Post{RoomID: room.ID, Body: storetest.Body(fmt.Sprint(i))})
		if err != nil {
			f.Fatal(err)
		}
		designers[m.ID] = room.ID == campfire.Designers.ID
	}
	f.Fuzz(func(t *testing.T, text, token string) {
		if text != "" {
			token = encode([]byte(strings.ReplaceAll(text, "E", campfire.Epoch())))
		}
		position, err := readResumeToken(token)
		if err != nil {
			var invalid *store.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != "resume_token" || position != nil {
				t.Errorf("%q: got %v, %v; want an error at resume_token", token, position, err)
			}
			return
		}
		if position == nil {
			wantEqual(t, "the token that is none", token, "")
			return
		}
		if again, err := readResumeToken(resumeToken(*position)); position.Revision < 0 || err != nil || *again != *position {
			t.Errorf("%q: got %v, and written and read again %v, %v", token, position, again, err)
		}
		// A reader who is an outsider to Designers is told of All Talk, whatever the token says, or to load everything anew.
		changes, latest, err := campfire.ChangesSince(t.Context(), campfire.Kevin.ID, position)
		switch {
		case latest.Epoch != campfire.Epoch():
			t.Errorf("%q leads to %v", token, latest)
		case position.Epoch != campfire.Epoch():
			if !errors.Is(err, store.ErrUnknownEpoch) {
				t.Errorf("%q: got %v, want %v", token, err, store.ErrUnknownEpoch)
			}
		case position.Revision <= latest.Revision && err != nil || position.Revision > latest.Revision && !errors.Is(err, store.ErrUnknownEpoch):
			t.Errorf("%q, at %v of %v: got %v", token, position, latest, err)
		}
		for _, change := range changes {
			if c := change.(store.MessageCreated); designers[c.Message.ID] || c.Message.ID <= position.Revision {
				t.Errorf("%q tells Kevin of message %d", token, c.Message.ID)
			}
		}
	})
}

// In a room of others much may happen: the token of one who hears nothing of it must not be left behind.
func TestAHeartbeatsTokenMovesOn(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.timing.heartbeat = 20 * time.Millisecond })
	david, kevin := campfire.as("David"), campfire.as("Kevin")
	for _, way := range []way{overHTTP1, overH2C} {
		heard := kevin.by(way).listen(t)
		latest := must(readResumeToken(heard.token))(t).Revision
		for i := range 3 {
			latest = david.post(t, campfire.Designers, fmt.Sprintf("secret %d", i)).GetRevision()
			for beats := 0; must(readResumeToken(heard.token))(t).Revision < latest; beats++ {
				if e := heard.any(t); e.GetHeartbeat() == nil {
					t.Fatalf("Kevin heard %v, want nothing but heartbeats", e)
				}
				if beats == 1000 {
					t.Fatalf("after %d heartbeats the token is still at %v, want %d", beats, must(readResumeToken(heard.token))(t), latest)
				}
			}
		}
		wantEqual(t, "Kevin's token by "+way.name, heard.token, resumeToken(store.Position{Epoch: campfire.Epoch(), Revision: latest}))
		heard.hangUp()
		if interval := heard.hello.GetHello().GetHeartbeatInterval().AsDuration(); interval < campfire.server.timing.heartbeat*6/5 {
			t.Errorf("hello promises a heartbeat each %v, want no less than the longest pause", interval)
		}
		// From there he is told what comes, and nothing of what he may not know.
		david.post(t, campfire.AllTalk, "Hello all by "+way.name)
		kevin.resume(t, heard.token).hears(t, fmt.Sprintf("created %q", "Hello all by "+way.name))
	}
}

func TestSigningOutEndsTheSessionsStreamsAtOnce(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, desk := campfire.as("David"), campfire.as("Jason")
	for _, way := range allWays {
		phone := campfire.again("Jason", way)
		heard, also, elsewhere := phone.listen(t), phone.by(overHTTP1).listen(t), desk.listen(t)
		if _, err := phone.SignOut(t.Context(), &campfirev1.SignOutRequest{}); err != nil {
			t.Fatal(err)
		}
		david.post(t, campfire.Designers, "after that")
		for _, stream := range []*listener{heard, also} {
			rest, err := stream.end(t)
			wantEqual(t, "what the phone still heard by "+way.name, rest, []any{})
			wantCode(t, "the phone's stream by "+way.name, err, connect.CodeUnauthenticated)
		}
		elsewhere.hears(t, `created "after that"`)
		elsewhere.hangUp()

		// The cookie is gone from the jar. Somebody may have kept it.
		kept := campfire.stranger(way).with("Authorization", "Bearer "+phone.token)
		_, err := kept.subscribe(t, heard.token).end(t)
		wantCode(t, "a stream of the ended session by "+way.name, err, connect.CodeUnauthenticated)
	}
	desk.listen(t).hangUp()
}

// The narrow gap: the session ends after its token was found good, before the hub knows the stream.
func TestAStreamThatOpensWhileItsSessionEndsIsRefused(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	jason := campfire.as("Jason")
	_, streams := campfirev1connect.NewEventServiceHandler(campfire.server,
		connect.WithInterceptors(errorInterceptor{campfire.server}))
	inTheGap := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := campfire.SignOut(r.Context(), caller(r.Context()), ""); err != nil {
			t.Errorf("sign out: %v", err)
		}
		streaming(streams, time.Second).ServeHTTP(w, r)
	})
	server := httptest.NewServer(campfire.server.introduce(campfire.server.callers(inTheGap)))
	defer server.Close()
	server.Client().Transport = withHeader{"Authorization", "Bearer " + jason.token, server.Client().Transport}
	events := campfirev1connect.NewEventServiceClient(server.Client(), server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := events.Subscribe(ctx, &campfirev1.SubscribeRequest{})
	if err == nil {
		if stream.Receive() {
			t.Errorf("the stream got %v, want nothing", stream.Msg())
		}
		err = stream.Err()
	}
	wantCode(t, "the stream", err, connect.CodeUnauthenticated)
	wantNoStreams(t, campfire)
}

func TestNobodyOpensMoreStreamsThanTheirShare(t *testing.T) {
	t.Parallel()
	for what, limits := range map[string]StreamLimits{
		"this session": {PerSession: 3}, "you have": {PerUser: 3}, "your network address": {PerAddress: 3}, "the server": {InAll: 3},
	} {
		campfire := newCampfire(t, func(s *setup) { s.Streams, s.TrustedProxies = limits, loopback })
		// Jason's phone is in the network of his desk, of which IPv6 tells only the first half.
		desk := campfire.as("Jason").with("X-Forwarded-For", "2001:db8:0:1::1")
		phone := campfire.as("Jason").with("X-Forwarded-For", "2001:db8:0:1:ffff::2")
		david := campfire.as("David").with("X-Forwarded-For", "2001:db8:0:1::3")
		away := campfire.as("David").with("X-Forwarded-For", "2001:db8:0:2::1")
		first := desk.listen(t)
		desk.listen(t)
		desk.listen(t)
		full := map[*person]bool{desk: true}
		full[phone] = limits.PerSession == 0
		full[david] = limits.PerAddress > 0 || limits.InAll > 0
		full[away] = limits.InAll > 0
		for p, full := range full {
			l := p.subscribe(t, "")
			if !full {
				if hello := l.any(t); hello.GetHello() == nil {
					t.Errorf("%s: %s heard %v, want hello", what, p.name, hello)
				}
				l.hangUp()
				continue
			}
			_, err := l.end(t)
			wantDelay(t, what+": one more of "+p.name, err, time.Minute)
			if !strings.Contains(fmt.Sprint(err), what) {
				t.Errorf("%s: %s was told %v", what, p.name, err)
			}
		}
		eventually(t, "there are three streams", func() bool { return openOf(campfire) == 3 })
		first.hangUp()
		eventually(t, "there are two streams", func() bool { return openOf(campfire) == 2 })
		desk.listen(t)
	}
}

func TestTheShareHoldsForEveryProtocol(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Streams.PerUser = 1 })
	jason := campfire.as("Jason")
	jason.listen(t)
	for _, way := range allWays {
		_, err := jason.by(way).subscribe(t, "").end(t)
		wantDelay(t, "the second stream by "+way.name, err, time.Minute)
	}
	campfire.as("David").listen(t) // others have a share of their own
}

// Streams that were opened together, as after a restart, must not beat and end together.
func TestWhatStreamsDoIsSpreadByAFifth(t *testing.T) {
	t.Parallel()
	least, most := time.Hour, time.Duration(0)
	for range 10_000 {
		d := defaultTiming.jitter(20 * time.Second)
		least, most = min(least, d), max(most, d)
	}
	if least < 16*time.Second || least > 17*time.Second || most > 24*time.Second || most < 23*time.Second {
		t.Errorf("20 s became %v to %v, want 16 s to 24 s", least, most)
	}
}

func TestAnOldStreamIsAskedToComeBack(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.timing.age = 50 * time.Millisecond })
	jason := campfire.as("Jason")
	for _, way := range allWays {
		rest, err := jason.by(way).listen(t).end(t)
		wantCode(t, "an old stream by "+way.name, err, connect.CodeUnavailable)
		if len(rest) != 1 || rest[0].GetReconnect() == nil || rest[0].GetReconnect().GetDelay().AsDuration() > campfire.server.timing.reconnect {
			t.Errorf("an old stream by %s heard %v at last, want reconnect within %v", way.name, rest, campfire.server.timing.reconnect)
		}
	}
}

// The deadline of a write must not outlive it: over HTTP/2 it would end a stream on which nothing happens.
func TestAStreamOutlivesTheDeadlinesOfItsWrites(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.timing.write = 300 * time.Millisecond })
	david, jason := campfire.as("David"), campfire.as("Jason")
	var streams []*listener
	for _, way := range allWays {
		streams = append(streams, jason.by(way).listen(t))
	}
	for _, text := range []string{"after a while", "after another"} {
		time.Sleep(2 * campfire.server.timing.write)
		david.post(t, campfire.Designers, text)
		for _, stream := range streams {
			stream.hears(t, fmt.Sprintf("created %q", text))
		}
	}
}

// Calls have deadlines from their start. A stream must not: whoever only watches would be cut off.
func TestAStreamLetsGoOfTheDeadlinesOfCalls(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	jason := campfire.as("Jason")
	for _, procedure := range []string{campfirev1connect.EventServiceSubscribeProcedure, "/grpc.health.v1.Health/Watch"} {
		ctx, hangUp := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, procedure, strings.NewReader("\x00\x00\x00\x00\x02{}"))
		r.Header.Set("Content-Type", "application/connect+json")
		r.Header.Set("Authorization", "Bearer "+jason.token)
		w := &deadlines{ResponseRecorder: httptest.NewRecorder(), cleared: make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			campfire.server.ServeHTTP(w, r)
		}()
		select {
		case <-w.cleared:
		case <-done:
			t.Errorf("%s has ended with %d: %s", procedure, w.Code, w.Body)
		case <-time.After(patience):
			t.Errorf("%s keeps its deadlines", procedure)
		}
		hangUp()
		<-done
	}
}

// deadlines notes when both deadlines are cleared after something was written.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Time
	cleared     chan struct{}
	once        sync.Once
}

// SetReadDeadline is called by http.ResponseController.
func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.read = at
	return nil
}

// SetWriteDeadline is called by http.ResponseController.
func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.write = at
	if d.read.IsZero() && d.write.IsZero() && d.Body.Len() > 0 {
		d.once.Do(func() { close(d.cleared) })
	}
	return nil
}

func TestWatchingTheHealthHasItsBounds(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	client := grpchealth.NewClient(campfire.stranger(overH2C).http, campfire.url, connect.WithGRPC())
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	watch := func(ctx context.Context) <-chan grpchealth.WatchEvent {
		return client.Watch(ctx, &grpchealth.CheckRequest{Service: campfirev1connect.EventServiceName})
	}
	watchers := []<-chan grpchealth.WatchEvent{}
	for range maxWatchers {
		watchers = append(watchers, watch(ctx))
	}
	for _, w := range watchers {
		if e := <-w; e.Err != nil || e.Response.Status != grpchealth.StatusServing {
			t.Fatalf("a watcher was told %v, want serving", e)
		}
	}
	wantDelay(t, "one more", (<-watch(ctx)).Err, time.Minute)
	began := time.Now()
	if err := campfire.stop(); err != nil || time.Since(began) > shutdownGrace/2 {
		t.Errorf("with watchers, stopping took %v: %v", time.Since(began), err)
	}
	for _, w := range watchers {
		for range w { // until it ends
		}
	}
}

func TestNoProxyMayKeepAStreamBack(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	jason := campfire.as("Jason")
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	req := must(http.NewRequestWithContext(ctx, http.MethodPost, campfire.url+campfirev1connect.EventServiceSubscribeProcedure,
		strings.NewReader("\x00\x00\x00\x00\x02{}")))(t)
	req.Header.Set("Content-Type", "application/connect+json")
	res := must(jason.http.Do(req))(t)
	defer res.Body.Close()
	wantEqual(t, "X-Accel-Buffering", res.Header.Get("X-Accel-Buffering"), "no")
	wantEqual(t, "Cache-Control", res.Header.Values("Cache-Control"), []string{"no-store, no-transform"})
}

func openOf(c *campfire) int {
	c.server.hub.mu.Lock()
	defer c.server.hub.mu.Unlock()
	return c.server.hub.open
}

func streamsOf(c *campfire, userID int64) int {
	c.server.hub.mu.Lock()
	defer c.server.hub.mu.Unlock()
	return len(c.server.hub.streams[userID])
}

// wantNoStreams checks that the hub has let go of every stream.
func wantNoStreams(t testing.TB, c *campfire) {
	t.Helper()
	eventually(t, "the hub knows no stream", func() bool {
		c.server.hub.mu.Lock()
		defer c.server.hub.mu.Unlock()
		return len(c.server.hub.streams) == 0 && len(c.server.hub.networks) == 0 && c.server.hub.open == 0
	})
}

func TestHeartbeatsComeBeforeTheFirstMessage(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.timing.heartbeat = 20 * time.Millisecond })
	heard := campfire.as("David").listen(t)
	if e := heard.any(t); e.GetHeartbeat() == nil || e.GetResumeToken() != heard.hello.GetResumeToken() {
		t.Errorf("David hears %v, want a heartbeat where hello was", e)
	}
}
