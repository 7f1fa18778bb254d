// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"
)

// point says what a row was measured at.
type point struct {
	Concurrency int    `json:"concurrency"`
	Workload    string `json:"workload"`
	cell
}

// spread are the median and the extremes over the rounds.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// row is one path at one point.
type row struct {
	point
	Variant variant `json:"variant"`

	Rate      spread `json:"requests_per_second"`
	Bandwidth spread `json:"answer_mb_per_second"` // 10^6 bytes
	P50       spread `json:"p50_us"`
	P99       spread `json:"p99_us"`
	P999      spread `json:"p999_us"`

	Envoy   *costs  `json:"envoy,omitempty"`        // nil if direct
	Ratios  *ratios `json:"to_tcp_proxy,omitempty"` // nil if tcp_proxy was not measured
	Harness harness `json:"harness"`

	Rounds []measurement `json:"rounds"`
}

// costs are Envoy's.
type costs struct {
	CPU      spread `json:"cpu_us_per_request"`
	Switches spread `json:"context_switches_per_request"`
	Delay    spread `json:"run_queue_delay_us_per_request"`
	RSS      spread `json:"rss_mb"` // 10^6 bytes
}

// ratios are taken to tcp_proxy in the same round.
type ratios struct {
	Rate spread  `json:"requests_per_second"`
	P50  spread  `json:"p50"`
	P99  spread  `json:"p99"`
	CPU  *spread `json:"cpu_per_request,omitempty"` // nil if direct
}

// harness is how far the measuring itself, and the rest of the machine, used the processors: cores at work.
type harness struct {
	Stub   spread `json:"stub_cores"`
	Load   spread `json:"load_cores"`
	Others spread `json:"other_cores"`
}

// summarize turns the rounds at one point into rows; rounds[i][k] is variant k in round i.
func summarize(at point, variants []variant, rounds [][]measurement) []row {
	yardstick := slices.Index(variants, tcpProxy)
	rows := make([]row, len(variants))
	for k, v := range variants {
		over := func(f func(m measurement) float64) spread {
			values := make([]float64, len(rounds))
			for i := range rounds {
				values[i] = f(rounds[i][k])
			}
			return spreadOf(values)
		}
		ratio := func(f func(m measurement) float64) spread {
			values := make([]float64, len(rounds))
			for i := range rounds {
				values[i] = f(rounds[i][k]) / f(rounds[i][yardstick])
			}
			return spreadOf(values)
		}
		r := row{
			point:     at,
			Variant:   v,
			Rate:      over(rate),
			Bandwidth: over(func(m measurement) float64 { return float64(m.AnswerBytes) / 1e6 / m.Window.Seconds() }),
			P50:       over(p50),
			P99:       over(p99),
			P999:      over(func(m measurement) float64 { return micros(m.P999) }),
			Harness: harness{
				Stub:   over(func(m measurement) float64 { return m.Stub.CPU.Seconds() / m.Window.Seconds() }),
				Load:   over(func(m measurement) float64 { return m.Load.CPU.Seconds() / m.Window.Seconds() }),
				Others: over(func(m measurement) float64 { return m.Others.Seconds() / m.Window.Seconds() }),
			},
		}
		if v != direct {
			r.Envoy = &costs{
				CPU:      over(cpu),
				Switches: over(func(m measurement) float64 { return float64(m.Envoy.Switches) / float64(m.Answers) }),
				Delay:    over(func(m measurement) float64 { return micros(m.Envoy.Delay) / float64(m.Answers) }),
				RSS:      over(func(m measurement) float64 { return float64(m.Envoy.RSS) / 1e6 }),
			}
		}
		if yardstick >= 0 {
			r.Ratios = &ratios{Rate: ratio(rate), P50: ratio(p50), P99: ratio(p99)}
			if v != direct {
				c := ratio(cpu)
				r.Ratios.CPU = &c
			}
		}
		for i := range rounds {
			r.Rounds = append(r.Rounds, rounds[i][k])
		}
		rows[k] = r
	}
	return rows
}

func rate(m measurement) float64 { return float64(m.Answers) / m.Window.Seconds() }
func p50(m measurement) float64  { return micros(m.P50) }
func p99(m measurement) float64  { return micros(m.P99) }

// cpu is Envoy's, in microseconds per request.
func cpu(m measurement) float64 { return micros(m.Envoy.CPU) / float64(m.Answers) }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// spreadOf wants at least one value and leaves them in their order.
func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}
