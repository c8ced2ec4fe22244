package server

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"

	"campfire.example/gen/campfire/v1/campfirev1connect"
)

// Somebody begins more calls than anyone needs and ends none: others are served meanwhile, and they are once they let go.
func TestNobodyHoldsAllCalls(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Streams.PerAddress, s.TrustedProxies = 5, loopback })
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	const greedy, many = "203.0.113.7", callsPerAddress + 5
	var bodies []*io.PipeWriter
	var calls sync.WaitGroup
	for range many {
		body, writer := io.Pipe()
		bodies = append(bodies, writer)
		req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, campfire.url+campfirev1connect.SessionServiceSignInProcedure, body))(t)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Forwarded-For", greedy)
		calls.Go(func() {
			if res, err := transport.RoundTrip(req); err == nil {
				res.Body.Close()
			}
		})
	}
	eventually(t, "all of them have begun", func() bool {
		campfire.server.calling.mu.Lock()
		defer campfire.server.calling.mu.Unlock()
		return campfire.server.calling.count == many
	})
	refused := func(from string) bool {
		got := campfire.stranger().request(t, "POST", campfirev1connect.AccountServiceGetAccountProcedure, "{}",
			"Content-Type: application/json", "X-Forwarded-For: "+from)
		return strings.Contains(got.body, connect.CodeResourceExhausted.String())
	}
	if !refused(greedy) {
		t.Error("one more call of the same address is not refused")
	}
	if refused("203.0.113.8") {
		t.Error("somebody else is refused")
	}
	for _, body := range bodies {
		body.CloseWithError(io.ErrUnexpectedEOF)
	}
	calls.Wait()
	eventually(t, "they are served again", func() bool { return !refused(greedy) })
}
