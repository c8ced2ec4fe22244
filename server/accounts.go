package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

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
	if caller(ctx).UserID != 0 {
		res.User, err = s.currentUser(ctx)
	}
	return res, err
}

// SetUp implements AccountService.
func (s *Server) SetUp(ctx context.Context, req *campfirev1.SetUpRequest) (*campfirev1.SetUpResponse, error) {
	if err := s.takeAttempt(ctx); err != nil {
		return nil, err
	}
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

// UpdateAccount implements AccountService.
func (s *Server) UpdateAccount(ctx context.Context, req *campfirev1.UpdateAccountRequest) (*campfirev1.UpdateAccountResponse, error) {
	account, err := s.store.UpdateAccount(ctx, caller(ctx).UserID, store.AccountChanges{
		Name: req.Name, RestrictRoomCreation: req.RestrictRoomCreationToAdministrators,
	})
	if err != nil {
		return nil, err
	}
	return &campfirev1.UpdateAccountResponse{Account: accountProto(account)}, nil
}

// ResetJoinCode implements AccountService.
func (s *Server) ResetJoinCode(ctx context.Context, _ *campfirev1.ResetJoinCodeRequest) (*campfirev1.ResetJoinCodeResponse, error) {
	code, err := s.store.ResetJoinCode(ctx, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	return &campfirev1.ResetJoinCodeResponse{JoinCode: code}, nil
}

// GetCustomStyles implements AccountService.
func (s *Server) GetCustomStyles(ctx context.Context, _ *campfirev1.GetCustomStylesRequest) (*campfirev1.GetCustomStylesResponse, error) {
	styles, err := s.store.GetCustomStyles(ctx, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	return &campfirev1.GetCustomStylesResponse{Styles: styles}, nil
}

// UpdateCustomStyles implements AccountService.
func (s *Server) UpdateCustomStyles(ctx context.Context, req *campfirev1.UpdateCustomStylesRequest) (*campfirev1.UpdateCustomStylesResponse, error) {
	if err := s.store.UpdateCustomStyles(ctx, caller(ctx).UserID, req.GetStyles()); err != nil {
		return nil, err
	}
	return &campfirev1.UpdateCustomStylesResponse{Styles: req.GetStyles()}, nil
}

// customStyles serves the account's own stylesheet to everyone's pages, also before they sign in.
func (s *Server) customStyles(w http.ResponseWriter, r *http.Request) {
	styles, err := s.store.CustomStyles(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(styles))))
	http.ServeContent(w, r, "custom.css", time.Time{}, strings.NewReader(styles))
}

func accountProto(a store.Account) *campfirev1.Account {
	return &campfirev1.Account{Name: a.Name, RestrictRoomCreationToAdministrators: a.RestrictRoomCreation}
}
