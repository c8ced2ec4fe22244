package server

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

func TestADirectMessageIsHeardByItsPeopleAlone(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	author, heard, overheard := jason.listen(t), kevin.listen(t), david.listen(t)
	res := must(jason.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{kevin.id}}))(t)
	ping := store.Room{ID: res.GetRoom().GetId(), Name: res.GetRoom().GetName()}
	jason.post(t, ping, "Between us")
	must(jason.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{kevin.id}}))(t) // which is there already
	david.announce(t, "the end")
	created := `created "Between us"`
	wantEqual(t, "what Kevin noted", heard.until(t, "the end"), []string{`room "Jason"`, created, unread(ping)})
	wantEqual(t, "what Jason, its author, noted", author.until(t, "the end"), []string{`room "Kevin"`, created})
	wantEqual(t, "what David, an outsider and administrator, noted", overheard.until(t, "the end"), []string{})

	// As many entries are unread as there are messages in rooms of one's own that one has not read.
	david.post(t, campfire.Designers, "Hello")
	david.post(t, campfire.AllTalk, "Hello all")
	marked := func(p *person) (rooms []string) {
		for _, room := range must(p.ListRooms(t.Context(), &campfirev1.ListRoomsRequest{}))(t).GetRooms() {
			if room.GetUnread() {
				rooms = append(rooms, room.GetName())
			}
		}
		return rooms
	}
	wantEqual(t, "unread to Kevin", marked(kevin), []string{"Jason", "All Talk"})
	wantEqual(t, "unread to Jason", marked(jason), []string{"All Talk", "Designers"})
	wantEqual(t, "unread to David", marked(david), []string{})
}

func TestInvolvementIsToldToOneselfAlone(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	ping := must(jason.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{david.id}}))(t).GetRoom()
	const (
		invisible  = campfirev1.Involvement_INVOLVEMENT_INVISIBLE
		nothing    = campfirev1.Involvement_INVOLVEMENT_NOTHING
		mentions   = campfirev1.Involvement_INVOLVEMENT_MENTIONS
		everything = campfirev1.Involvement_INVOLVEMENT_EVERYTHING
	)
	tab, others := campfire.again("Jason").listen(t), david.listen(t)
	set := func(roomID int64, involvement campfirev1.Involvement) {
		t.Helper()
		room := must(jason.SetInvolvement(t.Context(), &campfirev1.SetInvolvementRequest{RoomId: roomID, Involvement: involvement}))(t).GetRoom()
		wantEqual(t, "involvement, answered", room.GetInvolvement(), involvement)
		kept := must(jason.GetRoom(t.Context(), &campfirev1.GetRoomRequest{RoomId: roomID}))(t).GetRoom()
		wantEqual(t, "involvement, kept", kept.GetInvolvement(), involvement)
	}
	told := func(want campfirev1.Involvement) {
		t.Helper()
		wantEqual(t, "involvement, told to the other tab", tab.next(t).GetRoomChanged().GetRoom().GetInvolvement(), want)
	}
	designers := campfire.Designers.ID
	set(designers, everything)
	told(everything)
	set(designers, invisible)
	tab.hears(t, fmt.Sprintf("room %d removed", designers))
	set(designers, mentions)
	told(mentions)
	set(designers, nothing)
	told(nothing)
	set(ping.GetId(), nothing)
	told(nothing)
	_, err := jason.SetInvolvement(t.Context(), &campfirev1.SetInvolvementRequest{RoomId: ping.GetId(), Involvement: invisible})
	wantInvalid(t, "a direct room, which would be lost", err, "involvement")
	_, err = jason.SetInvolvement(t.Context(), &campfirev1.SetInvolvementRequest{RoomId: designers, Involvement: 99})
	wantInvalid(t, "an involvement there is not", err, "involvement")
	david.announce(t, "the end")
	wantEqual(t, "what David noted", others.until(t, "the end"), []string{})
	wantEqual(t, "what else the tab noted", tab.until(t, "the end"), []string{})
}

func TestARoomsNewNameIsToldToItsMembersAlone(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	member, outsider := jason.listen(t), kevin.listen(t)
	rename := func(room store.Room, p *person) error {
		_, err := p.UpdateRoom(t.Context(), &campfirev1.UpdateRoomRequest{RoomId: room.ID, Name: new("Renamed by " + p.name)})
		return err
	}
	wantCode(t, "Jason renames All Talk", rename(campfire.AllTalk, jason), connect.CodePermissionDenied)
	wantCode(t, "Jason renames Designers", rename(campfire.Designers, jason), connect.CodePermissionDenied)
	wantEqual(t, "David renames Designers", rename(campfire.Designers, david), nil)
	wantEqual(t, "David renames All Talk", rename(campfire.AllTalk, david), nil)
	david.announce(t, "the end")
	told := `room "Renamed by David"`
	wantEqual(t, "what Jason, a member of both, noted", member.until(t, "the end"), []string{told, told})
	wantEqual(t, "what Kevin, a member of All Talk, noted", outsider.until(t, "the end"), []string{told})
}

// However a revocation falls among posts: on the stream of who is revoked nothing of the room follows the word that they
// are out of it, and no post of theirs follows it anywhere. (What still waited for them is taken back.)
func TestARevocationRacingPostsEndsWhatIsHeard(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, room := campfire.as("David"), campfire.Designers
	for _, way := range []way{overHTTP1, overH2C, overGRPC} {
		jason := campfire.again("Jason", way)
		heard, stays, posted := jason.listen(t), david.listen(t), len(david.conversation(t, room))
		begun, revoked := make(chan struct{}), make(chan struct{})
		begin := sync.OnceFunc(func() { close(begun) })
		var posting sync.WaitGroup
		for _, poster := range []*person{david, campfire.again("David", way), jason} {
			posting.Go(func() {
				for i := 0; ; i++ {
					_, err := poster.PostMessage(t.Context(), &campfirev1.PostMessageRequest{RoomId: room.ID, Body: textOf(fmt.Sprint(poster.name, i))})
					if err != nil {
						if poster != jason || connect.CodeOf(err) != connect.CodeNotFound {
							t.Errorf("%s posts: %v", poster.name, err)
						}
						return
					}
					if i == 5 {
						begin()
					}
					select {
					case <-revoked:
						if poster != jason { // who goes on until he is refused
							return
						}
					default:
					}
				}
			})
		}
		<-begun
		_, err := david.UpdateRoom(t.Context(), &campfirev1.UpdateRoomRequest{RoomId: room.ID, RevokeUserIds: []int64{jason.id}})
		wantEqual(t, "David revokes Jason", err, nil)
		after := david.post(t, room, "after it")
		close(revoked)
		posting.Wait()
		david.announce(t, "the end")
		said := func(l *listener) (notes []string) {
			for _, n := range l.until(t, "the end") {
				if strings.HasPrefix(n, "created ") || strings.HasSuffix(n, " removed") {
					notes = append(notes, n)
				}
			}
			return notes
		}
		all, jasons := said(stays), said(heard)
		out := slices.Index(jasons, fmt.Sprintf("room %d removed", room.ID))
		if out < 0 || out != len(jasons)-1 {
			t.Fatalf("by %s: Jason heard %q, want his removal and nothing after it", way.name, jasons)
		}
		wantEqual(t, "what Jason heard before it by "+way.name, jasons[:out], all[:out])
		for _, m := range david.conversation(t, room) {
			if m.GetId() > after.GetId() && m.GetCreator().GetId() == jason.id {
				t.Errorf("by %s: Jason posted after his removal: %s", way.name, m.GetBodyText())
			}
		}
		wantEqual(t, "messages told to David, beside those from before", len(all), len(david.conversation(t, room))-posted)
		_, err = david.UpdateRoom(t.Context(), &campfirev1.UpdateRoomRequest{RoomId: room.ID, GrantUserIds: []int64{jason.id}})
		wantEqual(t, "David grants Jason the room again", err, nil)
		heard.hangUp()
		stays.hangUp()
	}
}
