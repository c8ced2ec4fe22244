package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"campfire.example/store"
	"campfire.example/store/storetest"
)

// search answers what someone finds, in short.
func search(t testing.TB, s *store.Store, user store.User, query string) (texts []string) {
	t.Helper()
	for _, f := range must(s.SearchMessages(t.Context(), user.ID, query, 0, false))(t) {
		texts = append(texts, f.Message.Body.Text)
	}
	return texts
}

func TestSearchFindsAllWordsInAnyOrderAndInflection(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for _, text := range []string{
		"My hovercraft is full of eels", "An eel, alone", "Hovercrafts are fast", "Über den Wolken: naïve façade", "snake_case and 3.14",
		"今日は東京タワーに行きました", "我喜欢编程", "안녕하세요 세계", "AND OR NOT NEAR", "C3PO met R2D2", "100% sure",
	} {
		post(t, campfire.Store, campfire.David, campfire.Designers.ID, text)
	}
	for query, want := range map[string][]string{
		"eel":              {"My hovercraft is full of eels", "An eel, alone"},
		"EELS":             {"My hovercraft is full of eels", "An eel, alone"},
		"eels hovercraft":  {"My hovercraft is full of eels"},
		"hovercrafting":    {"My hovercraft is full of eels", "Hovercrafts are fast"},
		"uber facade":      {"Über den Wolken: naïve façade"},
		"snake_case":       {"snake_case and 3.14"},
		"3.14":             {"snake_case and 3.14"},
		"东京":               nil,
		"東京":               {"今日は東京タワーに行きました"},
		"タワー":              {"今日は東京タワーに行きました"},
		"京東":               nil,
		"编程":               {"我喜欢编程"},
		"喜":                {"我喜欢编程"},
		"세계":               {"안녕하세요 세계"},
		"AND":              {"snake_case and 3.14", "AND OR NOT NEAR"},
		"NEAR AND":         {"AND OR NOT NEAR"},
		"alone NOT eel":    nil,
		`"eel" OR "fast"`:  nil,
		`"`:                nil,
		"eel*":             {"My hovercraft is full of eels", "An eel, alone"},
		"ee":               nil,
		"body_text:eel":    nil,
		"-eel":             {"My hovercraft is full of eels", "An eel, alone"},
		"(eel":             {"My hovercraft is full of eels", "An eel, alone"},
		"^eel + {alone}":   {"An eel, alone"},
		"r2d2":             {"C3PO met R2D2"},
		"100%":             {"100% sure"},
		"😀":                nil,
		"_":                nil,
		"eel _ alone":      {"An eel, alone"},
		"\u0301":           nil,
		"\x00eel\x02":      {"My hovercraft is full of eels", "An eel, alone"},
		"\xff\xfe":         nil,
		"a":                nil,
		"   ":              nil,
		"":                 nil,
		"room_id : 1":      nil,
		"eel\nalone":       {"An eel, alone"},
		"span":             nil,
		"hovercraft'; --":  {"My hovercraft is full of eels", "Hovercrafts are fast"},
		"NEAR(eel alone)":  nil,
		"wolken ӧ":         nil,
		"e\u0301el":        {"My hovercraft is full of eels", "An eel, alone"},
		"full   of   eels": {"My hovercraft is full of eels"},
	} {
		wantEqual(t, fmt.Sprintf("found for %q", query), search(t, campfire.Store, campfire.Jason, query), want)
	}
	_, err := campfire.SearchMessages(t.Context(), campfire.Jason.ID, strings.Repeat("é", 201), 0, true)
	wantInvalid(t, "201 characters", err, "query")
	must(campfire.SearchMessages(t.Context(), campfire.Jason.ID, strings.Repeat("é ", 100), 0, true))(t)
	_, err = campfire.SearchMessages(t.Context(), campfire.Jason.ID, "eel", -1, true)
	wantInvalid(t, "a negative page", err, "page_size")
}

func TestSearchKnowsOnlyOnesOwnRooms(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx, david, jason, kevin := t.Context(), campfire.David, campfire.Jason, campfire.Kevin
	post(t, campfire.Store, david, campfire.AllTalk.ID, "eels for all")
	post(t, campfire.Store, david, campfire.Designers.ID, "eels for designers")
	ping := direct(t, campfire, jason, kevin)
	post(t, campfire.Store, jason, ping.ID, "eels for Kevin")
	room := fmt.Sprint(campfire.Designers.ID)
	wantEqual(t, "David finds", search(t, campfire.Store, david, "eels"), []string{"eels for all", "eels for designers"})
	wantEqual(t, "Jason finds", search(t, campfire.Store, jason, "eels"), []string{"eels for all", "eels for designers", "eels for Kevin"})
	wantEqual(t, "Kevin finds", search(t, campfire.Store, kevin, "eels"), []string{"eels for all", "eels for Kevin"})
	wantEqual(t, "Kevin finds by the room's number", search(t, campfire.Store, kevin, "designers "+room), []string(nil))

	must(campfire.SetInvolvement(ctx, jason.ID, campfire.Designers.ID, store.Invisible))(t)
	found := must(campfire.SearchMessages(ctx, jason.ID, "eels", 0, false))(t)
	var rooms []string
	for _, f := range found {
		rooms = append(rooms, f.RoomName)
	}
	wantEqual(t, "the rooms, as Jason sees them", rooms, []string{"All Talk", "Designers", "Kevin"})
	must(campfire.UpdateRoom(ctx, david.ID, campfire.Designers.ID, store.RoomChanges{Revoke: []int64{jason.ID}}))(t)
	wantEqual(t, "Jason, who has left, finds", search(t, campfire.Store, jason, "eels"), []string{"eels for all", "eels for Kevin"})
}

// However many of the newest matches are in other people's rooms, one's own are found.
func TestSearchPassesOverOtherPeoplesRooms(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	var want []string
	for i := range 900 {
		if i < 60 || i%100 == 0 {
			want = append(want, fmt.Sprint("eel ", i))
			post(t, campfire.Store, campfire.David, campfire.AllTalk.ID, want[len(want)-1])
		}
		post(t, campfire.Store, campfire.David, campfire.Designers.ID, fmt.Sprint("eel aside ", i))
	}
	wantEqual(t, "Kevin finds", search(t, campfire.Store, campfire.Kevin, "eel"), want)
	few := must(campfire.SearchMessages(t.Context(), campfire.Kevin.ID, "eel", 10, false))(t)
	var got []string
	for _, f := range few {
		got = append(got, f.Message.Body.Text)
	}
	wantEqual(t, "the newest ten", got, want[len(want)-10:])
	wantEqual(t, "David finds", len(search(t, campfire.Store, campfire.David, "eel")), 100)
	wantEqual(t, "what Kevin finds of what is not his", search(t, campfire.Store, campfire.Kevin, "aside"), []string(nil))
}

func TestSearchAnswersTheNewestOldestFirst(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	for i := range 120 {
		post(t, campfire.Store, campfire.David, campfire.Designers.ID, fmt.Sprintf("eel %d%s", i, strings.Repeat(" eel", i%7)))
	}
	found := search(t, campfire.Store, campfire.David, "eel")
	wantEqual(t, "how many", len(found), 100)
	for i, text := range found {
		if want := fmt.Sprintf("eel %d", i+20); !strings.HasPrefix(text+" ", want+" ") {
			t.Fatalf("result %d: got %q, want %q", i, text, want)
		}
	}
	few := must(campfire.SearchMessages(t.Context(), campfire.David.ID, "eel", 2, false))(t)
	wantEqual(t, "the last of two", few[1].Message.Body.Text, "eel 119")
	wantEqual(t, "two", len(few), 2)
	wantEqual(t, "more than there may be", len(must(campfire.SearchMessages(t.Context(), campfire.David.ID, "eel", 1000, false))(t)), 100)
}

func TestSearchReflectsEditsAndDeletionsAtOnce(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	david, room := campfire.David, campfire.Designers.ID
	for _, words := range [][3]string{{"My eels", "eel", "Our sharks"}, {"我喜欢编程", "喜欢", "你好"}} {
		m := post(t, campfire.Store, david, room, words[0])
		wantEqual(t, "posted", search(t, campfire.Store, david, words[1]), words[:1])
		must(campfire.EditMessage(t.Context(), david.ID, m.ID, storetest.Body(words[2])))(t)
		wantEqual(t, "the old words", search(t, campfire.Store, david, words[1]), []string(nil))
		wantEqual(t, "the new words", search(t, campfire.Store, david, words[2]), words[2:])
		wantErr(t, "deleted", campfire.DeleteMessage(t.Context(), david.ID, m.ID), nil)
		wantEqual(t, "a deleted message", search(t, campfire.Store, david, words[2]), []string(nil))
	}
	wantSearchIndexInStep(t, campfire)
}

func TestTheIndexFollowsWritesThatShareACommit(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	ctx := t.Context()
	var talking sync.WaitGroup
	for range 16 {
		talking.Go(func() {
			for range 10 {
				first := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "a first draft")
				second := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "a second draft")
				must(campfire.EditMessage(ctx, campfire.David.ID, first.ID, storetest.Body("the final version")))(t)
				wantErr(t, "deleting", campfire.DeleteMessage(ctx, campfire.David.ID, second.ID), nil)
				_, err := campfire.PostMessage(ctx, campfire.Kevin.ID, store.Post{RoomID: campfire.Designers.ID, Body: storetest.Body("an intrusion")})
				wantErr(t, "Kevin, who is not there", err, store.ErrNotFound)
			}
		})
	}
	talking.Wait()
	wantEqual(t, "drafts", len(found(t, campfire, "draft")), 0)
	wantEqual(t, "versions", len(found(t, campfire, "version")), 160)
	wantSearchIndexInStep(t, campfire)
}

func TestAnExcerptShowsTheWordsFound(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	long := strings.Repeat("lorem ipsum ", 100) + "eels here " + strings.Repeat("dolor sit ", 100)
	for text, want := range map[string]string{
		"My hovercraft is full of eels":  "My hovercraft is full of [eels]",
		"One eel.\n\n\tTwo\x02 Eels\x03": "One [eel]. Two [Eels]",
		"<b>eel</b> & co":                "<b>[eel]</b> & co",
		"我的 eel 很喜欢编程":                   "我的 [eel] 很喜欢编程",
	} {
		post(t, campfire.Store, campfire.David, campfire.Designers.ID, text)
		wantEqual(t, "excerpt", shown(must(campfire.SearchMessages(t.Context(), campfire.David.ID, "eel", 1, false))(t)[0].Excerpt), want)
	}
	wantEqual(t, "Chinese", shown(must(campfire.SearchMessages(t.Context(), campfire.David.ID, "喜欢", 1, false))(t)[0].Excerpt), "我的 eel 很[喜欢]编程")
	post(t, campfire.Store, campfire.David, campfire.Designers.ID, long)
	excerpt := shown(must(campfire.SearchMessages(t.Context(), campfire.David.ID, "eel", 1, false))(t)[0].Excerpt)
	if !strings.Contains(excerpt, "[eels] here") || !strings.HasPrefix(excerpt, "…") || !strings.HasSuffix(excerpt, "…") {
		t.Errorf("got %q, want the middle of the message", excerpt)
	}
	for _, wall := range []string{
		strings.Repeat("x", 20_000) + "/eel/" + strings.Repeat("y", 20_000),
		"eel/" + strings.Repeat("é", 10_000),
		strings.Repeat("é", 10_000) + "/eel",
		strings.Repeat("eel", 5_000) + " eel",
		strings.Repeat("我", 10_000) + "eel" + strings.Repeat("我", 10_000),
	} {
		post(t, campfire.Store, campfire.David, campfire.Designers.ID, wall)
		excerpt := must(campfire.SearchMessages(t.Context(), campfire.David.ID, "eel", 1, false))(t)[0].Excerpt
		text := strings.NewReplacer("[", "", "]", "").Replace(shown(excerpt))
		if n := utf8.RuneCountInString(text); n > 300 || !strings.Contains(shown(excerpt), "[eel") {
			t.Errorf("got %d characters %.40q…, want at most 300 with the word found", n, shown(excerpt))
		}
	}
}

// TestWordsAreMarkedAsTheIndexFindsThem: texts of ASCII are marked by the store, others by SQLite, which has found both.
func TestWordsAreMarkedAsTheIndexFindsThem(t *testing.T) {
	t.Parallel()
	campfire := storetest.New(t)
	endings := strings.Fields(`. s es ies y ied ed eed ing ings er ers ly ate ated ation ational tional ator alism al ally ality ity ive
		ively ivity iveness ful fulness ous ously ousness ize izer ization ic ical icity icate ness ment ement ent ence ency able ably
		ability ible ibility ance ant ion sion tion sses ss ll lled lling le ling bly bilities logy ologi ism ist iti e ee e7 2nd`)
	for _, root := range strings.Fields(`a be hop hopp fil sens visib happ agre relat condit valen digit conform radic differ vil analog
		vietnam oper feudal decis hope call form triplic electr rol controll fizz sky 4 x9 boo` + " " + strings.Repeat("longer", 9)) {
		words := make([]string, len(endings))
		for i, ending := range endings {
			words[i] = root + strings.Trim(ending, ".")
		}
		for some := range slices.Chunk(words, 290/len(root+"bilities, ")) {
			text := strings.Join(some, ", ")
			post(t, campfire.Store, campfire.David, campfire.Designers.ID, text)
			post(t, campfire.Store, campfire.David, campfire.Designers.ID, strings.ToUpper(text)+" é")
		}
		for _, word := range words {
			found := must(campfire.SearchMessages(t.Context(), campfire.David.ID, word, 0, false))(t)
			for pair := range slices.Chunk(found, 2) {
				wantEqual(t, "marked for "+word, strings.ToUpper(shown(pair[0].Excerpt)), strings.TrimSuffix(shown(pair[1].Excerpt), " é"))
			}
			if len(found) == 0 {
				t.Errorf("nothing was found for %s", word)
			}
		}
	}
}

// shown is an excerpt with brackets around the words found.
func shown(excerpt []store.ExcerptPart) (text string) {
	for _, part := range excerpt {
		if part.Matched {
			text += "[" + part.Text + "]"
		} else {
			text += part.Text
		}
	}
	return text
}

func TestRecentSearchesAreTenAndOnesOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		campfire := storetest.New(t)
		ctx, david, jason := t.Context(), campfire.David.ID, campfire.Jason.ID
		recent := func(userID int64) (queries []string) {
			for _, r := range must(campfire.ListRecentSearches(ctx, userID))(t) {
				queries = append(queries, r.Query)
			}
			return queries
		}
		ask := func(query string, remember bool) {
			must(campfire.SearchMessages(ctx, david, query, 0, remember))(t)
			time.Sleep(time.Second) // of the bubble's
		}
		ask("only looking", false)
		ask("  !!! ", true)
		for i := range 12 {
			ask(fmt.Sprintf("fish-%d!", i), true)
		}
		ask("fish 5", true)
		wantEqual(t, "David's", recent(david), []string{
			"fish 5", "fish 11", "fish 10", "fish 9", "fish 8", "fish 7", "fish 6", "fish 4", "fish 3", "fish 2",
		})
		wantEqual(t, "Jason's", recent(jason), []string(nil))
		must(campfire.SearchMessages(ctx, jason, "mine", 0, true))(t)
		wantErr(t, "David clears", campfire.ClearRecentSearches(ctx, david), nil)
		wantEqual(t, "David's, cleared", recent(david), []string(nil))
		wantEqual(t, "Jason's, still there", recent(jason), []string{"mine"})
		wantErr(t, "David clears nothing", campfire.ClearRecentSearches(ctx, david), nil)
	})
}

// An index made before there were rooms in it is made anew.
func TestAnOldSearchIndexIsBuiltAnew(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	conn := must(sqlite.OpenConn(filepath.Join(folder, store.FileName)))(t)
	first := string(must(os.ReadFile("migrations/0001_campfire.sql"))(t))
	err := sqlitex.ExecuteScript(conn, first+`;
		INSERT INTO users (id, name, sort_name, email_address, created_at, updated_at) VALUES (1, 'David', 'david', 'd@campfire.example', 0, 0);
		INSERT INTO rooms (id, kind, name, sort_name, creator_id, created_at, updated_at) VALUES (1, 'open', 'All Talk', 'all talk', 1, 0, 0);
		INSERT INTO memberships (room_id, user_id, involvement, last_read_message_id, created_at) VALUES (1, 1, 'mentions', 0, 0);
		INSERT INTO messages (id, room_id, creator_id, client_message_id, body_html, body_text, kind, created_at, revision)
			VALUES (1, 1, 1, 'a', 'eels 喜欢', 'eels 喜欢', 'text', 0, 1);
		INSERT INTO message_search_index (rowid, body_text) VALUES (1, 'eels 喜欢');
		UPDATE revisions SET latest = 1;`, nil)
	if err := errors.Join(err, sqlitex.ExecuteTransient(conn, "PRAGMA application_id = 0x43616d70", nil),
		sqlitex.ExecuteTransient(conn, "PRAGMA user_version = 1", nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, folder)
	david := store.User{ID: 1}
	for _, query := range []string{"eel", "喜欢", "欢"} {
		wantEqual(t, "found for "+query, search(t, s, david, query), []string{"eels 喜欢"})
	}
	wantErr(t, "the index, compared with the messages", s.CheckSearchIndex(t.Context()), nil)
}

func TestTheIndexIsTidiedUpWhenNobodyPosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // in which no time passes between posts
		campfire := storetest.New(t)
		segments := func() string {
			return inDatabase(t, campfire.Folder, "SELECT count(DISTINCT segid) FROM message_search_index_idx")[0]
		}
		talked := 0
		for ; segments() < "5"; talked++ {
			post(t, campfire.Store, campfire.David, campfire.Designers.ID, fmt.Sprintf("My hovercraft %d is full of eels", talked))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantEqual(t, "segments after a pause", segments(), "1")
		last := post(t, campfire.Store, campfire.David, campfire.Designers.ID, "Another hovercraft")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantEqual(t, "segments after one more message", segments(), "2")
		wantErr(t, "delete", campfire.DeleteMessage(t.Context(), campfire.David.ID, last.ID), nil)
		wantEqual(t, "found", len(found(t, campfire, "hovercraft")), talked)
		wantSearchIndexInStep(t, campfire)
	})
}

func FuzzSearching(f *testing.F) {
	campfire := storetest.New(f)
	for _, text := range []string{"My hovercraft is full of eels", "我喜欢编程", "naïve façade 100%", "\x02\x03 \u200b!", "😀"} {
		post(f, campfire.Store, campfire.David, campfire.AllTalk.ID, text)
	}
	for _, query := range []string{"eel", `"eel" AND (`, "我", "NEAR(a b, 3)", "body_text:*", "\x00", "\xff", "_", "é́", "{room_id}:1", "^a*", "𝔘𝔫𝔦"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		found, err := campfire.SearchMessages(t.Context(), campfire.Kevin.ID, query, 0, false)
		if utf8.RuneCountInString(query) > 200 {
			wantInvalid(t, "a long query", err, "query")
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", query, err)
		}
		for _, f := range found {
			if !strings.Contains(shown(f.Excerpt), "[") {
				t.Errorf("%q: nothing is marked in %q", query, shown(f.Excerpt))
			}
		}
	})
}
