// SPDX-License-Identifier: Apache-2.0

package golden

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestArchiveKeepsEveryByte writes frames of all kinds of bytes and reads them back.
func TestArchiveKeepsEveryByte(t *testing.T) {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	bodies := []string{
		string(all), strings.Repeat("long ", 100), "-- a title --\n-- another --\n", " \n \n", `\x41\n"'`, "主题\xff\xe4\xb8 \u2028\ufffd", "\\", "\n", "- ",
	}
	var frames []Frame
	for i, body := range bodies {
		frames = append(frames, Frame{Name: "A" + string(rune('a'+i)), Header: all, Body: []byte(body)})
	}
	frames = append(frames, Frame{Name: "NO_BODY", Header: []byte("{}")})
	file := filepath.Join(t.TempDir(), "x.txtar")
	if err := WriteArchive(file, "of a test", frames); err != nil {
		t.Fatal(err)
	}
	got, err := ReadArchive(file)
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b Frame) bool {
		return a.Name == b.Name && bytes.Equal(a.Header, b.Header) && bytes.Equal(a.Body, b.Body)
	}
	if !slices.EqualFunc(got, frames, same) {
		t.Errorf("got %q, want %q", got, frames)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), " \n") {
		t.Error("a line ends with a blank")
	}
}

func TestReadArchiveRefusesWhatIsNoArchiveOfFrames(t *testing.T) {
	for name, text := range map[string]string{
		"a body alone":          "-- A body --\nx\n",
		"a body of another":     "-- A header --\nx\n-- B body --\nx\n",
		"an unknown part":       "-- A tail --\nx\n",
		"a broken escape":       "-- A header --\n\\q\n",
		"a backslash at an end": "-- A header --\nx\\\n",
	} {
		file := filepath.Join(t.TempDir(), "x.txtar")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if frames, err := ReadArchive(file); err == nil {
			t.Errorf("%s is read: %q", name, frames)
		}
	}
}

// TestArchivesAreWhole compares lengths with what the headers themselves know: JSON is complete, and each frame that was
// recorded is there once.
func TestArchivesAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range All(t) {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		if strings.HasPrefix(string(f.Header), "{") && !json.Valid(f.Header) {
			t.Errorf("%s: the header is no JSON", f.Name)
		}
	}
	if len(seen) < 454 {
		t.Errorf("%d frames, and there were 454", len(seen))
	}
}
