// SPDX-License-Identifier: Apache-2.0

package body

import (
	"encoding/binary"
	"testing"
)

func TestCountBatch(t *testing.T) {
	message := func(size int) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(size)), make([]byte, size-4)...)
	}
	two := append(message(22), message(40)...)
	for name, each := range map[string]struct {
		body []byte
		want int
	}{
		"nothing":                  {nil, 0},
		"one":                      {message(22), 1},
		"two":                      {two, 2},
		"two and a bit":            {append(two, 0), 3},
		"a size beyond the body":   {binary.BigEndian.AppendUint32(nil, 1<<31), 1},
		"a size that is too small": {append(binary.BigEndian.AppendUint32(nil, 0), make([]byte, 100)...), 1},
	} {
		if got := CountBatch(each.body); got != each.want {
			t.Errorf("%s: got %d, want %d", name, got, each.want)
		}
	}
}
