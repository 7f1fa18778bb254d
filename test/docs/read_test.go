// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository's.
const root = "../.."

func allPages(t *testing.T) []page {
	t.Helper()
	all, err := pages(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBlocks(t *testing.T) {
	got, err := blocks("a\n```sh\nx\n  y\n```\n1. b\n\n   ```yaml not-run\n   z: 1\n   ```\n")
	want := []block{{2, "sh", []string{"x", "  y"}}, {8, "yaml not-run", []string{"z: 1"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := blocks("a\n```sh\nx\n"); err == nil || err.Error() != "line 2: the block does not end" {
		t.Errorf("got %v", err)
	}
}

var (
	kinds    = []string{"sh", "sh not-run", "console", "text", "yaml", "java"}
	ownPath  = regexp.MustCompile(`(?:^|[\s=:])((?:build|docs|envoy-config|test|filter|cmd)/[\w./-]*\w)`)
	ownFlag  = regexp.MustCompile(`--[a-z-]+`)
	proxyctl = regexp.MustCompile(`rocketmq-proxyctl ([a-z]+)([^|#\n]*)`)
)

// TestEveryCommandIsSound reads what is not run as well: shell syntax, files of the repository, flags of our own tool.
func TestEveryCommandIsSound(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "rocketmq-proxyctl")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", tool, root+"/cmd/rocketmq-proxyctl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	help := map[string]string{}
	commands := 0
	for _, p := range allPages(t) {
		for _, b := range p.blocks {
			if !slices.Contains(kinds, b.kind) {
				t.Errorf("%s:%d: the block says %q; want one of %q", p.name, b.line, b.kind, kinds)
			}
			lines := b.lines
			switch b.kind {
			case "console":
				lines = nil
				for _, line := range b.lines {
					if command, ok := strings.CutPrefix(line, "$ "); ok {
						lines = append(lines, command)
					}
				}
			case "sh", "sh not-run":
			default:
				continue
			}
			commands += len(lines)
			script := strings.Join(lines, "\n")
			if output, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", script).CombinedOutput(); err != nil {
				t.Errorf("%s:%d: %v\n%s", p.name, b.line, err, output)
			}
			for _, path := range ownPath.FindAllStringSubmatch(script, -1) {
				if _, err := os.Stat(filepath.Join(root, path[1])); err != nil {
					t.Errorf("%s:%d: %v", p.name, b.line, err)
				}
			}
			for _, use := range proxyctl.FindAllStringSubmatch(script, -1) {
				if help[use[1]] == "" {
					output, err := exec.CommandContext(t.Context(), tool, use[1], "--help").CombinedOutput()
					if err != nil {
						t.Errorf("%s:%d: rocketmq-proxyctl has no %s", p.name, b.line, use[1])
					}
					help[use[1]] = string(output)
				}
				for _, name := range ownFlag.FindAllString(use[2], -1) {
					if !regexp.MustCompile(name + `\b`).MatchString(help[use[1]]) {
						t.Errorf("%s:%d: rocketmq-proxyctl %s has no flag %s", p.name, b.line, use[1], name)
					}
				}
			}
			for _, line := range lines {
				if target, ok := strings.CutPrefix(line, "make "); ok {
					words := append([]string{"--dry-run", "--directory", root}, strings.Fields(target)...)
					if output, err := exec.CommandContext(t.Context(), "make", words...).CombinedOutput(); err != nil {
						t.Errorf("%s:%d: %v\n%s", p.name, b.line, err, output)
					}
				}
			}
		}
		if p.has("sh not-run") && !strings.Contains(strings.ToLower(p.text), "not run by ci") {
			t.Errorf(`%s has commands that are not run, and does not say "not run by CI"`, p.name)
		}
	}
	if commands < 20 {
		t.Errorf("only %d commands were found", commands)
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^\w\- ]`)
)

// TestLinksLeadSomewhere follows the links inside the repository, to headings too.
func TestLinksLeadSomewhere(t *testing.T) {
	all := allPages(t)
	anchors := map[string][]string{}
	for _, p := range all {
		for _, h := range heading.FindAllStringSubmatch(p.text, -1) {
			anchor := "#" + strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
			anchors[p.name] = append(anchors[p.name], anchor)
		}
	}
	for _, p := range all {
		for _, found := range link.FindAllStringSubmatch(p.text, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			target := p.name
			if found[1] != "" {
				target = filepath.Join(filepath.Dir(p.name), found[1])
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
			if found[2] != "" && filepath.Ext(target) == ".md" && !slices.Contains(anchors[target], found[2]) {
				t.Errorf("%s: %s has no heading %s", p.name, target, found[2])
			}
		}
	}
}

var remark = regexp.MustCompile("CODE: [0-9]+, `([^`]+)`")

// TestTroubleshootingQuotesTheFilter finds texts that the filter no longer says.
func TestTroubleshootingQuotesTheFilter(t *testing.T) {
	var sources strings.Builder
	for _, folder := range []string{"filter/session", "filter/router", "filter/policy"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(text)
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "TROUBLESHOOTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	quoted := remark.FindAllStringSubmatch(string(text), -1)
	for _, words := range quoted {
		if !strings.Contains(sources.String(), words[1]) {
			t.Errorf("the filter does not say %q", words[1])
		}
	}
	if len(quoted) < 10 {
		t.Errorf("only %d quotes were found", len(quoted))
	}
}
