// SPDX-License-Identifier: Apache-2.0

package body

import "bytes"

// MergeTopicRouteData makes one TopicRouteData of the routes that one topic has in several
// clusters. Where two have a broker of the same name the first counts, since clients know
// brokers by nothing else; clashes is how many names that were. Mappings of static topics
// and orderTopicConf, which no topic of several clusters has, are left out. Errors are *Error.
func MergeTopicRouteData(routes [][]byte) (merged []byte, clashes int, err error) {
	var brokers, queues [][]byte
	owner := map[string]int{}
	for i, src := range routes {
		c := &cursor{b: src, body: topicRouteData}
		m := c.routeMembers()
		clashing := map[string]bool{}
		c.elements(m.brokers, "brokerDatas", func(e span) {
			name := c.stringMember(e, "BrokerData", "brokerName")
			if first, ok := owner[name]; ok && first != i {
				clashing[name] = true
				return
			}
			owner[name] = i
			brokers = append(brokers, src[e.from:e.to])
		})
		c.elements(m.queues, "queueDatas", func(e span) {
			if !clashing[c.stringMember(e, "QueueData", "brokerName")] {
				queues = append(queues, src[e.from:e.to])
			}
		})
		if err := c.result(); err != nil {
			return nil, 0, err
		}
		clashes += len(clashing)
	}
	merged = append(merged, `{"brokerDatas":[`...)
	merged = append(merged, bytes.Join(brokers, []byte(","))...)
	merged = append(merged, `],"filterServerTable":{},"queueDatas":[`...)
	merged = append(merged, bytes.Join(queues, []byte(","))...)
	return append(merged, `]}`...), clashes, nil
}
