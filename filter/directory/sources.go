// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"maps"
	"slices"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// word is what one source has said last of one broker name. It is immutable.
type word struct {
	cluster string
	byID    map[int64]string // host:port as it is dialled, host names unresolved
	acting  bool             // without a master the slave with the least id acts for it
	at      time.Time
}

// list is the cluster list of one name server. It is immutable.
type list struct {
	at    time.Time       // of the last answer
	words map[string]word // by broker name; those that the last answer does not have are older
}

// answer is a cluster list as it came.
type answer struct {
	server  string
	brokers []body.Address
}

// wordsOf sorts addresses by broker name.
func wordsOf(seen []body.Address, at time.Time) map[string]word {
	words := make(map[string]word)
	for _, a := range seen {
		w, ok := words[a.BrokerName]
		if !ok {
			w = word{cluster: a.Cluster, byID: make(map[int64]string, 1), acting: a.ActingMaster, at: at}
			words[a.BrokerName] = w
		}
		w.byID[a.BrokerID] = a.HostPort()
	}
	return words
}

// clone returns a copy of a table that can be written to, nil included.
func clone[V any](table map[string]V) map[string]V {
	next := make(map[string]V, len(table))
	maps.Copy(next, table)
	return next
}

// believed returns the word that counts for a broker name, by the rule of the package, and whether it is of a list.
func (s *Snapshot) believed(name string) (w word, listed, ok bool) {
	w, listed = s.listed(name)
	if routed, passed := s.routes[name]; passed && (!listed || s.unanswered && routed.at.After(w.at)) {
		return routed, false, true
	}
	return w, listed, listed
}

// listed returns what the cluster lists say of a broker name: the first name server that has it, else the one that had it
// last.
func (s *Snapshot) listed(name string) (newest word, ok bool) {
	for _, server := range s.nameServers {
		l := s.lists[server]
		if w, has := l.words[name]; has && w.at.Equal(l.at) {
			return w, true
		}
	}
	for _, server := range slices.Sorted(maps.Keys(s.lists)) {
		if w, has := s.lists[server].words[name]; has && (!ok || w.at.After(newest.at)) {
			newest, ok = w, true
		}
	}
	return newest, ok
}

// believe returns what is known of a broker name; false if that is nothing that can be dialled.
func (s *Snapshot) believe(name string) (b broker, ok bool) {
	w, _, ok := s.believed(name)
	if !ok {
		return broker{}, false
	}
	b = broker{cluster: w.cluster, byID: make(map[int64]string, len(w.byID)+1)}
	for id, hostPort := range w.byID {
		if address := s.dialled(hostPort); address != "" {
			b.byID[id] = address
		}
	}
	if len(b.byID) == 0 {
		return broker{}, false
	}
	b.leastID = slices.Min(slices.Collect(maps.Keys(b.byID)))
	if w.acting && b.leastID > 0 {
		b.byID[0], b.leastID = b.byID[b.leastID], 0
	}
	return b, true
}

// dialled returns the ip:port that a host:port stands for; empty if it is not known.
func (s *Snapshot) dialled(hostPort string) string {
	if isIPPort(hostPort) {
		return hostPort
	}
	if addresses := s.resolved[hostPort]; len(addresses) > 0 {
		return addresses[0]
	}
	return ""
}

// withListsOf is s with the answers of name servers, and the number of broker names for which there is no room: `most` are
// remembered, those that are known already first. What a source has not said for forgetAfter is dropped.
func (s *Snapshot) withListsOf(answers []answer, now time.Time, forgetAfter time.Duration, most int) (next *Snapshot, dropped int) {
	next = s.copied()
	next.unanswered = false
	isOld := func(_ string, w word) bool { return now.Sub(w.at) >= forgetAfter }
	next.routes = clone(s.routes)
	maps.DeleteFunc(next.routes, isOld)
	next.lists = make(map[string]list, len(answers))
	for server, l := range s.lists {
		words := clone(l.words)
		if maps.DeleteFunc(words, isOld); len(words) > 0 {
			next.lists[server] = list{l.at, words}
		}
	}
	for _, a := range answers {
		words := clone(next.lists[a.server].words)
		maps.Copy(words, wordsOf(a.brokers, now))
		next.lists[a.server] = list{now, words}
	}
	return next, next.bound(s.brokers, most)
}

// bound drops all that is said of broker names beyond the first `most`, and returns how many these are.
func (s *Snapshot) bound(known map[string]broker, most int) (dropped int) {
	var old, others []string
	for name := range s.names() {
		if _, ok := known[name]; ok {
			old = append(old, name)
		} else {
			others = append(others, name)
		}
	}
	if len(old)+len(others) <= most {
		return 0
	}
	slices.Sort(others) // for the same choice each time
	excess := slices.Concat(old, others)[most:]
	for _, name := range excess {
		delete(s.routes, name)
		for _, l := range s.lists {
			delete(l.words, name)
		}
	}
	return len(excess)
}

// names are the broker names of which anything has been said.
func (s *Snapshot) names() map[string]struct{} {
	names := make(map[string]struct{})
	for _, l := range s.lists {
		for name := range l.words {
			names[name] = struct{}{}
		}
	}
	for name := range s.routes {
		names[name] = struct{}{}
	}
	return names
}

// believeAll decides on every broker name.
func (s *Snapshot) believeAll() {
	s.brokers = make(map[string]broker)
	for name := range s.names() {
		if b, ok := s.believe(name); ok {
			s.brokers[name] = b
		}
	}
}

// withRoute is s with what a route said, and the number of broker names for which there is no room.
func (s *Snapshot) withRoute(said map[string]word, most int) (next *Snapshot, dropped int) {
	next = s.copied()
	next.brokers, next.routes = clone(s.brokers), clone(s.routes)
	for name, w := range said {
		_, known := s.brokers[name]
		_, routed := s.routes[name]
		if !known && len(next.brokers) >= most || !routed && len(next.routes) >= most {
			dropped++
			continue
		}
		next.routes[name] = w
		if b, ok := next.believe(name); ok {
			next.brokers[name] = b
		}
	}
	return next, dropped
}

// confirmed reports whether a route has said the same of a broker name lately, which is not worth another snapshot.
func (s *Snapshot) confirmed(name string, w word, forgetAfter time.Duration) bool {
	known, ok := s.routes[name]
	return ok && maps.Equal(known.byID, w.byID) && w.at.Sub(known.at) < forgetAfter/4
}

// contradicts reports whether a route says something else of a broker name than the lists, and than the route before it.
func (s *Snapshot) contradicts(name string, w word) bool {
	if _, listed := s.listed(name); !listed || maps.Equal(s.routes[name].byID, w.byID) {
		return false
	}
	known := s.brokers[name].byID
	for id, hostPort := range w.byID {
		if known[id] != s.dialled(hostPort) {
			return true
		}
	}
	_, hasMaster := w.byID[0]
	_, hadMaster := known[0]
	return hasMaster != hadMaster
}

// hasMoved reports whether a broker is where it was not in a snapshot before. One that was not known there may have been
// somewhere else in one before that.
func (s *Snapshot) hasMoved(before *Snapshot) bool {
	for name, b := range s.brokers {
		for id, address := range b.byID {
			if before.brokers[name].byID[id] != address {
				return true
			}
		}
	}
	return false
}

// Said is where one source has said that a broker is.
type Said struct {
	NameServer string // whose cluster list it is; empty: a route
	ID         int64
	HostPort   string
	Believed   bool // the broker is looked for there
}

// Sources returns where each source has said that a broker is, the routes last.
func (s *Snapshot) Sources(name string) (all []Said) {
	add := func(server string, words map[string]word) {
		w := words[name]
		for _, id := range slices.Sorted(maps.Keys(w.byID)) {
			address := s.dialled(w.byID[id])
			all = append(all, Said{server, id, w.byID[id], address != "" && address == s.brokers[name].byID[id]})
		}
	}
	for _, server := range slices.Sorted(maps.Keys(s.lists)) {
		add(server, s.lists[server].words)
	}
	add("", s.routes)
	return all
}
