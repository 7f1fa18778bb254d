// SPDX-License-Identifier: Apache-2.0

// Package logline makes lines for Envoy's log in which no text of others passes for the filter's own: names, remarks
// and errors may hold what a client, a broker, a name server or a config has written.
package logline

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Own is text of this program, which is written as it is: a constant, or what the compiler or Go's runtime made.
type Own string

// MaxForeign and MaxLine bound one foreign text and a line, in bytes before they are quoted.
const (
	MaxForeign = 512
	MaxLine    = 4096
)

// Format is fmt.Sprintf for one line. Numbers, durations and Own texts are written as they are; anything else is quoted
// and cut after MaxForeign bytes, whatever its verb.
func Format(format string, arguments ...any) string {
	for i, a := range arguments {
		switch a := a.(type) {
		case bool, int, int32, int64, uint, uint16, uint32, uint64, float64, time.Duration, Own:
		case []byte:
			arguments[i] = foreign(a)
		default:
			arguments[i] = foreign(fmt.Sprint(a))
		}
	}
	return Escape(fmt.Sprintf(format, arguments...), MaxLine)
}

// foreign is a text that every verb quotes.
type foreign string

// Format implements fmt.Formatter.
func (f foreign) Format(s fmt.State, _ rune) {
	text, rest := cut(string(f), MaxForeign)
	_, _ = io.WriteString(s, strconv.Quote(text)+rest)
}

// Escape makes one line of a text: what does not print is escaped, and no more than `most` bytes of it are kept. It is for
// texts that quote by themselves what is not theirs, such as the errors of a config.
func Escape(text string, most int) string {
	text, rest := cut(text, most)
	if utf8.ValidString(text) && strings.IndexFunc(text, hidden) < 0 {
		return text + rest
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || hidden(r) {
			quoted := strconv.Quote(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String() + rest
}

// Stack returns the lines of a stack that Go's runtime has made.
func Stack(stack []byte) (lines []Own) {
	for line := range strings.Lines(string(stack)) {
		lines = append(lines, Own(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")))
	}
	return lines
}

func hidden(r rune) bool { return !unicode.IsPrint(r) }

// cut returns at most n bytes of a text, whole characters, and what says how many there are more.
func cut(text string, n int) (begin, rest string) {
	if len(text) <= n {
		return text, ""
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n], fmt.Sprintf("...(%d more)", len(text)-n)
}
