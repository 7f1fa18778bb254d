// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// block is a fenced block of a page.
type block struct {
	line  int    // of the fence, from 1
	kind  string // what stands behind the fence
	lines []string
}

// page is a file of Markdown.
type page struct {
	name   string // from the repository's root
	text   string
	blocks []block
}

// has tells whether the page has a block of a kind.
func (p page) has(kind string) bool {
	return slices.ContainsFunc(p.blocks, func(b block) bool { return b.kind == kind })
}

// pages are all pages of the repository, but those of folders that are not part of it.
func pages(root string) (all []page, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "out") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		p := page{name: name, text: string(text)}
		if p.blocks, err = blocks(p.text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, p)
		return nil
	})
	return all, err
}

// blocks are the fenced blocks of a text, without the indentation of their fences.
func blocks(text string) (all []block, err error) {
	open, indent := -1, ""
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimLeft(line, " ")
		kind, fence := strings.CutPrefix(trimmed, "```")
		switch {
		case fence && open < 0:
			open, indent = i+1, line[:len(line)-len(trimmed)]
			all = append(all, block{line: open, kind: kind})
		case fence:
			open = -1
		case open >= 0:
			last := &all[len(all)-1]
			last.lines = append(last.lines, strings.TrimPrefix(line, indent))
		}
	}
	if open >= 0 {
		return nil, fmt.Errorf("line %d: the block does not end", open)
	}
	return all, nil
}
