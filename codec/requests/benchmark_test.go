// SPDX-License-Identifier: Apache-2.0

package requests

import "testing"

func BenchmarkOf(b *testing.B) {
	codes := []Code{SendMessageV2, PullMessage, HeartBeat, PopMessage, 4711}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if Of(codes[i%len(codes)]) == nil {
			b.Fatal("no row")
		}
	}
}
