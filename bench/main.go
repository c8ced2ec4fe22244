// Command bench measures how near Campfire comes to what the machine can do. It starts the real program on a fresh data
// folder, loads it through real sockets, checks every answer, audits what was acknowledged, and prints each figure beside
// that of a bare loop, measured in turn with it. docs/performance.md tells what the figures mean.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/template"
	"time"

	_ "embed"

	campfirev1 "campfire.example/gen/campfire/v1"
)

// load is one kind of work.
type load struct {
	name string
	run  func(context.Context, *bench) error
}

// loads are in the order of the table.
var loads = []load{
	{"post", posting},
	{"fanout", fanningOut},
	{"delivery", delivering},
	{"read", reading},
	{"reconnect", reconnecting},
	{"idle", idling},
	{"start", starting},
}

// bench is one run of the benchmark.
type bench struct {
	binary   string
	rounds   int
	runs     int             // in a round
	length   time.Duration   // of one measurement
	profiles string          // a folder for them, if they are wanted
	profiled map[string]bool // work of which there are some
	scratch  string          // a folder for data
	bare     *process
	running  *process // the last Campfire that was started
	figures  []*figure
}

// figure is one line of the table: what Campfire does, and what a bare loop does, in runs that alternate.
type figure struct {
	What     string    `json:"what"`
	Unit     string    `json:"unit"`
	Campfire []float64 `json:"campfire"`
	Bare     []float64 `json:"bare,omitempty"`
	Loop     string    `json:"loop,omitempty"` // which bare loop
	Goal     *goal     `json:"goal,omitempty"`
}

// goal is what a figure, or its ratio to the bare loop's, is to reach.
type goal struct {
	Least float64 `json:"least,omitempty"`
	Below float64 `json:"below,omitempty"`
	Ratio bool    `json:"ratio,omitempty"`
}

// goals are those of the plan, by what is measured and its unit.
var goals = map[[2]string]goal{
	{"post, 16 posters", "calls/s"}:                    {Least: 0.4, Ratio: true},
	{"post, 16 posters", "p99 ms"}:                     {Below: 10},
	{"fan-out to 1000 streams", "messages/s"}:          {Least: 0.7, Ratio: true},
	{"delivery to 50 people, 20 messages/s", "p99 ms"}: {Below: 10},
	{"newest page, 16 readers", "calls/s"}:             {Least: 0.3, Ratio: true},
	{"search, a rare word", "calls/s"}:                 {Least: 4000},
	{"search, a rare word", "p99 ms"}:                  {Below: 10},
	{"search, a common word, 20 newest", "calls/s"}:    {Least: 4000},
	{"search, a common word, 20 newest", "p99 ms"}:     {Below: 10},
	{"search, no access", "calls/s"}:                   {Least: 4000},
	{"search, no access", "p99 ms"}:                    {Below: 10},
	{"1000 streams reconnect with resume", "s"}:        {Below: 1},
	{"10000 idle streams", "MB"}:                       {Below: 400},
	{"memory with 50 people", "MB"}:                    {Below: 60},
	{"cold start to /up", "ms"}:                        {Below: 50},
	{"cold start to /up, 100,000 messages", "ms"}:      {Below: 50},
}

// none stands for the figure of a bare loop where there is none to compare with.
var none = math.NaN()

// note adds one run's figure, and that of the bare loop beside it.
func (b *bench) note(what, unit string, campfire float64, loop string, bare float64) {
	i := slices.IndexFunc(b.figures, func(f *figure) bool { return f.What == what && f.Unit == unit && f.Loop == loop })
	if i < 0 {
		f := &figure{What: what, Unit: unit, Loop: loop}
		if g, ok := goals[[2]string{what, unit}]; ok && loop != "plain echo" && loop != "SQLite" {
			f.Goal = &g
		}
		i, b.figures = len(b.figures), append(b.figures, f)
	}
	f := b.figures[i]
	f.Campfire = append(f.Campfire, campfire)
	if !math.IsNaN(bare) {
		f.Bare = append(f.Bare, bare)
	}
}

// ratios are those of the runs, each with the bare loop's right after it, so that a machine that slows down slows both.
func (f *figure) ratios() (ratios []float64) {
	for i := range f.Bare {
		ratios = append(ratios, f.Campfire[i]/f.Bare[i])
	}
	return ratios
}

// verdict tells whether the goal is met, if there is one.
func (f *figure) verdict() (text string, met bool) {
	if f.Goal == nil {
		return "", true
	}
	got := median(f.Campfire)
	if f.Goal.Ratio {
		got = median(f.ratios())
	}
	text, met = fmt.Sprintf("≥ %g", f.Goal.Least), got >= f.Goal.Least
	if f.Goal.Below > 0 {
		text, met = fmt.Sprintf("< %g", f.Goal.Below), got < f.Goal.Below
	}
	if f.Goal.Ratio {
		text += " of it"
	}
	return text + map[bool]string{true: ": met", false: ": **not met**"}[met], met
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// spread is how far the runs lie apart, in percent of the median.
func spread(values []float64) float64 {
	low, high := slices.Min(values), slices.Max(values)
	if low == high {
		return 0
	}
	return 100 * (high - low) / median(values)
}

func number(v float64) string {
	decimals := 0
	for limit := 100.0; decimals < 3 && math.Abs(v) < limit && v != 0; limit /= 10 {
		decimals++
	}
	text := fmt.Sprintf("%.*f", decimals, v)
	for i := len(text) - 3; decimals == 0 && i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// report is what a run leaves behind as JSON.
type report struct {
	Machine string    `json:"machine"`
	Version string    `json:"version"`
	Runs    int       `json:"runs"`
	Seconds float64   `json:"seconds"` // of one measurement
	Figures []*figure `json:"figures"`
}

// table is the figures as Markdown.
func (r report) table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "Campfire %s on %s; %d runs of %g s in turn; medians, and how far the runs lie apart.\n\n", r.Version, r.Machine, r.Runs, r.Seconds)
	out.WriteString("| what | unit | Campfire | apart | bare loop | ratio | apart | goal |\n|---|---|--:|--:|--:|--:|--:|---|\n")
	for _, f := range r.Figures {
		bare, ratio, apart := "", "", ""
		if ratios := f.ratios(); len(ratios) > 0 {
			bare, ratio, apart = f.Loop+" "+number(median(f.Bare)), fmt.Sprintf("%.2f", median(ratios)), fmt.Sprintf("%.0f %%", spread(ratios))
		}
		goal, _ := f.verdict()
		fmt.Fprintf(&out, "| %s | %s | %s | %.0f %% | %s | %s | %s | %s |\n", f.What, f.Unit, number(median(f.Campfire)), spread(f.Campfire), bare, ratio, apart, goal)
	}
	return out.String()
}

// mostApart is how far the ratios of two runs on a quiet machine may lie apart, in percent.
const mostApart = 15

// compare prints the figures of two reports side by side. It is an error if their ratios lie too far apart.
func compare(first, second string) error {
	var reports [2]report
	for i, name := range []string{first, second} {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &reports[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Printf("| what | unit | first | second | ratio | ratio | apart |\n|---|---|--:|--:|--:|--:|--:|\n")
	var err error
	for _, a := range reports[0].Figures {
		i := slices.IndexFunc(reports[1].Figures, func(b *figure) bool { return a.What == b.What && a.Unit == b.Unit && a.Loop == b.Loop })
		if i < 0 {
			err = errors.Join(err, fmt.Errorf("the second has no %s, %s", a.What, a.Unit))
			continue
		}
		b := reports[1].Figures[i]
		apart := ""
		if x, y := median(a.ratios()), median(b.ratios()); len(a.Bare) > 0 {
			percent := 100 * math.Abs(x-y) / min(x, y)
			apart = fmt.Sprintf("%.2f | %.2f | %.0f %%", x, y, percent)
			if percent > mostApart && a.Unit != "p99 ms" { // one in a hundred is anybody's: it tells of the machine's other work
				err = errors.Join(err, fmt.Errorf("%s, %s: the ratios to %s lie %.0f %% apart", a.What, a.Unit, a.Loop, percent))
			}
		} else {
			apart = " | | "
		}
		fmt.Printf("| %s | %s | %s | %s | %s |\n", a.What, a.Unit, number(median(a.Campfire)), number(median(b.Campfire)), apart)
	}
	return err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if part := parts[strings.Join(args, " ")]; part != nil {
		return part(ctx)
	}
	b := &bench{profiled: map[string]bool{}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&b.binary, "binary", "./campfire", "the `program` to measure")
	flags.IntVar(&b.rounds, "rounds", 3, "how `often` all loads take their turn, each on a fresh data folder")
	flags.IntVar(&b.runs, "runs", 3, "how `often` each is measured in a round")
	flags.DurationVar(&b.length, "length", time.Second, "of one measurement")
	flags.StringVar(&b.profiles, "profile", "", "write profiles of the server to a `folder`; they cost time, so the figures count less")
	short := flags.Bool("short", false, "one round, of half a second each")
	only := flags.String("only", "", "`loads`, separated by commas, of post, fanout, delivery, read, reconnect, idle and start")
	output := flags.String("json", "", "write the figures to a `file`")
	compared := flags.Bool("compare", false, "compare two such files, named after the flags")
	scaled := flags.String("scale", "", "measure instead how costs grow, and draw that into a `folder`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *compared {
		if flags.NArg() != 2 {
			return errors.New("usage: bench --compare FIRST SECOND")
		}
		return compare(flags.Arg(0), flags.Arg(1))
	}
	if *short {
		b.rounds, b.length = 1, 500*time.Millisecond
	}
	if err := os.MkdirAll(cmp.Or(b.profiles, *scaled, "."), 0o755); err != nil {
		return err
	}
	if b.scratch, err = os.MkdirTemp("", "campfire-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.end(), os.RemoveAll(b.scratch)) }()
	if b.bare, err = startBare(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.bare.stop()) }()
	if *scaled != "" {
		return b.scale(ctx, *scaled)
	}
	for range b.rounds { // a machine that is slow for a minute is so for a part of each load's runs, not for all of one's
		for _, l := range loads {
			if *only != "" && !slices.Contains(strings.Split(*only, ","), l.name) {
				continue
			}
			fmt.Fprintf(os.Stderr, "%s …\n", l.name)
			if err := l.run(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
		}
	}
	version, err := runOnce(ctx, b.binary, "version")
	r := report{Machine: machine(), Version: strings.TrimSpace(version), Runs: b.rounds * b.runs, Seconds: b.length.Seconds(), Figures: b.figures}
	fmt.Print(r.table())
	if *output != "" {
		data, encodeErr := json.MarshalIndent(r, "", "  ")
		err = errors.Join(err, encodeErr, os.WriteFile(*output, append(data, '\n'), 0o644))
	}
	return err
}

// profile writes the server's profiles of the first measurement of some work, if they are wanted.
func (b *bench) profile(p *process, work string) (wait func() error) {
	if b.profiles == "" || p == b.bare || b.profiled[work] {
		return func() error { return nil }
	}
	b.profiled[work] = true
	query := fmt.Sprintf("?seconds=%d", max(1, int(b.length.Seconds())))
	profiles := map[string]string{"cpu": "profile" + query, "allocs": "allocs" + query, "mutex": "mutex" + query, "block": "block" + query, "heap": "heap?gc=1"}
	failed := make(chan error, len(profiles))
	for name, path := range profiles {
		go func() {
			profile, err := get("http://" + p.metrics + "/debug/pprof/" + path)
			failed <- errors.Join(err, os.WriteFile(filepath.Join(b.profiles, work+"."+name+".pprof"), []byte(profile), 0o644))
		}()
	}
	return func() (err error) {
		for range profiles {
			err = errors.Join(err, <-failed)
		}
		return err
	}
}

// scale measures how costs grow with what a house holds, and draws each growth into the folder.
func (b *bench) scale(ctx context.Context, folder string) error {
	var err error
	for _, g := range []struct {
		name, title string
		sizes       []int
		fill        func(h *house, n int) error
	}{
		{"people", "in the room", []int{10, 100, 1000, 10_000}, func(h *house, n int) error { return h.fill(ctx, n, 10, 1000) }},
		{"rooms", "of one's own", []int{10, 100, 1000, 10_000}, func(h *house, n int) error { return h.fill(ctx, 20, n, 1000) }},
		{"messages", "in the room", []int{1000, 10_000, 100_000, 1_000_000}, func(h *house, n int) error { return h.fill(ctx, 20, 10, n) }},
	} {
		plot := &growth{title: fmt.Sprintf("One call, with so many %s %s (ms)", g.name, g.title), of: g.name}
		err = errors.Join(err, b.grow(ctx, plot, g.sizes, g.fill), plot.draw(folder, g.name))
	}
	streams := &growth{title: "One message to so many streams, posted as fast as it goes (ms)", of: "streams"}
	for _, n := range []int{10, 30, 100, 300, 1000} {
		var whole, bareWhole, processor []float64
		_, _, _, failed := b.fanOutTo(ctx, n, func(mine, bare burst) {
			whole, bareWhole = append(whole, 1000/mine.perSecond), append(bareWhole, 1000/bare.perSecond)
			processor = append(processor, 1000*mine.processor/mine.calls)
		})
		err = errors.Join(err, failed)
		streams.add("until all have it", float64(n), median(whole))
		streams.add("the same, bare", float64(n), median(bareWhole))
		streams.add("CPU of the server", float64(n), median(processor))
	}
	return errors.Join(err, streams.draw(folder, "streams"))
}

// grow measures the calls of one person, one after the other, while the house is filled.
func (b *bench) grow(ctx context.Context, g *growth, sizes []int, fill func(h *house, n int) error) (err error) {
	h := &house{}
	if h.folder, err = os.MkdirTemp(b.scratch, "data-"); err != nil {
		return err
	}
	for _, size := range sizes {
		fmt.Fprintf(os.Stderr, "%d %s …\n", size, g.of)
		if err := errors.Join(fill(h, size), h.open(ctx, b)); err != nil {
			return err
		}
		g.add("cold start", float64(size), h.ready.Seconds()*1000)
		david := newMember(h.address, h.tokens[0])
		for _, cost := range h.costs(ctx, david) {
			var took []time.Duration
			for began := time.Now(); time.Since(began) < b.length/2 || len(took) < 20; {
				called := time.Now()
				if err := cost.call(); err != nil {
					return err
				}
				took = append(took, time.Since(called))
			}
			p50, _ := percentiles(took)
			g.add(cost.name, float64(size), p50)
		}
		if err := h.stop(); err != nil {
			return err
		}
	}
	return nil
}

// cost is something that one person does.
type cost struct {
	name string
	call func() error
}

// costs are the calls whose growth is drawn.
func (h *house) costs(ctx context.Context, m member) []cost {
	search := func(query string) func() error {
		return func() error {
			_, err := m.SearchMessages(ctx, &campfirev1.SearchMessagesRequest{Query: query})
			return err
		}
	}
	return []cost{
		{"newest page", func() error {
			_, err := m.ListMessages(ctx, &campfirev1.ListMessagesRequest{RoomId: h.history})
			return err
		}},
		{"sidebar", func() error { _, err := m.ListRooms(ctx, &campfirev1.ListRoomsRequest{}); return err }},
		{"search, a rare word", search("hovercraft")},
		{"search, a common word", search("common")},
		// Last: once nobody posts any more, the search index is tidied, for as long as it is large.
		{"post", func() error { _, err := h.say(ctx, m, time.Now()); return err }},
	}
}

// growth is how the cost of some work grows, for one plot.
type growth struct {
	title, of string
	curves    []curve
}

type curve struct {
	name   string
	points [][2]float64
}

// add adds a point to the curve of that name.
func (g *growth) add(name string, x, y float64) {
	i := slices.IndexFunc(g.curves, func(c curve) bool { return c.name == name })
	if i < 0 {
		i, g.curves = len(g.curves), append(g.curves, curve{name: name})
	}
	fmt.Printf("%s | %s | %s | %s\n", g.title, number(x), name, number(y))
	g.curves[i].points = append(g.curves[i].points, [2]float64{x, y})
}

//go:embed plot.svg
var plotTemplate string

// draw writes the plot as SVG, both axes logarithmic, so that what costs the same is level and what doubles is a diagonal.
func (g *growth) draw(folder, name string) error {
	const width, height = 470.0, 310.0 // of the plot itself
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, c := range g.curves {
		for _, p := range c.points {
			for axis, v := range p {
				low[axis], high[axis] = min(low[axis], math.Floor(math.Log10(v))), max(high[axis], math.Ceil(math.Log10(v)))
			}
		}
	}
	type place struct {
		X, Y float64
		Text string
	}
	type drawn struct {
		place
		Color  string
		Points []place
	}
	at := func(x, y float64) place {
		return place{X: width * (math.Log10(x) - low[0]) / (high[0] - low[0]), Y: height - height*(math.Log10(y)-low[1])/(high[1]-low[1])}
	}
	var across, up []place
	for x := low[0]; x <= high[0]; x++ {
		across = append(across, place{X: at(math.Pow(10, x), 1).X, Text: strings.TrimSuffix(number(math.Pow(10, x)), ".0")})
	}
	for y := low[1]; y <= high[1]; y++ {
		up = append(up, place{Y: at(1, math.Pow(10, y)).Y, Text: fmt.Sprint(math.Pow(10, y))})
	}
	var curves []drawn
	for i, c := range g.curves {
		d := drawn{place: place{Y: float64(18 * i), Text: c.name}, Color: []string{"#1668dc", "#d4380d", "#389e0d", "#722ed1", "#d48806", "#08979c"}[i%6]}
		for _, p := range c.points {
			d.Points = append(d.Points, at(p[0], p[1]))
		}
		curves = append(curves, d)
	}
	var out bytes.Buffer
	err := template.Must(template.New("plot").Parse(plotTemplate)).Execute(&out, map[string]any{
		"Title": g.title, "Of": g.of, "Across": across, "Up": up, "Curves": curves,
	})
	return errors.Join(err, os.WriteFile(filepath.Join(folder, name+".svg"), out.Bytes(), 0o644))
}
