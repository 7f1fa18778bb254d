// SPDX-License-Identifier: Apache-2.0

// Package recipes tests the example configs, and the recipes for containers, Kubernetes, Istio and Envoy Gateway as far
// as that is possible without these.
package recipes

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// root is the root of the repository.
const root = "../.."

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// objects are the documents of a YAML file.
func objects(t *testing.T, name string) (all []map[string]any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, name)))
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, object)
	}
}

// object is the only one of a kind in a file.
func object(t *testing.T, name, kind string) map[string]any {
	t.Helper()
	for _, each := range objects(t, name) {
		if each["kind"] == kind {
			return each
		}
	}
	t.Fatalf("%s has no %s", name, kind)
	return nil
}

// at follows names and indexes into a value; nil where they lead nowhere.
func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			members, _ := value.(map[string]any)
			value = members[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

func list(value any) []any {
	all, _ := value.([]any)
	return all
}

// into reads a value as a message of Envoy; unknown fields and types are errors.
func into(t *testing.T, value any, message proto.Message) {
	t.Helper()
	text, err := json.Marshal(known(value))
	if err != nil {
		t.Fatal(err)
	}
	if err := protojson.Unmarshal(text, message); err != nil {
		t.Fatal(err)
	}
}

// known leaves out what is newer than the types of Envoy 1.37 that the module depends on: dynamic_module_config's
// metrics_namespace, of 1.38. A real Envoy reads it in the integration tests.
func known(value any) any {
	switch value := value.(type) {
	case map[string]any:
		without := make(map[string]any, len(value))
		for name, inner := range value {
			if name != "metrics_namespace" {
				without[name] = known(inner)
			}
		}
		return without
	case []any:
		without := make([]any, len(value))
		for i, inner := range value {
			without[i] = known(inner)
		}
		return without
	}
	return value
}
