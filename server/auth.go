package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
)

// forStrangers are the calls that need nobody to be signed in.
var forStrangers = map[string]bool{
	campfirev1connect.AccountServiceGetAccountProcedure:    true,
	campfirev1connect.AccountServiceSetUpProcedure:         true,
	campfirev1connect.SessionServiceSignInProcedure:        true,
	campfirev1connect.SessionServiceCheckJoinCodeProcedure: true,
	campfirev1connect.SessionServiceJoinProcedure:          true,
	campfirev1connect.SessionServiceClaimTransferProcedure: true,
}

// forBots are the calls that bots may make beside those that are open to strangers: what the conversation needs.
var forBots = map[string]bool{
	campfirev1connect.SessionServiceGetCurrentUserProcedure: true,
	campfirev1connect.RoomServiceListRoomsProcedure:         true,
	campfirev1connect.RoomServiceGetRoomProcedure:           true,
	campfirev1connect.RoomServiceListMembersProcedure:       true,
	campfirev1connect.MessageServicePostMessageProcedure:    true,
	campfirev1connect.MessageServiceListMessagesProcedure:   true,
	campfirev1connect.MessageServiceGetMessageProcedure:     true,
	campfirev1connect.MessageServiceEditMessageProcedure:    true,
	campfirev1connect.MessageServiceDeleteMessageProcedure:  true,
	campfirev1connect.MessageServiceAddBoostProcedure:       true,
	campfirev1connect.MessageServiceRemoveBoostProcedure:    true,
	campfirev1connect.PresenceServiceStartTypingProcedure:   true,
	campfirev1connect.PresenceServiceStopTypingProcedure:    true,
	campfirev1connect.EventServiceSubscribeProcedure:        true,
	avatarPattern: true,
}

const (
	sessionCookie    = "session_token"
	sessionCookieAge = 400 * 24 * time.Hour // the most that browsers keep; renewed whenever the app is opened
	maxReading       = 30 * time.Second     // of a request
	maxWriting       = 60 * time.Second     // of an answer
	callsPerAddress  = 1000                 // at once, beside as many streams as it may have
	callsInAll       = 5000                 // the same
)

// request is what is known of a request before its handler.
type request struct {
	id      string
	address netip.Addr // the client's
	agent   string
	secure  bool           // whether it came by TLS
	cookie  string         // the session token, if it came as a cookie
	caller  store.Identity // zero for strangers
	since   time.Time      // when that was found out
}

type requestKey struct{}

func about(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// caller is who is calling. Behind callers it is always somebody, but for forStrangers.
func caller(ctx context.Context) store.Identity { return about(ctx).caller }

func (r *request) device() store.Device {
	device := store.Device{UserAgent: r.agent}
	if r.address.IsValid() {
		device.IPAddress = r.address.String()
	}
	return device
}

// introduce notes what every handler may want to know of a request, and sets the headers of every answer.
func (s *Server) introduce(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known := &request{id: rand.Text()[:12], agent: r.UserAgent()}
		known.address, known.secure = s.client(r)
		w.Header().Set("X-Request-Id", known.id)
		w.Header().Set("X-Version", s.config.Version)
		secure(w.Header())
		// Whoever sends or reads too slowly must not hold memory for ever. Streams set deadlines of their own.
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(maxReading)) // what cannot have one, as in a test, needs none
		_ = control.SetWriteDeadline(time.Now().Add(maxWriting))
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				s.log.Error("request panicked", "request", known.id, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				panic(http.ErrAbortHandler)
			}
		}()
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, known))
		network := store.Network(known.address)
		if !s.calling.enter(network, false) {
			s.refuse(w, r, tooMany("too many calls at once from your network address", time.Second))
			return
		}
		defer s.calling.leave(network)
		next.ServeHTTP(w, r)
	})
}

// callType is how a call's body may be written.
var callType = regexp.MustCompile(`(?i)^application/(json|proto|(connect|grpc|grpc-web)\+(json|proto)|grpc|grpc-web)\s*$`)

// callers lets pass whom it knows, bots to what is for them, and strangers to what is open to them. It stands before
// Connect, so that streams are guarded as calls are.
func (s *Server) callers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known := about(r.Context())
		err := s.identify(known, r)
		if known.caller.IsBot() && !forBots[r.URL.Path] && !forBots[r.Pattern] && !forStrangers[r.URL.Path] {
			err = fmt.Errorf("%w: it is not for bots", store.ErrForbidden)
		}
		if err != nil && (!forStrangers[r.URL.Path] || !errors.Is(err, store.ErrUnauthenticated)) {
			s.refuse(w, r, err)
			return
		}
		known.since = time.Now()
		w.Header().Set("Cache-Control", "no-store")
		if mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); r.Method == http.MethodPost && !callType.MatchString(mediaType) {
			// Connect would say nothing beside the status.
			http.Error(w, "a call's content-type is application/json, application/proto, or that of a Connect stream, gRPC or gRPC-Web",
				http.StatusUnsupportedMediaType)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// unblocked lets everyone read, and nobody change anything who comes from an address that a ban blocks.
func (s *Server) unblocked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changes := r.Method != http.MethodGet && r.Method != http.MethodHead && !reads[r.URL.Path]
		if changes && s.store.IsBlocked(about(r.Context()).address) {
			s.refuse(w, r, connect.NewError(connect.CodeResourceExhausted, errors.New("your network address is blocked")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// reads are the calls that change nothing.
var reads = func() map[string]bool {
	reads := map[string]bool{campfirev1connect.EventServiceSubscribeProcedure: true}
	protoregistry.GlobalFiles.RangeFilesByPackage("campfire.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				method := methods.Get(j)
				options := method.Options().(*descriptorpb.MethodOptions)
				if options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
					reads["/"+string(method.Parent().FullName())+"/"+string(method.Name())] = true
				}
			}
		}
		return true
	})
	return reads
}()

// requireStillSignedIn asks again who is calling if the body of the call took its time: a session or key that has ended
// meanwhile must not act any more.
func (s *Server) requireStillSignedIn(ctx context.Context) error {
	known := about(ctx)
	if known.caller == (store.Identity{}) || time.Since(known.since) < time.Second {
		return nil
	}
	return s.store.RequireSession(ctx, known.caller)
}

// identify finds out who is calling: by a bearer token, which is a session's or a bot's key, or by a session's cookie.
// Beside a bearer token no cookie counts, so that a page elsewhere cannot add its own to a cookie's.
func (s *Server) identify(known *request, r *http.Request) (err error) {
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		scheme, token, _ := strings.Cut(authorization, " ")
		switch token = strings.TrimSpace(token); {
		case !strings.EqualFold(scheme, "Bearer") || token == "":
			return store.ErrUnauthenticated
		case strings.Contains(token, "-"): // as no session token does
			known.caller, err = s.store.AuthenticateBot(r.Context(), token)
		default:
			known.caller, err = s.store.Authenticate(r.Context(), token, known.device())
		}
		return err
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return store.ErrUnauthenticated
	}
	known.cookie = cookie.Value
	known.caller, err = s.store.Authenticate(r.Context(), cookie.Value, known.device())
	return err
}

// errorWriter answers in the protocol of the request.
var errorWriter = connect.NewErrorWriter()

// refuse answers an error before any handler.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	err = s.wireError(r.Context(), err)
	if errorWriter.IsSupported(r) {
		_ = errorWriter.Write(w, r, err) // the client has hung up
		return
	}
	refusePlainly(w, err)
}

// httpStatuses are what the codes are in plain HTTP.
var httpStatuses = map[connect.Code]int{
	connect.CodeInvalidArgument:    http.StatusUnprocessableEntity,
	connect.CodeUnauthenticated:    http.StatusUnauthorized,
	connect.CodePermissionDenied:   http.StatusForbidden,
	connect.CodeNotFound:           http.StatusNotFound,
	connect.CodeAlreadyExists:      http.StatusConflict,
	connect.CodeFailedPrecondition: http.StatusConflict,
	connect.CodeResourceExhausted:  http.StatusTooManyRequests,
	connect.CodeUnimplemented:      http.StatusUnsupportedMediaType, // as only files are
	connect.CodeUnavailable:        http.StatusServiceUnavailable,
}

// refusePlainly answers an error of the wire as a status and a sentence.
func refusePlainly(w http.ResponseWriter, err error) {
	message := err.Error()
	if known := new(connect.Error); errors.As(err, &known) {
		message = known.Message()
	}
	http.Error(w, message, cmp.Or(httpStatuses[connect.CodeOf(err)], http.StatusInternalServerError))
}

// denyCrossOrigin answers a page of another site that would act with a visitor's cookie.
func (s *Server) denyCrossOrigin(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	s.crossings.Do(func() {
		s.log.Warn("cross-origin request refused", "request", about(r.Context()).id, "origin", origin[:min(len(origin), 200)], "host", r.Host[:min(len(r.Host), 200)])
	})
	s.refuse(w, r, connect.NewError(connect.CodePermissionDenied,
		errors.New("pages of other origins may not call this server; its operator can allow them with --origins")))
}

// setSessionCookie signs a browser in; an empty token signs it out.
func setSessionCookie(ctx context.Context, token string) {
	cookie := &http.Cookie{
		Name: sessionCookie, Value: token, Path: "/", MaxAge: int(sessionCookieAge.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: about(ctx).secure,
	}
	if token == "" {
		cookie.MaxAge = -1
	}
	if call, ok := connect.CallInfoForHandlerContext(ctx); ok {
		call.ResponseHeader().Add("Set-Cookie", cookie.String())
	}
}

// client answers whom a request comes from, and whether it came by TLS. What a proxy says counts only if the operator
// trusts the proxy; then the client is the right-most address that is no trusted proxy itself.
func (s *Server) client(r *http.Request) (address netip.Addr, secure bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, r.TLS != nil
	}
	address, secure = peer.Addr().Unmap(), r.TLS != nil
	if !s.trusts(address) {
		return address, secure
	}
	secure = secure || r.Header.Get("X-Forwarded-Proto") == "https"
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap()
	}
	return address, secure
}

func (s *Server) trusts(address netip.Addr) bool {
	for _, network := range s.config.TrustedProxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

const (
	maxAttempts    = 10 // at a password or join code
	attemptsWindow = 3 * time.Minute
	maxAddresses   = 100_000 // remembered; each is some 100 bytes
)

// attempts counts what each network address tries, in windows that begin with its first attempt.
type attempts struct {
	mu      sync.Mutex
	windows map[netip.Prefix]*window
}

type window struct {
	ends  time.Time
	count int
}

func newAttempts() *attempts { return &attempts{windows: map[netip.Prefix]*window{}} }

// take counts an attempt; beyond maxAttempts it is an error that tells when to come back.
func (a *attempts) take(address netip.Addr) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	key := store.Network(address)
	w := a.windows[key]
	if w == nil || now.After(w.ends) {
		if len(a.windows) >= maxAddresses {
			a.forget(now)
		}
		w = &window{ends: now.Add(attemptsWindow)}
		a.windows[key] = w
	}
	w.count++
	if w.count > maxAttempts {
		return tooMany("too many attempts from your network address; wait a few minutes", w.ends.Sub(now))
	}
	return nil
}

// forget makes room: by the windows that are over or, should none be, by all of them.
func (a *attempts) forget(now time.Time) {
	for key, w := range a.windows {
		if now.After(w.ends) {
			delete(a.windows, key)
		}
	}
	if len(a.windows) >= maxAddresses {
		clear(a.windows)
	}
}
