// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var fence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestGuidesAreListedAndTheirYAMLIsSound(t *testing.T) {
	guides, err := filepath.Glob(root + "/docs/guides/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatal(err)
	}
	index, err := os.ReadFile(root + "/docs/guides/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, guide := range guides {
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
			var value any
			if err := yaml.Unmarshal([]byte(dedent(block[1])), &value); err != nil {
				t.Errorf("%s: %v in\n%s", guide, err, block[1])
			}
		}
		if name := filepath.Base(guide); name != "README.md" && !strings.Contains(string(index), "]("+name+")") {
			t.Errorf("%s is not in README.md", name)
		}
	}
}

// dedent takes the indentation of a list off.
func dedent(text string) string {
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	return strings.ReplaceAll("\n"+text, "\n"+indent, "\n")
}
