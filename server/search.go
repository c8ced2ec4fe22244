package server

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// SearchMessages implements SearchService.
func (s *Server) SearchMessages(ctx context.Context, req *campfirev1.SearchMessagesRequest) (*campfirev1.SearchMessagesResponse, error) {
	found, err := s.store.SearchMessages(ctx, caller(ctx).UserID, req.GetQuery(), int(req.GetPageSize()), req.GetRemember())
	if err != nil {
		return nil, err
	}
	res := &campfirev1.SearchMessagesResponse{}
	for _, f := range found {
		res.Results = append(res.Results, searchResultProto(f))
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

func searchResultProto(f store.Found) *campfirev1.SearchResult {
	result := &campfirev1.SearchResult{Message: messageProto(f.Message), RoomName: f.RoomName}
	for _, part := range f.Excerpt {
		result.Excerpt = append(result.Excerpt, &campfirev1.ExcerptPart{Text: part.Text, Matched: part.Matched})
	}
	return result
}
