// Package server puts Campfire on the wire: handlers, who is calling, the streams of live events, and the embedded client.
package server

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"time"

	"connectrpc.com/connect"
	connectcors "connectrpc.com/cors"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/cors"
	"golang.org/x/time/rate"

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
	calling        *crowd
	refusals       *rate.Sometimes // told to the log: connections, as too many are open
	crossings      *rate.Sometimes // pages of other origins
	guesses        *rate.Sometimes // at passwords and join codes, too many
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
		refusals:       nowAndThen(),
		crossings:      nowAndThen(),
		guesses:        nowAndThen(),
		stopping:       make(chan struct{}),
		webhookTimeout: webhookTimeout,
	}
	streams := config.Streams.orDefaults()
	s.calling = newCrowd(streams.PerAddress+callsPerAddress, streams.InAll+callsInAll)
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

func newDecompressor() connect.Decompressor { return new(gzip.Reader) }

// newCompressor takes a quarter of the standard library's time, for answers hardly larger.
func newCompressor() connect.Compressor {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // there is such a level
	return w
}

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
		connect.WithCompression("gzip", newDecompressor, newCompressor),
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

// metrics count what an operator wants to watch, for Prometheus.
type metrics struct {
	registry  *prometheus.Registry
	calls     *prometheus.HistogramVec // seconds, by procedure and code
	streams   *prometheus.CounterVec   // that have ended, by code
	delivered prometheus.Counter       // events written to streams
	refused   prometheus.Counter       // connections
	webhooks  *prometheus.CounterVec   // by outcome
	pushes    *prometheus.CounterVec   // by outcome
	expires   *prometheus.GaugeVec     // when certificates do, in Unix seconds, by name
}

// The outcomes of what leaves the house.
const (
	outcomeTaken   = "taken"
	outcomeRefused = "refused" // answered, but not taken
	outcomeFailed  = "failed"  // not answered
)

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "campfire_call_seconds", Help: "How long calls take, by procedure and code.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .5, 1, 5, 30},
		}, []string{"procedure", "code"}),
		streams: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "campfire_streams_ended_total", Help: "Streams that have ended, by code; resource_exhausted: the reader was too slow, or had too many.",
		}, []string{"code"}),
		delivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "campfire_events_delivered_total", Help: "Events written to streams.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "campfire_connections_refused_total", Help: "Connections that were hung up on, as too many were open in all or from one network.",
		}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "campfire_webhooks_total", Help: "Messages told to bots, by outcome: taken, refused or failed.",
		}, []string{"outcome"}),
		expires: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "campfire_certificate_expires_seconds", Help: "When the certificate that is shown expires, in seconds of Unix, by its first name.",
		}, []string{"name"}),
		pushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "campfire_pushes_total", Help: "Notifications sent to push services, by outcome: taken, refused or failed.",
		}, []string{"outcome"}),
	}
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	counter := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read)
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.calls, m.streams, m.delivered, m.refused, m.webhooks, m.pushes, m.expires,
		gauge("campfire_streams_open", "Streams that are open.", func() float64 { return float64(s.hub.openStreams()) }),
		counter("campfire_writes_total", "Writes carried out by the one writer.", func() float64 { return float64(s.store.Stats().Writes) }),
		counter("campfire_commits_total", "Commits of the one writer; writes by commits is how many share one.",
			func() float64 { return float64(s.store.Stats().Commits) }),
		counter("campfire_write_wait_seconds_total", "How long writes have waited and taken, in all.",
			func() float64 { return s.store.Stats().Waited.Seconds() }),
		gauge("campfire_wal_bytes", "The size of the write-ahead log.", func() float64 { return float64(s.store.Stats().LogBytes) }),
		gauge("campfire_database_bytes", "The size of the database without its log.", func() float64 { return float64(s.store.Stats().Bytes) }),
	)
	return m
}

// Metrics serves what Prometheus reads, at /metrics, and Go's profiles, at /debug/pprof/. It is for the operator alone, on
// an address of its own.
func (s *Server) Metrics() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/pprof/block", recording(pprof.Handler("block"), runtime.SetBlockProfileRate, blockRate))
	mux.Handle("/debug/pprof/mutex", recording(pprof.Handler("mutex"), func(rate int) { runtime.SetMutexProfileFraction(rate) }, mutexRate))
	return mux
}

// How much of the waiting is recorded while its profile is asked for.
const (
	blockRate = 100_000 // a sample for so many nanoseconds
	mutexRate = 10      // one in so many
)

// recording records what a profile shows only while it is asked for (?seconds=5), as that costs time.
func recording(profile http.Handler, setRate func(int), rate int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setRate(rate)
		defer setRate(0)
		profile.ServeHTTP(w, r)
	})
}

// WrapUnary implements connect.Interceptor.
func (m *metrics) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		began := time.Now()
		res, err := next(ctx, req)
		m.calls.WithLabelValues(req.Spec().Procedure, codeName(err)).Observe(time.Since(began).Seconds())
		return res, err
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (m *metrics) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		err := next(ctx, conn)
		m.streams.WithLabelValues(codeName(err)).Inc()
		return err
	}
}

// WrapStreamingClient implements connect.Interceptor. The server calls nobody.
func (m *metrics) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func codeName(err error) string {
	if err == nil {
		return "ok"
	}
	return connect.CodeOf(err).String()
}
