package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	campfirev1 "campfire.example/gen/campfire/v1"
)

const callers = 16 // at once

// burst is how it went when many called at once.
type burst struct{ calls, perSecond, p50, p99, processor float64 }

// call makes a caller's nth call, and checks the answer.
type call func(ctx context.Context, m member, caller, n int) error

// burst has callers call, each again as soon as it is answered, for as long as a measurement takes.
func (b *bench) burst(ctx context.Context, p *process, path string, tokens []string, call call) (burst, error) {
	var group sync.WaitGroup
	latencies, failed := make([][]time.Duration, callers), make([]error, callers)
	var took time.Duration
	seconds, err := p.processor(func() error {
		began := time.Now()
		for i := range callers {
			m := newMember(p.address+path, tokens[i%len(tokens)])
			group.Go(func() {
				defer m.transport.CloseIdleConnections()
				for n := 0; failed[i] == nil && time.Since(began) < b.length; n++ {
					called := time.Now()
					failed[i] = call(ctx, m, i, n)
					latencies[i] = append(latencies[i], time.Since(called))
				}
			})
		}
		group.Wait()
		took = time.Since(began)
		return cmp.Or(failed...)
	})
	all := slices.Concat(latencies...)
	p50, p99 := percentiles(all)
	return burst{float64(len(all)), float64(len(all)) / took.Seconds(), p50, p99, seconds}, err
}

// percentiles are the middle one and the last but one in a hundred, in ms.
func percentiles(all []time.Duration) (p50, p99 float64) {
	if len(all) == 0 {
		return none, none
	}
	slices.Sort(all)
	return all[len(all)/2].Seconds() * 1000, all[len(all)*99/100].Seconds() * 1000
}

// calls measures the same calls to Campfire and to both echoes, in turn.
func (b *bench) calls(ctx context.Context, h *house, what, profile string, tokens []string, call, echo call, each func(run burst) error) error {
	for run := -1; run < b.runs; run++ { // the first one warms both up
		written := b.profile(h.process, profile)
		mine, err := b.burst(ctx, h.process, "", tokens, call)
		if err := errors.Join(err, written()); err != nil {
			return err
		}
		bare, err := b.burst(ctx, b.bare, "", tokens, echo)
		uncompressed, plainErr := b.burst(ctx, b.bare, plain, tokens, echo)
		if err := errors.Join(err, plainErr); err != nil {
			return err
		}
		if run < 0 {
			continue
		}
		b.note(what, "calls/s", mine.perSecond, "echo", bare.perSecond)
		b.note(what, "calls/s", mine.perSecond, "plain echo", uncompressed.perSecond)
		b.note(what, "p50 ms", mine.p50, "echo", bare.p50)
		b.note(what, "p99 ms", mine.p99, "echo", bare.p99)
		b.note(what, "CPU s per 1,000", 1000*mine.processor/mine.calls, "echo", 1000*bare.processor/bare.calls)
		if each != nil {
			if err := each(mine); err != nil {
				return err
			}
		}
	}
	return nil
}

// posting: 16 people post to a room.
func posting(ctx context.Context, b *bench) error {
	h, err := b.newHouse(ctx, callers, 0, 0)
	if err != nil {
		return err
	}
	said := make([][]posted, callers)
	post := func(ctx context.Context, m member, poster, _ int) error {
		p, err := h.say(ctx, m, time.Now())
		said[poster] = append(said[poster], p)
		return err
	}
	echo := func(ctx context.Context, m member, _, n int) error {
		text := "Lunch at noon? I have seen the new plans, p0x" + strconv.Itoa(n)
		_, err := m.PostMessage(ctx, &campfirev1.PostMessageRequest{
			RoomId: h.hall, ClientMessageId: strconv.Itoa(n) + sentAt(time.Now()), Body: &campfirev1.PostMessageRequest_Text{Text: text},
		})
		return err
	}
	const what = "post, 16 posters"
	err = b.calls(ctx, h, what, "post", h.tokens, post, echo, func(mine burst) error {
		rows, err := b.bareRows()
		b.note(what, "calls/s", mine.perSecond, "SQLite", rows)
		return err
	})
	writes, writesErr := h.read("campfire_writes_total")
	commits, commitsErr := h.read("campfire_commits_total")
	b.note(what, "posts in a commit", writes/commits, "", none)
	if err := errors.Join(err, writesErr, commitsErr, h.audit(ctx, b, slices.Concat(said...))); err != nil {
		return err
	}
	b.note(what, "peak MB", h.peak, "", none)
	return nil
}

// fanningOut: 4 people post as fast as they can to rooms with many streams.
func fanningOut(ctx context.Context, b *bench) error {
	for _, count := range []int{50, 200, 1000} {
		what := fmt.Sprintf("fan-out to %d streams", count)
		h, lost, doubled, err := b.fanOutTo(ctx, count, func(mine, bare burst) {
			each := float64(count)
			b.note(what, "messages/s", mine.perSecond, "frames", bare.perSecond)
			b.note(what, "deliveries/s", mine.perSecond*each, "frames", bare.perSecond*each)
			b.note(what, "p50 ms", mine.p50, "", none)
			b.note(what, "p99 ms", mine.p99, "", none)
			b.note(what, "CPU s per million", 1e6*mine.processor/mine.calls/each, "frames", 1e6*bare.processor/bare.calls/each)
		})
		if err != nil {
			return err
		}
		b.note(what, "lost", float64(lost), "", none)
		b.note(what, "doubled", float64(doubled), "", none)
		b.note(what, "peak MB", h.peak, "", none)
	}
	return nil
}

// fanOutTo lets people post to a room with so many streams, in turn with a bare loop, and audits what they said.
func (b *bench) fanOutTo(ctx context.Context, count int, note func(mine, bare burst)) (h *house, lost, doubled int, err error) {
	if h, err = b.newHouse(ctx, 20, 0, 0); err != nil {
		return nil, 0, 0, err
	}
	streams, err := h.openStreams(count)
	if err != nil {
		return nil, 0, 0, err
	}
	defer closeAll(streams)
	var all []posted
	for run := -1; run < b.runs; run++ { // the first one warms both up
		written := b.profile(h.process, fmt.Sprint("fanout-", count))
		mine, err := b.fanOut(ctx, h, streams, &all)
		if err := errors.Join(err, written()); err != nil {
			return nil, 0, 0, err
		}
		bare, err := b.bareFanOut(streams[0].message, count, int(mine.calls))
		if err != nil {
			return nil, 0, 0, err
		}
		if run >= 0 {
			note(mine, bare)
		}
	}
	lost, doubled, err = verify(streams, all)
	return h, lost, doubled, errors.Join(err, h.audit(ctx, b, all))
}

// fanOut lets 4 people post for twice as long as a measurement, as it takes a while until streams and readers keep
// step, and waits until all streams have heard all.
func (b *bench) fanOut(ctx context.Context, h *house, streams []*stream, all *[]posted) (burst, error) {
	var said []posted
	seconds, err := h.processor(func() (err error) {
		said, err = h.letPost(ctx, postersTask{h.address, h.hall, h.tokens[:4], int64(len(*all)), 2 * b.length}, streams)
		if err != nil {
			return err
		}
		*all = append(*all, said...)
		return await(streams, int64(len(*all)))
	})
	if err != nil {
		return burst{}, err
	}
	began := slices.MinFunc(said, func(a, b posted) int { return a.Began.Compare(b.Began) }).Began
	p50, p99 := lateness(streams)
	return burst{float64(len(said)), float64(len(said)) / newest(streams).Sub(began).Seconds(), p50, p99, seconds}, nil
}

// bareFanOut is how fast ready frames reach as many connections. They are written once the last has come.
func (b *bench) bareFanOut(frame []byte, count, messages int) (burst, error) {
	open := func(int) (*stream, error) {
		return openStream(b.bare.address, fmt.Sprintf("/frames?streams=%d&count=%d", count, messages), "", "", frame)
	}
	streams, err := openMany(count-1, open)
	defer func() { closeAll(streams) }()
	if err != nil {
		return burst{}, err
	}
	var began time.Time
	seconds, err := b.bare.processor(func() error {
		began = time.Now()
		last, err := open(count - 1)
		if err != nil {
			return err
		}
		streams = append(streams, last)
		return await(streams, int64(messages))
	})
	return burst{calls: float64(messages), perSecond: float64(messages) / newest(streams).Sub(began).Seconds(), processor: seconds}, err
}

// delivering: one of 50 people posts 20 messages a second, and all have a stream open. How late a message is counts from
// when it was due.
func delivering(ctx context.Context, b *bench) error {
	const people, every = 50, time.Second / 20
	h, err := b.newHouse(ctx, people, 10, 1000)
	if err != nil {
		return err
	}
	for _, token := range h.tokens { // they look around first
		m := newMember(h.address, token)
		_, roomsErr := m.ListRooms(ctx, &campfirev1.ListRoomsRequest{})
		_, pageErr := m.ListMessages(ctx, &campfirev1.ListMessagesRequest{RoomId: h.hall})
		_, searchErr := m.SearchMessages(ctx, &campfirev1.SearchMessagesRequest{Query: "common"})
		if err := errors.Join(roomsErr, pageErr, searchErr); err != nil {
			return err
		}
	}
	streams, err := h.openStreams(people)
	if err != nil {
		return err
	}
	defer func() { closeAll(streams) }()
	var all []posted
	david := newMember(h.address, h.tokens[0])
	messages := int(2 * b.length / every)
	const what = "delivery to 50 people, 20 messages/s"
	for range b.runs {
		written := b.profile(h.process, "delivery")
		due := time.Now()
		for range messages {
			due = due.Add(every)
			time.Sleep(time.Until(due))
			p, err := h.say(ctx, david, due)
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		if err := errors.Join(await(streams, int64(len(all))), written()); err != nil {
			return err
		}
		p50, p99 := lateness(streams)
		bare, err := openMany(people, func(int) (*stream, error) {
			path := fmt.Sprintf("/frames?streams=%d&count=%d&every=%s", people, messages, every)
			return openStream(b.bare.address, path, "", "", streams[0].message)
		})
		if err := errors.Join(err, await(bare, int64(messages))); err != nil {
			return err
		}
		bare50, bare99 := lateness(bare)
		closeAll(bare)
		b.note(what, "p50 ms", p50, "frames", bare50)
		b.note(what, "p99 ms", p99, "frames", bare99)
	}
	memory, err := h.memory()
	b.note("memory with 50 people", "MB", memory, "", none)
	_, _, verifyErr := verify(streams, all)
	return errors.Join(err, verifyErr, h.audit(ctx, b, all))
}

// reading: 16 people read a room with a long history, a sidebar with 100 rooms, and search.
func reading(ctx context.Context, b *bench) error {
	const messages, rooms, page = 100_000, 100, 40
	h, err := b.newHouse(ctx, 20, rooms-2, messages)
	if err != nil {
		return err
	}
	echoPage := func(ctx context.Context, m member, _, _ int) error {
		_, err := m.ListMessages(ctx, &campfirev1.ListMessagesRequest{RoomId: h.history})
		return err
	}
	pageOf := func(req *campfirev1.ListMessagesRequest, newer bool) call {
		return func(ctx context.Context, m member, _, _ int) error {
			res, err := m.ListMessages(ctx, req)
			if err != nil {
				return err
			}
			got := res.GetMessages()
			for i, message := range got {
				if message.GetRoomId() != h.history || !strings.HasPrefix(message.GetBodyText(), "A common message") || i > 0 && message.GetId() <= got[i-1].GetId() {
					return fmt.Errorf("message %d of a page is %v", i, message)
				}
			}
			if len(got) != page || !res.GetHasOlder() || res.GetHasNewer() != newer {
				return fmt.Errorf("a page has %d messages, older %t, newer %t", len(got), res.GetHasOlder(), res.GetHasNewer())
			}
			return nil
		}
	}
	readers := slices.Delete(slices.Clone(h.tokens), outsider-1, outsider)
	newestPage := &campfirev1.ListMessagesRequest{RoomId: h.history}
	if err := b.calls(ctx, h, "newest page, 16 readers", "page", readers, pageOf(newestPage, false), echoPage, nil); err != nil {
		return err
	}
	before := &campfirev1.ListMessagesRequest{RoomId: h.history, Anchor: &campfirev1.ListMessagesRequest_Before{Before: messages / 2}}
	if err := b.calls(ctx, h, "page before, 16 readers", "before", readers, pageOf(before, true), echoPage, nil); err != nil {
		return err
	}
	sidebar := func(wanted int) call {
		return func(ctx context.Context, m member, _, _ int) error {
			res, err := m.ListRooms(ctx, &campfirev1.ListRoomsRequest{})
			if err == nil && len(res.GetRooms()) != wanted {
				err = fmt.Errorf("a sidebar has %d rooms", len(res.GetRooms()))
			}
			return err
		}
	}
	if err := b.calls(ctx, h, "sidebar with 100 rooms, 16 readers", "sidebar", h.tokens[:1], sidebar(rooms), sidebar(0), nil); err != nil {
		return err
	}
	search := func(query string, size int32, wanted int) call {
		return func(ctx context.Context, m member, _, _ int) error {
			res, err := m.SearchMessages(ctx, &campfirev1.SearchMessagesRequest{Query: query, PageSize: size})
			if err == nil && len(res.GetResults()) != wanted {
				err = fmt.Errorf("found %d messages with %s", len(res.GetResults()), query)
			}
			return err
		}
	}
	for _, s := range []struct {
		what, query string
		tokens      []string
		size        int32 // 0 for 100
		wanted      int
	}{
		{"search, a rare word", "hovercraft", readers, 0, rareMessages},
		{"search, a common word, 20 newest", "common", readers, 20, 20},
		{"search, a common word, 100 newest", "common", readers, 0, 100},
		{"search, no access", "common", h.tokens[outsider-1 : outsider], 0, 0},
	} {
		profile := strings.ReplaceAll(strings.ReplaceAll(s.what, ",", ""), " ", "-")
		if err := b.calls(ctx, h, s.what, profile, s.tokens, search(s.query, s.size, s.wanted), search(s.query, s.size, 0), nil); err != nil {
			return err
		}
	}
	if err := h.stop(); err != nil {
		return err
	}
	b.note("reading, 100,000 messages", "peak MB", h.peak, "", none)
	return h.coldStarts(ctx, b, "cold start to /up, 100,000 messages")
}

// coldStarts starts the house again and again.
func (h *house) coldStarts(ctx context.Context, b *bench, what string) error {
	for range b.runs {
		if err := errors.Join(h.open(ctx, b), h.stop()); err != nil {
			return err
		}
		bare, err := startBare(ctx)
		if err != nil {
			return err
		}
		if err := bare.stop(); err != nil {
			return err
		}
		b.note(what, "ms", h.ready.Seconds()*1000, "echo", bare.ready.Seconds()*1000)
	}
	return nil
}

// starting: from the start of the program to its first answer.
func starting(ctx context.Context, b *bench) error {
	h, err := b.newHouse(ctx, 20, 10, 100)
	if err != nil {
		return err
	}
	return errors.Join(h.stop(), h.coldStarts(ctx, b, "cold start to /up"))
}

// reconnecting: 1,000 streams come back at once, each having missed some messages.
func reconnecting(ctx context.Context, b *bench) error {
	const count, missed = 1000, 20
	h, err := b.newHouse(ctx, 20, 0, 0)
	if err != nil {
		return err
	}
	var all []posted
	david := newMember(h.address, h.tokens[0])
	post := func(messages int) ([]posted, error) {
		var said []posted
		for range messages {
			p, err := h.say(ctx, david, time.Now())
			if err != nil {
				return nil, err
			}
			said = append(said, p)
		}
		all = append(all, said...)
		return said, nil
	}
	for run := range 1 + 2*b.runs { // each is short, and the first one warms both up
		earlier, err := h.openStreams(count)
		closeAll(earlier)
		if err := errors.Join(err, h.await("campfire_streams_open", 0)); err != nil {
			return err
		}
		said, err := post(missed)
		if err != nil {
			return err
		}
		began := time.Now()
		streams, err := openMany(count, func(i int) (*stream, error) { return h.subscribe(i, string(earlier[i].token), "") })
		if err := errors.Join(err, await(streams, missed)); err != nil {
			return err
		}
		took := newest(streams).Sub(began)
		live, err := post(1)
		if err := errors.Join(err, await(streams, missed+1)); err != nil {
			return err
		}
		_, _, err = verify(streams, append(said, live...))
		frame := streams[0].message
		closeAll(streams)
		if err := errors.Join(err, h.await("campfire_streams_open", 0)); err != nil {
			return err
		}
		began = time.Now()
		bare, err := openMany(count, func(int) (*stream, error) {
			return openStream(b.bare.address, fmt.Sprintf("/frames?streams=1&count=%d", missed), "", "", frame)
		})
		if err := errors.Join(err, await(bare, missed)); err != nil {
			return err
		}
		if run > 0 {
			b.note("1000 streams reconnect with resume", "s", took.Seconds(), "frames", newest(bare).Sub(began).Seconds())
		}
		closeAll(bare)
	}
	return h.audit(ctx, b, all)
}

// idling: 10,000 streams are open, and nothing happens on them. They come from several addresses, as by a proxy.
func idling(ctx context.Context, b *bench) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	count := min(10_000, (int(limit.Cur)-200)/50*50)
	h, err := b.newHouse(ctx, count/50, 0, 0, "--trusted-proxies", "127.0.0.0/8")
	if err != nil {
		return err
	}
	measure := func(p *process, open func(i int) (*stream, error)) (all, each float64, err error) {
		before, err := p.memory()
		if err != nil {
			return 0, 0, err
		}
		streams, err := openMany(count, open)
		defer closeAll(streams)
		if err != nil {
			return 0, 0, err
		}
		all, err = p.memory()
		return all, 1000 * (all - before) / float64(count), errors.Join(err, b.profile(p, "idle")())
	}
	all, each, err := measure(h.process, func(i int) (*stream, error) {
		return h.subscribe(i, "", fmt.Sprintf("10.0.%d.1", i/1000))
	})
	if err != nil {
		return err
	}
	bareAll, bareEach, err := measure(b.bare, func(int) (*stream, error) {
		return openStream(b.bare.address, subscribe, "", "", nil)
	})
	b.note(fmt.Sprint(count, " idle streams"), "MB", all, "Connect stream", bareAll)
	b.note(fmt.Sprint(count, " idle streams"), "kB each", each, "Connect stream", bareEach)
	return errors.Join(err, h.stop())
}
