package server

import (
	"context"
	"errors"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// GetAccount implements AccountService.
func (s *Server) GetAccount(ctx context.Context, _ *campfirev1.GetAccountRequest) (*campfirev1.GetAccountResponse, error) {
	res := &campfirev1.GetAccountResponse{Version: s.config.Version}
	account, contact, err := s.store.GetAccount(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return res, nil // the first run is still to come
	}
	if err != nil {
		return nil, err
	}
	res.Account = accountProto(account)
	res.Contact = &campfirev1.Contact{Name: contact.Name, EmailAddress: contact.EmailAddress}
	return res, nil
}

// SetUp implements AccountService.
func (s *Server) SetUp(ctx context.Context, req *campfirev1.SetUpRequest) (*campfirev1.SetUpResponse, error) {
	token, user, err := s.store.SetUp(ctx, store.Person{
		Name: req.GetName(), EmailAddress: req.GetEmailAddress(), Password: req.GetPassword(),
	}, about(ctx).device())
	if err != nil {
		return nil, err
	}
	setSessionCookie(ctx, token)
	return &campfirev1.SetUpResponse{SessionToken: token, User: profileProto(user)}, nil
}

// GetJoinCode implements AccountService.
func (s *Server) GetJoinCode(ctx context.Context, _ *campfirev1.GetJoinCodeRequest) (*campfirev1.GetJoinCodeResponse, error) {
	code, err := s.store.GetJoinCode(ctx)
	if err != nil {
		return nil, err
	}
	return &campfirev1.GetJoinCodeResponse{JoinCode: code}, nil
}

func accountProto(a store.Account) *campfirev1.Account {
	return &campfirev1.Account{Name: a.Name, RestrictRoomCreationToAdministrators: a.RestrictRoomCreation}
}
