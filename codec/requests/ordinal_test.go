// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"math"
	"testing"
)

func TestOrdinalsAreIndexesOfRequestCodes(t *testing.T) {
	for i, c := range Codes() {
		if n, ok := c.Ordinal(); n != i || !ok {
			t.Errorf("%v: got %d, %v, want %d", c, n, ok, i)
		}
	}
	known := 0
	for c := Code(-1000); c < 300_000; c++ {
		if _, ok := c.Ordinal(); ok != c.Known() {
			t.Errorf("%d: got %v", c, ok)
		} else if ok {
			known++
		}
	}
	if known != len(Codes()) {
		t.Errorf("%d codes have an ordinal", known)
	}
	for _, c := range []Code{math.MinInt32, math.MaxInt32} {
		if _, ok := c.Ordinal(); ok {
			t.Errorf("%d is known", c)
		}
	}
}
