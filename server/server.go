// Package server puts Campfire on the wire: handlers, who is calling, the streams of live events, and the embedded client.
package server

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"connectrpc.com/connect"
	connectcors "connectrpc.com/cors"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"github.com/rs/cors"

	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
)

// Config is what the operator decides. The zero value works.
type Config struct {
	// Version is told to clients, as "1.0.0".
	Version string
	// Client is the built React client; nil to serve none.
	Client fs.FS
	// URL is where people open Campfire, as "https://chat.example.com". Its pages are this server's own even if a proxy
	// gives the server another name. Nil if it is not known.
	URL *url.URL
	// TrustedProxies are the networks whose X-Forwarded-For and X-Forwarded-Proto headers count.
	TrustedProxies []netip.Prefix
	// Origins are other origins whose pages may call this server, as "https://example.org".
	Origins []string
	// OutboundNetworks are networks that webhooks and push services may be in though they are not public.
	OutboundNetworks []netip.Prefix
	// PushSubject says to push services who sends, as "mailto:ops@example.com" or an https URL; the account's contact if it is
	// empty.
	PushSubject string
	// Streams bounds how many streams may be open at once.
	Streams StreamLimits
	// Connections bounds how many connections may be open at once.
	Connections ConnectionLimits
	// Log gets the server's log; slog.Default() if it is nil.
	Log *slog.Logger
}

// Server is one Campfire on the wire.
type Server struct {
	store          *store.Store
	config         Config
	log            *slog.Logger
	timing         timing
	hub            *hub
	presence       *presence
	attempts       *attempts
	outbound       *http.Client
	couriers       *couriers
	notifier       *notifier
	metrics        *metrics
	guard          *guard
	verified       verification
	webhookTimeout time.Duration
	handler        http.Handler
	stopping       chan struct{}
	closeOnce      sync.Once
}

const (
	maxRequestBytes  = 1 << 20          // of any one request
	maxStrangerBytes = 8 << 10          // of what those send whom nobody knows
	compressMinBytes = 1024             // smaller answers and events grow by compression
	preflightAge     = 10 * time.Minute // browsers remember that long what other origins may
)

// New serves a store, and listens to what it commits.
func New(st *store.Store, config Config) *Server {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	s := &Server{
		store:          st,
		config:         config,
		log:            config.Log,
		timing:         defaultTiming,
		hub:            newHub(config.Streams),
		presence:       newPresence(),
		attempts:       newAttempts(),
		stopping:       make(chan struct{}),
		webhookTimeout: webhookTimeout,
	}
	s.guard = newGuard(config.OutboundNetworks)
	s.outbound = s.guard.client(s.guard.dialer(nil).DialContext)
	s.metrics = newMetrics(s)
	s.couriers = newCouriers(s.tellBot)
	s.notifier = newNotifier(s.tellAbsent)
	s.handler = s.routes()
	st.OnCommit(s.committed)
	return s
}

// ServeHTTP answers every request: calls, streams, the client's pages.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close tells every open stream to reconnect, and ends it. It does not wait for them: http.Server.Shutdown does.
func (s *Server) Close() { s.closeOnce.Do(func() { close(s.stopping) }) }

func (s *Server) routes() http.Handler {
	options := connect.WithHandlerOptions(
		connect.WithReadMaxBytes(maxRequestBytes),
		connect.WithConditionalHandlerOptions(func(spec connect.Spec) []connect.HandlerOption {
			if forStrangers[spec.Procedure] {
				return []connect.HandlerOption{connect.WithReadMaxBytes(maxStrangerBytes)}
			}
			return nil
		}),
		connect.WithCompressMinBytes(compressMinBytes),
		connect.WithRecover(s.recovered),
		connect.WithInterceptors(s.metrics, errorInterceptor{s}),
	)
	mux := http.NewServeMux()
	names := []string{}
	serve := func(name string, handler http.Handler) {
		names = append(names, name)
		mux.Handle("/"+name+"/", s.callers(handler))
	}
	mount := func(path string, handler http.Handler) {
		serve(path[1:len(path)-1], handler)
	}
	mount(campfirev1connect.NewAccountServiceHandler(s, options))
	mount(campfirev1connect.NewSessionServiceHandler(s, options))
	mount(campfirev1connect.NewUserServiceHandler(s, options))
	mount(campfirev1connect.NewRoomServiceHandler(s, options))
	mount(campfirev1connect.NewMessageServiceHandler(s, options))
	mount(campfirev1connect.NewSearchServiceHandler(s, options))
	mount(campfirev1connect.NewPresenceServiceHandler(s, options))
	mount(campfirev1connect.NewBotServiceHandler(s, options))
	mount(campfirev1connect.NewPushServiceHandler(s, options))
	// No compression: it would be done anew for each stream.
	_, events := campfirev1connect.NewEventServiceHandler(s, options, connect.WithCompression("gzip", nil, nil))
	serve(campfirev1connect.EventServiceName, streaming(events, s.timing.write))

	reflector := grpcreflect.NewStaticReflector(append(names, grpchealth.HealthV1ServiceName)...)
	small := connect.WithReadMaxBytes(maxStrangerBytes)
	mux.Handle(grpcreflect.NewHandlerV1(reflector, small))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector, small))
	path, health := grpchealth.NewHandler(grpchealth.NewStaticChecker(names...), small)
	mux.Handle(path, health)
	mux.Handle(path+"Watch", s.watching(streaming(health, s.timing.write)))
	mux.HandleFunc("/up", s.up)
	mux.HandleFunc("GET /custom.css", s.customStyles)
	mux.HandleFunc("GET /qr_code/{link}", s.qrCode)
	mux.HandleFunc("GET /webmanifest", s.webManifest)
	mux.HandleFunc("GET /account/logo", s.logo)
	mux.Handle(avatarPattern, s.callers(http.HandlerFunc(s.avatar)))
	clientPages := pages(s.config.Client)
	mux.Handle("/", clientPages)
	mux.Handle(messagePattern, messageAddress(clientPages))

	protection := http.NewCrossOriginProtection()
	for pattern, answer := range s.doors() {
		mux.Handle(pattern, s.byKey(answer))
		protection.AddInsecureBypassPattern(pattern) // no cookie counts there
	}
	if s.config.URL != nil {
		if err := protection.AddTrustedOrigin(s.config.URL.Scheme + "://" + s.config.URL.Host); err != nil {
			s.log.Error("public URL ignored", "url", s.config.URL.String(), "error", err)
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(s.denyCrossOrigin))
	handler := http.Handler(mux)
	if len(s.config.Origins) > 0 {
		var origins []string
		for _, origin := range s.config.Origins {
			if err := protection.AddTrustedOrigin(origin); err != nil {
				s.log.Error("origin ignored", "origin", origin, "error", err)
				continue
			}
			origins = append(origins, origin)
		}
		handler = cors.New(cors.Options{
			AllowOriginFunc: func(origin string) bool { return slices.Contains(origins, origin) }, // exactly: no * for any
			AllowedMethods:  connectcors.AllowedMethods(),
			AllowedHeaders:  append(connectcors.AllowedHeaders(), "Authorization"),
			ExposedHeaders:  connectcors.ExposedHeaders(),
			MaxAge:          int(preflightAge.Seconds()),
		}).Handler(handler)
	}
	return s.introduce(s.unblocked(protection.Handler(handler)))
}
