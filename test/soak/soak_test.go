// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// samplesOf gives a sample each minute.
func samplesOf(minutes int, f figure, value func(minute float64) float64) (samples []sample) {
	for i := range minutes {
		s := sample{Time: time.Duration(i) * time.Minute}
		s.Figures[f] = value(float64(i))
		samples = append(samples, s)
	}
	return samples
}

func TestTrendOfALineIsItsSlope(t *testing.T) {
	samples := samplesOf(121, rss, func(minute float64) float64 { return (1000 + 2*minute) * (1 << 10) })
	got := trendOf(samples, rss, time.Hour, 2*time.Hour)
	if math.Abs(got.PerHour-120) > 1e-6 || math.Abs(got.Growth-120) > 1e-6 {
		t.Errorf("got %+v, want 120 KiB an hour over an hour", got)
	}
}

func TestTrendOfWholeWavesIsNone(t *testing.T) {
	const period = 15
	samples := samplesOf(121, files, func(minute float64) float64 { return 100 - 50*math.Cos(2*math.Pi*minute/period) })
	if got := trendOf(samples, files, period*time.Minute, 120*time.Minute); math.Abs(got.Growth) > 1 {
		t.Errorf("got %+v, want hardly any", got)
	}
}

func TestTrendOfTooFewSamplesIsNone(t *testing.T) {
	if got := trendOf(samplesOf(1, rss, func(float64) float64 { return 7 }), rss, 0, time.Hour); got != (trend{}) {
		t.Errorf("got %+v", got)
	}
	if got := trendOf(nil, rss, 0, time.Hour); got != (trend{}) {
		t.Errorf("got %+v", got)
	}
}

func TestPictureIsWellFormedAndDrawsEveryCurve(t *testing.T) {
	picture := draw(samplesOf(3, rss, func(minute float64) float64 { return minute }), "soak: <done>, slopes: none")
	curves := 0
	for decoder := xml.NewDecoder(strings.NewReader(picture)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "polyline" {
			curves++
		}
	}
	want := 0
	for _, p := range panels {
		want += len(p.curves)
	}
	if curves != want {
		t.Errorf("%d curves, want %d", curves, want)
	}
}

func TestScalesEndAtRoundNumbers(t *testing.T) {
	for y, want := range map[float64]float64{0: 1, 0.3: 0.5, 1: 1, 1.01: 2, 4: 5, 60: 100, 180: 200} {
		if got := roundUp(y); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v: got %v, want %v", y, got, want)
		}
	}
}
