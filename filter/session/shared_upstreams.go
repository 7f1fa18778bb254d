// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

var (
	brokerUnknown     = &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "the proxy does not know the address of this broker (yet)"}
	nameServerUnknown = &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "the proxy has not found a name server (yet)"}
	noMoreFiles       = &codec.Reply{Code: codec.ResponseSystemBusy, Remark: "the proxy has as many connections as it may open files for"}
	tooManyUpstreams  = &codec.Reply{Code: codec.ResponseSystemBusy, Remark: "too many upstream connections for this client"}
)

// brokerUpstream returns the connection to the broker of that name in one of the clusters, opening it if need be.
func (s *shared) brokerUpstream(name []byte, clusters []*directory.Directory) (*upstream, *codec.Reply) {
	for _, cluster := range clusters {
		address, ok := cluster.Snapshot().Master(string(name))
		if !ok {
			continue
		}
		if s.byAddress[address] != nil {
			return s.connectTo(target{cluster: cluster}, address)
		}
		return s.connectRegistered(target{cluster, string(name)}, address)
	}
	if u := s.connectedTo(name, clusters); u != nil {
		return s.connectTo(u.target, u.address)
	}
	s.recorder.Inc(stats.BrokerUnknown)
	for _, cluster := range clusters {
		cluster.RefreshSoon()
	}
	return nil, brokerUnknown
}

// connectedTo returns an open connection to a broker that the directory does not know any more; nil: there is none.
func (s *shared) connectedTo(name []byte, clusters []*directory.Directory) *upstream {
	for _, u := range s.byAddress {
		if u.target.broker == string(name) && slices.Contains(clusters, u.target.cluster) {
			return u
		}
	}
	return nil
}

// nameServerUpstream returns the connection to a name server of a cluster, opening it if need be.
func (s *shared) nameServerUpstream(cluster *directory.Directory) (*upstream, *codec.Reply) {
	servers := cluster.Snapshot().NameServers()
	for _, address := range servers {
		if u := s.byAddress[address]; u != nil {
			return u, nil
		}
	}
	if len(servers) == 0 {
		cluster.RefreshSoon()
		return nil, nameServerUnknown
	}
	return s.connectTo(target{cluster: cluster}, servers[0])
}

// connectTo returns the connection to an address, opening it if need be.
func (s *shared) connectTo(to target, address string) (*upstream, *codec.Reply) {
	if refusal := s.mode.mayReach(to, address); refusal != nil {
		return nil, refusal
	}
	if u := s.byAddress[address]; u != nil {
		return u, nil
	}
	if s.state == closed { // by what was written to another one: nobody would close this one
		return nil, overLimit.reply
	}
	if len(s.upstreams) >= s.environment.Config.Limits.MaxUpstreamConnections {
		s.recorder.Inc(stats.RequestOverLimit)
		return nil, tooManyUpstreams
	}
	if !s.quota.OpenFiles(1) {
		s.recorder.Inc(stats.RequestOverLimit)
		return nil, noMoreFiles
	}
	u, refusal := s.connect(to, address)
	if refusal != nil {
		s.quota.CloseFiles(1)
		return nil, refusal
	}
	s.byAddress[address] = u
	return u, nil
}

// connectRegistered is connectTo for a broker at which this client may have registered: one whose connection is new gets
// the registration again first.
func (s *shared) connectRegistered(to target, address string) (*upstream, *codec.Reply) {
	known := s.byAddress[address] != nil
	u, refusal := s.connectTo(to, address)
	if known || refusal != nil {
		return u, refusal
	}
	if !s.replayHeartbeat(u) { // that was too much to keep
		return nil, overLimit.reply
	}
	return u, nil
}

// nameServerPatience is how long a name server may take to be connected to, in nanoseconds, while there is another: clients
// wait 3 s for a route.
const nameServerPatience = 700e6

func (s *shared) connectTimeout(u *upstream) Instant {
	timeout := s.plainUpstreams.connectTimeout(u)
	if u.target.broker == "" && len(u.tried)+1 < len(u.target.cluster.Snapshot().NameServers()) {
		return min(timeout, nameServerPatience)
	}
	return timeout
}

// dialNext opens u to the next name server, or to the next address of the broker's host name. A change that waits is for
// this name server, and each other one has got a copy.
func (s *shared) dialNext(u *upstream) bool {
	if u.leaving || u.hasChange() {
		return false
	}
	snapshot := u.target.cluster.Snapshot()
	others := snapshot.NameServers()
	if u.target.broker != "" {
		address, _ := snapshot.Master(u.target.broker)
		others = []string{address}
	}
	for _, address := range others {
		if address == "" || slices.Contains(u.tried, address) || s.byAddress[address] != nil || s.mayConnect(u.target, address) != nil {
			continue
		}
		delete(s.byAddress, u.address)
		s.byAddress[address] = u
		s.redial(u, address)
		return true
	}
	return false
}

// hasChange reports whether a change of what every name server knows waits at u.
func (u *upstream) hasChange() bool {
	for _, p := range u.pending.All() {
		if p.kind.Class == requests.NameServerChange {
			return true
		}
	}
	return false
}

// retire makes the next request for u's broker open another connection. The broker is about to end this one (GO_AWAY,
// NettyRemotingAbstract), or its end has not reached us. `why` counts.
func (s *shared) retire(u *upstream, why stats.ID) {
	s.recorder.Inc(why)
	u.target.cluster.Failed(u.address)
	u.leaving = true
	if s.byAddress[u.address] == u { // else it has a successor already
		delete(s.byAddress, u.address)
	}
}

// maxUnasked is the largest frame that is written without asking whether there is memory for it, as long as the host
// keeps nothing for its upstream: a socket that has taken everything so far takes this much, too.
const maxUnasked = 64 << 10

func (s *shared) canWrite(u *upstream, n int) bool {
	switch {
	case u.full:
		return false
	case u.connected && u.kept == 0 && n <= maxUnasked:
		return true
	}
	return s.mayKeep(u, n)
}

// upstreamFull refuses requests for u meanwhile: what is for others need not wait.
func (s *shared) upstreamFull(u *upstream, full bool) bool {
	if full {
		s.recorder.Inc(stats.UpstreamFull)
	}
	u.full = full
	return full
}

func (s *shared) stopsReading() bool { return false }

func (s *shared) upstreamLost(u *upstream, why failure) {
	s.failAll(u, why)
	u.freePending()
}

func (s *shared) forget(u *upstream) {
	if s.byAddress[u.address] == u {
		delete(s.byAddress, u.address)
	}
	s.forgetServerRequests(u)
	s.quota.CloseFiles(1)
}

func (s *shared) isNameServer(to target, _ string) bool { return to.broker == "" }

func (s *shared) describe(to target) logTarget {
	if to.broker == "" {
		return logTarget{"name server", ""}
	}
	return brokerNamed(to.broker)
}
