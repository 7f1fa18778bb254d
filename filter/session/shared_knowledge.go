// SPDX-License-Identifier: Apache-2.0

package session

import (
	"hash/maphash"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// knowledge answers the router's questions.
type knowledge struct{ *shared }

// TopicBrokers implements router.Knowledge.
func (s knowledge) TopicBrokers(topic string) []string {
	var names []string
	for _, cluster := range s.clustersOf([]byte(topic)) {
		snapshot := cluster.Snapshot()
		for _, name := range cluster.Topic(topic) {
			if _, ok := snapshot.Master(name); ok {
				names = append(names, name)
			}
		}
	}
	return unique(names)
}

// GroupTopics implements router.Knowledge.
func (s knowledge) GroupTopics(group string) []string { return s.groups[group] }

// ToldBrokers implements router.Knowledge.
func (s knowledge) ToldBrokers() []string {
	names := make([]string, 0, len(s.knownBrokers))
	for at := range s.knownBrokers {
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

// QueueBroker implements router.Knowledge.
func (s knowledge) QueueBroker(topic, logicalBroker string, queue int32) (string, bool) {
	for _, cluster := range s.clustersOf([]byte(topic)) {
		if broker, ok := cluster.QueueBroker(topic, logicalBroker, queue); ok {
			return broker, true
		}
	}
	return "", false
}

// HalfMessageBroker implements router.Knowledge.
func (s knowledge) HalfMessageBroker(half router.HalfMessage, h *codec.Header) (string, bool) {
	at, ok := s.halfMessages.find(half, h)
	return at.broker, ok
}

// maxQueryRounds bounds the questions that are counted; above it, counting begins again.
const maxQueryRounds = 256

// questions hashes what is asked: a question may be as long as a header, and a client chooses it.
var questions = maphash.MakeSeed()

// Turn implements router.Knowledge.
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
