// SPDX-License-Identifier: Apache-2.0

// Package envoyconfig tests what the example configs have in common.
package envoyconfig

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"
)

// statsConfig reads the stats_config of a bootstrap.
func statsConfig(t *testing.T, text []byte) any {
	t.Helper()
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	return config["stats_config"]
}

// TestEveryExampleHasTheDashboardsLabels compares them all with the one that the test of the dashboard uses.
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
	want := statsConfig(t, texts["unified.yaml"])
	if want == nil {
		t.Fatal("unified.yaml has no stats_config")
	}
	for file, text := range texts {
		if got := statsConfig(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s has %v, want %v", file, got, want)
		}
	}
}
