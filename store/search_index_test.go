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

// wantSearchIndexInStep compares the search index with the messages.
func wantSearchIndexInStep(t testing.TB, campfire *storetest.Campfire) {
	t.Helper()
	if err := campfire.CheckSearchIndex(t.Context()); err != nil {
		t.Errorf("the search index is not in step: %v", err)
	}
}
