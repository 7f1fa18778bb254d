// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// report is everything that was found. Its JSON is for later comparisons.
type report struct {
	Started    time.Time     `json:"started"`
	Took       time.Duration `json:"took_ns"`
	Command    string        `json:"command"`
	Quick      bool          `json:"quick"`
	Machine    machine       `json:"machine"`
	Versions   measured      `json:"versions"`
	LoadBefore float64       `json:"load_average_before"`

	Parts   map[string]finding `json:"parts"` // by name
	Targets []verdict          `json:"targets"`
}

// write writes the JSON, the matrix beside it and, unless only pieces of parts were measured, docs/PERFORMANCE.md with its
// picture; nothing if no part was.
func (b *benchmark) write(r *report) error {
	if len(r.Parts) == 0 {
		return nil
	}
	r.Took, r.Targets = time.Since(r.Started), r.verdicts()
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	file := b.opt.json
	if file == "" {
		file = filepath.Join(b.root, "out", "bench", r.Started.UTC().Format("2006-01-02T150405Z")+".json")
	}
	if err := writeFile(file, append(text, '\n')); err != nil {
		return err
	}
	if err := writeFile(strings.TrimSuffix(file, ".json")+".md", []byte(r.matrix())); err != nil {
		return err
	}
	file = b.opt.markdown
	if file == "" {
		if b.opt.partial {
			return nil
		}
		file = filepath.Join(b.root, "docs", "PERFORMANCE.md")
	}
	old, err := readOld(file)
	if err != nil {
		return err
	}
	if err := writeFile(file, []byte(r.page(old))); err != nil {
		return err
	}
	if real, measured := r.Parts["real"].(*realReport); measured {
		return writeFile(filepath.Join(filepath.Dir(file), "performance.svg"), []byte(real.picture()))
	}
	return nil
}

func writeFile(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		return err
	}
	fmt.Printf("wrote %s\n", file)
	return nil
}
