// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// trend is the line that fits the samples of a figure best (least squares), in the figure's own unit.
type trend struct {
	PerHour float64
	Growth  float64 // over all the samples
}

// trendOf fits a line to the samples from the warm-up's end on.
func trendOf(samples []sample, f figure, from, to time.Duration) trend {
	var n, sumX, sumY, sumXX, sumXY float64
	var first, last time.Duration
	for _, s := range samples {
		if s.Time < from || s.Time > to {
			continue
		}
		if n == 0 {
			first = s.Time
		}
		last = s.Time
		x, y := s.Time.Hours(), s.Figures[f]/definitions[f].unit
		n, sumX, sumY, sumXX, sumXY = n+1, sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	spread := n*sumXX - sumX*sumX
	if spread <= 0 {
		return trend{} // one sample has no slope
	}
	slope := (n*sumXY - sumX*sumY) / spread
	return trend{PerHour: slope, Growth: slope * (last - first).Hours()}
}
