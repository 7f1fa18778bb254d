// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// productPackages returns the folders of all packages of the product, such as "filter/session".
func productPackages(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "-f", "{{.Dir}}", "./api/...", "./cmd/...", "./codec/...", "./filter/...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, dir := range strings.Fields(string(out)) {
		folder, err := filepath.Rel(absolute, dir)
		if err != nil {
			t.Fatal(err)
		}
		folders = append(folders, filepath.ToSlash(folder))
	}
	return folders
}

// importRules returns the patterns of files of each depguard rule that says what may be imported.
func importRules(t *testing.T) (patterns []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files    []string `yaml:"files"`
						ListMode string   `yaml:"list-mode"`
					} `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	for _, rule := range config.Linters.Settings.Depguard.Rules {
		if rule.ListMode == "strict" {
			patterns = append(patterns, rule.Files...)
		}
	}
	return patterns
}

func TestEveryPackageHasAnImportRule(t *testing.T) {
	patterns := importRules(t)
	for _, folder := range productPackages(t) {
		ruled := slices.ContainsFunc(patterns, func(pattern string) bool {
			above, ok := strings.CutSuffix(strings.TrimPrefix(pattern, "**/"), "/**")
			return ok && strings.HasPrefix(folder+"/", above+"/")
		})
		if !ruled {
			t.Errorf("no depguard rule of .golangci.yml says what %s may import", folder)
		}
	}
}

func TestEveryPackageOfTheFilterIsInTheArchitecture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```text\n")
	picture, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("ARCHITECTURE.md has no picture")
	}
	words := strings.FieldsFunc(picture, func(r rune) bool { return strings.ContainsRune(" \n,()", r) })
	for _, folder := range productPackages(t) {
		if strings.HasPrefix(folder, "filter/") && !slices.Contains(words, folder) {
			t.Errorf("%s is not in the picture of ARCHITECTURE.md", folder)
		}
	}
}
