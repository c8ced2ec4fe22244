package server

import "strings"

// sound is what is shown beside a sound's play button: a picture of this size, in CSS pixels, or a caption.
type sound struct {
	caption       string
	width, height int
}

// sounds are the sounds /play knows, by name.
var sounds = map[string]sound{
	"56k":           {width: 79, height: 33},
	"ballmer":       {caption: "works up the crowd"},
	"bell":          {caption: "🛎️"},
	"bezos":         {caption: "🤣"},
	"bueller":       {caption: "Anybody?"},
	"butts":         {caption: "🍑"},
	"clowntown":     {width: 210, height: 150},
	"cottoneyejoe":  {caption: "🎻"},
	"crickets":      {caption: "hears the grass grow"},
	"curb":          {width: 150, height: 101},
	"dadgummit":     {caption: "mutters into the beard 🧔"},
	"dangerzone":    {width: 157, height: 32},
	"danielsan":     {caption: "🥋"},
	"deeper":        {width: 188, height: 80},
	"donotwant":     {width: 150, height: 150},
	"drama":         {width: 300, height: 16},
	"flawless":      {caption: "Spotless"},
	"glados":        {caption: "🤖"},
	"gogogo":        {caption: "is off already"},
	"greatjob":      {width: 79, height: 16},
	"greyjoy":       {caption: "📯"},
	"guarantee":     {caption: "shakes hands on it 🤝"},
	"heygirl":       {caption: "😏"},
	"honk":          {caption: "Beep"},
	"horn":          {caption: "📢"},
	"horror":        {caption: "😱"},
	"incoming":      {caption: "has something for you"},
	"inconceivable": {caption: "had not thought of that"},
	"letitgo":       {caption: "❄️"},
	"live":          {caption: "is on the air, and furious"},
	"loggins":       {width: 200, height: 151},
	"makeitso":      {caption: "nods to the bridge 🖖"},
	"mario_coin":    {caption: "🪙"},
	"maybe":         {caption: "waits by the phone ☎️"},
	"noooo":         {caption: "😭"},
	"nyan":          {width: 36, height: 15},
	"ohmy":          {caption: "raises an eyebrow 🤨"},
	"ohyeah":        {caption: "could not agree more"},
	"pushit":        {width: 104, height: 15},
	"rimshot":       {caption: "will be here all week"},
	"rollout":       {caption: "starts the engine 🚗"},
	"rumble":        {width: 220, height: 150},
	"sax":           {caption: "🎷"},
	"secret":        {caption: "finds a hidden door 🗝️"},
	"sexyback":      {caption: "🕺"},
	"story":         {caption: "closes the book"},
	"tada":          {caption: "pulls it out of the hat 🎩"},
	"tmyk":          {caption: "learned something today 🌠"},
	"totes":         {caption: "💁"},
	"trololo":       {caption: "Ля-ля"},
	"trombone":      {caption: "had hoped for more"},
	"unix":          {caption: "feels at home in here 🐚"},
	"vuvuzela":      {caption: "♪♪♪♪♪♪"},
	"what":          {width: 100, height: 131},
	"whoomp":        {caption: "🙌"},
	"wups":          {caption: "Slipped"},
	"yay":           {width: 103, height: 50},
	"yeah":          {width: 104, height: 15},
	"yodel":         {caption: "🏔️"},
}

// soundOf answers the name of the sound a message plays, if it is the command for one and nothing else.
func soundOf(text string) (name string, ok bool) {
	name, ok = strings.CutPrefix(text, "/play ")
	if _, known := sounds[name]; !ok || !known {
		return "", false
	}
	return name, true
}
