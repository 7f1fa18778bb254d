// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// clustersOf returns the clusters that a topic can be in; all of them where a request names no topic. An Envoy-routed config
// without routes has none.
func (s *shared) clustersOf(topic []byte) []*directory.Directory {
	all := s.environment.Clusters.All()
	if len(all) <= 1 || len(topic) == 0 {
		return all
	}
	name := string(topic)
	if group, ok := codec.CutGroupTopic(name); ok {
		return s.clustersOfGroup(group)
	}
	return []*directory.Directory{s.environment.Clusters.Of(name)}
}

// clustersOfGroup returns the clusters of the topics that a group subscribes to, by the client's last
// heartbeat; all when there was none. Retry topics of pop consumers end in "_topic" or "+topic"
// (KeyBuilder).
func (s *shared) clustersOfGroup(name string) []*directory.Directory {
	var found []*directory.Directory
	add := func(topic string) {
		if d := s.environment.Clusters.Of(topic); !slices.Contains(found, d) {
			found = append(found, d)
		}
	}
	for group, topics := range s.groups {
		rest, ok := strings.CutPrefix(name, group)
		for _, topic := range topics {
			if _, own := codec.CutGroupTopic(topic); ok && !own && (rest == "" || rest[1:] == topic) {
				add(topic)
			}
		}
	}
	if len(found) == 0 {
		return s.environment.Clusters.All()
	}
	return found
}

// clustersFor returns the clusters that the broker of a request can be in.
func (s *shared) clustersFor(r *router.Request) ([]*directory.Directory, *codec.Reply) {
	// The topic of an END_TRANSACTION that answers a check is that of all half messages of all brokers.
	if r.Type.Broker == requests.ByHalfMessage {
		if half, ok := router.HalfMessageOf(r.Header); ok {
			if at, known := s.halfMessages.find(half, r.Header); known {
				return []*directory.Directory{at.cluster}, nil
			}
		}
	}
	return s.clustersOfAll(r, func(about body.Subject) []*directory.Directory {
		if len(about.Topic) == 0 && len(about.ConsumerGroup) > 0 {
			return s.clustersOfGroup(string(about.ConsumerGroup))
		}
		return s.clustersOf(about.Topic)
	})
}

var severalClusters = &codec.Reply{Code: codec.ResponseSystemError, Remark: "the topics of this request are in several clusters: send a request for each"}

// clustersOfAll returns the clusters that all subjects of a request can be in.
func (s *shared) clustersOfAll(r *router.Request, clustersOf func(body.Subject) []*directory.Directory) ([]*directory.Directory, *codec.Reply) {
	all := s.environment.Clusters.All()
	if len(all) <= 1 {
		return all, nil
	}
	var buffer [1]body.Subject
	subjects, err := r.Type.AppendSubjects(buffer[:0], r.Header, r.Body)
	if err != nil {
		return nil, router.Unreadable(err)
	}
	common := clustersOf(subjects[0])
	for _, about := range subjects[1:] {
		mine := clustersOf(about)
		// Not in place: clustersOf may return a list that others use.
		common = slices.DeleteFunc(slices.Clone(common), func(d *directory.Directory) bool { return !slices.Contains(mine, d) })
		if len(common) == 0 {
			return nil, severalClusters
		}
	}
	return common, nil
}
