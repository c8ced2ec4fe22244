package server

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"google.golang.org/protobuf/proto"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
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
		{"GET", "/sounds/bell.mp3?v=1a2b3c4d", 200, "ding", "audio/mpeg", "public, max-age=31536000, immutable"},
		{"GET", "/service-worker.js", 200, "self", "text/javascript; charset=utf-8", "no-cache"},
		{"GET", "/account/logo", 200, "large", "image/png", "public, max-age=300, stale-while-revalidate=604800"},
		{"GET", "/account/logo?size=small", 200, "small", "image/png", "public, max-age=300, stale-while-revalidate=604800"},
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

func TestTheManifestDescribesTheAccountToWhoeverAsks(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t, func(s *setup) { s.Client = builtClient })
	got := campfire.stranger().request(t, "GET", "/webmanifest", "")
	wantEqual(t, "answer", []any{got.status, got.header.Get("Content-Type"), got.header.Get("Cache-Control")},
		[]any{200, "application/manifest+json", "no-cache"})
	var manifest struct {
		Name, ID, Scope, Display string
		ShortName                string `json:"short_name"`
		StartURL                 string `json:"start_url"`
		ThemeColor               string `json:"theme_color"`
		BackgroundColor          string `json:"background_color"`
		Categories               []string
		Icons                    []struct{ Src, Sizes, Type, Purpose string }
		Shortcuts                []struct{ Name, URL string }
		Screenshots              []struct {
			Src, Sizes string
			FormFactor string `json:"form_factor"`
		}
	}
	if err := json.Unmarshal([]byte(got.body), &manifest); err != nil {
		t.Fatal(err)
	}
	name := must(campfire.stranger().GetAccount(t.Context(), &campfirev1.GetAccountRequest{}))(t).GetAccount().GetName()
	wantEqual(t, "who", []any{manifest.Name, manifest.ShortName, manifest.ID}, []any{name, name, "/"})
	wantEqual(t, "how", []any{manifest.Display, manifest.StartURL, manifest.Scope, manifest.ThemeColor, manifest.BackgroundColor},
		[]any{"standalone", "/", "/", "#ffffff", "#ffffff"})
	wantEqual(t, "categories", manifest.Categories, []string{"social", "business", "productivity"})
	wantEqual(t, "icons", fmt.Sprint(manifest.Icons), "[{/account/logo?size=small 192x192 image/png any} "+
		"{/account/logo 512x512 image/png any} {/icons/maskable-512.png 512x512 image/png maskable}]")
	must(campfire.as("David").UpdateAccount(t.Context(), &campfirev1.UpdateAccountRequest{Name: proto.String("37 & \"Sons\"")}))(t)
	wantEqual(t, "screenshots", fmt.Sprint(manifest.Screenshots), "[{/screenshots/narrow.png 390x844 narrow} "+
		"{/screenshots/narrow-rooms.png 390x844 narrow} {/screenshots/wide.png 1280x800 wide}]")
	renamed := campfire.stranger().request(t, "GET", "/webmanifest", "")
	if err := json.Unmarshal([]byte(renamed.body), &manifest); err != nil || manifest.Name != "37 & \"Sons\"" {
		t.Errorf("renamed: got %q, %v", manifest.Name, err)
	}
	wantEqual(t, "shortcuts", fmt.Sprint(manifest.Shortcuts), "[{New chat room /rooms/opens/new} {My profile /users/me/profile}]")
}

func TestTheManifestHasTheProductsNameBeforeTheFirstRun(t *testing.T) {
	t.Parallel()
	empty := must(store.Open(t.Context(), t.TempDir(), store.Options{}))(t)
	t.Cleanup(func() { _ = empty.Close() })
	w := httptest.NewRecorder()
	New(empty, Config{}).ServeHTTP(w, httptest.NewRequest("GET", "http://campfire.example/webmanifest", nil))
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, `"name":"Campfire"`) {
		t.Errorf("got %d %s", w.Code, body)
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

func TestAQRCodeIsAPictureOfItsText(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	stranger := campfire.stranger()
	path := func(text string) string { return "/qr_code/" + base64.URLEncoding.EncodeToString([]byte(text)) }
	const link = "https://chat.example.com/join/abcd-EFGH-1234?a=ü"
	got := stranger.request(t, "GET", path(link), "")
	wantEqual(t, "answer", []any{got.status, got.header.Get("Content-Type"), got.header.Get("Cache-Control")},
		[]any{200, "image/svg+xml", "public, max-age=31536000, immutable"})
	wantEqual(t, "read back", readQR(t, got.body), link)
	wantEqual(t, "read back, from a path without padding", readQR(t, stranger.request(t, "GET", strings.TrimRight(path(link), "="), "").body), link)
	wantEqual(t, "1,024 bytes", readQR(t, stranger.request(t, "GET", path(strings.Repeat("x", 1024)), "").body), strings.Repeat("x", 1024))
	for name, bad := range map[string]string{
		"1,025 bytes": path(strings.Repeat("x", 1025)), "nothing": "/qr_code/=", "no base64": "/qr_code/%3Cscript%3E", "the other base64": "/qr_code/+++/",
	} {
		if got := stranger.request(t, "GET", bad, ""); got.status != 400 && got.status != 404 {
			t.Errorf("%s: got %d, want 400 or 404", name, got.status)
		}
	}
}

// readQR reads a picture as a phone would, with a decoder that is not ours.
func readQR(t testing.TB, svg string) string {
	t.Helper()
	var size int
	if _, err := fmt.Sscanf(svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d `, &size); err != nil {
		t.Fatalf("%v in %.100s", err, svg)
	}
	const zoom = 4
	picture := image.NewGray(image.Rect(0, 0, size*zoom, size*zoom))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	for _, module := range regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`).FindAllStringSubmatch(svg, -1) {
		x, y := must(strconv.Atoi(module[1]))(t), must(strconv.Atoi(module[2]))(t)
		draw.Draw(picture, image.Rect(x*zoom, y*zoom, (x+1)*zoom, (y+1)*zoom), image.Black, image.Point{}, draw.Src)
	}
	bitmap := must(gozxing.NewBinaryBitmapFromImage(picture))(t)
	return must(qrcode.NewQRCodeReader().Decode(bitmap, nil))(t).GetText()
}
