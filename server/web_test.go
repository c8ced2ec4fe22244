package server

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestUpSaysWhetherTheServerCanDoItsWork(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	stranger := campfire.stranger()
	got := stranger.request(t, "GET", "/up", "")
	wantEqual(t, "up", []any{got.status, got.body, got.header.Get("Cache-Control")}, []any{200, "up\n", "no-store"})
	if err := campfire.Close(); err != nil {
		t.Fatal(err)
	}
	got = stranger.request(t, "GET", "/up", "")
	wantEqual(t, "without a database", []any{got.status, got.body, got.header.Get("Cache-Control")},
		[]any{503, "the database does not answer\n", "no-store"})
	if !strings.Contains(campfire.log.String(), "not up") {
		t.Error("the log does not say that it is not up")
	}
}

func TestWithoutAClientThereAreNoPages(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	for _, path := range []string{"/", "/rooms/1", "/assets/app-1.js", "/index.html"} {
		wantEqual(t, path, campfire.stranger().request(t, "GET", path, "").status, 404)
	}
}

func TestAClientThatIsNotBuiltSaysHowToBuildIt(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Client = fstest.MapFS{".gitkeep": {}} })
	for _, path := range []string{"/", "/rooms/1", "/.gitkeep"} {
		got := campfire.stranger().request(t, "GET", path, "")
		if got.status != 404 || !strings.Contains(got.body, "make build") {
			t.Errorf("%s: got %d %s, want 404 and how to build it", path, got.status, got.body)
		}
	}
}

func TestTheBuiltClientIsServed(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Client = builtClient })
	const page, forever = "<!doctype html><title>Campfire</title>", "public, max-age=31536000, immutable"
	const html, none = "text/html; charset=utf-8", ""
	for _, c := range []struct {
		method, path string
		status       int
		body         string
		kind, cache  string
	}{
		{"GET", "/", 200, page, html, "no-cache"},
		{"HEAD", "/", 200, "", html, "no-cache"},
		{"GET", "/index.html", 200, page, html, "no-cache"},
		{"GET", "/rooms/7/@12", 200, page, html, "no-cache"},
		{"GET", "/sounds", 200, page, html, "no-cache"}, // a folder is no page
		{"GET", "/sounds/", 200, page, html, "no-cache"},
		{"GET", "/assets/app-1.js", 200, string(builtClient["assets/app-1.js"].Data), "text/javascript; charset=utf-8", forever},
		{"GET", "/assets/app-1.css", 200, "body { margin: 0 }", "text/css; charset=utf-8", forever},
		{"GET", "/assets/app-0.js", 404, "404 page not found\n", "text/plain; charset=utf-8", none},
		{"GET", "/assets/", 200, page, html, "no-cache"},
		{"GET", "/sounds/bell.mp3", 200, "ding", "audio/mpeg", none},
		{"GET", "/.gitkeep", 200, page, html, "no-cache"},
		{"GET", "/users/1", 200, page, html, "no-cache"},
		{"POST", "/campfire.v1.NothingService/Explode", 404, "404 page not found\n", "text/plain; charset=utf-8", none},
		{"DELETE", "/", 404, "404 page not found\n", "text/plain; charset=utf-8", none},
	} {
		got := campfire.stranger().request(t, c.method, c.path, "")
		wantEqual(t, c.method+" "+c.path, []any{got.status, got.body, got.header.Get("Content-Type"), got.header.Get("Cache-Control")},
			[]any{c.status, c.body, c.kind, c.cache})
	}
	// No path leads out of the client.
	for _, path := range []string{"/../server.go", "/%2e%2e/server.go", "//etc/passwd", "/assets/../../server.go"} {
		r := httptest.NewRequest("GET", "http://campfire.example", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		pages(builtClient).ServeHTTP(w, r)
		if body := w.Body.String(); w.Code == 200 && body != page {
			t.Errorf("%s: got %d %s", path, w.Code, body)
		}
	}
}

func TestTheClientTravelsCompressed(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Client = builtClient })
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, campfire.url+"/assets/app-1.js", nil))(t)
	req.Header.Set("Accept-Encoding", "gzip")
	res := must(http.DefaultTransport.RoundTrip(req))(t)
	defer res.Body.Close()
	wantEqual(t, "Content-Encoding", res.Header.Get("Content-Encoding"), "gzip")
	unzipped := must(gzip.NewReader(res.Body))(t)
	wantEqual(t, "the script", string(must(io.ReadAll(unzipped))(t)), string(builtClient["assets/app-1.js"].Data))
}
