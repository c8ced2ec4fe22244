package server

import (
	"context"
	"net/http"
	"net/http/pprof"
	"runtime"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics count what an operator wants to watch, for Prometheus.
type metrics struct {
	registry  *prometheus.Registry
	calls     *prometheus.HistogramVec // seconds, by procedure and code
	streams   *prometheus.CounterVec   // that have ended, by code
	delivered prometheus.Counter       // events written to streams
	webhooks  *prometheus.CounterVec   // by outcome
	pushes    *prometheus.CounterVec   // by outcome
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
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "campfire_webhooks_total", Help: "Messages told to bots, by outcome: taken, refused or failed.",
		}, []string{"outcome"}),
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
		m.calls, m.streams, m.delivered, m.webhooks, m.pushes,
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
	blockRate = 10_000 // a sample for so many nanoseconds
	mutexRate = 10     // one in so many
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
