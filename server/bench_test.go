package server

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
	"campfire.example/store"
)

// The figures of each benchmark stand beside those of a bare loop that does the same without what makes it Campfire, in the
// same run and by the same client: only their ratio can be compared between machines. The client is lean: it shares the
// processors with the server.

// BenchmarkPost is how fast 16 clients post, beside a handler that answers nothing to the same requests.
func BenchmarkPost(b *testing.B) {
	campfire := newCampfire(b)
	david := campfire.as("David")
	_, handler := campfirev1connect.NewMessageServiceHandler(silent{})
	echo := httptest.NewServer(handler)
	defer echo.Close()
	request := postRequest(b, david, "Hello, all of you")
	measure := func(address string, calls int) (perSecond float64, latencies []time.Duration) {
		const clients = 16
		var group sync.WaitGroup
		var mu sync.Mutex
		var left atomic.Int64
		left.Store(int64(calls))
		began := time.Now()
		for range clients {
			group.Go(func() {
				client := dialLean(b, address, request)
				defer client.Close()
				var mine []time.Duration
				for left.Add(-1) >= 0 {
					began := time.Now()
					client.call(b)
					mine = append(mine, time.Since(began))
				}
				mu.Lock()
				defer mu.Unlock()
				latencies = append(latencies, mine...)
			})
		}
		group.Wait()
		return float64(calls) / time.Since(began).Seconds(), latencies
	}
	measure(campfire.url, 1000) // prepared statements, pools
	measure(echo.URL, 1000)
	b.ResetTimer()
	posts, latencies := measure(campfire.url, b.N)
	b.StopTimer()
	echoes, _ := measure(echo.URL, b.N)
	slices.Sort(latencies)
	b.ReportMetric(posts, "posts/s")
	b.ReportMetric(latencies[len(latencies)*99/100].Seconds()*1000, "p99-ms")
	b.ReportMetric(echoes, "echo/s")
	b.ReportMetric(posts/echoes, "ratio")
}

// BenchmarkFanOut is how fast messages of 4 posters reach all of 1,000 streams, none lost and none twice, beside a loop that
// writes the bytes of an event to as many connections. Where others use the machine, the processor's time tells more than
// the clock.
func BenchmarkFanOut(b *testing.B) {
	const streams, posters, ahead = 1000, 4, 500 // so far may the posters be ahead of the slowest
	campfire := newCampfire(b, func(s *setup) {
		s.Streams = StreamLimits{PerSession: streams, PerUser: streams}
		s.timing.heartbeat = time.Hour // it would look like a message
	})
	david, jason := campfire.as("David"), campfire.as("Jason")
	request := postRequest(b, david, "Hello, all of you")
	readers := make([]*frames, streams)
	for i := range readers {
		readers[i] = subscribeLean(b, jason)
		defer readers[i].conn.Close()
		readers[i].next(b) // hello
	}
	var frame []byte // of one event
	slowest := func() (least int64) {
		least = readers[0].messages.Load()
		for _, r := range readers {
			least = min(least, r.messages.Load())
		}
		return least
	}
	first, sums := []int64{}, make([]uint32, streams)

	b.ResetTimer()
	began, cpu := time.Now(), processorTime(b)
	var group, posting sync.WaitGroup
	for i, r := range readers {
		group.Go(func() {
			for range b.N {
				bytes := r.next(b)
				for bytes[0] != 0x0a { // an unread mark: it has no resume token
					bytes = r.next(b)
				}
				sums[i] = crc32.Update(sums[i], crc32.IEEETable, bytes)
				if i == 0 {
					first = append(first, idOf(b, bytes))
					frame = slices.Clone(bytes)
				}
				r.messages.Add(1)
			}
		})
	}
	var posted atomic.Int64
	for range posters {
		posting.Go(func() {
			client := dialLean(b, campfire.url, request)
			defer client.Close()
			for n := posted.Add(1); n <= int64(b.N); n = posted.Add(1) {
				for n%20 == 0 && slowest()+ahead < n {
					time.Sleep(100 * time.Microsecond)
				}
				client.call(b)
			}
		})
	}
	posting.Wait()
	group.Wait()
	messages := float64(b.N) / time.Since(began).Seconds()
	cpu = processorTime(b) - cpu
	b.StopTimer()

	// The first reader has heard each message once and in order, and all others the same as the first.
	for i, m := range campfire.newest(b, campfire.Designers, min(b.N, 100)) {
		if got := first[len(first)-min(b.N, 100)+i]; got != m.ID {
			b.Fatalf("the first reader heard message %d for %d", got, m.ID)
		}
	}
	for i := range first {
		if i > 0 && first[i] != first[i-1]+1 {
			b.Fatalf("the first reader heard message %d after %d", first[i], first[i-1])
		}
	}
	for i := range sums {
		if sums[i] != sums[0] {
			b.Fatalf("reader %d has heard something else than the first", i)
		}
	}
	var writes int64
	for _, r := range readers {
		writes += r.reads.Load()
	}
	deliveries := float64(b.N) * streams
	bare, bareCPU := bareFrames(b, streams, b.N, frame)
	b.ReportMetric(messages, "messages/s")
	b.ReportMetric(bare, "frames/s")
	b.ReportMetric(messages/bare, "ratio")
	b.ReportMetric(float64(cpu.Nanoseconds())/deliveries, "cpu-ns/delivery")
	b.ReportMetric(float64(bareCPU)/float64(cpu), "cpu-ratio")
	b.ReportMetric(deliveries/float64(writes), "deliveries/read")
}

// bareFrames is how many frames a second reach all connections when a goroutine for each writes them one by one.
func bareFrames(b *testing.B, connections, count int, frame []byte) (perSecond float64, cpu time.Duration) {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(b)
	defer listener.Close()
	envelope := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(frame))), frame...)
	var group sync.WaitGroup
	start := make(chan struct{})
	for range connections {
		reader := &frames{conn: must(net.Dial("tcp", listener.Addr().String()))(b)}
		defer reader.conn.Close()
		reader.body = bufio.NewReader(reader.conn)
		conn := must(listener.Accept())(b)
		defer conn.Close()
		group.Go(func() {
			<-start
			for range count {
				if _, err := conn.Write(envelope); err != nil {
					b.Error(err)
					return
				}
			}
		})
		group.Go(func() {
			for range count {
				reader.next(b)
			}
		})
	}
	began, cpu := time.Now(), processorTime(b)
	close(start)
	group.Wait()
	return float64(count) / time.Since(began).Seconds(), processorTime(b) - cpu
}

// processorTime is what this process has used so far, server and client together.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// idOf is the id of the message that an event brings.
func idOf(b *testing.B, frame []byte) int64 {
	var e campfirev1.SubscribeResponse
	if err := proto.Unmarshal(frame, &e); err != nil {
		b.Fatal(err)
	}
	return e.GetMessageCreated().GetMessage().GetId()
}

// newest are the last messages of a room.
func (c *campfire) newest(b *testing.B, room store.Room, count int) []store.Message {
	messages, _, _, err := c.ListMessages(b.Context(), c.David.ID, room.ID, store.MessagesPage{Size: count})
	if err != nil || len(messages) != count {
		b.Fatalf("got %d messages, %v; want %d", len(messages), err, count)
	}
	return messages
}

// BenchmarkIdleStreams is what the server keeps for each of 10,000 streams on which nothing happens. Their readers are
// another process, as one may not have as many sockets open.
func BenchmarkIdleStreams(b *testing.B) {
	const streams = 10_000
	for range b.N {
		campfire := newCampfire(b, func(s *setup) {
			s.Streams = StreamLimits{PerSession: streams, PerUser: streams, PerAddress: streams}
			s.timing.heartbeat = time.Hour
		})
		jason := campfire.as("Jason")
		before := memory()
		readers := exec.Command(os.Args[0])
		readers.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %x", idleReaders, strings.TrimPrefix(campfire.url, "http://"), streams, subscribeRequest(jason)))
		open := must(readers.StdoutPipe())(b)
		enough := must(readers.StdinPipe())(b)
		if err := readers.Start(); err != nil {
			b.Fatal(err)
		}
		if said, err := bufio.NewReader(open).ReadString('\n'); err != nil {
			b.Fatalf("the readers said %q, %v", said, err)
		}
		wantEqual(b, "open streams", streamsOf(campfire, jason.id), streams)
		b.ReportMetric((memory()-before)/streams, "B/stream")
		enough.Close()
		if err := readers.Wait(); err != nil {
			b.Error(err)
		}
		wantNoStreams(b, campfire)
	}
}

// idleReaders is set for a process that only opens streams: to the address, how many, and the request in hexadecimal.
const idleReaders = "CAMPFIRE_IDLE_READERS"

func TestMain(m *testing.M) {
	if os.Getenv(idleReaders) == "" {
		os.Exit(m.Run())
	}
	if err := readIdly(os.Getenv(idleReaders)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// readIdly opens streams, says so, and keeps them until its input ends.
func readIdly(asked string) error {
	var address string
	var streams int
	var request []byte
	if _, err := fmt.Sscanf(asked, "%s %d %x", &address, &streams, &request); err != nil {
		return err
	}
	for range streams {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.Write(request); err != nil {
			return err
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		if _, err := res.Body.Read(make([]byte, 1)); err != nil || res.StatusCode != http.StatusOK {
			return fmt.Errorf("got %s, %w", res.Status, err)
		}
	}
	fmt.Println("open")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// memory is what the heap and the stacks take, without what could be let go.
func memory() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// silent answers nothing to a post.
type silent struct {
	campfirev1connect.UnimplementedMessageServiceHandler
}

func (silent) PostMessage(context.Context, *campfirev1.PostMessageRequest) (*campfirev1.PostMessageResponse, error) {
	return &campfirev1.PostMessageResponse{}, nil
}

// postRequest is a whole HTTP request that posts to Designers.
func postRequest(b *testing.B, p *person, text string) []byte {
	body := must(proto.Marshal(&campfirev1.PostMessageRequest{RoomId: p.campfire.Designers.ID, Body: textOf(text)}))(b)
	return leanRequest(p, campfirev1connect.MessageServicePostMessageProcedure, "application/proto", body)
}

func leanRequest(p *person, procedure, kind string, body []byte) []byte {
	return append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: campfire\r\nContent-Type: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n",
		procedure, kind, p.token, len(body)), body...)
}

// leanClient sends the same request again and again over one connection.
type leanClient struct {
	net.Conn
	request []byte
	answers *bufio.Reader
}

func dialLean(b *testing.B, url string, request []byte) leanClient {
	conn := must(net.Dial("tcp", strings.TrimPrefix(url, "http://")))(b)
	return leanClient{conn, request, bufio.NewReader(conn)}
}

func (c leanClient) call(b *testing.B) {
	if _, err := c.Write(c.request); err != nil {
		b.Fatal(err)
	}
	length, status := 0, ""
	for {
		line, err := c.answers.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if status == "" {
			status = string(line)
		}
		if len(line) == 2 {
			break
		}
		if value, found := strings.CutPrefix(string(line), "Content-Length: "); found {
			_, _ = fmt.Sscan(value, &length) // a length that is none shows at once
		}
	}
	if _, err := c.answers.Discard(length); err != nil || !strings.HasPrefix(status, "HTTP/1.1 200") {
		b.Fatalf("a call: got %q, %v", status, err)
	}
}

// frames are the messages of one stream as they come, undecoded.
type frames struct {
	conn     net.Conn
	reads    atomic.Int64 // from the socket
	body     io.Reader
	buffer   []byte
	messages atomic.Int64
}

func subscribeRequest(p *person) []byte {
	return leanRequest(p, campfirev1connect.EventServiceSubscribeProcedure, "application/connect+proto", make([]byte, 5))
}

func subscribeLean(b *testing.B, p *person) *frames {
	conn := must(net.Dial("tcp", strings.TrimPrefix(p.campfire.url, "http://")))(b)
	if _, err := conn.Write(subscribeRequest(p)); err != nil {
		b.Fatal(err)
	}
	f := &frames{conn: conn}
	res := must(http.ReadResponse(bufio.NewReader(f), nil))(b)
	f.body = bufio.NewReader(res.Body)
	return f
}

// Read implements io.Reader: it counts.
func (f *frames) Read(p []byte) (int, error) {
	f.reads.Add(1)
	return f.conn.Read(p)
}

func (f *frames) next(b *testing.B) []byte {
	var head [5]byte
	_, err := io.ReadFull(f.body, head[:])
	if err == nil && head[0] != 0 {
		err = errors.New("the stream has ended")
	}
	if err == nil {
		f.buffer = slices.Grow(f.buffer[:0], int(binary.BigEndian.Uint32(head[1:])))[:binary.BigEndian.Uint32(head[1:])]
		_, err = io.ReadFull(f.body, f.buffer)
	}
	if err != nil {
		b.Fatal(err)
	}
	return f.buffer
}
