// Command echo-bot answers whoever speaks to it, in a room by a mention or in a direct one. It shows how a bot listens to
// Campfire: it keeps where it is in the stream, goes on from there after a cut or a restart, and answers nothing twice.
//
//	CAMPFIRE_URL=http://localhost:8080 CAMPFIRE_BOT_KEY=7-aBcD… go run ./examples/echo-bot
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
)

const (
	minWait = 200 * time.Millisecond // before it comes back
	maxWait = 15 * time.Second
)

type bot struct {
	me        *campfirev1.User
	rooms     campfirev1connect.RoomServiceClient
	messages  campfirev1connect.MessageServiceClient
	events    campfirev1connect.EventServiceClient
	stateFile string // holds the last resume token
	token     string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	url, key := cmp.Or(os.Getenv("CAMPFIRE_URL"), "http://localhost:8080"), os.Getenv("CAMPFIRE_BOT_KEY")
	client := &http.Client{Transport: withKey(key)}
	b := &bot{
		rooms:     campfirev1connect.NewRoomServiceClient(client, url),
		messages:  campfirev1connect.NewMessageServiceClient(client, url),
		events:    campfirev1connect.NewEventServiceClient(client, url),
		stateFile: cmp.Or(os.Getenv("ECHO_BOT_STATE"), "echo-bot.state"),
	}
	if state, err := os.ReadFile(b.stateFile); err == nil {
		b.token = string(state)
	}
	sessions := campfirev1connect.NewSessionServiceClient(client, url)
	for wait := minWait; ctx.Err() == nil; wait = min(2*wait, maxWait) {
		res, err := sessions.GetCurrentUser(ctx, &campfirev1.GetCurrentUserRequest{})
		if err == nil {
			b.me, wait = res.GetUser(), minWait
			err = b.listen(ctx)
		}
		if connect.CodeOf(err) == connect.CodeUnauthenticated {
			log.Fatal("the key is nobody's, or no longer: ", err)
		}
		log.Print("back in a moment: ", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// withKey sends the bot's key with every request, also with that of a stream.
type withKey string

// RoundTrip implements http.RoundTripper.
func (key withKey) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(key))
	return http.DefaultTransport.RoundTrip(r)
}

// listen handles what happens until the stream ends. It tells a dead stream by its silence.
func (b *bot) listen(ctx context.Context) error {
	ctx, hangUp := context.WithCancelCause(ctx)
	defer hangUp(nil)
	patience := time.Minute
	silence := time.AfterFunc(patience, func() { hangUp(errors.New("the stream is silent")) })
	defer silence.Stop()
	stream, err := b.events.Subscribe(ctx, &campfirev1.SubscribeRequest{ResumeToken: b.token})
	if err != nil {
		return err
	}
	for stream.Receive() {
		event := stream.Msg()
		if hello := event.GetHello(); hello != nil {
			patience = hello.GetHeartbeatInterval().AsDuration() * 5 / 2
			log.Print("listening as ", b.me.GetName())
		}
		silence.Reset(patience)
		if err := b.hear(ctx, event.GetMessageCreated().GetMessage()); err != nil {
			return err
		}
		// Only now: what was not handled comes again.
		if token := event.GetResumeToken(); token != "" {
			if err := b.keep(token); err != nil {
				return err
			}
		}
	}
	return cmp.Or(context.Cause(ctx), stream.Err())
}

// keep notes how far the bot has come, so that a crash leaves either the old token or the new one.
func (b *bot) keep(token string) error {
	b.token = token
	if err := os.WriteFile(b.stateFile+".new", []byte(token), 0o600); err != nil {
		return err
	}
	return os.Rename(b.stateFile+".new", b.stateFile)
}

// hear answers a message to the bot. It leaves those of bots alone: two of them would talk for ever.
func (b *bot) hear(ctx context.Context, m *campfirev1.Message) error {
	if m == nil || m.GetCreator().GetRole() == campfirev1.UserRole_USER_ROLE_BOT {
		return nil
	}
	toMe, err := b.isToMe(ctx, m)
	if err != nil || !toMe {
		return err
	}
	said := strings.TrimSpace(strings.ReplaceAll(m.GetBodyText(), "@"+b.me.GetName(), ""))
	_, err = b.messages.PostMessage(ctx, &campfirev1.PostMessageRequest{
		RoomId: m.GetRoomId(),
		// The same for the same message: posted twice, it is one answer.
		ClientMessageId: fmt.Sprintf("echo-%d-%d", b.me.GetId(), m.GetId()),
		Body:            &campfirev1.PostMessageRequest_Text{Text: "You said: " + said},
	})
	return unlessGone(err)
}

func (b *bot) isToMe(ctx context.Context, m *campfirev1.Message) (bool, error) {
	if strings.Contains(m.GetBodyHtml(), fmt.Sprintf(`data-user-id="%d"`, b.me.GetId())) {
		return true, nil
	}
	res, err := b.rooms.GetRoom(ctx, &campfirev1.GetRoomRequest{RoomId: m.GetRoomId()})
	return res.GetRoom().GetKind() == campfirev1.RoomKind_ROOM_KIND_DIRECT, unlessGone(err)
}

// unlessGone lets go of what cannot be answered any more, as the bot is no longer in the room.
func unlessGone(err error) error {
	if connect.CodeOf(err) == connect.CodeNotFound {
		return nil
	}
	return err
}
