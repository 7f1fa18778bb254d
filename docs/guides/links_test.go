// SPDX-License-Identifier: Apache-2.0

package guides

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var (
	link  = regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	fence = regexp.MustCompile("(?s)```yaml\n(.*?)```")
)

func TestGuidesLeadSomewhereAndTheirYAMLIsSound(t *testing.T) {
	guides, err := filepath.Glob("*.md")
	if err != nil || len(guides) == 0 {
		t.Fatal(err)
	}
	index, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, guide := range guides {
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			if _, err := os.Stat(found[1]); err != nil {
				t.Errorf("%s: %v", guide, err)
			}
		}
		for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
			var value any
			if err := yaml.Unmarshal([]byte(dedent(block[1])), &value); err != nil {
				t.Errorf("%s: %v in\n%s", guide, err, block[1])
			}
		}
		if guide != "README.md" && !strings.Contains(string(index), "]("+guide+")") {
			t.Errorf("%s is not in README.md", guide)
		}
	}
}

// dedent takes the indentation of a list off.
func dedent(text string) string {
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	return strings.ReplaceAll("\n"+text, "\n"+indent, "\n")
}
