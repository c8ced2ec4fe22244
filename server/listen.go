package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// shutdownGrace is how long calls and deliveries under way have to finish when the server stops.
const shutdownGrace = 10 * time.Second

// Serve answers HTTP/1.1 and, by prior knowledge, cleartext HTTP/2 on one listener until ctx ends. Then it tells the
// streams to reconnect, lets calls finish, and answers nil.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	srv := &http.Server{
		Handler:           s,
		Protocols:         protocols,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 250,
			SendPingTimeout:      20 * time.Second, // a dead peer is found out
			PingTimeout:          10 * time.Second,
		},
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		// No WriteTimeout: it would end every stream. Streams set a deadline for each write.
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		s.Close()
		grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		err := srv.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = srv.Close()
		}
		s.couriers.stop(grace)
		s.notifier.stop(grace)
		stopped <- err
	}()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return <-stopped
}
