// SPDX-License-Identifier: Apache-2.0

package histogram

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsAreOneAfterTheOther(t *testing.T) {
	next := time.Duration(0)
	for i := range buckets {
		low, width := bounds(i)
		if low != next {
			t.Fatalf("bucket %d begins at %d, want %d", i, low, next)
		}
		for _, d := range []time.Duration{low, low + width - 1} {
			if got := bucket(d); got != i {
				t.Fatalf("%d is in bucket %d, want %d", d, got, i)
			}
		}
		next = low + width
	}
}

func TestQuantilesAreWithinOnePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	values := make([]time.Duration, 50_000)
	for i := range values {
		values[i] = time.Duration(math.Exp(random.NormFloat64()*2 + 11)) // around 60 µs, with a long tail
		h.Record(values[i])
	}
	slices.Sort(values)
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999} {
		want := values[int(math.Round(q*float64(len(values))))-1]
		if got := h.Quantile(q); math.Abs(float64(got-want)) > 0.01*float64(want) {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if got, want := h.Max(), values[len(values)-1]; got != want || h.Quantile(1) > want {
		t.Errorf("max %v, quantile 1 %v, want %v", got, h.Quantile(1), want)
	}
	if h.Count() != uint64(len(values)) {
		t.Errorf("count %d", h.Count())
	}
}

func TestExtremes(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	h.Record(-time.Second)
	h.Record(math.MaxInt64)
	if h.Quantile(0) != 0 || h.Max() != math.MaxInt64 || h.Count() != 2 {
		t.Errorf("got %v %v %v", h.Quantile(0), h.Max(), h.Count())
	}
}
