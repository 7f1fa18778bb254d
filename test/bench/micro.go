// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// microRow is one benchmark of a session.
type microRow struct {
	Name         string  `json:"name"` // path/request/in flight
	Time         spread  `json:"ns_per_request"`
	WithoutStats spread  `json:"ns_per_request_without_stats"`
	Allocations  float64 `json:"allocations_per_op"`
}

// microReport is the part "micro".
type microReport struct {
	Rows []microRow `json:"rows"`
	// Envoy is what a request costs Envoy in the synthetic part, by path and cell, in nanoseconds.
	envoy map[string]float64
}

const (
	microRounds = 5
	microTime   = "100ms"
	statsGoal   = 1.02
)

// micro runs the benchmarks of package session as they are and with stats that record nothing, in turns.
func (b *benchmark) micro(ctx context.Context) (finding, error) {
	overlay, err := b.withoutStats()
	if err != nil {
		return nil, err
	}
	var with, without []map[string]microResult
	for range b.opt.fewer(microRounds) {
		for _, each := range []struct {
			flags []string
			to    *[]map[string]microResult
		}{{nil, &with}, {[]string{"-overlay", overlay}, &without}} {
			found, err := b.exchanges(ctx, each.flags)
			if err != nil {
				return nil, err
			}
			*each.to = append(*each.to, found)
		}
	}
	r := &microReport{envoy: b.envoyCosts}
	for _, name := range microNames(with[0]) {
		row := microRow{Name: name}
		over := func(rounds []map[string]microResult) spread {
			var values []float64
			for _, found := range rounds {
				values = append(values, found[name].time)
				row.Allocations = max(row.Allocations, found[name].allocations)
			}
			return spreadOf(values)
		}
		row.WithoutStats, row.Time = over(without), over(with)
		r.Rows = append(r.Rows, row)
	}
	fmt.Print(r.markdown())
	return r, nil
}

// microResult is one line of a benchmark.
type microResult struct{ time, allocations float64 }

// exchanges runs BenchmarkExchange. Times are per request.
func (b *benchmark) exchanges(ctx context.Context, flags []string) (map[string]microResult, error) {
	argv := append([]string{"test", "-run", "^$", "-bench", "^BenchmarkExchange$", "-benchmem", "-benchtime", microTime}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(argv, "./filter/session")...)
	cmd.Dir = b.root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go test ./filter/session: %w\n%s%s", err, out, stderr.Bytes())
	}
	return parseExchanges(string(out))
}

// parseExchanges reads lines as
//
//	BenchmarkExchange/chained/send/16-2   72043   16628 ns/op   1039 ns/request   0 B/op   0 allocs/op
func parseExchanges(text string) (map[string]microResult, error) {
	found := map[string]microResult{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || !strings.HasPrefix(fields[0], "BenchmarkExchange/") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "BenchmarkExchange/")
		if i := strings.LastIndexByte(name, '-'); i >= 0 {
			name = name[:i] // the number of processors
		}
		values := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			values[fields[i+1]] = value
		}
		found[name] = microResult{values["ns/request"], values["allocs/op"]}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no BenchmarkExchange in %q", text)
	}
	return found, nil
}

// microNames are the names in order.
func microNames(found map[string]microResult) []string { return slices.Sorted(maps.Keys(found)) }

// withoutStats writes a file for `go build -overlay` by which package stats records nothing: the methods of its Recorder
// are empty.
func (b *benchmark) withoutStats() (string, error) {
	const file = "filter/stats/set.go"
	original := filepath.Join(b.root, filepath.FromSlash(file))
	text, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	empty, err := emptyMethods(text, "Recorder")
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	replacement := filepath.Join(b.dir, "set.go")
	if err := os.WriteFile(replacement, empty, 0o644); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replacement}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(b.dir, "overlay.json")
	return name, os.WriteFile(name, overlay, 0o644)
}

// emptyMethods removes what the methods of *name do that return nothing.
func emptyMethods(source []byte, name string) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	emptied := 0
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil || f.Type.Results != nil {
			continue
		}
		pointer, ok := f.Recv.List[0].Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		if receiver, ok := pointer.X.(*ast.Ident); ok && receiver.Name == name {
			f.Body.List = nil
			emptied++
		}
	}
	if emptied == 0 {
		return nil, fmt.Errorf("no method of *%s returns nothing", name)
	}
	var out bytes.Buffer
	err = format.Node(&out, files, file)
	return out.Bytes(), err
}

func (r *microReport) markdown() string {
	var b strings.Builder
	b.WriteString("\n| path/request/in one read | ns per request and answer | without stats | allocations in all |\n| --- | --: | --: | --: |\n")
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "| %s | %.0f [%.0f-%.0f] | %.0f [%.0f-%.0f] | %.0f |\n", row.Name,
			row.Time.Median, row.Time.Min, row.Time.Max, row.WithoutStats.Median, row.WithoutStats.Min, row.WithoutStats.Max, row.Allocations)
	}
	return b.String()
}

func (r *microReport) verdicts() (all []verdict) {
	for _, row := range r.Rows {
		all = append(all, verdict{
			"allocations of frames that pass, " + row.Name + ":", fmt.Sprintf("%.0f", row.Allocations), "0", row.Allocations == 0,
		})
	}
	for _, row := range r.Rows {
		whole, ok := r.envoy[row.Name]
		if !ok {
			continue
		}
		// The least of each: what disturbs a benchmark only makes it longer.
		ratio := whole / (whole - (row.Time.Min - row.WithoutStats.Min))
		all = append(all, verdict{
			"CPU per request with stats to that without, " + row.Name + ":", fmt.Sprintf("%.3f", ratio), fmt.Sprintf("≤ %.2f", statsGoal), ratio <= statsGoal,
		})
	}
	return all
}
