package server

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// pushService is a push service of the test's own: a real HTTPS server that decrypts what it gets for its browsers.
type pushService struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	browsers map[string]*browser // by path
	key      string              // the server's public one, as GetPushKey tells it
}

// browser is one that a person has subscribed with.
type browser struct {
	service      *pushService
	subscription *campfirev1.PushSubscription
	path         string
	key          *ecdh.PrivateKey
	secret       []byte
	got          chan pushed
	answer       http.HandlerFunc // 201 if it is nil
}

// pushed is one notification that came.
type pushed struct {
	header  http.Header
	subject string
	notification
}

func newPushService(t testing.TB) *pushService {
	s := &pushService{t: t, browsers: map[string]*browser{}}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

// campfire is one that reaches the push service.
func (s *pushService) campfire(t testing.TB) *campfire {
	c := newCampfire(t, func(setup *setup) { setup.OutboundNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c.server.outbound.Transport.(guarded).RoundTripper.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	s.key = must(c.as("David").GetPushKey(t.Context(), &campfirev1.GetPushKeyRequest{}))(t).GetPublicKey()
	return c
}

// subscribe registers one more browser of somebody's.
func (s *pushService) subscribe(t testing.TB, p *person) *browser {
	t.Helper()
	b := &browser{service: s, path: "/" + rand.Text(), key: must(ecdh.P256().GenerateKey(rand.Reader))(t), secret: make([]byte, 16), got: make(chan pushed, 1000)}
	_, _ = rand.Read(b.secret)
	s.mu.Lock()
	s.browsers[b.path] = b
	s.mu.Unlock()
	b.subscription = must(p.RegisterPushSubscription(t.Context(), b.request()))(t).GetSubscription()
	return b
}

func (b *browser) request() *campfirev1.RegisterPushSubscriptionRequest {
	return &campfirev1.RegisterPushSubscriptionRequest{
		Endpoint:  b.service.URL + b.path,
		P256DhKey: base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes()),
		AuthKey:   base64.RawURLEncoding.EncodeToString(b.secret),
	}
}

func (s *pushService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	b := s.browsers[r.URL.Path]
	s.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, 4097))
	if b == nil || err != nil || len(body) > 4096 {
		s.t.Errorf("the push service got %d bytes at %s: %v", len(body), r.URL.Path, err)
		return
	}
	got := pushed{header: r.Header}
	if got.subject, err = s.verify(r.Header.Get("Authorization")); err != nil {
		s.t.Errorf("VAPID: %v", err)
	}
	text, err := b.decrypt(body)
	if err == nil {
		err = json.Unmarshal(text, &got.notification)
	}
	if err != nil {
		s.t.Errorf("a notification: %v in %q", err, text)
	}
	b.got <- got
	if b.answer != nil {
		b.answer(w, r)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// decrypt reads a body by RFC 8188 and RFC 8291, written from these.
func (b *browser) decrypt(body []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("too short")
	}
	salt, size, sender := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:21+int(body[20])]
	sealed := body[21+int(body[20]):]
	if len(sealed) > int(size) {
		return nil, errors.New("more than one record")
	}
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := b.key.ECDH(public)
	if err != nil {
		return nil, err
	}
	info := slices.Concat([]byte("WebPush: info\x00"), b.key.PublicKey().Bytes(), sender)
	ikm, err := hkdf.Key(sha256.New, shared, b.secret, string(info), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	open, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	open = bytes.TrimRight(open, "\x00")
	if len(open) == 0 || open[len(open)-1] != 2 {
		return nil, errors.New("not the last record")
	}
	return open[:len(open)-1], nil
}

// verify checks who says to have sent a notification by RFC 8292, and answers how to reach them.
func (s *pushService) verify(authorization string) (subject string, err error) {
	token, key, found := strings.Cut(strings.TrimPrefix(authorization, "vapid t="), ", k=")
	parts := strings.Split(token, ".")
	if !found || key != s.key || len(parts) != 3 {
		return "", fmt.Errorf("got %q, want a token by the key %s", authorization, s.key)
	}
	point, _ := base64.RawURLEncoding.DecodeString(key)
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return "", fmt.Errorf("got a signature of %d bytes, %w", len(signature), err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return "", errors.New("the signature is not right")
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	text, _ := base64.RawURLEncoding.DecodeString(parts[1])
	if err := json.Unmarshal(text, &claims); err != nil {
		return "", err
	}
	if age := time.Until(time.Unix(claims.Exp, 0)); claims.Aud != s.URL || age <= 0 || age > 24*time.Hour {
		return "", fmt.Errorf("got claims %s, want the audience %s for at most a day", text, s.URL)
	}
	return claims.Sub, nil
}

// next takes what the browser is told next.
func (b *browser) next(t testing.TB) pushed {
	t.Helper()
	select {
	case got := <-b.got:
		return got
	case <-time.After(patience):
		t.Fatal("no notification came")
		return pushed{}
	}
}

// heard lists what a browser is told, up to a message that everyone is told of who can be.
func (b *browser) heard(t testing.TB, last string) (texts []string) {
	t.Helper()
	for {
		n := b.next(t)
		if strings.HasSuffix(n.Options.Body, last) {
			return texts
		}
		texts = append(texts, n.Title+" | "+n.Options.Body)
	}
}

func (p *person) involve(t testing.TB, room store.Room, involvement campfirev1.Involvement) {
	t.Helper()
	if _, err := p.SetInvolvement(t.Context(), &campfirev1.SetInvolvementRequest{RoomId: room.ID, Involvement: involvement}); err != nil {
		t.Fatalf("%s's involvement in %s: %v", p.name, room.Name, err)
	}
}

func TestANotificationSaysWhoWroteWhatWhere(t *testing.T) {
	t.Parallel()
	service := newPushService(t)
	campfire := service.campfire(t)
	david, jason := campfire.again("David"), campfire.again("Jason")
	jason.involve(t, campfire.Designers, campfirev1.Involvement_INVOLVEMENT_EVERYTHING)
	b := service.subscribe(t, jason)
	m := david.post(t, campfire.Designers, `Hello "all" <b>of</b> you`)
	got := b.next(t)
	wantEqual(t, "title and text", got.Title+" | "+got.Options.Body, `Designers | David: Hello "all" <b>of</b> you`)
	wantEqual(t, "path, badge and tag", []any{got.Options.Data.Path, got.Options.Data.Badge, got.Options.Tag},
		[]any{fmt.Sprintf("/rooms/%d/@%d", campfire.Designers.ID, m.GetId()), 1, fmt.Sprintf("room-%d", campfire.Designers.ID)})
	wantEqual(t, "headers", []string{got.header.Get("Ttl"), got.header.Get("Urgency"), got.header.Get("Content-Encoding")}, []string{"2419200", "high", "aes128gcm"})
	wantEqual(t, "from", got.subject, "mailto:david@campfire.example")

	ping := must(david.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{jason.id}}))(t).GetRoom()
	david.post(t, store.Room{ID: ping.GetId()}, "Psst")
	got = b.next(t)
	wantEqual(t, "a ping", []any{got.Title, got.Options.Body, got.Options.Data.Badge}, []any{"David", "Psst", 2})

	david.post(t, campfire.Designers, strings.Repeat("\"é😀\n", 3000))
	got = b.next(t)
	if !strings.HasSuffix(got.Options.Body, "…") || len(got.Options.Body) < 500 || !strings.HasPrefix(got.Options.Body, "David: \"é😀") {
		t.Errorf("a long message: got %d bytes %.50q, want as much as fits", len(got.Options.Body), got.Options.Body)
	}
	bot := campfire.bot("Bender")
	must(campfire.UpdateRoom(t.Context(), david.id, campfire.Designers.ID, store.RoomChanges{Grant: []int64{bot.id}}))(t)
	bot.post(t, campfire.Designers, "/play tada")
	got = b.next(t)
	wantEqual(t, "a bot's sound", got.Title+" | "+got.Options.Body, "Designers | Bender: /play tada")
}

func TestWhoIsNotified(t *testing.T) {
	t.Parallel()
	service := newPushService(t)
	campfire := service.campfire(t)
	room := campfire.AllTalk
	browsers := map[string]*browser{}
	people := map[string]*person{}
	for name, involvement := range map[string]campfirev1.Involvement{
		"David":  campfirev1.Involvement_INVOLVEMENT_EVERYTHING,
		"Jason":  campfirev1.Involvement_INVOLVEMENT_EVERYTHING,
		"Kevin":  campfirev1.Involvement_INVOLVEMENT_MENTIONS,
		"Nora":   campfirev1.Involvement_INVOLVEMENT_NOTHING,
		"Ivy":    campfirev1.Involvement_INVOLVEMENT_INVISIBLE,
		"Pia":    campfirev1.Involvement_INVOLVEMENT_EVERYTHING, // looks at the room
		"Elliot": campfirev1.Involvement_INVOLVEMENT_EVERYTHING, // looks at another
		"Oscar":  campfirev1.Involvement_INVOLVEMENT_EVERYTHING, // is not in the room
	} {
		if !slices.Contains([]string{"David", "Jason", "Kevin"}, name) {
			campfire.Joined(t, name)
		}
		p := campfire.again(name)
		people[name], browsers[name] = p, service.subscribe(t, p)
		p.involve(t, room, involvement)
	}
	second := service.subscribe(t, people["Jason"])
	// Before the last word everyone involves themselves fully and looks away.
	const last = "that is all"
	elsewhere := must(campfire.CreateRoom(t.Context(), campfire.David.ID, store.NewRoom{
		Kind: store.ClosedRoom, Name: "Elsewhere", MemberIDs: []int64{people["Elliot"].id},
	}))(t)
	pia, elliot := people["Pia"].listen(t), people["Elliot"].listen(t)
	people["Pia"].enter(t, room, pia)
	people["Elliot"].enter(t, elsewhere, elliot)
	must(campfire.UpdateRoom(t.Context(), campfire.David.ID, room.ID, store.RoomChanges{Kind: new(store.ClosedRoom), Revoke: []int64{people["Oscar"].id}}))(t)

	people["David"].post(t, room, "Hello")
	_, err := people["David"].PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: room.ID, Body: &campfirev1.PostMessageRequest_Html{
		Html: fmt.Sprintf(`<p>Hi <span class="mention" data-user-id="%d">@Kevin</span> and <span class="mention" data-user-id="%d">@Nora</span></p>`, people["Kevin"].id, people["Nora"].id),
	}})
	if err != nil {
		t.Fatal(err)
	}
	people["David"].post(t, room, "Kevin, as plain text @Kevin")
	all := []string{"All Talk | David: Hello", "All Talk | David: Hi @Kevin and @Nora", "All Talk | David: Kevin, as plain text @Kevin"}
	told := func(b *browser, want []string) {
		t.Helper()
		var got []string
		for range want {
			n := b.next(t)
			got = append(got, n.Title+" | "+n.Options.Body)
		}
		slices.Sort(got) // they are sent side by side
		wantEqual(t, "what is told", got, want)
	}
	told(browsers["Jason"], all)
	told(second, all)
	told(browsers["Elliot"], all)
	told(browsers["Kevin"], all[1:2])
	people["Pia"].leave(t, room, pia)
	must(campfire.UpdateRoom(t.Context(), campfire.David.ID, room.ID, store.RoomChanges{Grant: []int64{people["Oscar"].id}}))(t)
	for _, p := range people {
		p.involve(t, room, campfirev1.Involvement_INVOLVEMENT_EVERYTHING)
	}
	people["Jason"].post(t, room, last+" from Jason")
	people["David"].post(t, room, last+" from David")
	for name, b := range browsers {
		from := " from David"
		if name == "David" {
			from = " from Jason"
		}
		for _, text := range b.heard(t, last+from) {
			if !strings.Contains(text, last) {
				t.Errorf("%s is told %q as well", name, text)
			}
		}
	}
	if more := second.heard(t, last+" from David"); len(more) > 0 {
		t.Errorf("Jason's other browser is told %q as well", more)
	}
}

func TestBrowsersThatAreGoneAreForgotten(t *testing.T) {
	t.Parallel()
	service := newPushService(t)
	campfire := service.campfire(t)
	david, jason := campfire.again("David"), campfire.again("Jason")
	jason.involve(t, campfire.Designers, campfirev1.Involvement_INVOLVEMENT_EVERYTHING)
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	left := func() (ids []int64) {
		for _, p := range must(jason.ListPushSubscriptions(t.Context(), &campfirev1.ListPushSubscriptionsRequest{}))(t).GetSubscriptions() {
			ids = append(ids, p.GetId())
		}
		return ids
	}
	gone, lost, kept, refused := service.subscribe(t, jason), service.subscribe(t, jason), service.subscribe(t, jason), service.subscribe(t, jason)
	gone.answer, lost.answer, refused.answer = status(410), status(404), status(403)
	david.post(t, campfire.Designers, "one")
	for _, b := range []*browser{gone, lost, kept, refused} {
		b.next(t)
	}
	eventually(t, "the two that are gone are forgotten", func() bool {
		return slices.Equal(left(), []int64{refused.subscription.GetId(), kept.subscription.GetId()})
	})
	for i := range 4 {
		david.post(t, campfire.Designers, fmt.Sprint("again ", i))
		refused.next(t)
		kept.next(t)
		want := []string{"2", "3", "4", ""}[i]
		eventually(t, "the failure is noted", func() bool {
			return campfire.query(fmt.Sprintf("SELECT failures FROM push_subscriptions WHERE id = %d", refused.subscription.GetId())) == want
		})
	}
	wantEqual(t, "left", left(), []int64{kept.subscription.GetId()})

	// One success forgives the failures before it.
	kept.answer = status(400)
	david.post(t, campfire.Designers, "no")
	kept.next(t)
	failures := func() string { return campfire.query("SELECT failures FROM push_subscriptions") }
	eventually(t, "a failure is noted", func() bool { return failures() == "1" })
	kept.answer = nil
	david.post(t, campfire.Designers, "yes")
	kept.next(t)
	eventually(t, "it is forgiven", func() bool { return failures() == "0" })

	// Who asks for peace gets it, and is not forgotten.
	kept.answer = status(429, "Retry-After", "120")
	david.post(t, campfire.Designers, "too much")
	kept.next(t)
	host := strings.TrimPrefix(service.URL, "https://")
	eventually(t, "the service is left alone", func() bool { return campfire.server.notifier.isPaused(host) })
	_, err := jason.SendTestNotification(t.Context(), &campfirev1.SendTestNotificationRequest{SubscriptionId: kept.subscription.GetId()})
	wantCode(t, "a test meanwhile", err, connect.CodeUnavailable)
	wantEqual(t, "left", left(), []int64{kept.subscription.GetId()})
}

func TestASlowPushServiceHoldsUpNobody(t *testing.T) {
	t.Parallel()
	service, other := newPushService(t), newPushService(t)
	campfire := service.campfire(t)
	campfire.server.outbound.Transport.(guarded).RoundTripper.(*http.Transport).TLSClientConfig.RootCAs.AddCert(other.Certificate())
	other.key = service.key
	david, jason, kevin := campfire.again("David"), campfire.again("Jason"), campfire.again("Kevin")
	jason.involve(t, campfire.AllTalk, campfirev1.Involvement_INVOLVEMENT_EVERYTHING)
	kevin.involve(t, campfire.AllTalk, campfirev1.Involvement_INVOLVEMENT_EVERYTHING)
	slow, quick := service.subscribe(t, jason), other.subscribe(t, kevin)
	release := make(chan struct{})
	slow.answer = func(http.ResponseWriter, *http.Request) { <-release }
	defer close(release)
	for i := range maxPushes / 2 {
		david.post(t, campfire.AllTalk, fmt.Sprint("message ", i))
	}
	for range maxPushes / 2 {
		quick.next(t)
	}
}

func TestAPersonsOwnBrowsers(t *testing.T) {
	t.Parallel()
	service := newPushService(t)
	campfire := service.campfire(t)
	david, jason := campfire.again("David"), campfire.again("Jason").with("User-Agent", "Firefox on a phone")
	b := service.subscribe(t, jason)
	wantEqual(t, "its browser", b.subscription.GetUserAgent(), "Firefox on a phone")
	again := must(jason.RegisterPushSubscription(t.Context(), b.request()))(t).GetSubscription()
	wantSame(t, "registered again", again, b.subscription)
	listed := must(jason.ListPushSubscriptions(t.Context(), &campfirev1.ListPushSubscriptionsRequest{}))(t).GetSubscriptions()
	wantEqual(t, "how many", len(listed), 1)
	wantSame(t, "listed", listed[0], b.subscription)
	wantEqual(t, "David's", must(david.ListPushSubscriptions(t.Context(), &campfirev1.ListPushSubscriptionsRequest{}))(t).GetSubscriptions(), []string{})

	must(jason.SendTestNotification(t.Context(), &campfirev1.SendTestNotificationRequest{SubscriptionId: b.subscription.GetId()}))(t)
	got := b.next(t)
	if got.Title != "Campfire test" || got.Options.Data.Path != "/users/me/push_subscriptions" {
		t.Errorf("a test notification: got %+v", got.notification)
	}
	_, err := david.SendTestNotification(t.Context(), &campfirev1.SendTestNotificationRequest{SubscriptionId: b.subscription.GetId()})
	wantCode(t, "David tests Jason's", err, connect.CodeNotFound)
	_, err = david.RemovePushSubscription(t.Context(), &campfirev1.RemovePushSubscriptionRequest{SubscriptionId: b.subscription.GetId()})
	wantCode(t, "David removes Jason's", err, connect.CodeNotFound)
	b.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	_, err = jason.SendTestNotification(t.Context(), &campfirev1.SendTestNotificationRequest{SubscriptionId: b.subscription.GetId()})
	wantCode(t, "a test that is not taken", err, connect.CodeUnavailable)

	moved := must(david.RegisterPushSubscription(t.Context(), b.request()))(t).GetSubscription()
	wantEqual(t, "Jason's, after David has signed in to the same browser", must(jason.ListPushSubscriptions(t.Context(), &campfirev1.ListPushSubscriptionsRequest{}))(t).GetSubscriptions(), []string{})
	must(david.RemovePushSubscription(t.Context(), &campfirev1.RemovePushSubscriptionRequest{SubscriptionId: moved.GetId()}))(t)
	_, err = david.RemovePushSubscription(t.Context(), &campfirev1.RemovePushSubscriptionRequest{SubscriptionId: moved.GetId()})
	wantCode(t, "removed twice", err, connect.CodeNotFound)

	b = service.subscribe(t, jason)
	must(jason.SignOut(t.Context(), &campfirev1.SignOutRequest{PushEndpoint: service.URL + b.path}))(t)
	wantEqual(t, "browsers, once Jason has signed out", campfire.query("SELECT count(*) FROM push_subscriptions"), "0")
}

func TestSubscriptionsThatAreRefused(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	jason := campfire.as("Jason")
	good := campfirev1.RegisterPushSubscriptionRequest{
		Endpoint:  "https://push.example/a",
		P256DhKey: base64.RawURLEncoding.EncodeToString(must(ecdh.P256().GenerateKey(rand.Reader))(t).PublicKey().Bytes()),
		AuthKey:   base64.RawURLEncoding.EncodeToString(make([]byte, 16)),
	}
	for field, values := range map[string][]string{
		"endpoint": {
			"", "push.example", "http://push.example/a", "https://", "https://127.0.0.1/a", "https://[::1]/", "https://10.0.0.1:443/", "https://169.254.169.254/latest",
			"https://2130706433/", "https://u:p@push.example/", "javascript:alert(1)", "https://push.example/" + strings.Repeat("a", 2048), "https://push.example/\x00",
		},
		"p256dh_key": {"", "AAAA", base64.RawURLEncoding.EncodeToString(append([]byte{4}, make([]byte, 64)...)), "not base64!", good.GetAuthKey()},
		"auth_key":   {"", "AAAA", base64.RawURLEncoding.EncodeToString(make([]byte, 17)), "&&&&&&&&&&&&&&&&&&&&&&"},
	} {
		for _, value := range values {
			bad := campfirev1.RegisterPushSubscriptionRequest{Endpoint: good.GetEndpoint(), P256DhKey: good.GetP256DhKey(), AuthKey: good.GetAuthKey()}
			switch field {
			case "endpoint":
				bad.Endpoint = value
			case "p256dh_key":
				bad.P256DhKey = value
			default:
				bad.AuthKey = value
			}
			_, err := jason.RegisterPushSubscription(t.Context(), &bad)
			wantInvalid(t, fmt.Sprintf("%s %.60q", field, value), err, field)
		}
	}
	for i := range 103 {
		good.Endpoint = fmt.Sprint("https://push.example/", i)
		must(jason.RegisterPushSubscription(t.Context(), &good))(t)
	}
	listed := must(jason.ListPushSubscriptions(t.Context(), &campfirev1.ListPushSubscriptionsRequest{}))(t).GetSubscriptions()
	wantEqual(t, "how many, the newest and the oldest", []any{len(listed), listed[0].GetEndpoint(), listed[99].GetEndpoint()},
		[]any{100, "https://push.example/102", "https://push.example/3"})
}

func TestThePushKeyIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	key := must(campfire.as("David").GetPushKey(t.Context(), &campfirev1.GetPushKeyRequest{}))(t).GetPublicKey()
	point, err := base64.RawURLEncoding.DecodeString(key)
	if _, pointErr := ecdh.P256().NewPublicKey(point); err != nil || pointErr != nil {
		t.Errorf("got %q: %v, %v", key, err, pointErr)
	}
	private := must(campfire.PushKey(t.Context()))(t)
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	again := must(store.Open(t.Context(), campfire.Folder, store.Options{}))(t)
	defer again.Close()
	if kept := must(again.PushKey(t.Context()))(t); !kept.Equal(private) {
		t.Error("the key is another one after a restart")
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "soon": 0, "30": 30 * time.Second, "999999999": time.Hour, "99999999999999999999": 0,
		"Tue, 24 Nov 2026 12:01:00 GMT": time.Minute, "Tue, 24 Nov 2026 11:00:00 GMT": 0, "Wed, 25 Nov 2026 12:00:00 GMT": time.Hour,
	} {
		until, ok := retryAfter(header, now)
		if !ok {
			until = now
		}
		wantEqual(t, fmt.Sprintf("%q", header), until.Sub(now), want)
	}
}
