package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"connectrpc.com/connect"
	"github.com/SherClockHolmes/webpush-go"
	"google.golang.org/protobuf/types/known/timestamppb"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

const (
	maxNotices       = 10_000 // messages that wait to be told
	maxPushes        = 50     // requests to push services under way
	pushTimeout      = 10 * time.Second
	pushAge          = 4 * 7 * 24 * time.Hour // a browser that is off that long is not told any more
	maxPause         = time.Hour              // of a push service that asks for one
	maxTitleLength   = 100                    // characters
	maxNoticeBytes   = 2000                   // of text: with all else it must fit into the 4,096 bytes of RFC 8291, written as JSON
	notificationIcon = "/icons/icon-192.png"
)

// GetPushKey implements PushService.
func (s *Server) GetPushKey(ctx context.Context, _ *campfirev1.GetPushKeyRequest) (*campfirev1.GetPushKeyResponse, error) {
	key, err := s.store.PushKey(ctx)
	if err != nil {
		return nil, err
	}
	return &campfirev1.GetPushKeyResponse{PublicKey: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes())}, nil
}

// ListPushSubscriptions implements PushService.
func (s *Server) ListPushSubscriptions(ctx context.Context, _ *campfirev1.ListPushSubscriptionsRequest) (*campfirev1.ListPushSubscriptionsResponse, error) {
	subscriptions, err := s.store.ListPushSubscriptions(ctx, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	res := &campfirev1.ListPushSubscriptionsResponse{}
	for _, p := range subscriptions {
		res.Subscriptions = append(res.Subscriptions, pushProto(p))
	}
	return res, nil
}

// RegisterPushSubscription implements PushService.
func (s *Server) RegisterPushSubscription(ctx context.Context, req *campfirev1.RegisterPushSubscriptionRequest) (*campfirev1.RegisterPushSubscriptionResponse, error) {
	if endpoint, err := url.Parse(req.GetEndpoint()); err == nil {
		if s.guard.checkRequest(&http.Request{URL: endpoint}) != nil {
			return nil, &store.InvalidError{Field: "endpoint", Reason: "must be an https URL of a public host"}
		}
	}
	p, err := s.store.RegisterPushSubscription(ctx, caller(ctx), store.PushSubscription{
		Endpoint: req.GetEndpoint(), P256DHKey: req.GetP256DhKey(), AuthKey: req.GetAuthKey(), UserAgent: about(ctx).agent,
	})
	if err != nil {
		return nil, err
	}
	return &campfirev1.RegisterPushSubscriptionResponse{Subscription: pushProto(p)}, nil
}

// RemovePushSubscription implements PushService.
func (s *Server) RemovePushSubscription(ctx context.Context, req *campfirev1.RemovePushSubscriptionRequest) (*campfirev1.RemovePushSubscriptionResponse, error) {
	if err := s.store.RemovePushSubscription(ctx, caller(ctx).UserID, req.GetSubscriptionId()); err != nil {
		return nil, err
	}
	return &campfirev1.RemovePushSubscriptionResponse{}, nil
}

// SendTestNotification implements PushService.
func (s *Server) SendTestNotification(ctx context.Context, req *campfirev1.SendTestNotificationRequest) (*campfirev1.SendTestNotificationResponse, error) {
	p, err := s.store.GetPushSubscription(ctx, caller(ctx).UserID, req.GetSubscriptionId())
	if err != nil {
		return nil, err
	}
	text := "It works: this browser is told what you miss. (" + about(ctx).id + ")"
	if err := s.push(ctx, p, notificationOf("Campfire test", text, "test", "/users/me/push_subscriptions", 0)); err != nil {
		return nil, connect.NewError(connect.CodeUnavailable, fmt.Errorf("the browser's push service did not take it: %w", err))
	}
	return &campfirev1.SendTestNotificationResponse{}, nil
}

func pushProto(p store.PushSubscription) *campfirev1.PushSubscription {
	return &campfirev1.PushSubscription{Id: p.ID, Endpoint: p.Endpoint, UserAgent: p.UserAgent, CreatedAt: timestamppb.New(p.CreatedAt)}
}

// notice is a message that those who are away may be told of.
type notice struct {
	message           store.Message
	absent, mentioned []int64
}

// notifier tells people who are away of messages. They wait in memory only: a notification that comes late is none.
type notifier struct {
	tell   func(ctx context.Context, n notice)
	ctx    context.Context // ends what is under way
	cancel context.CancelFunc
	slots  chan struct{} // one for each request under way
	busy   sync.WaitGroup

	mu      sync.Mutex
	waiting []notice
	running bool
	closed  bool
	missed  int                  // for which there was no room
	paused  map[string]time.Time // push services that have asked to be left alone, until when
}

func newNotifier(tell func(ctx context.Context, n notice)) *notifier {
	n := &notifier{tell: tell, slots: make(chan struct{}, maxPushes), paused: map[string]time.Time{}}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// send has people told of a message. It does not wait.
func (n *notifier) send(of notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closed:
		return
	case len(n.waiting) >= maxNotices:
		n.missed++
		return
	}
	n.waiting = append(n.waiting, of)
	if !n.running {
		n.running = true
		n.busy.Go(n.run)
	}
}

func (n *notifier) run() {
	for {
		n.mu.Lock()
		if len(n.waiting) == 0 {
			n.running, n.waiting = false, nil
			n.mu.Unlock()
			return
		}
		next := n.waiting[0]
		n.waiting = n.waiting[1:]
		n.mu.Unlock()
		n.tell(n.ctx, next)
	}
}

// stop takes nothing more, and waits until all is told or ctx ends; what is then under way is given up.
func (n *notifier) stop(ctx context.Context) {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	defer context.AfterFunc(ctx, func() {
		n.mu.Lock()
		n.waiting = nil
		n.mu.Unlock()
		n.cancel()
	})()
	n.busy.Wait()
	n.cancel()
}

// pause leaves a push service alone for as long as it asks.
func (n *notifier) pause(host string, until time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused[host] = until
}

func (n *notifier) isPaused(host string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	until, ok := n.paused[host]
	if ok && time.Now().After(until) {
		delete(n.paused, host)
		ok = false
	}
	return ok
}

// tellAbsent tells those of a message who are not looking at its room and want to know.
func (s *Server) tellAbsent(ctx context.Context, n notice) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("notification panicked", "message", n.message.ID, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	room, notifications, err := s.store.Notifications(ctx, n.message, n.absent, n.mentioned)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
			s.log.Error("nobody notified", "message", n.message.ID, "error", err)
		}
		return
	}
	title, text := room, n.message.Creator.Name+": "+n.message.Body.Text
	if room == "" {
		title, text = n.message.Creator.Name, n.message.Body.Text
	}
	path := fmt.Sprintf("/rooms/%d/@%d", n.message.RoomID, n.message.ID)
	for _, to := range notifications {
		select {
		case s.notifier.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		s.notifier.busy.Go(func() {
			defer func() { <-s.notifier.slots }()
			content := notificationOf(title, text, fmt.Sprintf("room-%d", n.message.RoomID), path, to.Unread)
			if err := s.push(ctx, to.Subscription, content); err != nil && ctx.Err() == nil {
				s.log.Warn("notification not sent", "message", n.message.ID, "subscription", to.Subscription.ID, "error", err)
			}
		})
	}
}

// notification is what a browser's service worker is told, in the original's words.
type notification struct {
	Title   string `json:"title"`
	Options struct {
		Body string `json:"body"`
		Icon string `json:"icon"`
		Tag  string `json:"tag"` // of one tag a browser shows the newest
		Data struct {
			Path  string `json:"path"`
			Badge int    `json:"badge"` // unread rooms
		} `json:"data"`
	} `json:"options"`
}

func notificationOf(title, text, tag, path string, unread int) (n notification) {
	n.Title = shortenTo(title, maxTitleLength)
	for length := maxNoticeBytes; n.Options.Body == ""; length /= 2 {
		body, _ := json.Marshal(shortenTo(text, length)) // a string always can be
		if len(body) <= maxNoticeBytes {
			n.Options.Body = shortenTo(text, length)
		}
	}
	n.Options.Icon, n.Options.Tag = notificationIcon, tag
	n.Options.Data.Path, n.Options.Data.Badge = path, unread
	return n
}

// push sends a notification to a browser's push service, and notes whether it was taken.
func (s *Server) push(ctx context.Context, to store.PushSubscription, content notification) error {
	endpoint, err := url.Parse(to.Endpoint)
	if err != nil {
		return err
	}
	if s.notifier.isPaused(endpoint.Host) {
		return errors.New("it asked to be left alone for a while")
	}
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	options, err := s.pushOptions(ctx)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(content)
	if err != nil {
		return err
	}
	res, err := webpush.SendNotificationWithContext(ctx, payload,
		&webpush.Subscription{Endpoint: to.Endpoint, Keys: webpush.Keys{Auth: to.AuthKey, P256dh: to.P256DHKey}}, options)
	if err != nil {
		s.metrics.pushes.WithLabelValues(outcomeFailed).Inc()
		return whyNoAnswer(ctx, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxOutboundHeaders)) // so that the connection can be used again
	status := res.StatusCode
	s.metrics.pushes.WithLabelValues(outcomeOf(status)).Inc()
	taken, gone := status >= 200 && status <= 299, status == http.StatusNotFound || status == http.StatusGone
	if status == http.StatusTooManyRequests || status >= 500 {
		if until, ok := retryAfter(res.Header.Get("Retry-After"), time.Now()); ok {
			s.notifier.pause(endpoint.Host, until)
		}
		return fmt.Errorf("it answered %s", res.Status)
	}
	if err := s.store.NotePush(context.WithoutCancel(ctx), to, taken, gone); err != nil {
		s.log.Error("push not noted", "subscription", to.ID, "error", err)
	}
	if !taken {
		return fmt.Errorf("it answered %s", res.Status)
	}
	return nil
}

// pushOptions are how a notification is sent. Its sender is who helps the account's people, if the operator names nobody.
func (s *Server) pushOptions(ctx context.Context) (*webpush.Options, error) {
	key, err := s.store.PushKey(ctx)
	if err != nil {
		return nil, err
	}
	subject := s.config.PushSubject
	if subject == "" {
		_, contact, err := s.store.GetAccount(ctx)
		if err != nil {
			return nil, err
		}
		subject = contact.EmailAddress
	}
	return &webpush.Options{
		HTTPClient:      s.outbound,
		Subscriber:      strings.TrimPrefix(subject, "mailto:"),
		TTL:             int(pushAge.Seconds()),
		Urgency:         webpush.UrgencyHigh,
		VAPIDPublicKey:  base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()),
		VAPIDPrivateKey: base64.RawURLEncoding.EncodeToString(key.Bytes()),
	}, nil
}

func outcomeOf(status int) string {
	if status >= 200 && status <= 299 {
		return outcomeTaken
	}
	return outcomeRefused
}

// retryAfter reads the header of that name, in seconds or as a date.
func retryAfter(header string, now time.Time) (until time.Time, ok bool) {
	if seconds, err := strconv.Atoi(header); err == nil && seconds > 0 {
		until = now.Add(time.Duration(min(seconds, int(maxPause.Seconds()))) * time.Second)
	} else if until, err = http.ParseTime(header); err != nil {
		return time.Time{}, false
	}
	if latest := now.Add(maxPause); until.After(latest) {
		until = latest
	}
	return until, until.After(now)
}

// shortenTo cuts a text to a number of characters, the last of them an ellipsis if it was longer.
func shortenTo(text string, length int) string {
	if utf8.RuneCountInString(text) <= length {
		return text
	}
	return string([]rune(text)[:length-1]) + "…"
}
