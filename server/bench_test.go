package server

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
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

// BenchmarkFanOut is how fast messages of 4 posters reach all of 200 streams, beside a loop that writes the bytes of an
// event to as many connections.
func BenchmarkFanOut(b *testing.B) {
	const streams, posters, ahead = 200, 4, 500 // so far may the posters be ahead of the slowest
	campfire := newCampfire(b, func(s *setup) { s.MaxStreamsPerUser = streams })
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

	b.ResetTimer()
	began := time.Now()
	var group, posting sync.WaitGroup
	for i, r := range readers {
		group.Go(func() {
			for range b.N {
				bytes := r.next(b)
				for bytes[0] != 0x0a { // an unread mark: it has no resume token
					bytes = r.next(b)
				}
				if i == 0 && frame == nil {
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
	b.StopTimer()
	bare := bareFrames(b, streams, b.N, frame)
	b.ReportMetric(messages, "messages/s")
	b.ReportMetric(bare, "frames/s")
	b.ReportMetric(messages/bare, "ratio")
}

// bareFrames is how many frames a second reach all connections when a goroutine for each writes them one by one.
func bareFrames(b *testing.B, connections, count int, frame []byte) (perSecond float64) {
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
	began := time.Now()
	close(start)
	group.Wait()
	return float64(count) / time.Since(began).Seconds()
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
	body     io.Reader
	buffer   []byte
	messages atomic.Int64
}

func subscribeLean(b *testing.B, p *person) *frames {
	conn := must(net.Dial("tcp", strings.TrimPrefix(p.campfire.url, "http://")))(b)
	request := leanRequest(p, campfirev1connect.EventServiceSubscribeProcedure, "application/connect+proto", make([]byte, 5))
	if _, err := conn.Write(request); err != nil {
		b.Fatal(err)
	}
	res := must(http.ReadResponse(bufio.NewReader(conn), nil))(b)
	return &frames{conn: conn, body: bufio.NewReader(res.Body)}
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
