package server

import (
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"David":                  "D",
		"David Heinemeier":       "DH",
		"jason fried":            "jf",
		"  Jason   Fried ":       "JF",
		"Ana María de la Cruz":   "AMdlC",
		"Émile Zola":             "ÉZ",
		"Ольга Ким":              "ОК",
		"山田 太郎":                  "山太",
		"محمد علي":               "مع",
		"Δημήτρης":               "Δ",
		"(Bob) \"The\" O'Neil":   "BTO",
		"R2 D2":                  "RD",
		"4 Seasons":              "4S",
		"😀 Smith":                "S",
		"😀":                      "😀",
		"<>":                     "<",
		"":                       "",
		"&&& Co":                 "C",
		strings.Repeat("a ", 50): strings.Repeat("a", 50),
	} {
		wantEqual(t, fmt.Sprintf("the initials of %q", name), initials(name), want)
	}
}

func TestAnAvatarShowsWhoItIsAndRunsNothing(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.as("David")
	for _, name := range []string{"Rosa Luxemburg", "Ольга Ким", "<script>alert(1)</script>", "<", `"onload="alert(1)`, "& &", "a b c d"} {
		user := campfire.named(t, name)
		got := david.request(t, "GET", fmt.Sprintf("/users/%d/avatar", user.ID), "")
		wantEqual(t, "status and type", []any{got.status, got.header.Get("Content-Type")}, []any{200, "image/svg+xml"})
		if cache := got.header.Get("Cache-Control"); !strings.HasPrefix(cache, "private, max-age=") {
			t.Errorf("the avatar of %q: Cache-Control is %q, want private", name, cache)
		}
		var svg struct {
			XMLName xml.Name
			Text    struct {
				Letters string     `xml:",chardata"`
				Inner   []xml.Name `xml:",any"`
			} `xml:"text"`
		}
		if err := xml.Unmarshal([]byte(got.body), &svg); err != nil || svg.XMLName.Local != "svg" {
			t.Fatalf("the avatar of %q is no SVG: %v in %s", name, err, got.body)
		}
		if svg.Text.Letters != initials(name) || len(svg.Text.Inner) > 0 || strings.Contains(strings.ToLower(got.body), "script") {
			t.Errorf("the avatar of %q shows %q: %s", name, svg.Text.Letters, got.body)
		}
	}
}

func TestAnAvatarIsForThoseWhoAreSignedIn(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, stranger := campfire.as("David"), campfire.stranger()
	for path, want := range map[string]int{
		fmt.Sprintf("/users/%d/avatar", david.id): 200,
		"/users/4711/avatar":                      404,
		"/users/0/avatar":                         404,
		"/users/-1/avatar":                        404,
		"/users/9223372036854775808/avatar":       404,
		"/users/David/avatar":                     404,
		"/users/1'--/avatar":                      404,
	} {
		wantEqual(t, "David: "+path, david.request(t, "GET", path, "").status, want)
		wantEqual(t, "a stranger: "+path, stranger.request(t, "GET", path, "").status, 401)
	}
}

// White on each of the colours is read well: a contrast of 4.5, as WCAG has it.
func TestEveryAvatarsColorCarriesWhiteLetters(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for id := range int64(1000) {
		color := regexp.MustCompile(`fill="(#[0-9a-f]{6})"`).FindStringSubmatch(avatarSVG(store.User{ID: id, Name: "David"}))[1]
		if other := avatarSVG(store.User{ID: id, Name: "Renamed"}); !strings.Contains(other, color) {
			t.Errorf("renamed, user %d has another color than %s", id, color)
		}
		used[color] = true
	}
	wantEqual(t, "colors", len(used), 18)
	for color := range used {
		luminance := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			part := float64(must(strconv.ParseUint(color[1+2*i:3+2*i], 16, 8))(t)) / 255
			if part <= 0.04045 {
				luminance += weight * part / 12.92
			} else {
				luminance += weight * math.Pow((part+0.055)/1.055, 2.4)
			}
		}
		if contrast := 1.05 / (luminance + 0.05); contrast < 4.5 {
			t.Errorf("white on %s has a contrast of %.2f, want 4.5", color, contrast)
		}
	}
}

// The path is what browsers keep a picture by.
func TestAnAvatarsPathChangesWithWhatItShows(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.as("David")
	res, err := david.GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{})
	if err != nil {
		t.Fatal(err)
	}
	path := res.GetUser().GetAvatarPath()
	wantEqual(t, "the avatar at its path: status", david.request(t, "GET", path, "").status, 200)
	if other := avatarPath(store.User{ID: david.id, Name: "David Renamed"}); other == path {
		t.Errorf("renamed, David keeps the path %s", path)
	}
	wantEqual(t, "the same name, the same path", avatarPath(store.User{ID: david.id, Name: "David"}), path)
}

// named lets somebody join under any name.
func (c *campfire) named(t testing.TB, name string) store.User {
	t.Helper()
	_, user, err := c.Join(t.Context(), c.JoinCode, store.Person{
		Name: name, EmailAddress: fmt.Sprintf("%x@campfire.example", name), Password: "secret",
	}, store.Device{})
	if err != nil {
		t.Fatalf("%q joins: %v", name, err)
	}
	return user
}

func TestOfWhoHasLeftOnlyTheNameIsTold(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david, jason := campfire.as("David"), campfire.as("Jason")
	must(jason.UpdateProfile(t.Context(), &campfirev1.UpdateProfileRequest{Bio: new("I design")}))(t)
	told := func() *campfirev1.User {
		return must(david.GetUser(t.Context(), &campfirev1.GetUserRequest{UserId: jason.id}))(t).GetUser()
	}
	wantEqual(t, "before", told().GetBio()+" "+told().GetEmailAddress(), "I design jason@campfire.example")
	must(david.DeactivateUser(t.Context(), &campfirev1.DeactivateUserRequest{UserId: jason.id}))(t)
	wantEqual(t, "after", []any{told().GetName(), told().GetStatus(), told().GetBio() + told().GetEmailAddress()},
		[]any{"Jason", campfirev1.UserStatus_USER_STATUS_DEACTIVATED, ""})
}
