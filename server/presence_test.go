package server

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
	"campfire.example/store/storetest"
)

func TestWhoLooksAtARoomIsSeenByItsMembersAlone(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	heard, own, overheard := david.listen(t), jason.listen(t), kevin.listen(t)
	designers := campfire.Designers
	for _, way := range allWays {
		wantEqual(t, "who is there when Jason comes by "+way.name, jason.by(way).enter(t, designers, own), []int64{jason.id})
		heard.notes(t, isIn(jason, designers))
		wantEqual(t, "who is there when David comes", david.by(way).enter(t, designers, heard), []int64{david.id, jason.id})
		heard.notes(t, isIn(david, designers))
		wantEqual(t, "who is there when Jason comes again", jason.by(way).enter(t, designers, own), []int64{david.id, jason.id})
		jason.by(way).leave(t, designers, own)
		heard.notes(t, hasLeft(jason, designers))
		wantEqual(t, "who is there without Jason", david.by(way).enter(t, designers, heard), []int64{david.id})
		david.leave(t, designers, heard)
		heard.notes(t, hasLeft(david, designers))
	}

	// Kevin is an outsider. He is neither told nor seen.
	wantCode(t, "Kevin enters", kevin.tryEnter(t, designers.ID, overheard.id()), connect.CodeNotFound)
	wantCode(t, "Kevin refreshes", kevin.tryRefresh(t, designers.ID, overheard.id()), connect.CodeNotFound)
	wantEqual(t, "Kevin leaves where he never was", kevin.tryLeave(t, designers.ID, overheard.id()), nil)
	wantEqual(t, "who is there, having seen Kevin try", david.enter(t, designers, heard), []int64{david.id})
	david.announce(t, "the end")
	wantEqual(t, "what David noted", heard.until(t, "the end"), []string{isIn(david, designers)})
	wantEqual(t, "what Kevin noted", overheard.until(t, "the end"), []string{})
}

func TestPresenceBelongsToAnOpenStreamOfOnesOwn(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	heard, closed := david.listen(t), jason.listen(t)
	closed.hangUp()
	eventually(t, "Jason's stream is gone", func() bool { return streamsOf(campfire, jason.id) == 0 })
	room := campfire.Designers
	for what, id := range map[string]string{
		"another's stream": heard.id(), "a stream that is closed": closed.id(), "no stream": "", "an unknown stream": "4711",
	} {
		wantCode(t, "entering by "+what, jason.tryEnter(t, room.ID, id), connect.CodeFailedPrecondition)
		wantCode(t, "refreshing by "+what, jason.tryRefresh(t, room.ID, id), connect.CodeFailedPrecondition)
		wantCode(t, "leaving by "+what, jason.tryLeave(t, room.ID, id), connect.CodeFailedPrecondition)
	}
	wantEqual(t, "who is there", david.enter(t, room, heard), []int64{david.id})
	wantCode(t, "leaving by another's stream that is there", jason.tryLeave(t, room.ID, heard.id()), connect.CodeFailedPrecondition)
	david.announce(t, "the end")
	wantEqual(t, "what David noted", heard.until(t, "the end"), []string{isIn(david, room)})
	wantEqual(t, "who is there still", campfire.server.presence.in(room.ID), []int64{david.id})
}

func TestALostStreamGivesItsPresenceBack(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.as("David")
	heard := david.listen(t)
	for _, way := range allWays {
		for what, lose := range map[string]func(*person, *listener){
			"hanging up": func(_ *person, l *listener) { l.hangUp() },
			"signing out": func(p *person, _ *listener) {
				if _, err := p.SignOut(t.Context(), &campfirev1.SignOutRequest{}); err != nil {
					t.Fatal(err)
				}
			},
		} {
			jason := campfire.again("Jason", way)
			stream := jason.listen(t)
			rooms := []string{}
			for _, room := range []store.Room{campfire.Designers, campfire.AllTalk} {
				jason.enter(t, room, stream)
				heard.notes(t, isIn(jason, room))
				rooms = append(rooms, hasLeft(jason, room))
			}
			lose(jason, stream)
			noted := []string{heard.note(t), heard.note(t)} // the rooms are in no order
			slices.Sort(noted)
			slices.Sort(rooms)
			wantEqual(t, "what David noted after "+what+" by "+way.name, noted, rooms)
		}
	}
	wantNobodyPresent(t, campfire.server)
}

func TestAPersonIsThereUntilTheirLastStreamHasLeft(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason", overH2C)
	heard, desk, phone := david.listen(t), jason.listen(t), campfire.again("Jason").listen(t)
	room := campfire.Designers
	for _, step := range []struct {
		what string
		do   func()
		want []string
	}{
		{"the desk enters", func() { jason.enter(t, room, desk) }, []string{isIn(jason, room)}},
		{"the phone enters too", func() { jason.enter(t, room, phone) }, nil},
		{"the desk enters again", func() { jason.enter(t, room, desk) }, nil},
		{"the phone refreshes", func() { must(0, jason.tryRefresh(t, room.ID, phone.id()))(t) }, nil},
		{"the desk leaves", func() { jason.leave(t, room, desk) }, nil},
		{"the desk leaves again", func() { jason.leave(t, room, desk) }, nil},
		{"the desk refreshes, having left", func() { must(0, jason.tryRefresh(t, room.ID, desk.id()))(t) }, nil},
		{"the phone leaves", func() { jason.leave(t, room, phone) }, nil},
		{"the desk leaves at last", func() { jason.leave(t, room, desk) }, []string{hasLeft(jason, room)}},
		{"both come", func() { jason.enter(t, room, phone); jason.enter(t, room, desk) }, []string{isIn(jason, room)}},
		{"the phone is lost", func() {
			phone.hangUp()
			eventually(t, "the phone is gone", func() bool { return leases(campfire.server, jason.id, room.ID) == 1 })
		}, nil},
	} {
		step.do()
		david.announce(t, step.what)
		wantEqual(t, step.what, heard.until(t, step.what), step.want)
	}
	desk.hangUp()
	heard.notes(t, hasLeft(jason, room))
}

func TestAPresenceLapsesAfterSixtySecondsUnlessItIsRefreshed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // in which a minute takes no time
		office := newOffice(t)
		room := office.Designers.ID
		_, heard := office.join(office.David)
		jason, desk := office.join(office.Jason)
		_, phone := office.join(office.Jason)
		enter := func(st *stream) {
			t.Helper()
			must(office.server.EnterRoom(jason, &campfirev1.EnterRoomRequest{RoomId: room, StreamId: st.id}))(t)
		}
		there := fmt.Sprintf("%d is in %d", office.Jason.ID, room)
		gone := fmt.Sprintf("%d has left %d", office.Jason.ID, room)
		later := func(d time.Duration, what string, want ...string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			wantEqual(t, what, office.queued(heard), want)
			present := office.server.presence.is(office.Jason.ID, room)
			if len(want) > 0 && present != (want[len(want)-1] == there) {
				t.Errorf("%s: David heard %s; present: %v", what, want, present)
			}
		}
		enter(desk)
		later(0, "Jason comes", there)
		later(59*time.Second, "59 s later")
		must(office.server.RefreshPresence(jason, &campfirev1.RefreshPresenceRequest{RoomId: room, StreamId: desk.id}))(t)
		later(59*time.Second, "59 s after he said it again")
		later(2*time.Second, "61 s after he said it again", gone)
		later(time.Hour, "an hour later")

		enter(desk)
		later(30*time.Second, "Jason comes again", there)
		enter(phone)
		later(31*time.Second, "the lease of the desk is over, that of the phone is not")
		later(30*time.Second, "so is that of the phone", gone)

		enter(desk)
		must(office.server.LeaveRoom(jason, &campfirev1.LeaveRoomRequest{RoomId: room, StreamId: desk.id}))(t)
		later(0, "Jason comes and goes", gone) // which is all one hears who comes later
		time.Sleep(30 * time.Second)
		enter(desk)
		later(0, "and comes again", there)
		later(59*time.Second, "no lease that he gave back ends this one")
		later(2*time.Second, "the last one is over", gone)
		wantNobodyPresent(t, office.server)
	})
}

// A page that closes hangs up in the midst of its last call.
func TestWhoHangsUpDuringACallIsStillToldRight(t *testing.T) {
	t.Parallel()
	office := newOffice(t)
	room := office.Designers.ID
	must(office.PostMessage(t.Context(), office.David.ID, store.Post{RoomID: room, Body: storetest.Body("unread")}))(t)
	_, heard := office.join(office.David)
	jason, desk := office.join(office.Jason)
	enter, leave := &campfirev1.EnterRoomRequest{RoomId: room, StreamId: desk.id}, &campfirev1.LeaveRoomRequest{RoomId: room, StreamId: desk.id}

	gone, hangUp := context.WithCancel(jason)
	hangUp()
	if _, err := office.server.EnterRoom(gone, enter); err == nil {
		t.Error("who had hung up before has entered")
	}
	wantEqual(t, "what David hears of one who had hung up", office.queued(heard), []string{})
	wantNobodyPresent(t, office.server)

	// They hang up as soon as the room is read, before anyone was told of them.
	during, hangUp := context.WithCancel(jason)
	office.onCommit = once(hangUp)
	if _, err := office.server.EnterRoom(during, enter); err != nil || during.Err() == nil {
		t.Errorf("entering, having hung up: got %v (hung up: %v), want no error", err, during.Err())
	}
	wantEqual(t, "what David hears of one who hangs up while entering", office.queued(heard), []string{fmt.Sprintf("%d is in %d", office.Jason.ID, room)})
	wantEqual(t, "who is there", office.server.presence.in(room), []int64{office.Jason.ID})

	if _, err := office.server.LeaveRoom(gone, leave); err != nil {
		t.Errorf("leaving, having hung up: got %v, want no error", err)
	}
	wantEqual(t, "what David hears of one who hangs up while leaving", office.queued(heard), []string{fmt.Sprintf("%d has left %d", office.Jason.ID, room)})
	wantNobodyPresent(t, office.server)
}

func TestAStreamLostWhileItEntersLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	office := newOffice(t)
	room := office.Designers.ID
	must(office.PostMessage(t.Context(), office.David.ID, store.Post{RoomID: room, Body: storetest.Body("unread")}))(t)
	_, heard := office.join(office.David)
	jason, desk := office.join(office.Jason)
	office.onCommit = once(func() {
		office.server.hub.leave(desk)
		wantEqual(t, "rooms the stream gives back", office.server.presence.lost(desk), []int64{})
	})
	_, err := office.server.EnterRoom(jason, &campfirev1.EnterRoomRequest{RoomId: room, StreamId: desk.id})
	wantCode(t, "entering by a stream lost meanwhile", office.server.wireError(jason, err), connect.CodeFailedPrecondition)
	wantNobodyPresent(t, office.server)
	if noted := office.queued(heard); slices.Contains(noted, fmt.Sprintf("%d is in %d", office.Jason.ID, room)) {
		t.Errorf("David heard %s", noted)
	}
}

// The narrow gap: a person is removed from the room after two of their streams were let in, before either is noted.
func TestWhoIsRemovedWhileTheyEnterIsNotSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // which tells when all wait
		const batch = 256 // as many writes as share a commit
		office := newOffice(t)
		room := office.Designers.ID
		david, davids := office.join(office.David)
		jason, desk := office.join(office.Jason)
		_, phone := office.join(office.Jason)
		goOn := make(chan struct{})
		office.onCommit = func(changes []store.Change) { // the writer stands still after each post
			for _, c := range changes {
				if _, ok := c.(store.MessageCreated); ok {
					<-goOn
				}
			}
		}
		var group sync.WaitGroup
		start := func(call func() error, want connect.Code) {
			group.Go(func() {
				if err := office.server.wireError(jason, call()); (want == 0) != (err == nil) || err != nil && connect.CodeOf(err) != want {
					t.Errorf("got %v, want %v", err, want)
				}
			})
			synctest.Wait()
		}
		post := func() error {
			_, err := office.PostMessage(david, office.David.ID, store.Post{RoomID: office.AllTalk.ID, Body: storetest.Body("Wait")})
			return err
		}
		start(post, 0)
		entered := make(chan error, 2)
		for _, st := range []*stream{desk, phone} {
			start(func() error {
				_, err := office.server.EnterRoom(jason, &campfirev1.EnterRoomRequest{RoomId: room, StreamId: st.id})
				entered <- err
				return nil
			}, 0)
		}
		start(func() error {
			_, err := office.UpdateRoom(david, office.David.ID, room, store.RoomChanges{Revoke: []int64{office.Jason.ID}})
			return err
		}, 0)
		for range batch - 3 {
			start(func() error { return office.StopTyping(david, office.David.ID, office.AllTalk.ID) }, 0)
		}
		start(post, 0)
		goOn <- struct{}{} // the two are let in, and Jason is removed, at once
		synctest.Wait()
		goOn <- struct{}{} // they are to be noted
		group.Wait()
		if first, second := <-entered, <-entered; first == nil && second == nil {
			t.Error("both streams have entered a room that Jason was removed from")
		}
		wantNobodyPresent(t, office.server)
		if noted := office.queued(davids); slices.Contains(noted, fmt.Sprintf("%d is in %d", office.Jason.ID, room)) {
			t.Errorf("David heard %s", noted)
		}
	})
}

func TestEnteringMarksARoomReadInEveryTab(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	room := campfire.Designers
	tab, other, others := jason.listen(t), campfire.again("Jason", overH2C).listen(t), david.listen(t)
	david.post(t, room, "Hello")
	tab.notes(t, `created "Hello"`, unread(room))
	other.notes(t, `created "Hello"`, unread(room))
	wantEqual(t, "unread, before", jason.unread(t, room), true)
	jason.enter(t, room, tab)
	tab.notes(t, read(room), isIn(jason, room))
	other.notes(t, read(room), isIn(jason, room))
	others.notes(t, `created "Hello"`, isIn(jason, room)) // and not what Jason has read
	wantEqual(t, "unread, entered", jason.unread(t, room), false)

	// What is posted while he looks is read, also in the tab that does not, and still so when he has left.
	david.post(t, room, "Are you there?")
	wantEqual(t, "unread, present", jason.unread(t, room), false)
	jason.leave(t, room, tab)
	wantEqual(t, "unread, left", jason.unread(t, room), false)
	other.notes(t, `created "Are you there?"`, read(room), hasLeft(jason, room))
	david.post(t, room, "Come back")
	other.notes(t, `created "Come back"`, unread(room))
	wantEqual(t, "unread, absent", jason.unread(t, room), true)
	must(0, jason.tryRefresh(t, room.ID, tab.id()))(t)
	other.notes(t, read(room))
	wantEqual(t, "unread, refreshed", jason.unread(t, room), false)
}

func TestAMessageMakesARoomUnreadForThoseWhoAreAbsentAndSeeIt(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	campfire.Joined(t, "Rosa")
	david, jason, kevin, rosa := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin"), campfire.as("Rosa")
	room := campfire.AllTalk
	must(rosa.SetInvolvement(t.Context(), &campfirev1.SetInvolvementRequest{RoomId: room.ID, Involvement: campfirev1.Involvement_INVOLVEMENT_INVISIBLE}))(t)
	must(kevin.SetInvolvement(t.Context(), &campfirev1.SetInvolvementRequest{RoomId: room.ID, Involvement: campfirev1.Involvement_INVOLVEMENT_NOTHING}))(t)
	present := jason.listen(t)
	jason.enter(t, room, present)
	present.notes(t, isIn(jason, room))
	elsewhere := campfire.again("Jason", overH2C).listen(t) // another tab of one who is present
	author, absent, invisible := david.listen(t), kevin.listen(t), rosa.listen(t)
	david.post(t, room, "Hello")
	david.announce(t, "the end")
	created := `created "Hello"`
	wantEqual(t, "what the absent member noted", absent.until(t, "the end"), []string{created, unread(room)})
	wantEqual(t, "what the present member noted", present.until(t, "the end"), []string{created})
	wantEqual(t, "what the present member's other tab noted", elsewhere.until(t, "the end"), []string{created})
	wantEqual(t, "what the author noted", author.until(t, "the end"), []string{created})
	wantEqual(t, "what the member who does not see it noted", invisible.until(t, "the end"), []string{created})
	for p, want := range map[*person]bool{kevin: true, jason: false, david: false, rosa: false} {
		wantEqual(t, "unread for "+p.name, p.unread(t, room), want)
	}
}

func TestTypingReachesTheOthers(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason, kevin := campfire.as("David"), campfire.as("Jason"), campfire.as("Kevin")
	heard, own, also, overheard := david.listen(t), jason.listen(t), campfire.again("Jason").listen(t), kevin.listen(t)
	room := campfire.Designers
	start, stop := &campfirev1.StartTypingRequest{RoomId: room.ID}, &campfirev1.StopTypingRequest{RoomId: room.ID}
	for _, way := range allWays {
		must(jason.by(way).StartTyping(t.Context(), start))(t)
		heard.notes(t, fmt.Sprintf("Jason types in %d", room.ID))
		must(jason.by(way).StopTyping(t.Context(), stop))(t)
		heard.notes(t, fmt.Sprintf("%d has stopped typing in %d", jason.id, room.ID))
	}
	_, err := kevin.StartTyping(t.Context(), start)
	wantCode(t, "an outsider types", err, connect.CodeNotFound)
	_, err = kevin.StopTyping(t.Context(), stop)
	wantCode(t, "an outsider stops typing", err, connect.CodeNotFound)
	david.announce(t, "the end")
	for who, l := range map[string]*listener{"David": heard, "Jason": own, "Jason's other tab": also, "Kevin, an outsider": overheard} {
		wantEqual(t, "what else "+who+" noted", l.until(t, "the end"), []string{})
	}
}

// What passes is worth telling only as it is now: of it nobody has more than one event waiting.
func TestWhatPassesMergesForAReaderWhoIsSlow(t *testing.T) {
	t.Parallel()
	h := newHub(StreamLimits{})
	slow := must(h.join(store.Identity{UserID: 1, SessionID: 1}, netip.Addr{}))(t)
	jason, kevin := store.User{ID: 2, Name: "Jason"}, store.User{ID: 3, Name: "Kevin"}
	send := func(events ...*event) {
		for _, e := range events {
			h.send([]int64{1}, e)
		}
	}
	types := func(u store.User, room int64) *event {
		return typingStarted(store.TypingStarted{User: u, RoomID: room})
	}
	stops := func(u store.User, room int64) *event {
		return typingStopped(store.TypingStopped{UserID: u.ID, RoomID: room})
	}
	looks := func(u store.User, room int64, present bool) *event {
		return presenceChanged(store.PresenceChanged{UserID: u.ID, RoomID: room}, present)
	}
	for range 2 * maxQueuedEvents { // which would overflow any queue
		send(types(jason, 1), stops(jason, 1), stops(kevin, 1), types(kevin, 1), types(jason, 2))
		send(looks(jason, 1, true), looks(jason, 1, false), looks(kevin, 1, false), looks(kevin, 1, true), looks(jason, 2, true))
		send(roomUnread(1), roomRead(1), roomRead(2), roomUnread(2))
		if len(slow.queue) > 200 {
			t.Fatalf("%d events are kept for a reader who has %d waiting", len(slow.queue), slow.events)
		}
	}
	bytes := slow.bytes
	events, ending := takeAll(h, slow)
	wantEqual(t, "why the stream ends", ending, nil)
	wantEqual(t, "what waits", notesOf(events), []string{
		"2 has stopped typing in 1", "Kevin types in 1", "Jason types in 2",
		"2 has left 1", "3 is in 1", "2 is in 2", "1 is read", "2 is unread",
	})
	wantEqual(t, "how many bytes wait", bytes, len(events)*eventOverhead)
}

// note tells an event as told does, and what told passes over too.
func note(e *campfirev1.SubscribeResponse) string {
	switch e := e.GetEvent().(type) {
	case *campfirev1.SubscribeResponse_PresenceChanged:
		if e.PresenceChanged.GetPresent() {
			return fmt.Sprintf("%d is in %d", e.PresenceChanged.GetUserId(), e.PresenceChanged.GetRoomId())
		}
		return fmt.Sprintf("%d has left %d", e.PresenceChanged.GetUserId(), e.PresenceChanged.GetRoomId())
	case *campfirev1.SubscribeResponse_TypingStarted:
		return fmt.Sprintf("%s types in %d", e.TypingStarted.GetUser().GetName(), e.TypingStarted.GetRoomId())
	case *campfirev1.SubscribeResponse_TypingStopped:
		return fmt.Sprintf("%d has stopped typing in %d", e.TypingStopped.GetUserId(), e.TypingStopped.GetRoomId())
	case *campfirev1.SubscribeResponse_RoomUnread:
		return fmt.Sprintf("%d is unread", e.RoomUnread.GetRoomId())
	case *campfirev1.SubscribeResponse_RoomRead:
		return fmt.Sprintf("%d is read", e.RoomRead.GetRoomId())
	}
	return told(e)
}

func notesOf(events []*event) (notes []string) {
	for _, e := range events {
		notes = append(notes, note(e.message()))
	}
	return notes
}

func isIn(p *person, room store.Room) string    { return fmt.Sprintf("%d is in %d", p.id, room.ID) }
func hasLeft(p *person, room store.Room) string { return fmt.Sprintf("%d has left %d", p.id, room.ID) }
func unread(room store.Room) string             { return fmt.Sprintf("%d is unread", room.ID) }
func read(room store.Room) string               { return fmt.Sprintf("%d is read", room.ID) }

// note takes the next event but heartbeats.
func (l *listener) note(t testing.TB) string {
	t.Helper()
	return note(l.take(t, func(e *campfirev1.SubscribeResponse) bool { return note(e) != "" }))
}

// notes checks what comes next, as note tells it.
func (l *listener) notes(t testing.TB, want ...string) {
	t.Helper()
	for i := range want {
		if got := l.note(t); got != want[i] {
			t.Fatalf("event %d of %d: noted %s, want %s", i+1, len(want), got, want[i])
		}
	}
}

// until takes what comes before an announcement.
func (l *listener) until(t testing.TB, announcement string) (notes []string) {
	t.Helper()
	for {
		n := l.note(t)
		if n == fmt.Sprintf("account %q", announcement) {
			return notes
		}
		notes = append(notes, n)
	}
}

func (l *listener) id() string { return l.hello.GetHello().GetStreamId() }

// announce tells everyone something that is of no room. Whoever hears it has heard all that happened before.
func (p *person) announce(t testing.TB, text string) {
	t.Helper()
	if _, err := p.UpdateAccount(t.Context(), &campfirev1.UpdateAccountRequest{Name: &text}); err != nil {
		t.Fatalf("%s announces %q: %v", p.name, text, err)
	}
}

// enter looks at a room, and answers who else does.
func (p *person) enter(t testing.TB, room store.Room, l *listener) []int64 {
	t.Helper()
	res, err := p.EnterRoom(t.Context(), &campfirev1.EnterRoomRequest{RoomId: room.ID, StreamId: l.id()})
	if err != nil {
		t.Fatalf("%s enters %s: %v", p.name, room.Name, err)
	}
	return res.GetPresentUserIds()
}

func (p *person) leave(t testing.TB, room store.Room, l *listener) {
	t.Helper()
	if err := p.tryLeave(t, room.ID, l.id()); err != nil {
		t.Fatalf("%s leaves %s: %v", p.name, room.Name, err)
	}
}

func (p *person) tryEnter(t testing.TB, room int64, stream string) error {
	_, err := p.EnterRoom(t.Context(), &campfirev1.EnterRoomRequest{RoomId: room, StreamId: stream})
	return err
}

func (p *person) tryRefresh(t testing.TB, room int64, stream string) error {
	_, err := p.RefreshPresence(t.Context(), &campfirev1.RefreshPresenceRequest{RoomId: room, StreamId: stream})
	return err
}

func (p *person) tryLeave(t testing.TB, room int64, stream string) error {
	_, err := p.LeaveRoom(t.Context(), &campfirev1.LeaveRoomRequest{RoomId: room, StreamId: stream})
	return err
}

// unread is whether the sidebar shows a room as unread.
func (p *person) unread(t testing.TB, room store.Room) bool {
	t.Helper()
	res, err := p.ListRooms(t.Context(), &campfirev1.ListRoomsRequest{IncludeInvisible: true})
	if err != nil {
		t.Fatalf("%s lists rooms: %v", p.name, err)
	}
	for _, r := range res.GetRooms() {
		if r.GetId() == room.ID {
			return r.GetUnread()
		}
	}
	t.Fatalf("%s has no room %s", p.name, room.Name)
	return false
}

func leases(s *Server, userID, roomID int64) int {
	s.presence.mu.Lock()
	defer s.presence.mu.Unlock()
	return len(s.presence.rooms[roomID][userID])
}

// wantNobodyPresent checks that nothing is kept of those who have left.
func wantNobodyPresent(t testing.TB, s *Server) {
	t.Helper()
	s.presence.mu.Lock()
	defer s.presence.mu.Unlock()
	wantEqual(t, "who is present", s.presence.rooms, map[int64]any{})
}

// office is a server that is called in person, without a network: its streams are read when a test wants it.
type office struct {
	*storetest.Campfire
	server   *Server
	onCommit func([]store.Change) // if set, called by the writer, like the server but after it
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{Campfire: storetest.New(t)}
	o.server = New(o.Store, Config{})
	o.OnCommit(func(changes []store.Change) {
		o.server.committed(changes)
		if o.onCommit != nil {
			o.onCommit(changes)
		}
	})
	return o
}

// once is called at the first commit.
func once(f func()) func([]store.Change) {
	do := sync.OnceFunc(f)
	return func([]store.Change) { do() }
}

// join opens a stream of somebody's, and answers as whom to call.
func (o *office) join(u store.User) (context.Context, *stream) {
	who := store.Identity{UserID: u.ID, SessionID: 4711}
	st, err := o.server.hub.join(who, netip.Addr{})
	if err != nil {
		panic(err)
	}
	return context.WithValue(context.Background(), requestKey{}, &request{caller: who}), st
}

// queued takes what waits in a stream.
func (o *office) queued(st *stream) []string {
	events, _ := takeAll(o.server.hub, st)
	return notesOf(events)
}
