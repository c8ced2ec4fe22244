package server

import (
	"context"
	"fmt"
	"io"
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
	"campfire.example/store"
	"campfire.example/store/storetest"
)

// BenchmarkSearch is how fast 16 readers search 100,000 messages, beside a handler that answers nothing to the same
// requests: for a word in five of them, for one in all of them, and for that one by someone who may see none of them.
func BenchmarkSearch(b *testing.B) {
	const messages = 100_000
	campfire := newCampfire(b)
	history(b, campfire, messages)
	_, handler := campfirev1connect.NewSearchServiceHandler(noResults{})
	echo := httptest.NewServer(handler)
	defer echo.Close()
	for _, search := range []struct {
		name, query string
		by          *person
		size, want  int
	}{
		{"rare word", "hovercraft", campfire.as("Jason"), 100, 5},
		{"common word, 20 newest", "common", campfire.as("Jason"), 20, 20},
		{"common word, 100 newest", "common", campfire.as("Jason"), 100, 100},
		{"two words", "common w421", campfire.as("Jason"), 100, 100},
		{"no access", "common", campfire.as("Kevin"), 100, 0},
	} {
		b.Run(search.name, func(b *testing.B) {
			req := &campfirev1.SearchMessagesRequest{Query: search.query, PageSize: int32(search.size)}
			if got := len(must(search.by.SearchMessages(b.Context(), req))(b).GetResults()); got != search.want {
				b.Fatalf("found %d, want %d", got, search.want)
			}
			request := leanRequest(search.by, campfirev1connect.SearchServiceSearchMessagesProcedure, "application/proto", must(proto.Marshal(req))(b))
			byMany(b, campfire.url, request, 100)
			byMany(b, echo.URL, request, 100)
			b.ResetTimer()
			searches, latencies := byMany(b, campfire.url, request, b.N)
			b.StopTimer()
			echoes, _ := byMany(b, echo.URL, request, b.N)
			b.ReportMetric(searches, "searches/s")
			b.ReportMetric(latencies[len(latencies)*99/100].Seconds()*1000, "p99-ms")
			b.ReportMetric(searches/echoes, "ratio")
		})
	}
}

// byMany sends the same request over 16 connections at once, and answers how many calls a second that are and how long
// each took, sorted.
func byMany(b *testing.B, address string, request []byte, calls int) (perSecond float64, latencies []time.Duration) {
	var group sync.WaitGroup
	var mu sync.Mutex
	var left atomic.Int64
	left.Store(int64(calls))
	began := time.Now()
	for range 16 {
		group.Go(func() {
			client := dialLean(b, address, request)
			defer client.Close()
			var mine []time.Duration
			for left.Add(-1) >= 0 {
				began := time.Now()
				client.fetch(b)
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, mine...)
		})
	}
	group.Wait()
	perSecond = float64(calls) / time.Since(began).Seconds()
	slices.Sort(latencies)
	return perSecond, latencies
}

// fetch is call for an answer of any length.
func (c leanClient) fetch(b *testing.B) {
	if _, err := c.Write(c.request); err != nil {
		b.Fatal(err)
	}
	res, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		b.Fatalf("a call: got %s, %v", res.Status, err)
	}
}

// history lets David and Jason talk in Designers for long.
func history(b *testing.B, campfire *campfire, messages int) {
	b.Helper()
	var group sync.WaitGroup
	var next atomic.Int64
	for range 64 {
		group.Go(func() {
			for i := next.Add(1); i <= int64(messages); i = next.Add(1) {
				text := fmt.Sprintf("A common message, w%d, of about as many words as people write when they talk %s", i%1000,
					strings.Repeat("hovercraft", int((i%20_000)/19_999)))
				by := []store.User{campfire.David, campfire.Jason}[i%2]
				if _, err := campfire.Store.PostMessage(context.Background(), by.ID, store.Post{RoomID: campfire.Designers.ID, Body: storetest.Body(text)}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

// noResults answers nothing to a search.
type noResults struct {
	campfirev1connect.UnimplementedSearchServiceHandler
}

func (noResults) SearchMessages(context.Context, *campfirev1.SearchMessagesRequest) (*campfirev1.SearchMessagesResponse, error) {
	return &campfirev1.SearchMessagesResponse{}, nil
}
