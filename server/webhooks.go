package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"campfire.example/store"
)

const (
	webhookTimeout = 7 * time.Second  // for a bot to answer
	noteTimeout    = 10 * time.Second // for what it answered to be kept
	maxCouriers    = 4                // of each bot
	maxWaiting     = 100              // messages of each bot
	maxErrorLength = 200              // as administrators see it
)

// couriers tell bots of messages. Each bot has a few of its own, so that one that is slow holds up no other, and a bounded
// line of messages that wait for them.
type couriers struct {
	deliver func(ctx context.Context, botID, messageID int64, missed int)
	ctx     context.Context // ends what is under way
	cancel  context.CancelFunc
	busy    sync.WaitGroup

	mu     sync.Mutex
	lines  map[int64]*line // by bot, while there is something to tell it
	closed bool
}

// line is what waits to be told to one bot.
type line struct {
	messages []int64
	missed   int // messages for which there was no room
	couriers int // under way
}

func newCouriers(deliver func(ctx context.Context, botID, messageID int64, missed int)) *couriers {
	c := &couriers{deliver: deliver, lines: map[int64]*line{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// send has a bot told of a message. It does not wait.
func (c *couriers) send(botID, messageID int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	l := c.lines[botID]
	if l == nil {
		l = &line{}
		c.lines[botID] = l
	}
	if len(l.messages) >= maxWaiting {
		l.missed++
		return
	}
	l.messages = append(l.messages, messageID)
	if l.couriers < maxCouriers {
		l.couriers++
		c.busy.Go(func() { c.run(botID, l) })
	}
}

// run delivers what waits until nothing does.
func (c *couriers) run(botID int64, l *line) {
	for {
		c.mu.Lock()
		if len(l.messages) == 0 {
			if l.couriers--; l.couriers == 0 {
				delete(c.lines, botID)
			}
			c.mu.Unlock()
			return
		}
		messageID, missed := l.messages[0], l.missed
		l.messages, l.missed = l.messages[1:], 0
		c.mu.Unlock()
		c.deliver(c.ctx, botID, messageID, missed)
	}
}

// stop takes nothing more, and waits until all is delivered or ctx ends; what is then under way is given up.
func (c *couriers) stop(ctx context.Context) {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	defer context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, l := range c.lines {
			l.messages = nil
		}
		c.cancel()
	})()
	c.busy.Wait()
	c.cancel()
}

// tellBot tells a bot of a message, posts what it replies, and notes for administrators how that went.
func (s *Server) tellBot(ctx context.Context, botID, messageID int64, missed int) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("webhook panicked", "bot", botID, "message", messageID, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	told, err := s.store.Webhook(ctx, botID, messageID)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		s.log.Error("webhook not called", "bot", botID, "message", messageID, "error", err)
		return
	}
	reply, status, err := s.callWebhook(ctx, told)
	if ctx.Err() != nil {
		return // the server stops
	}
	if errors.Is(err, errNoAnswer) {
		reply = rawText(fmt.Sprintf("This bot has not answered within %v seconds.", s.webhookTimeout.Seconds()))
	}
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	if reply != nil {
		if postErr := s.postReply(ctx, told, reply); postErr != nil {
			err = cmp.Or(err, fmt.Errorf("its reply was not posted: %w", postErr))
		}
	}
	if err == nil && missed > 0 {
		err = fmt.Errorf("%d messages before were not told: %d waited already", missed, maxWaiting)
	}
	delivery := store.Delivery{At: time.Now(), Status: status}
	if err != nil {
		delivery.Error = shortenTo(strings.ToValidUTF8(err.Error(), "\uFFFD"), maxErrorLength)
		s.log.Warn("webhook failed", "bot", botID, "message", messageID, "status", status, "error", delivery.Error)
	}
	if err := s.store.NoteDelivery(ctx, told.Bot, delivery); err != nil {
		s.log.Error("webhook delivery not noted", "bot", botID, "error", err)
	}
}

// errNoAnswer: the bot took too long.
var errNoAnswer = errors.New("it did not answer in time")

// written is what someone wrote, as HTML or text.
type written interface {
	GetHtml() string
	GetText() string
}

// plainText is text, whatever it looks like.
type plainText string

// GetHtml answers none.
func (plainText) GetHtml() string { return "" }

// GetText answers the text.
func (t plainText) GetText() string { return string(t) }

// callWebhook tells a bot of a message, and answers what it replies, if it does, and the status of its answer, if there is
// one.
func (s *Server) callWebhook(ctx context.Context, told store.Webhook) (reply written, status int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.webhookTimeout, errNoAnswer)
	defer cancel()
	payload, err := json.Marshal(payloadOf(told))
	if err != nil {
		return nil, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, told.Bot.WebhookURL, bytes.NewReader(payload))
	if err != nil {
		return nil, 0, errors.New("the address cannot be read")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Campfire/"+s.config.Version)
	if err := signWebhook(req.Header, told.Bot.WebhookSecret, "msg_"+rand.Text(), time.Now(), payload); err != nil {
		return nil, 0, err
	}
	res, err := s.outbound.Do(req)
	if err != nil {
		s.metrics.webhooks.WithLabelValues(outcomeFailed).Inc()
		return nil, 0, whyNoAnswer(ctx, err)
	}
	s.metrics.webhooks.WithLabelValues(outcomeOf(res.StatusCode)).Inc()
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, res.StatusCode, fmt.Errorf("it answered %s", res.Status)
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch family, _, _ := strings.Cut(kind, "/"); {
	case kind == "text/plain" || kind == "text/html":
	case family == "image" || family == "audio" || family == "video":
		return nil, res.StatusCode, fmt.Errorf("it replied with a file (%s): files come with Campfire 2.0", kind)
	default:
		return nil, res.StatusCode, nil // heard, and nothing to say
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxHTMLBytes+1))
	switch {
	case err != nil:
		return nil, res.StatusCode, whyNoAnswer(ctx, err)
	case len(text) > maxHTMLBytes:
		return nil, res.StatusCode, fmt.Errorf("its reply has more than %d bytes", maxHTMLBytes)
	case strings.TrimSpace(string(text)) == "":
		return nil, res.StatusCode, nil
	case kind == "text/plain":
		return plainText(text), res.StatusCode, nil
	default:
		return rawText(text), res.StatusCode, nil
	}
}

// whyNoAnswer says it without the address called, which may hold a secret.
func whyNoAnswer(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, errNotPublic) {
		return fmt.Errorf("%w; the operator can allow its network with --outbound-networks", errNotPublic)
	}
	if unknown := new(net.DNSError); errors.As(err, &unknown) {
		return errors.New("its host name leads nowhere")
	}
	if failed := new(net.OpError); errors.As(err, &failed) {
		return fmt.Errorf("%s: %w", failed.Op, failed.Err)
	}
	if failed := new(url.Error); errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// postReply posts what a bot has replied to a message.
func (s *Server) postReply(ctx context.Context, told store.Webhook, reply written) error {
	ctx = context.WithValue(ctx, requestKey{}, &request{caller: store.Identity{UserID: told.Bot.ID}})
	body, err := s.readBody(ctx, told.Room.ID, reply)
	if err != nil {
		return err
	}
	_, err = s.store.PostMessage(ctx, told.Bot.ID, store.Post{RoomID: told.Room.ID, Body: body, IsReply: true})
	return err
}

// payload is what a webhook is told, in the original's words.
type payload struct {
	User struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
	Room struct {
		ID   int64   `json:"id"`
		Name *string `json:"name"` // null for a direct room
		Path string  `json:"path"` // where the bot may post
	} `json:"room"`
	Message struct {
		ID   int64 `json:"id"`
		Body struct {
			HTML  string `json:"html"`
			Plain string `json:"plain"` // without the bot's own name
		} `json:"body"`
		Path string `json:"path"`
	} `json:"message"`
}

func payloadOf(told store.Webhook) (p payload) {
	p.User.ID, p.User.Name = told.Message.Creator.ID, told.Message.Creator.Name
	p.Room.ID = told.Room.ID
	if told.Room.Kind != store.DirectRoom {
		p.Room.Name = &told.Room.Name
	}
	p.Room.Path = fmt.Sprintf("/rooms/%d/%s/messages", told.Room.ID, told.RoomKey)
	p.Message.ID = told.Message.ID
	p.Message.Body.HTML = told.Message.Body.HTML
	p.Message.Body.Plain = strings.TrimSpace(strings.ReplaceAll(told.Message.Body.Text, "@"+oneLine(told.Bot.Name), ""))
	p.Message.Path = fmt.Sprintf("/rooms/%d/@%d", told.Room.ID, told.Message.ID)
	return p
}

// signWebhook signs a delivery as the Standard Webhooks have it (standardwebhooks.com), so that its reader knows who sent
// it, when, and that nobody changed or repeats it.
func signWebhook(header http.Header, secret, id string, at time.Time, payload []byte) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return fmt.Errorf("the webhook's secret: %w", err)
	}
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, seconds, payload)
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", seconds)
	header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

const (
	maxRedirects       = 3
	connectTimeout     = 7 * time.Second
	maxOutboundHeaders = 64 << 10
)

// errNotPublic: the address is not one of the public internet, and the operator has not allowed it.
var errNotPublic = errors.New("not a public address")

// guard keeps requests that leave the house away from what is inside, or should not be there at all.
type guard struct {
	allowed []netip.Prefix // by the operator, though they are not public
	public  *ssrf.Guardian // knows the registries of special addresses
}

func newGuard(allowed []netip.Prefix) *guard {
	return &guard{allowed: allowed, public: ssrf.New(
		ssrf.WithAnyPort(),
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32")), // a cloud's own, for its machines
	)}
}

// check answers errNotPublic for an address that must not be reached.
func (g *guard) check(address netip.Addr) error {
	for _, network := range g.allowed {
		if network.Contains(address) {
			return nil
		}
	}
	checked := address
	if ssrf.IPv6NAT64Prefix.Contains(address) { // leads to the IPv4 address at its end
		bytes := address.As16()
		checked = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !address.IsValid() || g.public.SafeAddr(checked) != nil {
		return fmt.Errorf("%s is %w", address, errNotPublic)
	}
	return nil
}

// control checks an address at the last moment: when its name has been resolved, and is about to be dialled. Whatever a
// name server answers before or after that does not matter.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s is %w", address, errNotPublic)
	}
	return g.check(to.Addr())
}

// oddAddress is a host name that some programs take for an IPv4 address: it ends in a number.
var oddAddress = regexp.MustCompile(`(?:^|\.)(?:[0-9]+|0[Xx][0-9A-Fa-f]*)$`)

// checkRequest checks what can be known of a request before its host is resolved.
func (g *guard) checkRequest(r *http.Request) error {
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return fmt.Errorf("%s: no scheme of the web", r.URL.Scheme)
	}
	host := strings.TrimSuffix(r.URL.Hostname(), ".")
	if address, err := netip.ParseAddr(host); err == nil {
		return g.check(address)
	}
	if oddAddress.MatchString(host) || host == "" {
		return fmt.Errorf("%q is %w", host, errNotPublic)
	}
	return nil
}

// guarded checks each request of a client, also those that a redirect asks for.
type guarded struct {
	*guard
	http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.checkRequest(r); err != nil {
		return nil, err
	}
	return t.RoundTripper.RoundTrip(r)
}

// dialer connects where the guard lets it.
func (g *guard) dialer(resolver *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, Resolver: resolver, Control: g.control}
}

// client is for every request that leaves the house. Its requests need a context with a deadline, its answers a reader
// with a bound. It knows no proxy, which would dial in its stead.
func (g *guard) client(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: guarded{g, &http.Transport{
			DialContext:            dial,
			TLSHandshakeTimeout:    connectTimeout,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: maxOutboundHeaders,
			MaxIdleConns:           32,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		}},
		CheckRedirect: followFew,
	}
}

// followFew follows a few redirects, and only such as ask for the same request again: no POST becomes a GET. What was
// sent in secret is not sent again in the open.
func followFew(r *http.Request, before []*http.Request) error {
	last := before[len(before)-1]
	switch {
	case r.Method != last.Method:
		return http.ErrUseLastResponse
	case last.URL.Scheme == "https" && r.URL.Scheme != "https":
		return errors.New("it redirects from https to http")
	case len(before) > maxRedirects:
		return fmt.Errorf("it redirects more than %d times", maxRedirects)
	}
	return nil
}
