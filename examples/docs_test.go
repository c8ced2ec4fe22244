package examples

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	campfirev1 "campfire.example/gen/campfire/v1"
)

// blocks are the code blocks of a page in a language.
func blocks(t testing.TB, page, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, found[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no %s to run", page, language)
	}
	return blocks
}

// runPage runs the shell sessions of a page one after another, as a reader would, against a Campfire of its own.
func runPage(t *testing.T, campfire *campfire, page string) (outputs []string) {
	t.Helper()
	state := filepath.Join(t.TempDir(), "variables")
	for i, block := range blocks(t, page, "sh") {
		script := "touch " + state + "; . " + state + "\n" + strings.ReplaceAll(block, "localhost:8080", campfire.host) +
			"\nfor name in TOKEN KEY; do declare -p $name 2>/dev/null || true; done >" + state
		if strings.Contains(block, "Subscribe") {
			hears(t, script)
			continue
		}
		output, err := sh(t, patience, script)
		if err != nil || strings.Contains(output, `"code":`) && !strings.Contains(block, `"code":`) {
			t.Errorf("%s, session %d: %v\n%s\nprinted\n%s", page, i+1, err, block, output)
		}
		outputs = append(outputs, output)
	}
	return outputs
}

// hears runs a session that listens until it hears that the stream is open.
func hears(t *testing.T, script string) {
	t.Helper()
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = ".."
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what it starts ends with it
	p := start(t, cmd, "PATH="+filepath.Dir(program(t, "grpcurl"))+":"+os.Getenv("PATH"))
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()
	eventually(t, "a stream is open by\n"+script, func() bool { return strings.Contains(p.printed(), "heartbeatInterval") })
}

func TestTheSessionsOfTheReadmeRun(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	outputs := runPage(t, campfire, "README.md")
	signIn, err := campfire.as("").SignIn(t.Context(), &campfirev1.SignInRequest{EmailAddress: "david@example.com", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	got := campfire.as(signIn.GetSessionToken()).texts(1)
	if want := []string{"David: Hello from curl", "David: Hello from grpcurl", "David: Deployed 42"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if all := strings.Join(outputs, ""); !strings.Contains(all, "rpc PostMessage") || !strings.Contains(all, `"code":"invalid_argument"`) {
		t.Errorf("the sessions printed\n%s", all)
	}
}

func TestTheSessionsOfTheBotsPageRun(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.david()
	runPage(t, campfire, "docs/bots.md")
	texts := david.texts(david.room("All Talk"))
	if want := []string{"Bender: Hello from Bender!", "Bender: Bite my shiny metal app"}; !slices.Equal(texts, want) {
		t.Errorf("got %q, want %q", texts, want)
	}
	bots, err := david.ListBots(t.Context(), &campfirev1.ListBotsRequest{})
	if err != nil || len(bots.GetBots()) != 2 || bots.GetBots()[1].GetWebhookUrl() != "https://bots.example.com/flexo" {
		t.Errorf("got the bots %v (%v), want Bender and Flexo", bots.GetBots(), err)
	}
}

func TestTheWebhookBotOfTheBotsPageTrustsCampfireAlone(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.david()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := socket.Addr().String()
	_ = socket.Close()
	created, err := david.CreateBot(t.Context(), &campfirev1.CreateBotRequest{Name: "Flexo", WebhookUrl: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "bot.mjs")
	if err := os.WriteFile(script, []byte(blocks(t, "docs/bots.md", "js")[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	start(t, exec.Command("node", script), "PORT="+port, "WEBHOOK_SECRET="+created.GetBot().GetWebhookSecret())
	forged := func() (status int) {
		res, err := http.Post("http://"+address, "application/json", strings.NewReader(`{"user": {"name": "Mallory"}}`))
		if err != nil {
			return 0
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	eventually(t, "the bot refuses what Campfire has not signed", func() bool { return forged() == http.StatusUnauthorized })
	room := david.room("All Talk")
	david.say(room, fmt.Sprintf(`<span class="mention" data-user-id="%d">x</span> good evening`, created.GetBot().GetUser().GetId()))
	eventually(t, "the bot replies", func() bool {
		return slices.Equal(david.texts(room), []string{"David: @Flexo good evening", "Flexo: David, you said: good evening"})
	})
}
