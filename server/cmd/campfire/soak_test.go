//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
)

var (
	soak     = flag.Duration("soak", 0, "how long to run the server under many times the traffic of a day; make soak")
	soakPlot = flag.String("soak-plot", "", "the SVG file to draw the soak's metrics into")
)

// The traffic of a soak. A company of its size says perhaps 3,000 things in a day of eight hours, one in ten seconds.
const (
	soakPeople    = 50
	soakPace      = 25                // posts a second, by all of them
	soakPerSample = 10 * time.Second  // between two looks at the metrics
	soakOutage    = 150 * time.Second // between two losses of everyone's network
)

// worker is one of the people of a soak, with all that their browser calls.
type worker struct {
	messages campfirev1connect.MessageServiceClient
	events   campfirev1connect.EventServiceClient
	rooms    campfirev1connect.RoomServiceClient
	presence campfirev1connect.PresenceServiceClient
	search   campfirev1connect.SearchServiceClient
	network  *http.Transport
	heard    atomic.Int64
	missed   atomic.Int64 // things it was told to load anew
}

// workerAs is somebody's browser, on a machine of their own.
func workerAs(at address, number int, token string) *worker {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(number%2 == 0)
	transport.Protocols.SetUnencryptedHTTP2(number%2 == 1)
	at.token, at.RoundTripper = token, from{transport, fmt.Sprintf("203.0.113.%d", number+1)}
	client, url := &http.Client{Transport: at}, "http://campfire"
	return &worker{
		network: transport, messages: campfirev1connect.NewMessageServiceClient(client, url), events: campfirev1connect.NewEventServiceClient(client, url),
		rooms: campfirev1connect.NewRoomServiceClient(client, url), presence: campfirev1connect.NewPresenceServiceClient(client, url),
		search: campfirev1connect.NewSearchServiceClient(client, url),
	}
}

// from says through which address a call comes, as a proxy does.
type from struct {
	http.RoundTripper
	address string
}

func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Forwarded-For", f.address)
	return f.RoundTripper.RoundTrip(r)
}

// listen keeps a stream open until ctx ends, through every outage.
func (w *worker) listen(ctx context.Context, outages <-chan struct{}) {
	token := ""
	for ctx.Err() == nil {
		streaming, hangUp := context.WithCancel(ctx)
		go func() {
			select {
			case <-outages:
			case <-streaming.Done():
			}
			hangUp()
		}()
		stream, err := w.events.Subscribe(streaming, &campfirev1.SubscribeRequest{ResumeToken: token})
		for err == nil && stream.Receive() {
			e := stream.Msg()
			if e.GetResumeToken() != "" {
				token = e.GetResumeToken()
			}
			if e.GetMessageCreated() != nil {
				w.heard.Add(1)
			}
			if e.GetResyncRequired() != nil {
				w.missed.Add(1)
			}
		}
		hangUp()
		w.network.CloseIdleConnections()
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rand.Int64N(int64(time.Second)))):
		}
	}
}

// does something that people do.
func (w *worker) does(ctx context.Context, rooms []int64, last *atomic.Int64) error {
	room := rooms[min(int(rand.ExpFloat64()*2), len(rooms)-1)] // some rooms are livelier
	res, err := w.messages.PostMessage(ctx, &campfirev1.PostMessageRequest{RoomId: room, Body: &campfirev1.PostMessageRequest_Text{Text: sentence()}})
	if err != nil {
		return err
	}
	id := res.GetMessage().GetId()
	then := last.Swap(id)
	switch chance := rand.IntN(100); {
	case chance < 15 && then != 0:
		_, err = w.messages.AddBoost(ctx, &campfirev1.AddBoostRequest{MessageId: then, Content: "👍"})
	case chance < 20:
		_, err = w.messages.EditMessage(ctx, &campfirev1.EditMessageRequest{MessageId: id, Body: &campfirev1.EditMessageRequest_Text{Text: sentence()}})
	case chance < 22:
		_, err = w.messages.DeleteMessage(ctx, &campfirev1.DeleteMessageRequest{MessageId: id})
	case chance < 42:
		_, err = w.messages.ListMessages(ctx, &campfirev1.ListMessagesRequest{RoomId: room})
	case chance < 50:
		_, err = w.rooms.ListRooms(ctx, &campfirev1.ListRoomsRequest{})
	case chance < 55:
		_, err = w.search.SearchMessages(ctx, &campfirev1.SearchMessagesRequest{Query: soakWords[rand.IntN(len(soakWords))]})
	case chance < 85:
		_, err = w.presence.StartTyping(ctx, &campfirev1.StartTypingRequest{RoomId: room})
	}
	if connect.CodeOf(err) == connect.CodeNotFound { // somebody has deleted it
		err = nil
	}
	return err
}

var soakWords = strings.Fields("lantern harbour meadow ledger violet copper thunder garden ribbon window castle button silver forest bridge candle")

func sentence() string {
	var words []string
	for range 3 + rand.IntN(25) {
		words = append(words, soakWords[rand.IntN(len(soakWords))]+strconv.Itoa(rand.IntN(50)))
	}
	return strings.Join(append(words, soakWords[rand.IntN(len(soakWords))]), " ")
}

// sample is what the metrics said at one moment.
type sample map[string]float64

// lookAt reads the metrics.
func lookAt(t *testing.T, url string) sample {
	t.Helper()
	res := must(http.Get(url))(t)
	defer res.Body.Close()
	s := sample{}
	for line := range strings.Lines(string(must(io.ReadAll(res.Body))(t))) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), " "); found && name != "#" {
			s[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return s
}

// quantile estimates one of a call's times between two samples, in milliseconds.
func quantile(before, after sample, procedure string, q float64) float64 {
	bounds := []string{"0.0005", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.5", "1", "5", "30", "+Inf"}
	count := func(bound string) float64 {
		name := fmt.Sprintf(`campfire_call_seconds_bucket{code="ok",procedure="%s",le="%s"}`, procedure, bound)
		return after[name] - before[name]
	}
	wanted, low, below := q*count("+Inf"), 0.0, 0.0
	for _, bound := range bounds {
		high, _ := strconv.ParseFloat(bound, 64)
		if within := count(bound); within >= wanted && within > below {
			return 1000 * (low + (min(high, 30)-low)*(wanted-below)/(within-below))
		} else if high < 30 {
			low, below = high, within
		}
	}
	return 0
}

// bareDisk is what the disk does meanwhile for one who only writes a page and has it synced: no post can be faster. Other
// work on the machine shows here.
type bareDisk struct {
	mu   sync.Mutex
	took []float64 // milliseconds
}

func (d *bareDisk) work(ctx context.Context, t *testing.T, file string) {
	f, err := os.Create(file)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for tick := time.Tick(200 * time.Millisecond); ctx.Err() == nil; <-tick {
		began := time.Now()
		_, err := f.WriteAt(make([]byte, 4096), 0)
		if err := errors.Join(err, f.Sync()); err != nil {
			t.Error(err)
			return
		}
		d.mu.Lock()
		d.took = append(d.took, float64(time.Since(began).Microseconds())/1000)
		d.mu.Unlock()
	}
}

// lately is one of its times in the last minute.
func (d *bareDisk) lately(q float64) float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	took := slices.Sorted(slices.Values(d.took[max(0, len(d.took)-300):]))
	if len(took) == 0 {
		return 0
	}
	return took[int(q*float64(len(took)-1))]
}

// A long time under many times the traffic of a working day: nothing grows that should not.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("takes long: make soak")
	}
	program, data := build(t), t.TempDir()
	server := start(t, program, data, "--trusted-proxies", "127.0.0.0/8", "--metrics-addr", "127.0.0.1:0", "--backups", "2")
	metrics := "http://" + server.says(t, `msg=metrics address=(\S+)`) + "/metrics"
	at := address{host: new(atomic.Pointer[string])}
	at.host.Store(&server.host)
	at.token = setUp(t, at)
	people, rooms := soakCompany(t, at)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	outages := make(chan struct{})
	var busy sync.WaitGroup
	var last, done, failed atomic.Int64
	for i, w := range people {
		busy.Go(func() { w.listen(ctx, outages) })
		busy.Go(func() {
			const pause = time.Second * soakPeople / soakPace
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Duration(rand.ExpFloat64() * float64(pause))):
				}
				if err := w.does(ctx, rooms, &last); err != nil && ctx.Err() == nil {
					failed.Add(1)
					t.Logf("person %d: %v", i, err)
				}
				done.Add(1)
			}
		})
	}
	disk := &bareDisk{}
	busy.Go(func() { disk.work(ctx, t, filepath.Join(data, "bare")) })
	samples := []sample{lookAt(t, metrics)}
	nextOutage := time.Now().Add(soakOutage)
	for began := time.Now(); time.Since(began) < *soak; {
		time.Sleep(soakPerSample)
		if time.Now().After(nextOutage) {
			nextOutage = nextOutage.Add(soakOutage)
			for range people {
				outages <- struct{}{}
			}
			backup := filepath.Join(t.TempDir(), "backup.db")
			must(campfireDoes(t, "backup", "--data", data, backup))(t)
			if err := os.Remove(backup); err != nil {
				t.Fatal(err)
			}
		}
		now := lookAt(t, metrics)
		now["bare_disk_p99"] = disk.lately(.99)
		samples = append(samples, now)
	}
	stop()
	busy.Wait()
	if out, err := campfireDoes(t, "check", "--data", data); err != nil {
		t.Errorf("check: %v %s", err, out)
	}
	heard, missed := int64(0), int64(0)
	for _, w := range people {
		heard += w.heard.Load()
		missed += w.missed.Load()
	}
	t.Logf("%d things done, %d failed; %d messages heard; told to load anew %d times", done.Load(), failed.Load(), heard, missed)
	if failed.Load() > 0 || missed > 0 {
		t.Error("not everything went well")
	}
	p := plotOf(samples)
	for _, panel := range p.panels {
		for _, line := range panel.lines {
			early, late := line.middles()
			t.Logf("%s, %s: %.3g early, %.3g late", panel.title, line.name, early, late)
			// The slowest of a hundred are as slow as whatever else the machine does: they are shown beside a bare sync, not judged.
			if panel.flat && !strings.HasPrefix(line.name, "p99") && late > early*1.25+panel.slack {
				t.Errorf("%s, %s grows from %.3g to %.3g", panel.title, line.name, early, late)
			}
		}
	}
	if *soakPlot != "" {
		if err := os.WriteFile(*soakPlot, []byte(p.svg()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// soakCompany has people join, and gives them rooms.
func soakCompany(t *testing.T, at address) (people []*worker, rooms []int64) {
	t.Helper()
	at.RoundTripper = http.DefaultTransport
	david := &http.Client{Transport: at}
	code := must(campfirev1connect.NewAccountServiceClient(david, "http://campfire").GetJoinCode(t.Context(), &campfirev1.GetJoinCodeRequest{}))(t)
	var ids []int64
	for i := range soakPeople {
		stranger := at
		stranger.token, stranger.RoundTripper = "", from{http.DefaultTransport, fmt.Sprintf("203.0.113.%d", i+1)}
		sessions := campfirev1connect.NewSessionServiceClient(&http.Client{Transport: stranger}, "http://campfire")
		joined := must(sessions.Join(t.Context(), &campfirev1.JoinRequest{
			JoinCode: code.GetJoinCode(), Name: fmt.Sprint("Person ", i), EmailAddress: fmt.Sprintf("person%d@campfire.example", i), Password: "secret",
		}))(t)
		ids = append(ids, joined.GetUser().GetId())
		people = append(people, workerAs(at, i, joined.GetSessionToken()))
	}
	rooms = []int64{firstRoom(t, at)}
	for i := range 9 {
		room := must(campfirev1connect.NewRoomServiceClient(david, "http://campfire").CreateRoom(t.Context(), &campfirev1.CreateRoomRequest{
			Kind: campfirev1.RoomKind_ROOM_KIND_CLOSED, Name: fmt.Sprint("Room ", i), MemberIds: ids,
		}))(t)
		rooms = append(rooms, room.GetRoom().GetId())
	}
	return people, rooms
}

// plot is what a soak's samples look like.
type plot struct{ panels []panel }

// panel is a part of a plot, with an axis of its own.
type panel struct {
	title, unit string
	flat        bool    // whether it may grow by no more than a quarter, and the slack
	slack       float64 // in its unit
	lines       []line
}

type line struct {
	name   string
	values []float64
}

// middles are the medians of the second quarter and of the last: the first is for warming up.
func (l line) middles() (early, late float64) {
	middle := func(values []float64) float64 {
		if len(values) == 0 {
			return 0
		}
		return slices.Sorted(slices.Values(values))[len(values)/2]
	}
	n := len(l.values)
	return middle(l.values[n/4 : n/2]), middle(l.values[n*3/4:])
}

func plotOf(samples []sample) plot {
	gauge := func(name string, unit float64) (values []float64) {
		for _, s := range samples[1:] {
			values = append(values, s[name]/unit)
		}
		return values
	}
	rate := func(name string) (values []float64) {
		for i := range samples[1:] {
			values = append(values, (samples[i+1][name]-samples[i][name])/soakPerSample.Seconds())
		}
		return values
	}
	times := func(procedure string, q float64) (values []float64) {
		for i := range samples[1:] {
			values = append(values, quantile(samples[max(0, i-5)], samples[i+1], procedure, q)) // over a minute
		}
		return values
	}
	const mega = 1e6
	post, read := campfirev1connect.MessageServicePostMessageProcedure, campfirev1connect.MessageServiceListMessagesProcedure
	return plot{[]panel{
		{"Memory", "MB", true, 8, []line{{"resident", gauge("process_resident_memory_bytes", mega)}, {"Go's heap in use", gauge("go_memstats_heap_inuse_bytes", mega)}}},
		{"Goroutines and streams", "", true, 10, []line{{"goroutines", gauge("go_goroutines", 1)}, {"open streams", gauge("campfire_streams_open", 1)}}},
		{"Write-ahead log", "MB", true, 1, []line{{"its file", gauge("campfire_wal_bytes", mega)}}},
		{"Posting a message", "ms", true, 2, []line{{"p50", times(post, .5)}, {"p99", times(post, .99)}, {"p99 of a bare sync", gauge("bare_disk_p99", 1)}}},
		{"Reading a page", "ms", true, 2, []line{{"p50", times(read, .5)}, {"p99", times(read, .99)}}},
		{"Processor", "cores", true, .1, []line{{"in use", rate("process_cpu_seconds_total")}}},
		{"Events delivered", "a second", false, 0, []line{{"to all streams", rate("campfire_events_delivered_total")}}},
		{"Database", "MB", false, 0, []line{{"its file, which grows with what is said", gauge("campfire_database_bytes", mega)}}},
	}}
}

// svg draws the plot, for pages light and dark.
func (p plot) svg() string {
	const width, height, left, top, gap = 880, 110, 100, 26, 44
	var b strings.Builder
	whole := top + len(p.panels)*(height+gap)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12">`+"\n", width+left+20, whole)
	b.WriteString("<style>text{fill:#333}.g{stroke:#8884}.l{fill:none;stroke-width:1.5}.a{stroke:#2268c9}.b{stroke:#d9661f}.c{stroke:#3a9a55}.ta{fill:#2268c9}.tb{fill:#d9661f}.tc{fill:#3a9a55}" +
		"@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>\n")
	for i, panel := range p.panels {
		y := top + i*(height+gap)
		most := 0.0
		for _, line := range panel.lines {
			most = max(most, slices.Max(line.values))
		}
		most = niceAbove(most)
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-weight="600">%s</text>`+"\n", left, y-8, panel.title)
		for _, part := range []float64{0, .5, 1} {
			at := float64(y) + height*(1-part)
			fmt.Fprintf(&b, `<path class="g" d="M%d %.1fh%d"/><text x="%d" y="%.1f" text-anchor="end">%.4g %s</text>`+"\n", left, at, width, left-6, at+4, most*part, panel.unit)
		}
		for j, line := range panel.lines {
			class := string(rune('a' + j))
			fmt.Fprintf(&b, `<text class="t%s" x="%d" y="%d" text-anchor="end">%s</text>`+"\n", class, left+width-j*130, y-8, line.name)
			fmt.Fprintf(&b, `<path class="l %s" d="`, class)
			for k, value := range line.values {
				command := "L"
				if k == 0 {
					command = "M"
				}
				fmt.Fprintf(&b, "%s%.1f %.1f", command, left+width*float64(k)/float64(max(1, len(line.values)-1)), float64(y)+height*(1-value/most))
			}
			b.WriteString("\"/>\n")
		}
	}
	minutes := float64(len(p.panels[0].lines[0].values)) * soakPerSample.Minutes()
	for part := range 5 {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%.3g min</text>`+"\n", left+width*part/4, whole-gap+20, minutes*float64(part)/4)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// niceAbove is the next round number.
func niceAbove(value float64) float64 {
	if value <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(value)))
	for _, step := range []float64{1, 2, 4, 5, 10} {
		if step*unit >= value {
			return step * unit
		}
	}
	return 10 * unit
}
