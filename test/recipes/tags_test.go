// SPDX-License-Identifier: Apache-2.0

package recipes

import (
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
	texts := map[string][]byte{
		"build/compose/envoy.yaml": read(t, "build/compose/envoy.yaml"),
	}
	for _, folder := range []string{stockExamples, contribExamples} {
		for _, name := range yamlFiles(t, folder) {
			texts[folder+"/"+name] = read(t, folder+"/"+name)
		}
	}
	edge, _ := at(object(t, "build/kubernetes/configmap.yaml", "ConfigMap"), "data", "envoy.yaml").(string)
	texts["build/kubernetes's ConfigMap"] = []byte(edge)
	want := tags(t, texts[stockExamples+"/unified.yaml"])
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
