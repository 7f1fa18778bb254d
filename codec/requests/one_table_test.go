// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoOtherPackageListsCodes keeps what is known of codes in Table: it fails for a switch, a map, a slice or a condition
// with two codes or more in any other package of the product. Ask a column instead, or add one.
func TestNoOtherPackageListsCodes(t *testing.T) {
	constants := constantsOf(t)
	read := 0
	for _, folder := range []string{"api", "build", "cmd", "codec", "filter"} {
		err := filepath.WalkDir(filepath.Join("..", "..", folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			read++
			for _, list := range listsIn(file, constants) {
				t.Errorf("%s lists %s", files.Position(list.at), strings.Join(list.codes, ", "))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 100 {
		t.Errorf("only %d files were read", read)
	}
}

func TestListsOfCodesAreFound(t *testing.T) {
	constants := constantsOf(t)
	for _, c := range []struct {
		code string
		want int
	}{
		{"switch c { case requests.PullMessage: case requests.PopMessage: }", 1},
		{"switch { case c == requests.PullMessage, c == requests.PopMessage: }", 1},
		{"_ = map[requests.Code]bool{requests.PullMessage: true, requests.PopMessage: true}", 1},
		{"_ = []int{int(requests.PullMessage), int(requests.PopMessage)}", 1},
		{"_ = slices.Contains([]requests.Code{requests.PullMessage, requests.PopMessage}, c)", 1},
		{"_ = c == requests.PullMessage || d && c == requests.PopMessage", 1},
		{"switch c { case requests.PullMessage: d = requests.PopMessage }", 0},
		{"switch c { case requests.PullMessage: switch d { case requests.PopMessage: } }", 0},
		{"_, _ = c == requests.PullMessage, c == requests.PopMessage", 0},
		{"_ = map[requests.Answer]bool{requests.Messages: true, requests.ConsumerIDs: true}", 0},
		{"_ = s.requests.PullMessage || s.requests.PopMessage", 0},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() { "+c.code+" }", parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := listsIn(file, constants); len(got) != c.want {
			t.Errorf("%s: found %v, want %d", c.code, got, c.want)
		}
	}
}

// list is a place in a file that has several codes.
type list struct {
	at    token.Pos
	codes []string
}

// listsIn returns the lists of codes in a file.
func listsIn(file *ast.File, constants map[string]Code) (lists []list) {
	ast.Inspect(file, func(n ast.Node) bool {
		codes := make(map[string]bool)
		switch n := n.(type) {
		case *ast.SwitchStmt:
			for _, clause := range n.Body.List {
				for _, expression := range clause.(*ast.CaseClause).List {
					collect(codes, expression, constants)
				}
			}
		case *ast.CompositeLit, *ast.BinaryExpr:
			collect(codes, n, constants)
		}
		if len(codes) > 1 {
			lists = append(lists, list{n.Pos(), slices.Sorted(maps.Keys(codes))})
			return false
		}
		return true
	})
	return lists
}

// collect adds the codes that a node mentions.
func collect(codes map[string]bool, n ast.Node, constants map[string]Code) {
	ast.Inspect(n, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok && name.Name == "requests" {
				if _, ok := constants[selector.Sel.Name]; ok {
					codes[selector.Sel.Name] = true
				}
			}
		}
		return true
	})
}
