// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
)

func TestALineOfTheLogIsOneLine(t *testing.T) {
	var lines []string
	h := Host{WriteLog: func(_ Level, line string) { lines = append(lines, line) }}
	h.LogError("the name server says %s", errors.New("no\n[critical] forged"))
	h.LogWarning("%v", strings.Repeat("\n", 400<<10))
	want := []string{`rocketmq_proxy: the name server says "no\n[critical] forged"`, `rocketmq_proxy: "` + strings.Repeat(`\n`, logline.MaxForeign) + `"...(409088 more)`}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

func TestTheErrorsOfAConfigAreLinesAndBounded(t *testing.T) {
	fields := apiv1.Errors{{Path: "a\nb", Problem: `is "c"`}, {Path: strings.Repeat("x", 5000), Problem: "is bad"}}
	for range 1000 {
		fields = append(fields, apiv1.FieldError{Path: "p", Problem: "is bad"})
	}
	got := ConfigErrors(fields)
	if len(got) != maxConfigErrors+1 || got[0] != `a\nb is "c"` || got[1] != logline.Own(strings.Repeat("x", maxConfigError)+"...(4007 more)") || got[maxConfigErrors] != "902 more fields are bad" {
		t.Errorf("got %d lines: %s, %s, …, %s", len(got), got[0], got[1], got[len(got)-1])
	}
	if got := ConfigErrors(errors.New("x\ny")); !slices.Equal(got, []logline.Own{`x\ny`}) {
		t.Errorf("got %q", got)
	}
}

// TestThereIsOneWayIntoEnvoysLog looks for others in the product's sources: functions that take a text as it is.
func TestThereIsOneWayIntoEnvoysLog(t *testing.T) {
	allowed := map[string]string{
		"C.envoyGoFilterLog(":                "host/golang/log.go",
		"C.host_log(":                        "host/stock/functions.go",
		"envoy_dynamic_module_callback_log(": "host/module/envoy.h",
		"os.Stderr":                          "",
		"log.Print":                          "",
		"slog.":                              "",
		"std::cerr":                          "",
		"fprintf(":                           "",
	}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "host/module/test/") || strings.HasPrefix(name, "host/module/bench/") {
			return err
		}
		if ext := filepath.Ext(name); ext != ".go" && ext != ".cc" && ext != ".h" {
			return nil
		}
		text, err := os.ReadFile(path)
		for call, only := range allowed {
			if strings.Contains(string(text), call) && name != only {
				t.Errorf("filter/%s has %q", name, call)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
