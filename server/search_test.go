package server

import (
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"

	campfirev1 "campfire.example/gen/campfire/v1"
)

func TestSearchingOverTheWire(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	for _, way := range allWays {
		jason := campfire.again("Jason", way)
		ctx := t.Context()
		word := fmt.Sprintf("eel%d", len(must(campfire.ListRecentSearches(ctx, campfire.Jason.ID))(t)))
		m := jason.post(t, campfire.Designers, "My "+word+"s & <b>hovercraft</b>")
		res := must(jason.SearchMessages(ctx, &campfirev1.SearchMessagesRequest{Query: "hovercraft " + word + "s!", Remember: true}))(t)
		if len(res.GetResults()) != 1 {
			t.Fatalf("by %s: got %d results, want 1", way.name, len(res.GetResults()))
		}
		result := res.GetResults()[0]
		wantSame(t, "found by "+way.name, result.GetMessage(), m)
		wantEqual(t, "in", result.GetRoomName(), "Designers")
		var excerpt strings.Builder
		for _, part := range result.GetExcerpt() {
			fmt.Fprintf(&excerpt, "%v:%s|", part.GetMatched(), part.GetText())
		}
		wantEqual(t, "excerpt", excerpt.String(), "false:My |true:"+word+"s|false: & <b>|true:hovercraft|false:</b>|")
		recent := must(jason.ListRecentSearches(ctx, &campfirev1.ListRecentSearchesRequest{}))(t).GetSearches()
		wantEqual(t, "the newest of the recent searches", recent[0].GetQuery(), "hovercraft "+word+"s")
		if recent[0].GetSearchedAt().AsTime().Before(m.GetCreatedAt().AsTime()) {
			t.Errorf("searched at %v, before the message was there", recent[0].GetSearchedAt().AsTime())
		}
	}
	jason, kevin := campfire.again("Jason"), campfire.again("Kevin")
	wantEqual(t, "Kevin, an outsider, finds", must(kevin.SearchMessages(t.Context(), &campfirev1.SearchMessagesRequest{Query: "hovercraft"}))(t).GetResults(), []string{})
	must(jason.ClearRecentSearches(t.Context(), &campfirev1.ClearRecentSearchesRequest{}))(t)
	wantEqual(t, "recent searches, cleared", must(jason.ListRecentSearches(t.Context(), &campfirev1.ListRecentSearchesRequest{}))(t).GetSearches(), []string{})
	_, err := jason.SearchMessages(t.Context(), &campfirev1.SearchMessagesRequest{Query: strings.Repeat("a", 201)})
	wantInvalid(t, "a long query", err, "query")
	_, err = campfire.stranger().SearchMessages(t.Context(), &campfirev1.SearchMessagesRequest{Query: "eel"})
	wantCode(t, "a stranger searches", err, connect.CodeUnauthenticated)
}

func TestSearchFindsWhatIsReadAndNotItsMarkup(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.as("David")
	html := fmt.Sprintf(`<div><strong>Eels</strong> for <span class="mention" data-user-id="%d">@J</span>: `+
		`<a href="https://fish.example/cod">the menu</a></div>`, campfire.Jason.ID)
	must(david.PostMessage(t.Context(), &campfirev1.PostMessageRequest{
		RoomId: campfire.Designers.ID, Body: &campfirev1.PostMessageRequest_Html{Html: html},
	}))(t)
	for query, want := range map[string]int{
		"eel": 1, "EELS MENU": 1, "Jason": 1, // the name of whom it mentions, as on record
		"strong": 0, "span": 0, "mention": 0, "href": 0, "cod": 0, "div": 0,
	} {
		res := must(david.SearchMessages(t.Context(), &campfirev1.SearchMessagesRequest{Query: query}))(t)
		wantEqual(t, "messages found for "+query, len(res.GetResults()), want)
	}
}
