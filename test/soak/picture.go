// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// panel is one diagram of the picture: some figures over time, with one scale.
type panel struct {
	title  string
	curves []curve
}

type curve struct {
	figure
	label string
	rate  bool // per second, instead of the sum so far
}

var panels = []panel{
	{"Envoy's memory, MiB", []curve{{figure: rss, label: "RSS"}, {figure: cHeap, label: "C++ heap"}, {figure: goHeap, label: "Go heap"}}},
	{"open files, threads, goroutines", []curve{{figure: files, label: "files"}, {figure: threads, label: "threads"}, {figure: goroutines, label: "goroutines"}}},
	{"connections, and requests that wait", []curve{{figure: downstream, label: "of clients"}, {figure: upstream, label: "to servers"}, {figure: pending, label: "requests"}}},
	{"a second", []curve{{figure: sent, label: "messages", rate: true}, {figure: visits, label: "visits", rate: true}}},
	{"CPU", []curve{{figure: envoyCPU, label: "Envoy, cores", rate: true}, {figure: machineLoad, label: "load average of the whole machine"}}},
}

// The picture's measures, in pixels.
const (
	pictureWidth = 900
	panelHeight  = 150
	plotLeft     = 60
	plotRight    = 880
	plotTop      = 26
	plotHeight   = 96
)

var colours = []string{"#0b6e99", "#c2560c", "#5b8c1f"}

// points gives a curve's values: seconds since the load began, and the value. Bytes become MiB.
func (c curve) points(samples []sample) (xs, ys []float64) {
	for i, s := range samples {
		y := s.Figures[c.figure]
		switch {
		case c.rate && i == 0:
			continue
		case c.rate:
			before := samples[i-1]
			y = (y - before.Figures[c.figure]) / (s.Time - before.Time).Seconds()
		case strings.HasSuffix(definitions[c.figure].name, "_bytes"):
			y /= 1 << 20
		}
		xs, ys = append(xs, s.Time.Seconds()), append(ys, y)
	}
	return xs, ys
}

// draw makes an SVG picture of the samples, with the verdict below.
func draw(samples []sample, verdict string) string {
	var out strings.Builder
	height := len(panels)*panelHeight + 40
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", pictureWidth, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="white"/>`+"\n", pictureWidth, height)
	last := 1.0
	if len(samples) > 0 {
		last = math.Max(last, samples[len(samples)-1].Time.Seconds())
	}
	for i, p := range panels {
		p.draw(&out, samples, float64(i*panelHeight), last)
	}
	text, figures, _ := strings.Cut(verdict, ", slopes: ")
	for i, line := range []string{text, figures} {
		fmt.Fprintf(&out, `<text x="%d" y="%d">%s</text>`+"\n", plotLeft, height-24+16*i, html.EscapeString(line))
	}
	out.WriteString("</svg>\n")
	return out.String()
}

func (p panel) draw(out *strings.Builder, samples []sample, top, last float64) {
	greatest := 0.0
	for _, c := range p.curves {
		_, ys := c.points(samples)
		for _, y := range ys {
			greatest = math.Max(greatest, y)
		}
	}
	greatest = roundUp(greatest)
	bottom := top + plotTop + plotHeight
	fmt.Fprintf(out, `<text x="%d" y="%.0f" font-weight="bold">%s</text>`+"\n", plotLeft, top+16, html.EscapeString(p.title))
	for _, part := range []float64{0, 0.5, 1} {
		y := bottom - part*plotHeight
		fmt.Fprintf(out, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n", plotLeft, y, plotRight, plotLeft-6, y+4, greatest*part)
	}
	for i := range 5 {
		x := plotLeft + float64(i)/4*(plotRight-plotLeft)
		at := time.Duration(last * float64(i) / 4 * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#666">%s</text>`+"\n", x, bottom+14, at)
	}
	for i, c := range p.curves {
		fmt.Fprintf(out, `<text x="%d" y="%.0f" fill="%s">%s</text>`+"\n", plotLeft+260+170*i, top+16, colours[i], html.EscapeString(c.label))
		xs, ys := c.points(samples)
		var line []string
		for j := range xs {
			x := plotLeft + xs[j]/last*(plotRight-plotLeft)
			line = append(line, fmt.Sprintf("%.1f,%.1f", x, bottom-ys[j]/greatest*plotHeight))
		}
		fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.3"/>`+"\n", strings.Join(line, " "), colours[i])
	}
}

// roundUp gives the next number of the form 1, 2 or 5 times a power of ten, so that a scale's half is round too.
func roundUp(y float64) float64 {
	if y <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(y)))
	for _, step := range []float64{1, 2, 5} {
		if y <= step*power {
			return step * power
		}
	}
	return 10 * power
}
