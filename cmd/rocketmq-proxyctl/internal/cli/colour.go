// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal tells whether people read w as it is written.
func isTerminal(w io.Writer) bool {
	if g, ok := w.(guard); ok {
		w = g.to
	}
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

var escapes = map[string]string{"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}

// What steers a terminal; guard knows all of it.
const (
	endColour   = "\x1b[0m"
	clearScreen = "\x1b[H\x1b[2J"
)

func beginColour(colour string) string { return "\x1b[" + escapes[colour] + "m" }

// painter gives what adds colour to text for w: nothing, unless w is a terminal and nobody objects
// (no-color.org).
func painter(w io.Writer) func(colour, text string) string {
	if !isTerminal(w) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return func(_, text string) string { return text }
	}
	return func(colour, text string) string { return beginColour(colour) + text + endColour }
}
