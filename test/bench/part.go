// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// part is one of the things that can be measured by themselves, with a section in the matrix of a run.
type part struct {
	name    string
	measure func(*benchmark, context.Context) (finding, error)
	// limit is the time that it may take; 0: that of the whole run.
	limit time.Duration
}

// run measures, within the part's limit.
func (p part) run(ctx context.Context, b *benchmark) (finding, error) {
	if p.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.limit, fmt.Errorf("gave up after %s", p.limit))
		defer cancel()
	}
	f, err := p.measure(b, ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return f, err
}

// finding is what a part found.
type finding interface {
	verdicts() []verdict
	// markdown is the section of the matrix without its heading and its targets.
	markdown() string
	// summary is the section of docs/PERFORMANCE.md without its heading; empty if the page has none.
	summary() string
}

// parts in the order in which they are measured and told of.
var parts = []part{
	{"synthetic", (*benchmark).synthetic, 0},
	{"real", (*benchmark).real, 6 * time.Minute},
	{"scale", (*benchmark).scale, 6 * time.Minute},
	{"micro", (*benchmark).micro, 2 * time.Minute},
}

func parsePart(name string) (part, error) {
	i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
	if i < 0 {
		return part{}, fmt.Errorf("unknown part %q", name)
	}
	return parts[i], nil
}

// verdict is what became of one target.
type verdict struct {
	Target   string `json:"target"`
	Measured string `json:"measured"`
	Goal     string `json:"goal"`
	Met      bool   `json:"met"`
}

// atMost and atLeast judge a median.
func atMost(target string, measured spread, goal float64) verdict {
	return verdict{target, measured.ratio(), fmt.Sprintf("≤ %.2f", goal), measured.Median <= goal}
}

func atLeast(target string, measured spread, goal float64) verdict {
	return verdict{target, measured.ratio(), fmt.Sprintf("≥ %.2f", goal), measured.Median >= goal}
}

func (v verdict) result() string {
	if v.Met {
		return "MET"
	}
	return "MISSED"
}

// printVerdicts prints a line for each target.
func printVerdicts(w io.Writer, all []verdict) {
	for _, v := range all {
		fmt.Fprintf(w, "target %s measured %s goal %s %s\n", v.Target, v.Measured, v.Goal, v.result())
	}
}

func markdownTargets(all []verdict) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n### Targets\n\n| target | measured | goal | |\n| --- | --: | --: | --- |\n")
	for _, v := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", v.Target, v.Measured, v.Goal, v.result())
	}
	return b.String()
}

// matrix has all figures of a run.
func (r *report) matrix() string {
	var b strings.Builder
	b.WriteString(matrixHead)
	for _, p := range parts {
		f := r.Parts[p.name]
		if f == nil {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n| | |\n| --- | --- |\n", capital(p.name), markdownIntroductions[p.name])
		for _, line := range [][2]string{
			{"date", r.Started.UTC().Format("2006-01-02 15:04 UTC")},
			{"machine", r.Machine.String()},
			{"versions", r.Versions.String()},
			{"load average before", fmt.Sprintf("%.2f", r.LoadBefore)},
			{"command", "`" + r.Command + "`"},
		} {
			fmt.Fprintf(&b, "| %s | %s |\n", line[0], line[1])
		}
		b.WriteString(f.markdown())
		b.WriteString(markdownTargets(f.verdicts()))
		b.WriteString(markdownReadings[p.name])
	}
	return b.String()
}

// page is docs/PERFORMANCE.md with the sections of what this run measured and, of the other parts, those that it had.
func (r *report) page(old string) string {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, p := range pageParts {
		begin, end := marks(p.name)
		text := fmt.Sprintf("\n## %s\n\n", p.title)
		if f := r.Parts[p.name]; f != nil {
			text += f.summary() + r.source(f)
		} else if _, rest, measured := strings.Cut(old, begin); measured {
			text, _, _ = strings.Cut(rest, end)
		} else {
			text += "Not measured yet.\n"
		}
		b.WriteString(begin + text + end)
	}
	b.WriteString(pageTail)
	return b.String()
}

func marks(name string) (begin, end string) {
	return "\n<!-- " + name + ", written by make bench -->\n", "<!-- end of " + name + " -->\n"
}

// source says from which run the figures of a part are, and how many of its targets were met.
func (r *report) source(f finding) string {
	all, met := f.verdicts(), 0
	for _, v := range all {
		if v.Met {
			met++
		}
	}
	return fmt.Sprintf("\n%s, %s, %s: `%s`. Targets met: %d of %d.\n",
		r.Started.UTC().Format("2006-01-02"), r.Machine.String(), r.Versions.String(), r.Command, met, len(all))
}

// verdicts are those of all parts.
func (r *report) verdicts() (all []verdict) {
	for _, p := range parts {
		if f := r.Parts[p.name]; f != nil {
			all = append(all, f.verdicts()...)
		}
	}
	return all
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// readOld is the page that there is; empty if there is none.
func readOld(file string) (string, error) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return "", nil
	}
	return string(text), err
}
