// Package examples runs what the documentation shows, against the real program.
package examples

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/gen/campfire/v1/campfirev1connect"
)

// patience bounds every wait for what must happen. Only a test that fails takes it.
const patience = 30 * time.Second

const password = "correct horse"

// built is the folder of the programs, once they are.
var built string

// programs are the ones that the examples need, built once.
var programs = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "campfire-examples")
	if err != nil {
		return "", err
	}
	built = folder
	for _, args := range [][]string{
		{"./server/cmd/campfire"}, {"./examples/echo-bot"}, {"-modfile=tools.mod", "github.com/fullstorydev/grpcurl/cmd/grpcurl"},
	} {
		build := exec.Command("go", append([]string{"build", "-o", folder + "/"}, args...)...)
		build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", build, err, output)
		}
	}
	return folder, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(built)
	os.Exit(code)
}

func program(t testing.TB, name string) string {
	t.Helper()
	folder, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, name)
}

// process is a program, running.
type process struct {
	cmd    *exec.Cmd
	mu     sync.Mutex
	output bytes.Buffer
}

// Write notes what the program prints.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(text)
}

func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

func start(t testing.TB, cmd *exec.Cmd, env ...string) *process {
	t.Helper()
	p := &process{cmd: cmd}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.cmd.Path, p.printed())
		}
	})
	return p
}

// kill ends a program as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // unless it has ended
	_ = p.cmd.Wait()
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// campfire is the program, running on a data folder of its own.
type campfire struct {
	*process
	t    testing.TB
	data string
	host string
}

func newCampfire(t testing.TB) *campfire {
	t.Helper()
	c := &campfire{t: t, data: t.TempDir(), host: "127.0.0.1:0"}
	c.start()
	return c
}

// start starts it, also once more, at the same address.
func (c *campfire) start() {
	c.t.Helper()
	listening := regexp.MustCompile(`msg=listening address=(\S+)`)
	c.process = start(c.t, exec.Command(program(c.t, "campfire"), "--addr", c.host, "--data", c.data, "--outbound-networks", "127.0.0.0/8"))
	eventually(c.t, "Campfire listens", func() bool {
		found := listening.FindStringSubmatch(c.printed())
		if found != nil {
			c.host = found[1]
		}
		return found != nil
	})
}

// person is somebody who calls with a token.
type person struct {
	campfirev1connect.AccountServiceClient
	campfirev1connect.SessionServiceClient
	campfirev1connect.UserServiceClient
	campfirev1connect.RoomServiceClient
	campfirev1connect.MessageServiceClient
	campfirev1connect.BotServiceClient

	t     testing.TB
	token string
}

// RoundTrip implements http.RoundTripper.
func (p *person) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (c *campfire) as(token string) *person {
	p := &person{t: c.t, token: token}
	client, url := &http.Client{Transport: p}, "http://"+c.host
	p.AccountServiceClient = campfirev1connect.NewAccountServiceClient(client, url)
	p.SessionServiceClient = campfirev1connect.NewSessionServiceClient(client, url)
	p.UserServiceClient = campfirev1connect.NewUserServiceClient(client, url)
	p.RoomServiceClient = campfirev1connect.NewRoomServiceClient(client, url)
	p.MessageServiceClient = campfirev1connect.NewMessageServiceClient(client, url)
	p.BotServiceClient = campfirev1connect.NewBotServiceClient(client, url)
	return p
}

// david sets Campfire up.
func (c *campfire) david() *person {
	c.t.Helper()
	res, err := c.as("").SetUp(c.t.Context(), &campfirev1.SetUpRequest{Name: "David", EmailAddress: "david@example.com", Password: password})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.as(res.GetSessionToken())
}

func (p *person) newBot(name string) (id int64, key string) {
	p.t.Helper()
	res, err := p.CreateBot(p.t.Context(), &campfirev1.CreateBotRequest{Name: name})
	if err != nil {
		p.t.Fatal(err)
	}
	return res.GetBot().GetUser().GetId(), res.GetBotKey()
}

func (p *person) room(name string) int64 {
	p.t.Helper()
	res, err := p.ListRooms(p.t.Context(), &campfirev1.ListRoomsRequest{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range res.GetRooms() {
		if r.GetName() == name {
			return r.GetId()
		}
	}
	p.t.Fatalf("there is no room %q", name)
	return 0
}

func (p *person) say(room int64, html string) {
	p.t.Helper()
	_, err := p.PostMessage(p.t.Context(), &campfirev1.PostMessageRequest{RoomId: room, Body: &campfirev1.PostMessageRequest_Html{Html: html}})
	if err != nil {
		p.t.Fatal(err)
	}
}

// texts is what was said in a room, each with who said it.
func (p *person) texts(room int64) (texts []string) {
	p.t.Helper()
	res, err := p.ListMessages(p.t.Context(), &campfirev1.ListMessagesRequest{RoomId: room, PageSize: 100})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, m := range res.GetMessages() {
		texts = append(texts, m.GetCreator().GetName()+": "+m.GetBodyText())
	}
	return texts
}

// A bot that is killed, and whose server is killed, answers each message once.
func echoes(t *testing.T, command func(t *testing.T) *exec.Cmd) {
	campfire := newCampfire(t)
	david := campfire.david()
	id, key := david.newBot("Echo")
	state := filepath.Join(t.TempDir(), "state")
	run := func() *process {
		p := start(t, command(t), "CAMPFIRE_URL=http://"+campfire.host, "CAMPFIRE_BOT_KEY="+key, "ECHO_BOT_STATE="+state)
		eventually(t, "the bot listens", func() bool { return strings.Contains(p.printed(), "listening as Echo") })
		eventually(t, "it knows where it is", func() bool { _, err := os.Stat(state); return err == nil })
		return p
	}
	room := david.room("All Talk")
	direct, err := david.OpenDirectRoom(t.Context(), &campfirev1.OpenDirectRoomRequest{UserIds: []int64{id}})
	if err != nil {
		t.Fatal(err)
	}
	mention := func(text string) {
		david.say(room, fmt.Sprintf(`<span class="mention" data-user-id="%d">x</span> %s`, id, text))
	}
	answered := func(room int64, text string) {
		t.Helper()
		eventually(t, "the bot answers "+text, func() bool { return slices.Contains(david.texts(room), "Echo: You said: "+text) })
	}

	bot := run()
	mention("one")
	answered(room, "one")
	david.say(room, "not to the bot")
	david.say(direct.GetRoom().GetId(), "two")
	answered(direct.GetRoom().GetId(), "two")

	bot.kill()
	mention("three, while the bot is away")
	bot = run()
	answered(room, "three, while the bot is away")

	campfire.kill() // in the middle of the bot's stream
	campfire.start()
	david = campfire.as(david.token)
	before, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	mention("four, after the server came back")
	answered(room, "four, after the server came back")

	// As if it had crashed between its answer and its note of how far it is: it hears the message again.
	bot.kill()
	if err := os.WriteFile(state, before, 0o600); err != nil {
		t.Fatal(err)
	}
	run()
	mention("five")
	answered(room, "five")
	count := map[string]int{}
	for _, text := range append(david.texts(room), david.texts(direct.GetRoom().GetId())...) {
		if strings.HasPrefix(text, "Echo: ") {
			count[text]++
		}
	}
	for text, times := range count {
		if times != 1 {
			t.Errorf("%q was said %d times", text, times)
		}
	}
	if len(count) != 5 {
		t.Errorf("got the answers %v, want five", count)
	}
}

func TestTheEchoBotInGoAnswersEachMessageOnce(t *testing.T) {
	t.Parallel()
	echoes(t, func(t *testing.T) *exec.Cmd { return exec.Command(program(t, "echo-bot")) })
}

func TestTheEchoBotInTypeScriptAnswersEachMessageOnce(t *testing.T) {
	t.Parallel()
	if output, err := sh(t, 5*time.Minute, "cd examples/echo-bot-ts && npm ci --no-audit --no-fund && npm run build"); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	echoes(t, func(t *testing.T) *exec.Cmd { return exec.Command("node", "echo-bot-ts/dist/main.js") })
}

// sh runs a script in the repository's folder, with grpcurl at hand.
func sh(t testing.TB, timeout time.Duration, script string, env ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), append(env, "PATH="+filepath.Dir(program(t, "grpcurl"))+":"+os.Getenv("PATH"))...)
	cmd.WaitDelay = time.Second // for what the script has started
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func TestADeployNoticeIsPostedOnce(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	david := campfire.david()
	_, key := david.newBot("Deployer")
	room := david.room("All Talk")
	for range 2 {
		output, err := sh(t, patience, fmt.Sprintf("examples/deploy-notice.sh %d shop v1.4.2", room),
			"CAMPFIRE_URL=http://"+campfire.host, "CAMPFIRE_BOT_KEY="+key)
		if err != nil || output != "" {
			t.Errorf("got %q and %v, want silence", output, err)
		}
	}
	if got, want := david.texts(room), []string{"Deployer: Deployed shop v1.4.2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnAdministratorSetsUpAnEmptyCampfireByScript(t *testing.T) {
	t.Parallel()
	campfire := newCampfire(t)
	output, err := sh(t, patience, "examples/admin.sh", "CAMPFIRE="+campfire.host, "PASSWORD="+password)
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	bot := campfire.as(strings.TrimSpace(output))
	me, err := bot.GetCurrentUser(t.Context(), &campfirev1.GetCurrentUserRequest{})
	if err != nil || me.GetUser().GetName() != "Deployer" {
		t.Errorf("the printed key is %q's (%v), want Deployer's", me.GetUser().GetName(), err)
	}
	signIn, err := campfire.as("").SignIn(t.Context(), &campfirev1.SignInRequest{EmailAddress: "jason@example.com", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	jason := campfire.as(signIn.GetSessionToken())
	jason.room("Announcements")
	jason.room("Board")
	people, err := jason.ListUsers(t.Context(), &campfirev1.ListUsersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range people.GetUsers() {
		got = append(got, fmt.Sprintf("%s %s %s", u.GetName(), strings.TrimPrefix(u.GetRole().String(), "USER_ROLE_"), strings.TrimPrefix(u.GetStatus().String(), "USER_STATUS_")))
	}
	want := []string{"David ADMINISTRATOR ACTIVE", "Jason ADMINISTRATOR ACTIVE", "Mallory MEMBER BANNED"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	account, err := jason.GetAccount(t.Context(), &campfirev1.GetAccountRequest{})
	if err != nil || account.GetAccount().GetName() != "Acme" {
		t.Errorf("the account is %q (%v), want Acme", account.GetAccount().GetName(), err)
	}
}
