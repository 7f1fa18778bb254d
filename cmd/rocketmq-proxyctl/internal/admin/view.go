// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// View draws what changed between two samples.
type View struct {
	// Prefix is the only stat_prefix to be shown; empty: all.
	Prefix string
	// Rows bounds the request kinds shown; 0: all that have been seen.
	Rows int
	// Paint adds colour to a text.
	Paint func(colour, text string) string
}

// shownQuantiles are those in the table of times.
var shownQuantiles = []float64{50, 90, 99, 99.9, 100}

// Draw writes the view of one sample, with rates since `before`; nil: there is none, and no rates are shown.
func (v *View) Draw(w io.Writer, before, now *Sample) error {
	prefixes := slices.Sorted(maps.Keys(now.Filters))
	if v.Prefix != "" {
		prefixes = slices.DeleteFunc(prefixes, func(p string) bool { return p != v.Prefix })
	}
	for i, prefix := range prefixes {
		if i > 0 {
			_, _ = fmt.Fprintln(w)
		}
		filter := drawing{View: v, filter: now.Filters[prefix]}
		if before != nil && before.Filters[prefix] != nil {
			filter.before, filter.span = before.Filters[prefix], now.At.Sub(before.At)
		}
		if err := filter.draw(w, prefix); err != nil {
			return err
		}
	}
	return nil
}

// drawing is the view of one filter.
type drawing struct {
	*View
	filter, before *Filter
	span           time.Duration
}

func (d *drawing) value(id stats.ID) float64 { return d.filter.Values[stats.Table[id].Name] }

// rate is how fast a counter moved, per second. One that has become less was set back by a new start of Envoy.
func (d *drawing) rate(name string) (perSecond float64, ok bool) {
	if d.before == nil || d.span <= 0 {
		return 0, false
	}
	moved := d.filter.Values[name] - d.before.Values[name]
	if moved < 0 {
		moved = d.filter.Values[name]
	}
	return moved / d.span.Seconds(), true
}

func (d *drawing) rateText(name string) string {
	rate, ok := d.rate(name)
	if !ok {
		return "-"
	}
	return strconv.FormatFloat(rate, 'f', 1, 64)
}

func (d *drawing) draw(w io.Writer, prefix string) error {
	_, _ = fmt.Fprintf(w, "%s  requests/s %s  answers/s %s  waiting %.0f  clients %.0f  upstreams %.0f\n\n",
		d.Paint("bold", "rocketmq."+prefix), d.rateText("request"), d.rateText("response"), d.value(stats.RequestActive), d.value(stats.DownstreamActive), d.value(stats.UpstreamActive))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	d.requests(table)
	d.breakdown(table, "topic")
	d.breakdown(table, "group")
	d.times(table)
	d.upstreams(table)
	d.troubles(table)
	return table.Flush()
}

// requests has a row for each request kind that was seen, the busiest first.
func (d *drawing) requests(w io.Writer) {
	type row struct {
		name        string
		rate, total float64
	}
	var rows []row
	for _, t := range requests.Table {
		name := stats.Table[stats.RequestCodeID(t.Code)].Name
		if total := d.filter.Values[name]; total > 0 {
			rate, _ := d.rate(name)
			rows = append(rows, row{t.Name, rate, total})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(b.rate, a.rate), cmp.Compare(b.total, a.total)) })
	rest := 0
	if d.Rows > 0 && len(rows) > d.Rows {
		rest = len(rows) - d.Rows
		rows = rows[:d.Rows]
	}
	_, _ = fmt.Fprintln(w, "per second\ttotal\t  REQUEST")
	for _, r := range rows {
		rate := "-"
		if d.before != nil {
			rate = strconv.FormatFloat(r.rate, 'f', 1, 64)
		}
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t  %s\n", rate, r.total, r.name)
	}
	if rest > 0 {
		_, _ = fmt.Fprintf(w, "\t\t  and %d more\n", rest)
	}
	if len(rows) == 0 {
		_, _ = fmt.Fprintln(w, "-\t0\t  none yet")
	}
	_, _ = fmt.Fprintln(w)
}

// breakdown has a row for each topic, or each group, that the config counts by itself and that was seen, the busiest
// first.
func (d *drawing) breakdown(w io.Writer, kind string) {
	type row struct {
		name        string
		rate, total float64
	}
	var rows []row
	for stat, total := range d.filter.Values {
		rest, ok := strings.CutPrefix(stat, kind+".")
		name, counts := strings.CutSuffix(rest, ".requests")
		if ok && counts && total > 0 {
			rate, _ := d.rate(stat)
			rows = append(rows, row{name, rate, total})
		}
	}
	if len(rows) == 0 {
		return
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.rate, a.rate), cmp.Compare(b.total, a.total), strings.Compare(a.name, b.name))
	})
	_, _ = fmt.Fprintf(w, "requests/s\tsent/s\tfetched B/s\terrors\t  %s\n", strings.ToUpper(kind))
	for i, r := range rows {
		if i == d.Rows && d.Rows > 0 {
			_, _ = fmt.Fprintf(w, "\t\t\t\t  and %d more\n", len(rows)-i)
			break
		}
		stat := kind + "." + r.name + "."
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%.0f\t  %s\n", d.rateText(stat+"requests"), d.rateText(stat+"messages_sent"), d.rateText(stat+"bytes_fetched"), d.filter.Values[stat+"errors"], r.name)
	}
	_, _ = fmt.Fprintln(w)
}

// times has the quantiles of how long answers took.
func (d *drawing) times(w io.Writer) {
	var heads []string
	for _, q := range shownQuantiles {
		heads = append(heads, quantileName(q))
	}
	_, _ = fmt.Fprintf(w, "%s\t  MILLISECONDS\n", strings.Join(heads, "\t"))
	for _, each := range []struct {
		id   stats.ID
		what string
	}{{stats.RequestTimeMs, "answers"}, {stats.LongPollTimeMs, "long polls"}} {
		h := d.filter.Histograms[stats.Table[each.id].Name]
		d.quantiles(w, h.Recent, each.what+", just now")
		d.quantiles(w, h.All, each.what+", since Envoy's start")
	}
	_, _ = fmt.Fprintln(w)
}

func quantileName(q float64) string {
	if q == 100 {
		return "max"
	}
	return "P" + strconv.FormatFloat(q, 'g', -1, 64)
}

func (d *drawing) quantiles(w io.Writer, q Quantiles, what string) {
	for _, percent := range shownQuantiles {
		text := "-"
		if value, ok := q[percent]; ok {
			text = strconv.FormatFloat(value, 'g', 4, 64)
		}
		_, _ = fmt.Fprintf(w, "%s\t", text)
	}
	_, _ = fmt.Fprintf(w, "  %s\n", what)
}

func (d *drawing) upstreams(w io.Writer) {
	_, _ = fmt.Fprintln(w, "per second\ttotal\t  UPSTREAM CONNECTIONS")
	for _, each := range []struct {
		id   stats.ID
		what string
	}{{stats.UpstreamConnect, "begun"}, {stats.UpstreamConnectFailure, "not opened"}, {stats.UpstreamLost, "lost"}} {
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t  %s\n", d.rateText(stats.Table[each.id].Name), d.value(each.id), each.what)
	}
	_, _ = fmt.Fprintln(w)
}

// troubles has a row for each stat of trouble that is not 0.
func (d *drawing) troubles(w io.Writer) {
	_, _ = fmt.Fprintln(w, "per second\tvalue\t  TROUBLE")
	none := true
	for _, def := range stats.Table {
		value := d.filter.Values[def.Name]
		if def.Signal != stats.Trouble || value == 0 {
			continue
		}
		none = false
		rate := "-"
		if def.Kind == stats.Counter {
			rate = d.rateText(def.Name)
		}
		colour := "yellow"
		if moved, ok := d.rate(def.Name); def.Kind == stats.Gauge || ok && moved > 0 {
			colour = "red"
		}
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t  %s: %s\n", rate, value, d.Paint(colour, def.Name), def.Meaning)
	}
	if none {
		_, _ = fmt.Fprintln(w, "-\t0\t  none")
	}
}
