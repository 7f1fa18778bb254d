// SPDX-License-Identifier: Apache-2.0

// Package golden reads and writes the frames that test/capture recorded from real RocketMQ programs: in codec/testdata, an
// archive (txtar) for each client and serialization. Header and body of a frame are files of it, in a text that shows what is
// printable and keeps every byte.
package golden

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Frame is one recorded frame.
type Frame struct {
	Name   string // "HEART_BEAT.request"; outside of its archive "java-5.3.3-json/HEART_BEAT.request"
	Header []byte
	Body   []byte
}

// JSON is the archive of the frames that a Java 5.3.3 client and its servers exchanged with headers in JSON.
const JSON = "java-5.3.3-json"

// dir returns the folder with the recordings.
func dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "codec", "testdata")
}

// load returns the frames of an archive of the recordings.
func load(archive string) ([]Frame, error) {
	frames, err := ReadArchive(filepath.Join(dir(), archive+".txtar"))
	for i := range frames {
		frames[i].Name = archive + "/" + frames[i].Name
	}
	return frames, err
}

// All loads every recorded frame.
func All(t testing.TB) []Frame {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(dir(), "java-*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no golden frames: %v", err)
	}
	var all []Frame
	for _, archive := range archives {
		frames, err := load(strings.TrimSuffix(filepath.Base(archive), ".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, frames...)
	}
	return all
}

// Named loads the frames whose name, without the archive's, starts with name.
func Named(t testing.TB, name string) []Frame {
	t.Helper()
	var frames []Frame
	for _, f := range All(t) {
		if _, base, _ := strings.Cut(f.Name, "/"); strings.HasPrefix(base, name) {
			frames = append(frames, f)
		}
	}
	if len(frames) == 0 {
		t.Fatalf("no golden frame named %s", name)
	}
	return frames
}

// Read loads one recorded frame of an archive, such as "SEND_MESSAGE_V2.request" of JSON.
func Read(archive, name string) (Frame, error) {
	frames, err := load(archive)
	if err != nil {
		return Frame{}, err
	}
	for _, f := range frames {
		if f.Name == archive+"/"+name {
			return f, nil
		}
	}
	return Frame{}, fmt.Errorf("recorded frame %s/%s: there is none", archive, name)
}

// JavaConstants reads NAME VALUE lines taken from a Java class, and returns the names by their values.
func JavaConstants(t testing.TB, file string) map[int32]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir(), file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	constants := map[int32]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var name string
		var value int32
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "%s %d", &name, &value); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		constants[value] = name
	}
	return constants
}
