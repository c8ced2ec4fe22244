package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// ListBots implements BotService.
func (s *Server) ListBots(ctx context.Context, _ *campfirev1.ListBotsRequest) (*campfirev1.ListBotsResponse, error) {
	bots, err := s.store.ListBots(ctx, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	res := &campfirev1.ListBotsResponse{}
	for _, b := range bots {
		res.Bots = append(res.Bots, botProto(b))
	}
	return res, nil
}

// CreateBot implements BotService.
func (s *Server) CreateBot(ctx context.Context, req *campfirev1.CreateBotRequest) (*campfirev1.CreateBotResponse, error) {
	bot, key, err := s.store.CreateBot(ctx, caller(ctx).UserID, req.GetName(), req.GetWebhookUrl())
	if err != nil {
		return nil, err
	}
	return &campfirev1.CreateBotResponse{Bot: botProto(bot), BotKey: key}, nil
}

// UpdateBot implements BotService.
func (s *Server) UpdateBot(ctx context.Context, req *campfirev1.UpdateBotRequest) (*campfirev1.UpdateBotResponse, error) {
	bot, err := s.store.UpdateBot(ctx, caller(ctx).UserID, req.GetBotId(), store.BotChanges{Name: req.Name, WebhookURL: req.WebhookUrl})
	if err != nil {
		return nil, err
	}
	return &campfirev1.UpdateBotResponse{Bot: botProto(bot)}, nil
}

// DeactivateBot implements BotService.
func (s *Server) DeactivateBot(ctx context.Context, req *campfirev1.DeactivateBotRequest) (*campfirev1.DeactivateBotResponse, error) {
	if err := s.store.DeactivateBot(ctx, caller(ctx).UserID, req.GetBotId()); err != nil {
		return nil, err
	}
	return &campfirev1.DeactivateBotResponse{}, nil
}

// ResetBotKey implements BotService.
func (s *Server) ResetBotKey(ctx context.Context, req *campfirev1.ResetBotKeyRequest) (*campfirev1.ResetBotKeyResponse, error) {
	key, err := s.store.ResetBotKey(ctx, caller(ctx).UserID, req.GetBotId())
	if err != nil {
		return nil, err
	}
	return &campfirev1.ResetBotKeyResponse{BotKey: key}, nil
}

func botProto(b store.BotProfile) *campfirev1.Bot {
	bot := &campfirev1.Bot{User: userProto(b.User), WebhookUrl: b.WebhookURL, WebhookSecret: b.WebhookSecret}
	if last := b.LastDelivery; !last.At.IsZero() {
		bot.LastDelivery = &campfirev1.WebhookDelivery{
			DeliveredAt: timestamppb.New(last.At), Status: int32(last.Status), Error: last.Error,
		}
	}
	return bot
}

// doors are the plain HTTP requests that bots of the original Campfire make, with their key in the path. Where it asks
// for text, the whole body is the text, whatever its content type.
func (s *Server) doors() map[string]func(http.ResponseWriter, *http.Request) error {
	const (
		messages = "/rooms/{room}/{bot_key}/messages"
		message  = messages + "/{message}"
		boosts   = message + "/boosts"
	)
	return map[string]func(http.ResponseWriter, *http.Request) error{
		"GET " + messages:               s.listByKey,
		"POST " + messages:              s.postByKey,
		"PUT " + message:                s.editByKey,
		"PATCH " + message:              s.editByKey,
		"DELETE " + message:             s.deleteByKey,
		"POST " + boosts:                s.boostByKey,
		"DELETE " + boosts + "/{boost}": s.removeBoostByKey,
	}
}

// byKey lets in bots by the key in the path. Nothing else says there who is calling: neither a cookie nor a bearer token.
func (s *Server) byKey(answer func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		known := about(r.Context())
		var err error
		if known.caller, err = s.store.AuthenticateBotIn(r.Context(), pathID(r, "room"), r.PathValue("bot_key")); err == nil {
			known.since = time.Now()
			err = answer(w, r)
		}
		if err != nil {
			refusePlainly(w, s.wireError(r.Context(), err))
		}
	})
}

// pathID is 0, which nothing has, for what is no number.
func pathID(r *http.Request, name string) int64 {
	id, _ := strconv.ParseInt(r.PathValue(name), 10, 64)
	return id
}

func (s *Server) listByKey(w http.ResponseWriter, r *http.Request) error {
	roomID, page, query := pathID(r, "room"), store.MessagesPage{}, r.URL.Query()
	for name, anchor := range map[string]store.Anchor{"before": store.Before, "after": store.After} {
		if !query.Has(name) {
			continue
		}
		id, err := strconv.ParseInt(query.Get(name), 10, 64)
		if err != nil || page.Anchor != store.Newest {
			return &store.InvalidError{Field: name, Reason: "must be the id of a message, and no other page be asked for"}
		}
		page.Anchor, page.ID = anchor, id
	}
	messages, hasOlder, hasNewer, err := s.store.ListMessages(r.Context(), caller(r.Context()).UserID, roomID, page)
	if err != nil {
		return err
	}
	count, err := s.store.CountMessages(r.Context(), caller(r.Context()).UserID, roomID)
	if err != nil {
		return err
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(count))
	next := ""
	switch {
	case len(messages) == 0:
	case page.Anchor == store.After && hasNewer:
		next = fmt.Sprintf("after=%d", messages[len(messages)-1].ID)
	case page.Anchor != store.After && hasOlder:
		next = fmt.Sprintf("before=%d", messages[0].ID)
	}
	if next != "" {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, origin(r), r.URL.EscapedPath(), next))
	}
	list := make([]plainMessage, 0, len(messages))
	for _, m := range messages {
		list = append(list, plainMessageOf(m, r))
	}
	return writeJSON(w, http.StatusOK, list)
}

func (s *Server) postByKey(w http.ResponseWriter, r *http.Request) error {
	body, err := s.readBodyByKey(w, r)
	if err != nil {
		return err
	}
	m, err := s.store.PostMessage(r.Context(), caller(r.Context()).UserID, store.Post{RoomID: pathID(r, "room"), Body: body})
	if err != nil {
		return err
	}
	w.Header().Set("Location", messageURL(m, r))
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (s *Server) editByKey(w http.ResponseWriter, r *http.Request) error {
	old, err := s.messageByKey(r)
	if err != nil {
		return err
	}
	body, err := s.readBodyByKey(w, r)
	if err != nil {
		return err
	}
	m, err := s.store.EditMessage(r.Context(), caller(r.Context()).UserID, old.ID, body)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, plainMessageOf(m, r))
}

func (s *Server) deleteByKey(w http.ResponseWriter, r *http.Request) error {
	m, err := s.messageByKey(r)
	if err != nil {
		return err
	}
	if err := s.store.DeleteMessage(r.Context(), caller(r.Context()).UserID, m.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) boostByKey(w http.ResponseWriter, r *http.Request) error {
	boosted, err := s.messageByKey(r)
	if err != nil {
		return err
	}
	content, err := s.readRaw(w, r)
	if err != nil {
		return err
	}
	m, b, err := s.store.AddBoost(r.Context(), caller(r.Context()).UserID, boosted.ID, content)
	if err != nil {
		return err
	}
	boost := plainBoost{ID: b.ID, Content: b.Content, CreatedAt: plainTime(b.CreatedAt), Booster: plainUserOf(b.Booster, r)}
	boost.Message.ID, boost.Message.URL = m.ID, messageURL(m, r)
	return writeJSON(w, http.StatusCreated, boost)
}

func (s *Server) removeBoostByKey(w http.ResponseWriter, r *http.Request) error {
	m, err := s.messageByKey(r)
	if err != nil {
		return err
	}
	boostID := pathID(r, "boost")
	if !slices.ContainsFunc(m.Boosts, func(b store.Boost) bool { return b.ID == boostID }) {
		return fmt.Errorf("boost %w", store.ErrNotFound)
	}
	if _, err := s.store.RemoveBoost(r.Context(), caller(r.Context()).UserID, boostID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// messageByKey answers the message of the path, which must be in the room of the path.
func (s *Server) messageByKey(r *http.Request) (store.Message, error) {
	m, err := s.store.GetMessage(r.Context(), caller(r.Context()).UserID, pathID(r, "message"))
	if err == nil && m.RoomID != pathID(r, "room") {
		err = fmt.Errorf("message %w", store.ErrNotFound)
	}
	return m, err
}

// markup is what makes a text HTML.
var markup = regexp.MustCompile(`<[A-Za-z/!?]|&(?:[A-Za-z][0-9A-Za-z]*|#[0-9]+|#[Xx][0-9A-Fa-f]+);`)

// rawText is what a bot wrote without saying whether it is text or HTML. Without markup both say the same, but in text
// lines stay lines.
type rawText string

// GetHtml answers it as HTML, if it is.
func (t rawText) GetHtml() string {
	if markup.MatchString(string(t)) {
		return string(t)
	}
	return ""
}

// GetText answers it as text, if it is no HTML.
func (t rawText) GetText() string { return string(t) }

func (s *Server) readBodyByKey(w http.ResponseWriter, r *http.Request) (store.Body, error) {
	raw, err := s.readRaw(w, r)
	if err != nil {
		return store.Body{}, err
	}
	return s.readBody(r.Context(), pathID(r, "room"), rawText(raw))
}

// readRaw reads the whole body of a request, however long that took.
func (s *Server) readRaw(w http.ResponseWriter, r *http.Request) (string, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" || r.URL.Query().Has("attachment") {
		return "", connect.NewError(connect.CodeUnimplemented, errors.New("files come with Campfire 2.0; post text until then"))
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHTMLBytes))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return "", &store.InvalidError{Field: "body", Reason: fmt.Sprintf("must have at most %d bytes", maxHTMLBytes)}
	}
	if err != nil {
		return "", connect.NewError(connect.CodeCanceled, err)
	}
	return string(raw), s.requireStillSignedIn(r.Context())
}

// plainMessage, plainUser and plainBoost are what the doors answer, in the original's words.
type plainMessage struct {
	ID        int64  `json:"id"`
	CreatedAt string `json:"created_at"`
	Body      struct {
		PlainText string `json:"plain_text"`
		HTML      string `json:"html"`
	} `json:"body"`
	Creator plainUser `json:"creator"`
	Room    struct {
		ID int64 `json:"id"`
	} `json:"room"`
	URL string `json:"url"`
}

type plainUser struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	AvatarURL string `json:"avatar_url"`
}

type plainBoost struct {
	ID        int64     `json:"id"`
	Content   string    `json:"content"`
	CreatedAt string    `json:"created_at"`
	Booster   plainUser `json:"booster"`
	Message   struct {
		ID  int64  `json:"id"`
		URL string `json:"url"`
	} `json:"message"`
}

func plainMessageOf(m store.Message, r *http.Request) plainMessage {
	plain := plainMessage{ID: m.ID, CreatedAt: plainTime(m.CreatedAt), Creator: plainUserOf(m.Creator, r), URL: messageURL(m, r)}
	plain.Body.PlainText, plain.Body.HTML, plain.Room.ID = m.Body.Text, m.Body.HTML, m.RoomID
	return plain
}

func plainUserOf(u store.User, r *http.Request) plainUser {
	role := map[store.Role]string{store.Member: "member", store.Administrator: "administrator", store.Bot: "bot"}[u.Role]
	return plainUser{ID: u.ID, Name: u.Name, Role: role, AvatarURL: origin(r) + avatarPath(u)}
}

func plainTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// origin is the address under which the caller has reached this server.
func origin(r *http.Request) string {
	if about(r.Context()).secure {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func messageURL(m store.Message, r *http.Request) string {
	return fmt.Sprintf("%s/rooms/%d/messages/%d", origin(r), m.RoomID, m.ID)
}

// messagePattern is what the pages' addresses of three parts have in common. The mux cannot tell that of a message from
// that of a door.
const messagePattern = "GET /rooms/{room}/{place}/{message}"

// messageAddress leads from the address that bots are told of a message to the page that shows it.
func messageAddress(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		room, message := pathID(r, "room"), pathID(r, "message")
		if r.PathValue("place") != "messages" || room == 0 || message == 0 {
			pages.ServeHTTP(w, r)
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/rooms/%d/@%d", room, message), http.StatusFound)
	})
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client has hung up
	return nil
}
