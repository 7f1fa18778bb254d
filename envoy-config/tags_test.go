// SPDX-License-Identifier: Apache-2.0

// Package envoyconfig tests what the example configs have in common.
package envoyconfig

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// tags reads the expression of each tag of a bootstrap.
func tags(t *testing.T, text []byte) map[string]string {
	t.Helper()
	var config struct {
		StatsConfig struct {
			StatsTags []struct {
				TagName string `json:"tag_name"`
				Regex   string `json:"regex"`
			} `json:"stats_tags"`
		} `json:"stats_config"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, tag := range config.StatsConfig.StatsTags {
		all[tag.TagName] = tag.Regex
	}
	return all
}

// TestEveryExampleHasTheDashboardsLabels looks in each for the tags of the one that the test of the dashboard uses.
func TestEveryExampleHasTheDashboardsLabels(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	contrib, err := filepath.Glob("contrib/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, contrib...)
	texts := map[string][]byte{}
	for _, file := range append(files, "../build/compose/envoy.yaml", "../build/kubernetes/configmap.yaml") {
		if texts[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	var object struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal(texts["../build/kubernetes/configmap.yaml"], &object); err != nil {
		t.Fatal(err)
	}
	texts["../build/kubernetes/configmap.yaml"] = []byte(object.Data["envoy.yaml"])
	want := tags(t, texts["unified.yaml"])
	if len(want) == 0 {
		t.Fatal("unified.yaml has no tags")
	}
	for file, text := range texts {
		got := tags(t, text)
		for name, regex := range want {
			if got[name] != regex {
				t.Errorf("%s has tag %s by %q, want %q", file, name, got[name], regex)
			}
		}
	}
}
