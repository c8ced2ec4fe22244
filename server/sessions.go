package server

import (
	"context"
	"errors"

	"google.golang.org/protobuf/types/known/timestamppb"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// SignIn implements SessionService.
func (s *Server) SignIn(ctx context.Context, req *campfirev1.SignInRequest) (*campfirev1.SignInResponse, error) {
	if err := s.takeAttempt(ctx); err != nil {
		return nil, err
	}
	token, user, err := s.store.SignIn(ctx, req.GetEmailAddress(), req.GetPassword(), about(ctx).device())
	if err != nil {
		return nil, err
	}
	setSessionCookie(ctx, token)
	return &campfirev1.SignInResponse{SessionToken: token, User: profileProto(user)}, nil
}

// SignOut implements SessionService.
func (s *Server) SignOut(ctx context.Context, req *campfirev1.SignOutRequest) (*campfirev1.SignOutResponse, error) {
	if err := s.store.SignOut(ctx, caller(ctx), req.GetPushEndpoint()); err != nil {
		return nil, err
	}
	setSessionCookie(ctx, "")
	return &campfirev1.SignOutResponse{}, nil
}

// Join implements SessionService.
func (s *Server) Join(ctx context.Context, req *campfirev1.JoinRequest) (*campfirev1.JoinResponse, error) {
	if err := s.takeAttempt(ctx); err != nil {
		return nil, err
	}
	token, user, err := s.store.Join(ctx, req.GetJoinCode(), store.Person{
		Name: req.GetName(), EmailAddress: req.GetEmailAddress(), Password: req.GetPassword(),
	}, about(ctx).device())
	if err != nil {
		return nil, err
	}
	setSessionCookie(ctx, token)
	return &campfirev1.JoinResponse{SessionToken: token, User: profileProto(user)}, nil
}

// CheckJoinCode implements SessionService.
func (s *Server) CheckJoinCode(ctx context.Context, req *campfirev1.CheckJoinCodeRequest) (*campfirev1.CheckJoinCodeResponse, error) {
	err := s.store.CheckJoinCode(ctx, req.GetJoinCode())
	if errors.Is(err, store.ErrNotFound) {
		if limited := s.takeAttempt(ctx); limited != nil {
			return nil, limited
		}
	}
	if err != nil {
		return nil, err
	}
	return &campfirev1.CheckJoinCodeResponse{}, nil
}

// GetCurrentUser implements SessionService.
func (s *Server) GetCurrentUser(ctx context.Context, _ *campfirev1.GetCurrentUserRequest) (*campfirev1.GetCurrentUserResponse, error) {
	user, err := s.currentUser(ctx)
	if err != nil {
		return nil, err
	}
	return &campfirev1.GetCurrentUserResponse{User: user}, nil
}

// currentUser answers who is calling. As the client asks it whenever it is opened, it also renews the cookie.
func (s *Server) currentUser(ctx context.Context) (*campfirev1.User, error) {
	user, err := s.store.GetCurrentUser(ctx, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	if token := about(ctx).cookie; token != "" {
		setSessionCookie(ctx, token)
	}
	return profileProto(user), nil
}

// CreateTransfer implements SessionService.
func (s *Server) CreateTransfer(ctx context.Context, req *campfirev1.CreateTransferRequest) (*campfirev1.CreateTransferResponse, error) {
	personID := caller(ctx).UserID
	if req.UserId != nil {
		personID = req.GetUserId()
	}
	token, expires, err := s.store.CreateTransfer(ctx, caller(ctx).UserID, personID)
	if err != nil {
		return nil, err
	}
	return &campfirev1.CreateTransferResponse{TransferToken: token, ExpiresAt: timestamppb.New(expires)}, nil
}

// ClaimTransfer implements SessionService.
func (s *Server) ClaimTransfer(ctx context.Context, req *campfirev1.ClaimTransferRequest) (*campfirev1.ClaimTransferResponse, error) {
	if err := s.takeAttempt(ctx); err != nil {
		return nil, err
	}
	token, user, err := s.store.ClaimTransfer(ctx, req.GetTransferToken(), about(ctx).device())
	if err != nil {
		return nil, err
	}
	setSessionCookie(ctx, token)
	return &campfirev1.ClaimTransferResponse{SessionToken: token, User: profileProto(user)}, nil
}

// ListSessions implements SessionService.
func (s *Server) ListSessions(ctx context.Context, _ *campfirev1.ListSessionsRequest) (*campfirev1.ListSessionsResponse, error) {
	sessions, err := s.store.ListSessions(ctx, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	res := &campfirev1.ListSessionsResponse{}
	for _, session := range sessions {
		res.Sessions = append(res.Sessions, &campfirev1.Session{
			Id:           session.ID,
			UserAgent:    session.Device.UserAgent,
			IpAddress:    session.Device.IPAddress,
			CreatedAt:    timestamppb.New(session.CreatedAt),
			LastActiveAt: timestamppb.New(session.LastActiveAt),
			Current:      session.ID == caller(ctx).SessionID,
		})
	}
	return res, nil
}

// RevokeSession implements SessionService.
func (s *Server) RevokeSession(ctx context.Context, req *campfirev1.RevokeSessionRequest) (*campfirev1.RevokeSessionResponse, error) {
	if err := s.store.RevokeSession(ctx, caller(ctx).UserID, req.GetSessionId()); err != nil {
		return nil, err
	}
	return &campfirev1.RevokeSessionResponse{}, nil
}

// takeAttempt counts a guess at a password or join code.
func (s *Server) takeAttempt(ctx context.Context) error {
	err := s.attempts.take(about(ctx).address)
	if err != nil {
		s.guesses.Do(func() {
			s.log.Warn("too many sign-in attempts", "request", about(ctx).id, "network", store.Network(about(ctx).address))
		})
	}
	return err
}
