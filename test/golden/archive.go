// SPDX-License-Identifier: Apache-2.0

package golden

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
)

// spdx opens the comment of each archive.
const spdx = "SPDX-License-Identifier: Apache-2.0\n"

// ReadArchive returns the frames of an archive, by name. Their names have no folder: "HEART_BEAT.request".
func ReadArchive(file string) ([]Frame, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	var frames []Frame
	for _, f := range archive.Files {
		name, part, _ := strings.Cut(f.Name, " ")
		data, err := unquote(f.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, f.Name, err)
		}
		switch {
		case part == "header":
			frames = append(frames, Frame{Name: name, Header: data})
		case part == "body" && len(frames) > 0 && frames[len(frames)-1].Name == name:
			frames[len(frames)-1].Body = data
		default:
			return nil, fmt.Errorf("%s: unexpected %q: want the header of a frame, then its body if it has one", file, f.Name)
		}
	}
	return frames, nil
}

// WriteArchive makes an archive of frames, in the order of their names. The comment says where they are from.
func WriteArchive(file, comment string, frames []Frame) error {
	frames = slices.Clone(frames)
	slices.SortFunc(frames, func(a, b Frame) int { return strings.Compare(a.Name, b.Name) })
	archive := &txtar.Archive{Comment: []byte(spdx + comment + "\n")}
	for _, f := range frames {
		archive.Files = append(archive.Files, txtar.File{Name: f.Name + " header", Data: quote(f.Header)})
		if len(f.Body) > 0 {
			archive.Files = append(archive.Files, txtar.File{Name: f.Name + " body", Data: quote(f.Body)})
		}
	}
	return os.WriteFile(file, txtar.Format(archive), 0o644)
}

// lineLength is how many characters of data a line holds, about.
const lineLength = 120

// quote writes bytes as lines of text: printable characters as they are, others as in a Go string, a backslash doubled.
// Line breaks of the text mean nothing; those of the data are \n, and end a line of text too.
func quote(data []byte) []byte {
	var text, line []byte
	end := func() {
		// No line ends with a blank, which editors remove, or looks like the title of a file in the archive.
		if bytes.HasSuffix(line, []byte(" ")) {
			line = append(line[:len(line)-1], `\x20`...)
		}
		if bytes.HasPrefix(line, []byte("-")) {
			line = append([]byte(`\x2d`), line[1:]...)
		}
		text = append(append(text, line...), '\n')
		line = line[:0]
	}
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == '\\':
			line = append(line, `\\`...)
		case r == '\n':
			line = append(line, `\n`...)
		case (r != utf8.RuneError || n > 1) && strconv.IsPrint(r):
			line = append(line, data[:n]...)
		default:
			n = 1
			line = fmt.Appendf(line, `\x%02x`, data[0])
		}
		data = data[n:]
		if r == '\n' || len(line) >= lineLength || len(data) == 0 {
			end()
		}
	}
	return text
}

// unquote reads what quote writes.
func unquote(text []byte) ([]byte, error) {
	var data []byte
	for line := range strings.Lines(string(text)) {
		for rest := strings.TrimSuffix(line, "\n"); rest != ""; {
			r, multibyte, tail, err := strconv.UnquoteChar(rest, 0)
			if err != nil {
				return nil, fmt.Errorf("%w: %q", err, rest)
			}
			if r < utf8.RuneSelf || !multibyte {
				data = append(data, byte(r))
			} else {
				data = utf8.AppendRune(data, r)
			}
			rest = tail
		}
	}
	return data, nil
}
