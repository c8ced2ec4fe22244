package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	campfirev1 "campfire.example/gen/campfire/v1"
)

func TestMetricsTellAnOperatorWhatGoesOn(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.as("David")
	heard := david.listen(t)
	david.post(t, campfire.Designers, "Hello")
	heard.hears(t, `created "Hello"`)
	_, _ = david.GetMessage(t.Context(), &campfirev1.GetMessageRequest{MessageId: 4711}) // which is not there
	read := func(path string) string {
		recorder := httptest.NewRecorder()
		campfire.server.Metrics().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		return recorder.Body.String()
	}
	eventually(t, "the event is counted", func() bool {
		return regexp.MustCompile(`(?m)^campfire_events_delivered_total [1-9]`).MatchString(read("/metrics"))
	})
	text := read("/metrics")
	for _, want := range []string{
		`campfire_call_seconds_count\{code="ok",procedure="/campfire\.v1\.MessageService/PostMessage"\} 1`,
		`campfire_call_seconds_count\{code="not_found",procedure="/campfire\.v1\.MessageService/GetMessage"\} 1`,
		`campfire_streams_open 1`, `campfire_writes_total [1-9]`, `campfire_commits_total [1-9]`, `campfire_write_wait_seconds_total `,
		`campfire_wal_bytes [1-9]`, `campfire_database_bytes [1-9]`, `go_goroutines `,
	} {
		if !regexp.MustCompile(`(?m)^` + want).MatchString(text) {
			t.Errorf("no %s among the metrics", want)
		}
	}
	heard.hangUp()
	eventually(t, "the end of the stream is counted", func() bool {
		return regexp.MustCompile(`(?m)^campfire_streams_ended_total\{code="canceled"\} 1`).MatchString(read("/metrics"))
	})
	if got := read("/debug/pprof/goroutine?debug=1"); !strings.Contains(got, "goroutine profile") {
		t.Errorf("got %.100q, want a profile", got)
	}
	if got := david.request(t, "GET", "/metrics", ""); strings.Contains(got.body, "campfire_") {
		t.Error("everyone can read the metrics")
	}
}

// What waits is recorded only while an operator asks for it.
func TestAProfileOfWaitingTellsWhatWaitedMeanwhile(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.as("David")
	recorded := make(chan *httptest.ResponseRecorder)
	go func() {
		recorder := httptest.NewRecorder()
		campfire.server.Metrics().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/debug/pprof/block?seconds=1", nil))
		recorded <- recorder
	}()
	for {
		select {
		case recorder := <-recorded:
			profile := must(io.ReadAll(must(gzip.NewReader(recorder.Body))(t)))(t)
			if !bytes.Contains(profile, []byte("store.(*Store).PostMessage")) {
				t.Error("posts have waited for the writer, and the profile does not tell")
			}
			return
		default:
			david.post(t, campfire.Designers, "Hello")
		}
	}
}
