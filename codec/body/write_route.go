// SPDX-License-Identifier: Apache-2.0

package body

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"
)

// RouteBroker is one broker in a route that the proxy makes.
type RouteBroker struct {
	Address
	ReadQueues, WriteQueues int32
	Perm                    int32 // bits of PermName: 4 read, 2 write
}

// AppendTopicRouteData appends a TopicRouteData as a name server writes it and gives the extended dst. Each
// broker name has one QueueData, by its broker with the least id; of brokers with the same name and
// id the first counts. `standard` puts ids in quotes, as clients need that ask for standard JSON.
func AppendTopicRouteData(dst []byte, brokers []RouteBroker, standard bool) []byte {
	brokers = slices.Clone(brokers)
	slices.SortStableFunc(brokers, func(a, b RouteBroker) int {
		return cmp.Or(cmp.Compare(a.BrokerName, b.BrokerName), cmp.Compare(a.BrokerID, b.BrokerID))
	})
	brokers = slices.CompactFunc(brokers, func(a, b RouteBroker) bool {
		return a.BrokerName == b.BrokerName && a.BrokerID == b.BrokerID
	})
	var queues []byte
	dst = append(dst, `{"brokerDatas":[`...)
	for start := 0; start < len(brokers); {
		end := start + 1
		for end < len(brokers) && brokers[end].BrokerName == brokers[start].BrokerName {
			end++
		}
		if start > 0 {
			dst, queues = append(dst, ','), append(queues, ',')
		}
		dst = appendBrokerData(dst, brokers[start:end], standard)
		queues = appendQueueData(queues, &brokers[start])
		start = end
	}
	dst = append(dst, `],"filterServerTable":{},"queueDatas":[`...)
	return append(append(dst, queues...), `]}`...)
}

func appendBrokerData(dst []byte, sameName []RouteBroker, standard bool) []byte {
	dst = append(dst, `{"brokerAddrs":{`...)
	for i, b := range sameName {
		if i > 0 {
			dst = append(dst, ',')
		}
		id := strconv.FormatInt(b.BrokerID, 10)
		if standard {
			id = `"` + id + `"`
		}
		dst = append(append(dst, id...), ':')
		dst = jsonscan.AppendString(dst, b.Addr)
	}
	dst = append(dst, `},"brokerName":`...)
	dst = jsonscan.AppendString(dst, sameName[0].BrokerName)
	dst = append(dst, `,"cluster":`...)
	dst = jsonscan.AppendString(dst, sameName[0].Cluster)
	return append(dst, '}')
}

func appendQueueData(dst []byte, b *RouteBroker) []byte {
	dst = append(dst, `{"brokerName":`...)
	dst = jsonscan.AppendString(dst, b.BrokerName)
	dst = append(dst, `,"perm":`...)
	dst = strconv.AppendInt(dst, int64(b.Perm), 10)
	dst = append(dst, `,"readQueueNums":`...)
	dst = strconv.AppendInt(dst, int64(b.ReadQueues), 10)
	dst = append(dst, `,"topicSysFlag":0,"writeQueueNums":`...)
	dst = strconv.AppendInt(dst, int64(b.WriteQueues), 10)
	return append(dst, '}')
}
