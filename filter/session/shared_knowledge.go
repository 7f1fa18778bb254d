// SPDX-License-Identifier: Apache-2.0

package session

import (
	"hash/maphash"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// knowledge answers the router's questions.
type knowledge struct{ *shared }

// TopicBrokers implements router.View: the client's own route counts, which may have been made for its zone, as its
// fellows have one like it. A client that has reconnected knows routes that we have not seen: then the directory says.
func (s knowledge) TopicBrokers(topic string) []string {
	var names []string
	for _, cluster := range s.clustersOf([]byte(topic)) {
		brokers, ok := s.routes[clientRoute{cluster, topic}]
		if !ok {
			brokers = cluster.Topic(topic)
		}
		names = append(names, withAddress(cluster, brokers)...)
	}
	return unique(names)
}

// OnlyBroker implements router.View.
func (s knowledge) OnlyBroker(topic string) (string, bool) {
	var names []string
	for _, cluster := range s.clustersOf([]byte(topic)) {
		brokers := slices.Concat(cluster.Topic(topic), s.routes[clientRoute{cluster, topic}])
		names = append(names, withAddress(cluster, brokers)...)
	}
	if names = unique(names); len(names) != 1 {
		return "", false
	}
	return names[0], true
}

// withAddress returns those of the brokers that can be dialled.
func withAddress(cluster *directory.Directory, brokers []string) (names []string) {
	snapshot := cluster.Snapshot()
	for _, name := range brokers {
		if _, ok := snapshot.Master(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// GroupTopics implements router.View.
func (s knowledge) GroupTopics(group string) []string { return s.groups[group] }

// ToldBrokers implements router.View.
func (s knowledge) ToldBrokers() []string {
	var names []string
	for _, at := range s.namedBrokers() {
		if _, ok := at.cluster.Snapshot().Master(at.broker); ok {
			names = append(names, at.broker)
		}
	}
	return unique(names)
}

// unique returns the names sorted, each once.
func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// QueueBroker implements router.View.
func (s knowledge) QueueBroker(topic, logicalBroker string, queue int32) (string, bool) {
	for _, cluster := range s.clustersOf([]byte(topic)) {
		if broker, ok := cluster.QueueBroker(topic, logicalBroker, queue); ok {
			return broker, true
		}
	}
	return "", false
}

// HalfMessageBroker implements router.View.
func (s knowledge) HalfMessageBroker(half router.HalfMessage, h *codec.Header) (string, bool) {
	at, ok := s.halfMessages.find(half, h)
	return at.broker, ok
}

// maxQueryRounds bounds the questions that are counted; above it, counting begins again.
const maxQueryRounds = 256

// questions hashes what is asked: a question may be as long as a header, and a client chooses it.
var questions = maphash.MakeSeed()

// Turn implements router.View.
func (s knowledge) Turn(question string) int {
	rounds := s.queryRounds
	if rounds == nil || len(rounds) >= maxQueryRounds {
		rounds = make(map[uint64]int)
		s.queryRounds = rounds
	}
	asked := maphash.String(questions, question)
	round := rounds[asked]
	rounds[asked]++
	return round
}
