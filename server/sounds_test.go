package server

import (
	"regexp"
	"testing"
)

func TestEverySoundHasANameToTypeAndSomethingToShow(t *testing.T) {
	t.Parallel()
	if len(sounds) != 59 {
		t.Errorf("got %d sounds, want 59", len(sounds))
	}
	word := regexp.MustCompile(`^\w+$`)
	pictures := 0
	for name, s := range sounds {
		if !word.MatchString(name) {
			t.Errorf("got a sound named %q, want a word", name)
		}
		picture := s.width > 0 && s.height > 0
		if picture {
			pictures++
		}
		if picture == (s.caption != "") || (s.width > 0) != (s.height > 0) {
			t.Errorf("%s shows %+v, want a picture or a caption", name, s)
		}
	}
	if pictures != 15 {
		t.Errorf("got %d pictures, want 15", pictures)
	}
}

func TestAMessageThatIsACommandPlaysItsSound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/play 56k":        "56k",
		"/play bell":       "bell",
		"/play mario_coin": "mario_coin",
		"/play yodel":      "yodel",
		"":                 "",
		"bell":             "",
		"/play":            "",
		"/play ":           "",
		"/playbell":        "",
		"/play  bell":      "",
		"/play bell ":      "",
		"/play bell\n":     "",
		" /play bell":      "",
		"/play\tbell":      "",
		"/play\u00a0bell":  "",
		"/play Bell":       "",
		"/Play bell":       "",
		"/play bell bell":  "",
		"/play bell!":      "",
		"/play nonesuch":   "",
		"/play ../bell":    "",
		"play bell":        "",
	} {
		if got, ok := soundOf(text); got != want || ok != (want != "") {
			t.Errorf("soundOf(%q) = %q, %v, want %q", text, got, ok, want)
		}
	}
}

func TestASoundIsRecognisedInWhatTheComposerSends(t *testing.T) {
	t.Parallel()
	b, err := parseHTML("<div>/play tada</div>")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := soundOf(b.text()); got != "tada" || !ok {
		t.Errorf("got %q, %v, want tada", got, ok)
	}
}
