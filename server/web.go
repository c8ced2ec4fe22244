package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"rsc.io/qr"

	"campfire.example/store"
)

// contentPolicy is the second wall behind the cleaned bodies: nothing runs or loads that is not the client's own.
const contentPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secure sets the headers that every answer carries.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
}

// up says whether the server can do its work; asked for ?full, whether the database is sound and can be written too.
func (s *Server) up(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := s.store.Ping(r.Context()); err != nil {
		s.log.Error("not up", "request", about(r.Context()).id, "error", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Query().Has("full") {
		if err := s.verified.by(s.store.Verify); err != nil {
			s.log.Error("not up", "request", about(r.Context()).id, "error", err)
			http.Error(w, "the database is damaged or cannot be written; the log knows more of request "+about(r.Context()).id,
				http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = io.WriteString(w, "up\n") // the client has hung up
}

// verification remembers what examining the database has shown, as anyone may ask and a large one takes a while.
type verification struct {
	mu    sync.Mutex
	until time.Time
	err   error
}

// verificationKept is for how long one examination answers all who ask, and never less than ten times what it took.
const verificationKept = 10 * time.Second

func (v *verification) by(examine func(context.Context) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if began := time.Now(); began.After(v.until) {
		ctx, cancel := context.WithTimeout(context.Background(), maxWriting) // whoever hangs up, others wait for it
		defer cancel()
		v.err = examine(ctx)
		v.until = time.Now().Add(max(verificationKept, 10*time.Since(began)))
	}
	return v.err
}

// productName is what an account is called before it has a name.
const productName = "Campfire"

const maxQRText = 1024 // bytes; a denser picture is hard to read from a screen

// qrCode draws the text that its path holds in URL-safe base64, for a phone to read from the screen.
func (s *Server) qrCode(w http.ResponseWriter, r *http.Request) {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(r.PathValue("link"), "="))
	if err != nil || len(text) == 0 || len(text) > maxQRText {
		s.refuse(w, r, &store.InvalidError{Field: "link", Reason: fmt.Sprintf("must be 1 to %d bytes in URL-safe base64", maxQRText)})
		return
	}
	code, err := qr.Encode(string(text), qr.M)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // the path says all there is
	_, _ = io.WriteString(w, qrSVG(code))                                  // the client has hung up
}

func qrSVG(code *qr.Code) string {
	const quiet = 4 // the margin that ISO/IEC 18004 asks for, in modules
	var dark strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&dark, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	size := code.Size + 2*quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`, size, size, size, size, dark.String())
}

// webManifest describes the app to browsers that can install it, under the account's name.
func (s *Server) webManifest(w http.ResponseWriter, r *http.Request) {
	name := productName
	switch account, _, err := s.store.GetAccount(r.Context()); {
	case err == nil:
		name = account.Name
	case !errors.Is(err, store.ErrNotFound): // before the first run there is no account yet
		s.refuse(w, r, err)
		return
	}
	type entries = map[string]any
	icon := func(path, size, purpose string) entries {
		return entries{"src": path, "sizes": size + "x" + size, "type": "image/png", "purpose": purpose}
	}
	screenshot := func(name, size, form, label string) entries {
		return entries{"src": "/screenshots/" + name + ".png", "sizes": size, "type": "image/png", "form_factor": form, "label": label}
	}
	body, err := json.Marshal(entries{
		"name": name, "short_name": name, "id": "/", "start_url": "/", "scope": "/", "display": "standalone",
		"theme_color": "#ffffff", "background_color": "#ffffff",
		"categories": []string{"social", "business", "productivity"},
		"icons": []entries{
			icon("/account/logo?size=small", "192", "any"),
			icon("/account/logo", "512", "any"),
			icon("/icons/maskable-512.png", "512", "maskable"),
		},
		"screenshots": []entries{
			screenshot("narrow", "390x844", "narrow", "A room"),
			screenshot("narrow-rooms", "390x844", "narrow", "One's rooms and pings"),
			screenshot("wide", "1280x800", "wide", "A room, and all others beside it"),
		},
		"shortcuts": []entries{
			{"name": "New chat room", "url": "/rooms/opens/new"},
			{"name": "My profile", "url": "/users/me/profile"},
		},
	})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/manifest+json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body) // the client has hung up
}

// logo serves the picture that stands for the account, at 512 or 192 pixels: the product's own.
func (s *Server) logo(w http.ResponseWriter, r *http.Request) {
	icon := "icons/icon-512.png"
	if r.URL.Query().Get("size") == "small" {
		icon = "icons/icon-192.png"
	}
	if s.config.Client == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=300, stale-while-revalidate=604800")
	http.ServeFileFS(w, r, s.config.Client, icon)
}

// pages serves the built client: its files, and for every other path the page that finds its way by itself.
func pages(client fs.FS) http.Handler {
	if client == nil {
		return http.NotFoundHandler()
	}
	index, err := fs.ReadFile(client, "index.html")
	files := http.FileServerFS(client)
	return gzhttp.GzipHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		info, statErr := fs.Stat(client, name)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			http.NotFound(w, r) // a call of a service there is not: no page would tell its caller so
		case statErr == nil && !info.IsDir() && name != "index.html" && !strings.HasPrefix(name, "."):
			// Their names change with them; the sounds keep theirs, and the client asks for a version.
			if strings.HasPrefix(name, "assets/") || strings.HasPrefix(name, "sounds/") && r.URL.Query().Has("v") {
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			} else if name == "service-worker.js" {
				w.Header().Set("Cache-Control", "no-cache") // what it keeps is only as new as itself
			}
			files.ServeHTTP(w, r)
		case strings.HasPrefix(name, "assets/"):
			http.NotFound(w, r)
		case err != nil:
			http.Error(w, "The client is not built into this server: run make build.", http.StatusNotFound)
		default:
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeContent(w, r, "index.html", time.Time{}, strings.NewReader(string(index)))
		}
	}))
}
