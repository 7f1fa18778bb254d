// SPDX-License-Identifier: Apache-2.0

package body

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRewriteTopicRouteData measures what becomes of a route's body: read for the directory and
// rewritten for the client.
func BenchmarkRewriteTopicRouteData(b *testing.B) {
	for _, n := range []int{2, 8, 100} {
		var brokers, queues []string
		for i := range n {
			name := fmt.Sprintf(`"broker-%03d"`, i)
			brokers = append(brokers, strings.NewReplacer(`"b"`, name, "b0:1", fmt.Sprintf("10.0.%d.%d:10911", i/256, i%256)).Replace(brokerB))
			queues = append(queues, strings.Replace(queueB, `"b"`, name, 1))
		}
		src := []byte(route(strings.Join(brokers, ","), strings.Join(queues, ",")))
		b.Run(fmt.Sprintf("%d brokers", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if _, err := ParseTopicRouteData(src); err != nil {
					b.Fatal(err)
				}
				if _, _, err := RewriteTopicRouteData(src, func(Address) (string, bool) { return "proxy.example:20001", true }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
