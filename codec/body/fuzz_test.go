// SPDX-License-Identifier: Apache-2.0

package body

import (
	"errors"
	"math"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// allocated is the bytes that were allocated so far; those of the last few small objects may be missing.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// allocatedBy is the bytes that f allocates: of a few times the least, since others allocate meanwhile.
func allocatedBy(f func()) uint64 {
	least := uint64(math.MaxUint64)
	for try := 0; try < 5 && least > 16<<10; try++ {
		before := allocated()
		f()
		least = min(least, allocated()-before)
	}
	return least
}

// FuzzReaders has every reader of a body read the same bytes. None may panic, take much more memory than it was given
// bytes, or tell of anything that is not in them; what is wrong is an *Error about a place in them.
func FuzzReaders(f *testing.F) {
	for _, name := range []string{"GET_ROUTEINFO_BY_TOPIC.response", "GET_BROKER_CLUSTER_INFO.response", "HEART_BEAT.request", "LOCK_BATCH_MQ.request", "QUERY_ASSIGNMENT.request"} {
		for _, g := range golden.Named(f, name) {
			f.Add(g.Body)
		}
	}
	f.Add([]byte(`{"acks":[{"bm":"AQ=="}],"brokerName":"b","topic":"t","group":"g"}`))
	f.Add([]byte(`{"brokerDatas":` + strings.Repeat("[", 40) + `}`))
	f.Add([]byte(`{"topic":"` + strings.Repeat(`\u0061`, 200) + `","consumerGroup":"g"}`))
	f.Add([]byte(strings.Repeat("{", 1000)))
	f.Add([]byte(`{"consumerGroup":"g","mqSet":[{"topic":"a"},{"topic":"b"}],"subscriptionSet":[{"group":"g","topic":"t"}]}`))
	f.Add([]byte(`{"topicConfigList":[{"topicName":"a"}],"groupConfigList":[{"groupName":"g"}],"topicList":["a","b"],"groupNameList":["g"]}`))
	f.Add([]byte("g=1\n#x\nh : 2"))
	f.Add([]byte(`{"consumerIdList":["a","b","a"]}`))
	f.Add([]byte(`{"brokerAddr":"10.0.0.1:10911","topicList":["a"]}`))
	storm.Fuzz(f, func(t *testing.T, src []byte) {
		readers := map[string]func() ([]string, error){
			"TopicRouteData": func() (texts []string, err error) {
				r, err := ParseTopicRouteData(src)
				if r != nil {
					for _, a := range r.Brokers {
						texts = append(texts, a.Cluster, a.BrokerName, a.Addr)
					}
				}
				return texts, err
			},
			"ClusterInfo": func() (texts []string, err error) {
				all, err := ParseClusterInfo(src)
				for _, a := range all {
					texts = append(texts, a.Cluster, a.BrokerName, a.Addr)
				}
				return texts, err
			},
			"HeartbeatData": func() ([]string, error) {
				h, err := ParseHeartbeatData(src)
				if h == nil {
					return nil, err
				}
				return append(slices.Clone(h.Producers), h.ClientID), err
			},
			"HeartbeatData of some groups": func() ([]string, error) {
				some, err := HeartbeatOfGroups(src, func(isConsumer bool, group string) bool { return isConsumer == (len(group)%2 == 0) })
				if err == nil {
					if _, before := ParseHeartbeatData(src); before == nil {
						if _, after := ParseHeartbeatData(some); after != nil {
							t.Errorf("%q has become %q: %v", src, some, after)
						}
					}
				}
				return []string{string(some)}, err
			},
			"LockBatch": func() (texts []string, err error) {
				queues, _, err := ParseLockBatch(src)
				for _, q := range queues {
					texts = append(texts, q.BrokerName, q.Topic)
				}
				return texts, err
			},
			"BatchAck": func() ([]string, error) {
				broker, err := ParseBatchAck(src)
				return []string{broker}, err
			},
			"consumer ids": func() ([]string, error) {
				unique, err := UniqueConsumerIDs(src)
				return []string{string(unique)}, err
			},
			"TopicList": func() (texts []string, err error) {
				_, err = RewriteTopicList(src, func(addr string) (string, bool) {
					texts = append(texts, addr)
					return addr, true
				})
				return texts, err
			},
			"merged routes": func() ([]string, error) {
				_, _, err := MergeTopicRouteData([][]byte{src, src})
				return nil, err
			},
		}
		for name, read := range subjectReaders {
			readers[name] = func() (texts []string, err error) {
				all, err := read(nil, src)
				for _, s := range all {
					texts = append(texts, string(s.Topic), string(s.ProducerGroup), string(s.ConsumerGroup))
				}
				if len(all) > MaxSubjects || err == nil && len(all) == 0 {
					t.Errorf("%s: %d subjects", name, len(all))
				}
				return texts, err
			}
		}
		for name, read := range readers {
			texts, err := read()
			if grown, most := allocatedBy(func() { _, _ = read() }), uint64(200*len(src)+(64<<10)); grown > most {
				t.Errorf("%s: %d bytes were allocated for %d, want at most %d", name, grown, len(src), most)
			}
			for _, text := range texts {
				if len(text) > 3*len(src) { // an escape of one byte may stand for three
					t.Errorf("%s: %d bytes of text out of %d", name, len(text), len(src))
				}
			}
			var problem *Error
			if err != nil && (!errors.As(err, &problem) || problem.Offset < 0 || problem.Offset > len(src)) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if n := CountBatch(src); n > 1+len(src)/leastBatched {
			t.Errorf("%d messages in %d bytes", n, len(src))
		}
	})
}

// FuzzMergeTopicRouteData merges two routes. What comes out can be read, and has the brokers of the first and none that is
// in neither.
func FuzzMergeTopicRouteData(f *testing.F) {
	f.Add([]byte(route(brokerA, queueA, "", "")), []byte(route(brokerB, queueB, "", "")))
	f.Add([]byte(route(brokerA+","+brokerB, queueA, "", "")), []byte(route(brokerB+","+brokerC, queueB, "", "")))
	f.Add([]byte(`{}`), []byte(`{"brokerDatas":null}`))
	storm.Fuzz(f, func(t *testing.T, first, second []byte) {
		merged, _, err := MergeTopicRouteData([][]byte{first, second})
		one, errOne := ParseTopicRouteData(first)
		two, errTwo := ParseTopicRouteData(second)
		if err != nil || errOne != nil || errTwo != nil {
			return
		}
		got, err := ParseTopicRouteData(merged)
		if err != nil {
			t.Fatalf("%s: %v", merged, err)
		}
		names := func(brokers []Address) (names []string) {
			for _, a := range brokers {
				names = append(names, a.BrokerName)
			}
			slices.Sort(names)
			return slices.Compact(names)
		}
		both := names(append(slices.Clone(one.Brokers), two.Brokers...))
		for _, name := range names(got.Brokers) {
			if !slices.Contains(both, name) {
				t.Errorf("broker %q is in neither", name)
			}
		}
		for _, name := range names(one.Brokers) {
			if !slices.Contains(names(got.Brokers), name) {
				t.Errorf("broker %q of the first is lost", name)
			}
		}
	})
}
