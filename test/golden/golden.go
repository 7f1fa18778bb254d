// SPDX-License-Identifier: Apache-2.0

// Package golden reads the frames that test/capture recorded from real RocketMQ programs.
package golden

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Frame is one recorded frame.
type Frame struct {
	Name   string // folder and file without ".txt": "java-5.3.3-json/HEART_BEAT.request"
	Head   string // versions, serialization, scenario
	Header []byte
	Body   []byte
}

// JSON is the folder of the frames that a Java 5.3.3 client and its servers exchanged with headers in JSON.
const JSON = "java-5.3.3-json"

// dir returns the folder with the recordings.
func dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "codec", "testdata")
}

// All loads every recorded frame.
func All(t testing.TB) []Frame {
	t.Helper()
	var frames []Frame
	err := filepath.WalkDir(dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		folder := filepath.Base(filepath.Dir(path))
		if d.IsDir() || !strings.HasPrefix(folder, "java-") || filepath.Ext(path) != ".txt" {
			return nil
		}
		f, err := Read(folder, strings.TrimSuffix(filepath.Base(path), ".txt"))
		frames = append(frames, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) == 0 {
		t.Fatal("no golden frames")
	}
	return frames
}

// Named loads the frames whose file name, without folder, starts with name.
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

// Read loads one recorded frame of a folder, such as "SEND_MESSAGE_V2.request" of JSON.
func Read(folder, name string) (Frame, error) {
	f, err := load(filepath.Join(dir(), folder, name+".txt"))
	f.Name = folder + "/" + name
	if err != nil {
		return f, fmt.Errorf("recorded frame %s: %w", f.Name, err)
	}
	return f, nil
}

func load(path string) (f Frame, err error) {
	file, err := os.Open(path)
	if err != nil {
		return f, err
	}
	defer file.Close() //nolint:errcheck // read only
	var part *[]byte
	var sizes [2]int
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "# "):
			f.Head = line[2:]
		case strings.HasPrefix(line, "header "):
			part = &f.Header
			_, err = fmt.Sscanf(line, "header %d", &sizes[0])
		case strings.HasPrefix(line, "body "):
			part = &f.Body
			_, err = fmt.Sscanf(line, "body %d", &sizes[1])
		case part != nil:
			var b []byte
			b, err = hex.DecodeString(line)
			*part = append(*part, b...)
		default:
			err = fmt.Errorf("unexpected line %q", line)
		}
		if err != nil {
			return f, err
		}
	}
	if len(f.Header) != sizes[0] || len(f.Body) != sizes[1] {
		return f, fmt.Errorf("%d and %d bytes, want %d and %d", len(f.Header), len(f.Body), sizes[0], sizes[1])
	}
	return f, lines.Err()
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
