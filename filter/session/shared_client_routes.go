// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
)

// clientRoute is a topic of a cluster whose route the client has got. Without a topic it stands for all other addresses that
// the client has got.
type clientRoute struct {
	cluster *directory.Directory
	topic   string
}

// maxClientRoutes bounds the topics of one client that are told apart. The brokers of others are remembered without.
const maxClientRoutes = 4096

// idleLong is how long ago the last request on a connection must have been sent for it to be given up, in nanoseconds: twice
// as long as clients take to ask for all their routes, one topic after the other, and as brokers hold most long polls.
const idleLong = 60e9

// advertised notes the brokers in an answer to the client, if there is memory for them: those of a topic's route in place
// of the last one's.
func (s *shared) advertised(cluster *directory.Directory, topic string, brokers []string) {
	of := clientRoute{cluster, topic}
	before, again := s.routes[of]
	if !again && len(s.routes) >= maxClientRoutes {
		of.topic = ""
		before, again = s.routes[of]
	}
	if of.topic == "" {
		brokers = append(brokers, before...)
	}
	brokers = unique(brokers)
	if again && slices.Equal(before, brokers) {
		s.giveUpUnnamed()
		return
	}
	if !s.quota.Memory.Reserve(of.size(brokers)) {
		return
	}
	if again {
		s.quota.Memory.Release(of.size(before))
	}
	for _, name := range brokers {
		if !s.isNamed(target{cluster, name}) {
			s.heartbeat.sent = nil // the next one must reach this broker too
		}
	}
	s.routes[of] = brokers
	s.giveUpUnnamed()
}

// size returns the bytes that a route is charged for.
func (r clientRoute) size(brokers []string) int {
	size := len(r.topic) + entryBytes
	for _, name := range brokers {
		size += len(name) + entryBytes
	}
	return size
}

// isNamed reports whether the client has got the address of a broker.
func (s *shared) isNamed(at target) bool {
	for of, brokers := range s.routes {
		if of.cluster == at.cluster && slices.Contains(brokers, at.broker) {
			return true
		}
	}
	return false
}

// namedBrokers returns the brokers whose address the client has got, each once.
func (s *shared) namedBrokers() (brokers []target) {
	named := make(map[target]struct{})
	for of, names := range s.routes {
		for _, name := range names {
			at := target{of.cluster, name}
			if _, known := named[at]; !known {
				named[at] = struct{}{}
				brokers = append(brokers, at)
			}
		}
	}
	return brokers
}

// isUsed reports whether u has had a request lately, still has to get something, or is asking the client something.
func (s *shared) isUsed(u *upstream) bool {
	return s.now-u.usedAt < idleLong || u.kept > 0 || u.answers.Holds() || s.owesAnswer(u)
}

// giveUpUnnamed closes connections to brokers that none of the client's routes names, and that nobody uses: registrations
// hang on them, and the client would count at these brokers as a consumer of queues that it does not know.
func (s *shared) giveUpUnnamed() {
	for _, u := range s.upstreams {
		if u.target.broker == "" || !u.connected || s.isUsed(u) || s.isNamed(u.target) {
			continue
		}
		u.leaving = true
		s.closeIfIdle(u)
		if s.upstreams[u.id] == u { // it is not idle
			u.leaving = false
		}
	}
}
