// SPDX-License-Identifier: Apache-2.0

package router

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

func TestOfGivesTheRowOfEachCode(t *testing.T) {
	rows := map[codec.RequestCode]*Kind{}
	for i := range Table {
		rows[Table[i].Code] = &Table[i]
	}
	for _, code := range append(codec.RequestCodes(), -1, 0, 4711, 1<<30) {
		want := rows[code]
		if want == nil {
			want = &unlisted
		}
		if got := Of(code); got != want {
			t.Errorf("%v: got the row of %v, class %v", code, got.Code, got.Class)
		}
	}
}
