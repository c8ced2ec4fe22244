package store_test

import (
	"testing"

	"campfire.example/store/storetest"
)

// found answers the ids of the messages that the search index has for a word.
func found(t testing.TB, campfire *storetest.Campfire, word string) []string {
	t.Helper()
	return inDatabase(t, campfire.Folder, "SELECT rowid FROM message_search_index WHERE message_search_index MATCH ? ORDER BY rowid", word)
}

// wantSearchIndexInStep has SQLite compare the index with the messages themselves, which only rank 1 does.
func wantSearchIndexInStep(t testing.TB, campfire *storetest.Campfire) {
	t.Helper()
	inDatabase(t, campfire.Folder, "INSERT INTO message_search_index (message_search_index, rank) VALUES ('integrity-check', 1)")
}
