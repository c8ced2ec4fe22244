package server

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

const (
	maxHTMLBytes = 65536 // before it is cleaned
	maxTextBytes = 32768
)

// PostMessage implements MessageService.
func (s *Server) PostMessage(ctx context.Context, req *campfirev1.PostMessageRequest) (*campfirev1.PostMessageResponse, error) {
	body, err := s.readBody(ctx, req.GetRoomId(), req)
	if err != nil {
		return nil, err
	}
	message, err := s.store.PostMessage(ctx, caller(ctx).UserID, store.Post{
		RoomID:          req.GetRoomId(),
		ClientMessageID: req.GetClientMessageId(),
		Body:            body,
	})
	if err != nil {
		return nil, err
	}
	return &campfirev1.PostMessageResponse{Message: messageProto(message)}, nil
}

// ListMessages implements MessageService.
func (s *Server) ListMessages(ctx context.Context, req *campfirev1.ListMessagesRequest) (*campfirev1.ListMessagesResponse, error) {
	page := store.MessagesPage{Size: int(req.GetPageSize())}
	switch anchor := req.GetAnchor().(type) {
	case *campfirev1.ListMessagesRequest_Before:
		page.Anchor, page.ID = store.Before, anchor.Before
	case *campfirev1.ListMessagesRequest_After:
		page.Anchor, page.ID = store.After, anchor.After
	case *campfirev1.ListMessagesRequest_Around:
		page.Anchor, page.ID = store.Around, anchor.Around
	}
	messages, hasOlder, hasNewer, err := s.store.ListMessages(ctx, caller(ctx).UserID, req.GetRoomId(), page)
	if err != nil {
		return nil, err
	}
	res := &campfirev1.ListMessagesResponse{Messages: make([]*campfirev1.Message, len(messages)), HasOlder: hasOlder, HasNewer: hasNewer}
	people := authors{}
	for i, m := range messages {
		res.Messages[i] = people.messageProto(m)
	}
	return res, nil
}

// GetMessage implements MessageService.
func (s *Server) GetMessage(ctx context.Context, req *campfirev1.GetMessageRequest) (*campfirev1.GetMessageResponse, error) {
	message, err := s.store.GetMessage(ctx, caller(ctx).UserID, req.GetMessageId())
	if err != nil {
		return nil, err
	}
	return &campfirev1.GetMessageResponse{Message: messageProto(message)}, nil
}

// EditMessage implements MessageService.
func (s *Server) EditMessage(ctx context.Context, req *campfirev1.EditMessageRequest) (*campfirev1.EditMessageResponse, error) {
	old, err := s.store.GetMessage(ctx, caller(ctx).UserID, req.GetMessageId())
	if err != nil {
		return nil, err
	}
	body, err := s.readBody(ctx, old.RoomID, req)
	if err != nil {
		return nil, err
	}
	message, err := s.store.EditMessage(ctx, caller(ctx).UserID, req.GetMessageId(), body)
	if err != nil {
		return nil, err
	}
	return &campfirev1.EditMessageResponse{Message: messageProto(message)}, nil
}

// DeleteMessage implements MessageService.
func (s *Server) DeleteMessage(ctx context.Context, req *campfirev1.DeleteMessageRequest) (*campfirev1.DeleteMessageResponse, error) {
	if err := s.store.DeleteMessage(ctx, caller(ctx).UserID, req.GetMessageId()); err != nil {
		return nil, err
	}
	return &campfirev1.DeleteMessageResponse{}, nil
}

// AddBoost implements MessageService.
func (s *Server) AddBoost(ctx context.Context, req *campfirev1.AddBoostRequest) (*campfirev1.AddBoostResponse, error) {
	message, boost, err := s.store.AddBoost(ctx, caller(ctx).UserID, req.GetMessageId(), req.GetContent())
	if err != nil {
		return nil, err
	}
	return &campfirev1.AddBoostResponse{Message: messageProto(message), Boost: authors{}.boostProto(boost)}, nil
}

// RemoveBoost implements MessageService.
func (s *Server) RemoveBoost(ctx context.Context, req *campfirev1.RemoveBoostRequest) (*campfirev1.RemoveBoostResponse, error) {
	message, err := s.store.RemoveBoost(ctx, caller(ctx).UserID, req.GetBoostId())
	if err != nil {
		return nil, err
	}
	return &campfirev1.RemoveBoostResponse{Message: messageProto(message)}, nil
}

// SearchMessages implements SearchService.
func (s *Server) SearchMessages(ctx context.Context, req *campfirev1.SearchMessagesRequest) (*campfirev1.SearchMessagesResponse, error) {
	found, err := s.store.SearchMessages(ctx, caller(ctx).UserID, req.GetQuery(), int(req.GetPageSize()), req.GetRemember())
	if err != nil {
		return nil, err
	}
	res := &campfirev1.SearchMessagesResponse{Results: make([]*campfirev1.SearchResult, len(found))}
	people := authors{}
	for i, f := range found {
		res.Results[i] = people.searchResultProto(f)
	}
	return res, nil
}

// ListRecentSearches implements SearchService.
func (s *Server) ListRecentSearches(ctx context.Context, _ *campfirev1.ListRecentSearchesRequest) (*campfirev1.ListRecentSearchesResponse, error) {
	recent, err := s.store.ListRecentSearches(ctx, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	res := &campfirev1.ListRecentSearchesResponse{}
	for _, r := range recent {
		res.Searches = append(res.Searches, &campfirev1.RecentSearch{Query: r.Query, SearchedAt: timestamppb.New(r.SearchedAt)})
	}
	return res, nil
}

// ClearRecentSearches implements SearchService.
func (s *Server) ClearRecentSearches(ctx context.Context, _ *campfirev1.ClearRecentSearchesRequest) (*campfirev1.ClearRecentSearchesResponse, error) {
	if err := s.store.ClearRecentSearches(ctx, caller(ctx).UserID); err != nil {
		return nil, err
	}
	return &campfirev1.ClearRecentSearchesResponse{}, nil
}

// readBody cleans what someone wrote for a room, and settles whom of its members it mentions.
func (s *Server) readBody(ctx context.Context, roomID int64, written interface {
	GetHtml() string
	GetText() string
},
) (store.Body, error) {
	parsed, err := parseBody(written.GetHtml(), written.GetText())
	if err != nil {
		return store.Body{}, err
	}
	body := store.Body{Kind: store.Text}
	if mentions := parsed.mentions(); len(mentions) > 0 {
		names, err := s.store.NamesOfMembers(ctx, caller(ctx).UserID, roomID, mentions)
		if err != nil {
			return store.Body{}, err
		}
		parsed.settleMentions(names)
		body.Mentions = parsed.mentions()
	}
	body.HTML, body.Text = parsed.html(), parsed.text()
	if sound, ok := soundOf(body.Text); ok {
		body.Kind, body.Sound = store.Sound, sound
	} else if onlyEmoji(body.Text) {
		body.Kind = store.Emoji
	}
	return body, nil
}

func parseBody(html, text string) (*body, error) {
	switch {
	case len(html) > maxHTMLBytes:
		return nil, &store.InvalidError{Field: "html", Reason: fmt.Sprintf("must have at most %d bytes", maxHTMLBytes)}
	case len(text) > maxTextBytes:
		return nil, &store.InvalidError{Field: "text", Reason: fmt.Sprintf("must have at most %d bytes", maxTextBytes)}
	case html == "":
		return parseText(text), nil
	}
	parsed, err := parseHTML(html)
	if err != nil {
		return nil, &store.InvalidError{Field: "html", Reason: err.Error()}
	}
	return parsed, nil
}

var messageKinds = map[store.MessageKind]campfirev1.MessageKind{
	store.Text:  campfirev1.MessageKind_MESSAGE_KIND_TEXT,
	store.Emoji: campfirev1.MessageKind_MESSAGE_KIND_EMOJI,
	store.Sound: campfirev1.MessageKind_MESSAGE_KIND_SOUND,
}

func messageProto(m store.Message) *campfirev1.Message { return authors{}.messageProto(m) }

// authors are the people in one answer: whoever is in it often stands there once.
type authors map[int64]*campfirev1.User

func (a authors) proto(u store.User) *campfirev1.User {
	author, known := a[u.ID]
	if !known {
		author = authorProto(u)
		a[u.ID] = author
	}
	return author
}

func (a authors) messageProto(m store.Message) *campfirev1.Message {
	message := &campfirev1.Message{
		Id:              m.ID,
		RoomId:          m.RoomID,
		ClientMessageId: m.ClientMessageID,
		Creator:         a.proto(m.Creator),
		BodyHtml:        m.Body.HTML,
		BodyText:        m.Body.Text,
		Kind:            messageKinds[m.Body.Kind],
		CreatedAt:       timestamppb.New(m.CreatedAt),
		Revision:        m.Revision,
	}
	if m.Body.Kind == store.Sound {
		shown := sounds[m.Body.Sound]
		message.Sound = &campfirev1.Sound{
			Name: m.Body.Sound, Caption: shown.caption, Width: int32(shown.width), Height: int32(shown.height),
		}
	}
	for _, b := range m.Boosts {
		message.Boosts = append(message.Boosts, a.boostProto(b))
	}
	if !m.EditedAt.IsZero() {
		message.EditedAt = timestamppb.New(m.EditedAt)
	}
	return message
}

func (a authors) boostProto(b store.Boost) *campfirev1.Boost {
	return &campfirev1.Boost{Id: b.ID, Booster: a.proto(b.Booster), Content: b.Content, CreatedAt: timestamppb.New(b.CreatedAt)}
}

func (a authors) searchResultProto(f store.Found) *campfirev1.SearchResult {
	excerpt := make([]*campfirev1.ExcerptPart, len(f.Excerpt))
	for i, part := range f.Excerpt {
		excerpt[i] = &campfirev1.ExcerptPart{Text: part.Text, Matched: part.Matched}
	}
	return &campfirev1.SearchResult{Message: a.messageProto(f.Message), RoomName: f.RoomName, Excerpt: excerpt}
}
