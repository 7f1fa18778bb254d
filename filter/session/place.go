// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// place is what an upstream connection leads to.
type place struct {
	cluster *directory.Directory
	broker  string // its name, on a ToAll connection; "" for a name server
}

// clustersOf are the clusters that a topic can be in; all of them when a request names no topic. A
// compatible config without routes has none.
func (s *Session) clustersOf(topic []byte) []*directory.Directory {
	all := s.environment.Clusters.All()
	if len(all) <= 1 || len(topic) == 0 {
		return all
	}
	name := string(topic)
	if group, ok := cutGroupTopic(name); ok {
		return s.clustersOfGroup(group)
	}
	return []*directory.Directory{s.environment.Clusters.Of(name)}
}

// cutGroupTopic gives the group of a topic that each consumer group has of its own.
func cutGroupTopic(topic string) (group string, ok bool) {
	for _, prefix := range []string{router.RetryTopicPrefix, router.DLQTopicPrefix} {
		if group, ok := strings.CutPrefix(topic, prefix); ok {
			return group, true
		}
	}
	return "", false
}

// clustersOfGroup are the clusters of the topics that a group subscribes to, by the client's last
// heartbeat; all when there was none. Retry topics of pop consumers end in "_topic" or "+topic"
// (KeyBuilder).
func (s *Session) clustersOfGroup(name string) []*directory.Directory {
	var found []*directory.Directory
	add := func(topic string) {
		if d := s.environment.Clusters.Of(topic); !slices.Contains(found, d) {
			found = append(found, d)
		}
	}
	for group, topics := range s.unified.groups {
		rest, ok := strings.CutPrefix(name, group)
		for _, topic := range topics {
			if _, own := cutGroupTopic(topic); ok && !own && (rest == "" || rest[1:] == topic) {
				add(topic)
			}
		}
	}
	if len(found) == 0 {
		return s.environment.Clusters.All()
	}
	return found
}

// clustersFor are the clusters that the broker of a request can be in.
func (s *Session) clustersFor(kind *router.Kind, r router.Request) []*directory.Directory {
	all := s.environment.Clusters.All()
	if len(all) <= 1 {
		return all
	}
	// The topic of an END_TRANSACTION that answers a check is that of all half messages of all brokers.
	if kind.Code == codec.RequestEndTransaction {
		if half, ok := router.HalfMessageOf(r.Header); ok {
			if at, known := s.unified.halves.find(half, r.Header); known {
				return []*directory.Directory{at.cluster}
			}
		}
	}
	topic := kind.TopicOf(r)
	if group, ok := r.Header.Field("consumerGroup"); ok && len(topic) == 0 {
		return s.clustersOfGroup(string(group))
	}
	return s.clustersOf(topic)
}
