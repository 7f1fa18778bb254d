// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"reflect"
	"testing"
)

func TestEveryFaultIsWholeAndHasANameOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range All {
		if f.Name == "" || seen[f.Name] || f.Strike == nil || f.Heal == nil || f.Spares == nil {
			t.Errorf("%q: seen before %v, or a part is missing", f.Name, seen[f.Name])
		}
		seen[f.Name] = true
	}
}

func TestFaultsAreFoundByNameInTheOrderGiven(t *testing.T) {
	got, err := Named("Envoy killed", "broker killed")
	if err != nil || len(got) != 2 || got[0].Name != "Envoy killed" || got[1].Name != "broker killed" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Named("broker ill"); err == nil {
		t.Error("an unknown name is accepted")
	}
}

func TestAnOptionIsSetInTheFilterAndNowhereElse(t *testing.T) {
	filter := func(options map[string]any) map[string]any {
		return map[string]any{"type_url": "type.googleapis.com/rocketmq_proxy.v1.FilterConfig", "value": options}
	}
	other := map[string]any{"type_url": "type.googleapis.com/other", "value": map[string]any{"a": 1}}
	config := []any{map[string]any{"filters": []any{filter(map[string]any{"a": 1}), other}}}
	SetOption(config, "b", 2)
	want := []any{map[string]any{"filters": []any{filter(map[string]any{"a": 1, "b": 2}), other}}}
	if !reflect.DeepEqual(config, want) {
		t.Errorf("got %v, want %v", config, want)
	}
}
