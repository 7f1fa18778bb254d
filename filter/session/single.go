// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// single is the mode of a connection with one upstream for life: a broker, or a name server. Bodies are cut through, and
// what ends the upstream connection ends the client's, as without a proxy.
type single struct {
	*Session
	plainUpstreams
	role     addressing.Role
	upstream *upstream // nil until it is open
	moves    int64     // of the directory's brokers, when the destination was last looked up
}

func newSingle(s *Session, role addressing.Role) *single {
	return &single{Session: s, plainUpstreams: plainUpstreams{s}, role: role}
}

func (s *single) ownFiles() int     { return 2 } // the client's connection and the upstream's
func (s *single) wholeFrames() bool { return false }
func (s *single) close()            {}

// open opens the session together with its upstream.
func (s *single) open() bool {
	s.moves = s.environment.Clusters.First().Moves() // first: one may move meanwhile
	address, known := s.destination()
	if !known {
		return false
	}
	s.state = open
	u, refusal := s.connect(target{cluster: s.environment.Clusters.First()}, address)
	if refusal != nil {
		s.recorder.Inc(stats.DownstreamRefused)
		s.closeDownstream()
		return true
	}
	s.upstream, s.cutThrough = u, &u.answers
	return true
}

// follow ends a session that stands for a broker which is at another address now: the client dials again and reaches it
// there. The address that clients are given does not change when a slave becomes master, so nothing else would make them
// leave the old place, which may well go on answering. It waits for the end of an answer. A broker has not moved when
// another address of its host name comes first now, since one of them could not be reached by somebody.
func (s *single) follow() {
	moves := s.environment.Clusters.First().Moves()
	if s.state != open || moves == s.moves || s.upstream.answers.MidFrame() {
		return
	}
	s.moves = moves
	if s.role.Kind != addressing.Broker && s.role.Kind != addressing.NumberedBroker {
		return
	}
	address, known := s.destination()
	if !known || s.environment.Clusters.First().Snapshot().SameHost(address, s.upstream.address) {
		return
	}
	s.recorder.Inc(stats.DestinationMoved)
	s.closeUpstream(s.upstream, s.failures().lost)
}

// destination returns the address of the upstream, if it is known. It is empty where the host chooses.
func (s *single) destination() (address string, known bool) {
	snapshot := s.environment.Clusters.First().Snapshot()
	switch s.role.Kind {
	case addressing.Broker:
		return snapshot.Address(s.role.BrokerName, s.role.BrokerID)
	case addressing.NumberedBroker:
		return snapshot.Numbered(func(name string) bool {
			number, ok := addressing.NumberOf(name)
			return ok && number == s.role.Number
		}, s.role.BrokerID)
	case addressing.OriginalDestination:
		// Not to wherever a client wants: an Envoy whose listener was dialled directly would call itself.
		return s.local, snapshot.Known(s.local) || s.environment.Config.Addressing.PassUncovered
	}
	if s.capabilities.OwnDestination {
		return "", true
	}
	if servers := snapshot.NameServers(); len(servers) > 0 {
		return servers[0], true
	}
	return "", false
}

// await asks the directory for the destination.
func (s *single) await() { s.environment.Clusters.RefreshSoon() }

func (s *single) openUnknown() {
	s.recorder.Inc(stats.DownstreamRefused)
	s.recorder.Inc(stats.BrokerUnknown)
	s.closeDownstream()
}

func (s *single) effectiveCode(h *codec.Header) requests.Code { return requests.CodeOf(h) }

// replicates reports whether a request goes to all name servers, of which this connection leads to one.
func (s *single) replicates(kind *requests.Type) bool {
	return s.role.Kind == addressing.NameServer && kind.Class == requests.NameServerChange
}

func (s *single) needsBody(kind *requests.Type) bool { return s.replicates(kind) }

func (s *single) request(kind *requests.Type, f framing.Frame) framing.Verdict {
	v, ok := s.forward(s.upstream, kind, f)
	if ok && s.replicates(kind) {
		recorder := s.recorder
		s.environment.Clusters.First().Replicate(f.Raw, func(error) { recorder.Inc(stats.NameServerCopyFailure) })
	}
	return v
}

// singleTimeout is how long a request waits. The proxy does not answer for the broker, it only stops counting what nobody
// can be waiting for any more.
const singleTimeout = 10 * 60 * 1e9

func (s *single) deadlineOf(*requests.Type, Instant) Instant { return s.now + singleTimeout }

func (s *single) reads(_ *upstream, kind *requests.Type, _ *codec.Header) (onAnswer func(framing.Frame), rewritten bool) {
	return nil, kind.Answer.HasBrokers()
}

func (s *single) answer(u *upstream, p *pending, f framing.Frame) framing.Verdict {
	switch {
	case p != nil:
		return s.passAnswer(u, p, f)
	case s.role.Kind == addressing.NameServer:
		return framing.Drop // it may be a route with real addresses
	}
	return framing.PassTo(0)
}

func (s *single) brokerRequest(*upstream, framing.Frame) framing.Verdict { return framing.PassTo(0) }

func (s *single) clientAnswer(framing.Frame) framing.Verdict {
	if !s.upstream.connected { // nothing can have asked yet
		s.recorder.Inc(stats.ClientResponseUnexpected)
		return framing.Drop
	}
	return framing.PassTo(s.upstream.id)
}

// fail ends a request without an answer: Java retries asynchronous sends after a broken connection and not after an error
// answer.
func (s *single) fail(u *upstream, opaque int32, p *pending, why failure) {
	s.conclude(&u.pending, opaque, p, unansweredWith(why))
}

// holdRefusal holds nothing back: with one server nearly all passes.
func (s *single) holdRefusal(*codec.Header, *codec.Reply) bool { return false }

func (s *single) expire() Instant { return never }

// canWrite reports true for an open upstream: its client is not read while the host keeps much.
func (s *single) canWrite(u *upstream, n int) bool { return u.connected || s.mayKeep(u, n) }

func (s *single) upstreamFull(*upstream, bool) bool { return false }

// stopsReading reports true while a request waits: its broker may have stopped reading.
func (s *single) stopsReading() bool { return s.inFlight.all > 0 }

// upstreamLost ends the client's connection, as the client would see it without a proxy.
func (s *single) upstreamLost(u *upstream, why failure) {
	s.failAll(u, why)
	s.closeDownstream()
}

func (s *single) forget(*upstream) {}

func (s *single) likelyBrokers() []target { return nil }

func (s *single) advertised(*directory.Directory, string, []string) {}

func (s *single) isNameServer(to target, address string) bool {
	switch s.role.Kind {
	case addressing.NameServer:
		return true
	case addressing.OriginalDestination:
		return slices.Contains(to.cluster.Snapshot().NameServers(), address)
	}
	return false
}

func (s *single) describe(target) logTarget {
	switch s.role.Kind {
	case addressing.Broker:
		return brokerNamed(s.role.BrokerName)
	case addressing.NumberedBroker:
		return logTarget{"broker with the number", strconv.Itoa(s.role.Number)}
	case addressing.OriginalDestination:
		return logTarget{"client's own choice", ""}
	}
	return logTarget{"name server", ""}
}
