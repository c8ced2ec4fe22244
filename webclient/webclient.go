// Package webclient holds the built React client, so that the server binary is the whole app.
package webclient

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns what `npm run build` left in dist. Without a build it holds only .gitkeep.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // dist is embedded: the compiler has seen it
	}
	return files
}
