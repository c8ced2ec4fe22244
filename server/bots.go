package server

import (
	"context"

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
