// SPDX-License-Identifier: Apache-2.0

// Command dashboard draws Grafana's dashboard as an SVG picture, from its own queries to a Prometheus.
//
//	go -C build/dashboard run . -prometheus http://127.0.0.1:9090 -last 2m -out ../../docs/dashboard.svg
//
// build/dashboard/draw.sh does it for `make dashboard`.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"image/color"
	"math"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// panel is a graph of the dashboard.
type panel struct {
	Title       string
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []struct{ Expr, LegendFormat string }
}

func main() {
	dashboard := flag.String("dashboard", "../grafana/rocketmq.json", "the dashboard")
	prometheus := flag.String("prometheus", "http://127.0.0.1:9090", "the Prometheus to ask")
	last := flag.Duration("last", 2*time.Minute, "how far to look back")
	out := flag.String("out", "../../docs/dashboard.svg", "the picture")
	flag.Parse()
	if err := picture(*dashboard, *prometheus, *last, *out); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

func picture(dashboard, prometheus string, last time.Duration, out string) error {
	text, err := os.ReadFile(dashboard)
	if err != nil {
		return err
	}
	var board struct{ Panels []panel }
	if err := json.Unmarshal(text, &board); err != nil {
		return err
	}
	end := time.Now()
	const columns, width, height = 2, 480, 210
	rows := (len(board.Panels) + columns - 1) / columns
	canvas := vgsvg.New(vg.Points(columns*width), vg.Points(float64(rows*height)))
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: vg.Points(14), PadY: vg.Points(14), PadTop: vg.Points(8), PadBottom: vg.Points(8), PadLeft: vg.Points(8), PadRight: vg.Points(12)}
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	for i, p := range board.Panels {
		graph, err := p.graph(prometheus, end.Add(-last), end)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Title, err)
		}
		graph.Draw(tiles.At(whole, i%columns, i/columns))
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(file); err != nil {
		return err
	}
	return file.Close()
}

// line is a series with its legend.
type line struct {
	legend string
	points plotter.XYs
}

func (p panel) graph(prometheus string, begin, end time.Time) (*plot.Plot, error) {
	graph := plot.New()
	graph.Title.Text = p.Title + unit(p.FieldConfig.Defaults.Unit)
	graph.Title.TextStyle.Font.Size, graph.Legend.TextStyle.Font.Size = vg.Points(11), vg.Points(8)
	graph.X.Tick.Label.Font.Size, graph.Y.Tick.Label.Font.Size = vg.Points(8), vg.Points(8)
	graph.X.Min, graph.X.Max, graph.Y.Min = 0, end.Sub(begin).Seconds(), 0
	graph.X.Tick.Marker = plot.TickerFunc(minutes)
	graph.Legend.Top, graph.Legend.Left, graph.Legend.Padding = true, true, vg.Points(2)
	var lines []line
	for _, target := range p.Targets {
		more, err := ask(prometheus, target.Expr, target.LegendFormat, begin, end)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	moves := slices.ContainsFunc(lines, func(l line) bool { return slices.ContainsFunc(l.points, func(xy plotter.XY) bool { return xy.Y > 0 }) })
	if !moves { // several lines on the axis tell nothing
		graph.Y.Max = 1
	}
	for i, l := range lines {
		drawn, err := plotter.NewLine(l.points)
		if err != nil {
			return nil, err
		}
		drawn.Color, drawn.Width = plotutil.Color(i), vg.Points(1.2)
		graph.Add(drawn)
		graph.Legend.Add(l.legend, drawn)
		for _, xy := range l.points {
			graph.Y.Max = max(graph.Y.Max, xy.Y*1.15)
		}
	}
	return graph, nil
}

func unit(name string) string {
	switch name {
	case "ms":
		return " (ms)"
	case "bytes":
		return " (bytes)"
	case "short":
		return ""
	}
	return " (per second)"
}

func minutes(_, most float64) (ticks []plot.Tick) {
	for at := 0.0; at <= most; at += 30 {
		ticks = append(ticks, plot.Tick{Value: at, Label: fmt.Sprintf("%d:%02d", int(at)/60, int(at)%60)})
	}
	return ticks
}

var label = regexp.MustCompile(`{{(\w+)}}`)

// ask asks for a query's values; the variables of the dashboard stand for everything.
func ask(prometheus, query, legend string, begin, end time.Time) ([]line, error) {
	query = strings.NewReplacer("$prefix", ".*", "$instance", ".*", "$__rate_interval", "10s").Replace(query)
	values := url.Values{
		"query": {query}, "step": {"1"},
		"start": {strconv.FormatInt(begin.Unix(), 10)}, "end": {strconv.FormatInt(end.Unix(), 10)},
	}
	response, err := http.Get(prometheus + "/api/v1/query_range?" + values.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", query, answer.Error)
	}
	var lines []line
	for _, series := range answer.Data.Result {
		l := line{legend: label.ReplaceAllStringFunc(legend, func(name string) string { return series.Metric[strings.Trim(name, "{}")] })}
		for _, value := range series.Values {
			text, _ := value[1].(string)
			at, _ := value[0].(float64)
			y, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, err
			}
			if !math.IsNaN(y) {
				l.points = append(l.points, plotter.XY{X: at - float64(begin.Unix()), Y: y})
			}
		}
		if len(l.points) > 0 {
			lines = append(lines, l)
		}
	}
	return lines, nil
}
