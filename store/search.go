package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/go-porterstemmer"
	"zombiezen.com/go/sqlite"
)

// Found is a message that was found.
type Found struct {
	Message  Message
	RoomName string // as the finder sees it
	Excerpt  []ExcerptPart
}

// ExcerptPart is a piece of what a message says around the words found.
type ExcerptPart struct {
	Text    string
	Matched bool // it is one of them
}

// RecentSearch is a search made before.
type RecentSearch struct {
	Query      string // cleaned of punctuation
	SearchedAt time.Time
}

const (
	maxQueryLength   = 200 // characters
	maxFound         = 100
	usualPage        = 20
	maxRecent        = 10
	maxExcerptLength = 300 // characters
	excerptTokens    = 32  // words
	maxPassedOver    = 50  // messages in other people's rooms
)

// Around the words found, in what SQLite answers as an excerpt. No indexed text has them.
const (
	matchStart = '\x02'
	matchEnd   = '\x03'
)

// SearchMessages answers the newest messages in the user's rooms that hold all words of the query, oldest first. It notes
// the query among the user's recent ones if it is to remember it.
func (s *Store) SearchMessages(ctx context.Context, userID int64, query string, size int, remember bool) (found []Found, err error) {
	switch {
	case utf8.RuneCountInString(query) > maxQueryLength:
		return nil, &InvalidError{"query", fmt.Sprintf("must have at most %d characters", maxQueryLength)}
	case size < 0:
		return nil, &InvalidError{"page_size", "must not be negative"}
	case size == 0 || size > maxFound:
		size = maxFound
	}
	words := wordsOf(query)
	if len(words) == 0 {
		return nil, nil
	}
	err = s.read(ctx, func(db db) error {
		found, err = db.search(userID, words, size)
		return err
	})
	if err == nil && remember {
		err = s.write(ctx, func(tx *tx) error { return tx.remember(userID, strings.Join(words, " ")) })
	}
	return found, err
}

// ListRecentSearches lists the user's most recent searches, newest first.
func (s *Store) ListRecentSearches(ctx context.Context, userID int64) (recent []RecentSearch, err error) {
	err = s.read(ctx, func(db db) error {
		return db.each("SELECT query, updated_at FROM searches WHERE user_id = :user_id ORDER BY updated_at DESC, id DESC LIMIT :limit",
			args{":user_id": userID, ":limit": maxRecent}, func(row *sqlite.Stmt) error {
				recent = append(recent, RecentSearch{Query: row.ColumnText(0), SearchedAt: timeColumn(row, 1)})
				return nil
			})
	})
	return recent, err
}

// ClearRecentSearches forgets the user's recent searches.
func (s *Store) ClearRecentSearches(ctx context.Context, userID int64) error {
	return s.write(ctx, func(tx *tx) error {
		return tx.exec("DELETE FROM searches WHERE user_id = :user_id", args{":user_id": userID})
	})
}

func (t *tx) remember(userID int64, query string) error {
	err := t.exec(`INSERT INTO searches (user_id, query, updated_at) VALUES (:user_id, :query, :now)
		ON CONFLICT (user_id, query) DO UPDATE SET updated_at = excluded.updated_at`,
		args{":user_id": userID, ":query": query, ":now": t.micros()})
	if err != nil {
		return err
	}
	return t.exec(`DELETE FROM searches WHERE user_id = :user_id AND id NOT IN (
			SELECT id FROM searches WHERE user_id = :user_id ORDER BY updated_at DESC, id DESC LIMIT :most
		)`, args{":user_id": userID, ":most": maxRecent})
}

// search walks down the index from the newest message that has the words. If that does not do, it asks the index for words
// and rooms at once, which is slower but passes over what is not the user's: so neither a common word in a long history nor
// messages in other people's rooms are read one by one.
func (d db) search(userID int64, words []string, size int) ([]Found, error) {
	w := walk{
		user: userID, match: matchOfWords(words), stems: stemsOf(words), before: newest, most: size, passOver: maxPassedOver,
		found: make([]Found, 0, min(size, usualPage)),
	}
	more, err := d.walk(&w)
	if err != nil {
		return nil, err
	}
	if more && len(w.found) < size {
		rooms, err := d.ids("SELECT room_id FROM memberships WHERE user_id = :user_id", args{":user_id": userID})
		if err != nil {
			return nil, err
		}
		if len(rooms) > 0 {
			w.match += " AND " + matchOfRooms(rooms)
			w.passOver = math.MaxInt
			if _, err := d.walk(&w); err != nil {
				return nil, err
			}
		}
	}
	slices.Reverse(w.found)
	var boosted []*Message
	for i := range w.found {
		if m := &w.found[i].Message; m.Boosts != nil {
			boosted = append(boosted, m)
		}
	}
	return w.found, errors.Join(d.fillInBoosts(boosted), d.nameRooms(userID, w.found))
}

// walk is a way down the index, and what was found on it.
type walk struct {
	user     int64
	match    string
	stems    []string // of the words looked for; nil if only SQLite knows them
	before   int64    // the last message it has come to
	most     int      // messages to find
	passOver int      // messages in other people's rooms
	found    []Found  // newest first, without their boosts and the names of their rooms
}

// walk goes down until enough is found or too much is passed over, and tells whether there may be more.
func (d db) walk(w *walk) (more bool, err error) {
	err = d.each("SELECT "+messageColumns+`,
			CASE
				WHEN memberships.room_id IS NULL THEN NULL
				WHEN octet_length(messages.body_text) > :short THEN snippet(message_search_index, 0, :start, :end, '…', :tokens)
				WHEN :stems AND octet_length(messages.body_text) = length(messages.body_text) THEN ''
				ELSE highlight(message_search_index, 0, :start, :end)
			END
		FROM message_search_index CROSS JOIN messages ON messages.id = message_search_index.rowid
			LEFT JOIN memberships ON memberships.user_id = :user_id AND memberships.room_id = messages.room_id
			LEFT JOIN users ON users.id = messages.creator_id AND memberships.room_id IS NOT NULL
		WHERE message_search_index MATCH :match AND message_search_index.rowid < :before ORDER BY message_search_index.rowid DESC`,
		args{
			":user_id": w.user, ":match": w.match, ":before": w.before, ":stems": w.stems != nil,
			":short": maxExcerptLength, ":start": string(matchStart), ":end": string(matchEnd), ":tokens": excerptTokens,
		},
		func(row *sqlite.Stmt) error {
			const excerpt = 15
			w.before = row.ColumnInt64(0)
			if row.ColumnIsNull(excerpt) {
				w.passOver--
			} else {
				m, parts := scanMessage(row), partsOf(oneLine(row.ColumnText(excerpt)))
				if len(parts) == 0 {
					parts = partsWith(w.stems, oneLine(searchable(m.Body.Text)))
				}
				w.found = append(w.found, Found{Message: m, Excerpt: excerptOf(parts)})
			}
			if len(w.found) == w.most || w.passOver == 0 {
				return errEnough
			}
			return nil
		})
	if errors.Is(err, errEnough) {
		return true, nil
	}
	return false, err
}

// nameRooms fills in the names of the rooms of what was found, as the user sees them.
func (d db) nameRooms(userID int64, found []Found) error {
	var rooms []Room
	for _, f := range found {
		id := f.Message.RoomID
		if slices.ContainsFunc(rooms, func(r Room) bool { return r.ID == id }) {
			continue
		}
		err := d.one("SELECT kind, name FROM rooms WHERE id = :id", args{":id": id}, func(row *sqlite.Stmt) {
			rooms = append(rooms, Room{ID: id, ViewerID: userID, Kind: RoomKind(row.ColumnText(0)), Name: row.ColumnText(1)})
		})
		if err != nil {
			return err
		}
	}
	err := d.addParticipants(rooms)
	for i := range found {
		at := slices.IndexFunc(rooms, func(r Room) bool { return r.ID == found[i].Message.RoomID })
		found[i].RoomName = rooms[at].Name
	}
	return err
}

// wordsOf takes a query apart. All that is neither letter, mark, number nor connector divides words, and a word has at
// least a letter or a number: nothing is left that FTS5 would take for its own syntax once it is quoted.
func wordsOf(query string) []string {
	words := strings.FieldsFunc(query, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Pc)
	})
	return slices.DeleteFunc(words, func(word string) bool {
		return !strings.ContainsFunc(word, func(r rune) bool { return unicode.In(r, unicode.L, unicode.N) })
	})
}

// matchOfWords is an FTS5 query for all the words.
func matchOfWords(words []string) string {
	var match strings.Builder
	match.WriteString("body_text : (")
	for _, word := range words {
		fmt.Fprintf(&match, `"%s" `, searchable(word))
	}
	match.WriteString(")")
	return match.String()
}

// matchOfRooms is one for any of the rooms.
func matchOfRooms(rooms []int64) string {
	quoted := make([]string, len(rooms))
	for i, room := range rooms {
		quoted[i] = fmt.Sprintf(`"%d"`, room)
	}
	return "room_id : (" + strings.Join(quoted, " OR ") + ")"
}

// stemsOf answers what the index has for words of ASCII letters and digits, which are words to it as well; nil if there are
// others among them.
func stemsOf(words []string) []string {
	stems := make([]string, len(words))
	for i, word := range words {
		if strings.ContainsFunc(word, func(r rune) bool { return r > unicode.MaxASCII || !isWordByte(byte(r)) }) {
			return nil
		}
		stems[i] = stem(word)
	}
	return stems
}

// stem is what the index has for such a word.
func stem(word string) string {
	word = strings.ToLower(word)
	if len(word) < 3 || len(word) > 64 { // as FTS5's porter
		return word
	}
	return string(porterstemmer.StemWithoutLowerCasing([]rune(word)))
}

func isWordByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// partsWith divides a line of ASCII into the words with one of the stems and what is between them: as SQLite's highlight,
// which must ask for the text again and knows no shortcut.
func partsWith(stems []string, line string) []ExcerptPart {
	parts := make([]ExcerptPart, 0, 3) // most have one such word
	begin := 0
	for at := 0; at < len(line); {
		end := at + 1
		for end < len(line) && isWordByte(line[end]) == isWordByte(line[at]) {
			end++
		}
		if isWordByte(line[at]) && hasStem(line[at:end], stems) {
			if begin < at {
				parts = append(parts, ExcerptPart{Text: line[begin:at]})
			}
			parts = append(parts, ExcerptPart{Text: line[at:end], Matched: true})
			begin = end
		}
		at = end
	}
	if begin < len(line) {
		parts = append(parts, ExcerptPart{Text: line[begin:]})
	}
	return parts
}

// hasStem looks first at how the word begins: a stem differs from its word only from the stem's last letter on.
func hasStem(word string, stems []string) bool {
	return slices.ContainsFunc(stems, func(s string) bool {
		begins := len(s) - 1
		return len(word) > begins && strings.EqualFold(word[:begins], s[:begins]) && stem(word) == s
	})
}

// indexing puts a message into the search index, or takes it out.
type indexing struct {
	sql             string
	messageID, room int64
	text            string
}

const (
	putIn   = "INSERT INTO message_search_index (rowid, body_text, room_id) VALUES (:id, :text, :room_id)"
	takeOut = `INSERT INTO message_search_index (message_search_index, rowid, body_text, room_id)
		VALUES ('delete', :id, :text, :room_id)`
)

// index and unindex keep the search index in step. It has no copy of the text: to take a message out, it must be told
// exactly what was put in. They are carried out when the whole batch of writes has been: FTS5 writes its index to the
// database at each savepoint, which took a third of a post.
func (t *tx) index(messageID, roomID int64, text string) {
	t.indexed = append(t.indexed, indexing{putIn, messageID, roomID, searchable(text)})
}

func (t *tx) unindex(messageID, roomID int64, text string) {
	t.indexed = append(t.indexed, indexing{takeOut, messageID, roomID, searchable(text)})
}

func (i indexing) carryOut(d db) error {
	return d.exec(i.sql, args{":id": i.messageID, ":text": i.text, ":room_id": i.room})
}

const (
	mergePause  = time.Second          // without a post, before the index is tidied up
	mergePages  = 16                   // of 4 kB, to write at once, or one word's whole list if that is longer
	mergeRest   = 5 * time.Millisecond // between that, for those who post
	fewSegments = 4                    // are left alone
	smallPart   = 8                    // so are more, if all but the largest, so many times, are less than that one
)

// tidyIndex merges the segments of the search index whenever nobody has posted for a moment, until ctx ends. FTS5 itself
// merges some with each commit, but leaves as many as a dozen, and a search looks through each of them.
func (s *Store) tidyIndex(ctx context.Context) {
	s.merge(ctx, mergePages) // what the last stop has left unfinished
	second := time.NewTicker(mergePause)
	defer second.Stop()
	for posted := false; ; {
		select {
		case <-second.C:
		case <-ctx.Done():
			return
		}
		select {
		case <-s.writer.indexed:
			posted = true
		default:
			if posted && s.hasManySegments(ctx) {
				s.merge(ctx, -mergePages)
			}
			posted = false
		}
	}
}

// merge merges segments, some pages at a time, until FTS5 has nothing to do. At first fewer than no pages are as many, and
// have it begin with all segments; if it were told that again, it would begin anew once someone has posted. What fails is
// tried again after the next post.
func (s *Store) merge(ctx context.Context, pages int) {
	for s.write(ctx, func(tx *tx) error { return tx.mergeSegments(pages) }) == nil {
		pages = mergePages
		time.Sleep(mergeRest)
	}
}

// hasManySegments tells whether merging them pays: in all, some times what was posted is written again. Their size is counted
// in leaves where a word begins.
func (s *Store) hasManySegments(ctx context.Context) (many bool) {
	err := s.read(ctx, func(db db) error {
		return db.one(`SELECT count(*) >= :few AND sum(size) - max(size) >= max(size) / :part
			FROM (SELECT count(*) AS size FROM message_search_index_idx GROUP BY segid)`,
			args{":few": fewSegments, ":part": smallPart}, func(row *sqlite.Stmt) { many = row.ColumnBool(0) })
	})
	return err == nil && many
}

// mergeSegments answers errEnough if there was nothing to merge.
func (t *tx) mergeSegments(pages int) error {
	var before, after int64
	written := func(rows *int64) error {
		return t.one("SELECT total_changes()", nil, func(row *sqlite.Stmt) { *rows = row.ColumnInt64(0) })
	}
	err := errors.Join(written(&before), t.exec(
		"INSERT INTO message_search_index (message_search_index, rank) VALUES ('merge', :pages)", args{":pages": pages}),
		written(&after))
	if err == nil && after-before < 2 { // so FTS5 says that nothing is left
		err = errEnough
	}
	return err
}

// joint stands between the characters of scripts that put no spaces between words. It is not seen, and divides words.
const joint = '\u200b'

// searchable is a text as it is indexed: each character of Chinese and Japanese is a word, as a search for a part of what
// stands there without spaces would find nothing. A change here needs the index to be built anew.
func searchable(text string) string {
	if isPrintableASCII(text) {
		return text
	}
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || hasNoSpaces(r) }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case hasNoSpaces(r):
			b.WriteRune(r)
			b.WriteRune(joint)
		case unicode.IsControl(r):
			b.WriteRune(' ') // among them what marks a match
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPrintableASCII is the quick answer for most messages.
func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func hasNoSpaces(r rune) bool {
	const long, narrowLong = 'ー', 'ｰ' // of both Japanese scripts
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r == long || r == narrowLong
}

// searchableFunction is searchable for SQL: the view that the index reads asks for it.
var searchableFunction = &sqlite.FunctionImpl{
	NArgs:         1,
	Deterministic: true,
	AllowIndirect: true,
	Scalar: func(_ sqlite.Context, arguments []sqlite.Value) (sqlite.Value, error) {
		return sqlite.TextValue(searchable(arguments[0].Text())), nil
	},
}

// oneLine is a text with a single space for whatever space there is, and none at its ends.
func oneLine(text string) string {
	other := func(r rune) bool { return r == joint || r != ' ' && unicode.IsSpace(r) }
	if strings.HasPrefix(text, " ") || strings.HasSuffix(text, " ") || strings.Contains(text, "  ") || strings.ContainsFunc(text, other) {
		text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), string(joint), "")
	}
	return text
}

// partsOf divides a line that SQLite has marked.
func partsOf(marked string) (parts []ExcerptPart) {
	for matched := false; marked != ""; matched = !matched {
		mark := string(matchStart)
		if matched {
			mark = string(matchEnd)
		}
		var text string
		if text, marked, _ = strings.Cut(marked, mark); text != "" {
			parts = append(parts, ExcerptPart{Text: text, Matched: matched})
		}
	}
	return parts
}

// excerptOf bounds what is shown around the words found. Words may be as long as a message: it begins shortly before the
// first match.
func excerptOf(parts []ExcerptPart) []ExcerptPart {
	const before, ellipsis = maxExcerptLength / 3, "…"
	left := maxExcerptLength - 1
	for i := range parts {
		part := &parts[i]
		if i == 0 && len(parts) > 1 && !part.Matched && utf8.RuneCountInString(part.Text) > before {
			text := []rune(part.Text)
			part.Text = ellipsis + string(text[len(text)-before:])
		}
		length := utf8.RuneCountInString(part.Text)
		if length > left {
			part.Text = string([]rune(part.Text)[:left]) + ellipsis
			return parts[:i+1]
		}
		left -= length
	}
	return parts
}
