// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
)

// New makes the session of a connection that a client at `remote` made to `local` (both "ip:port"). Open starts it.
func New(environment *Environment, host Host, local, remote string) *Session {
	s := &Session{
		environment:  environment,
		host:         host,
		capabilities: host.Capabilities(),
		recorder:     environment.Stats.Recorder(),
		local:        local,
		remote:       remote,
	}
	s.policy = environment.Policy.Client(remote, s.recorder)
	address, _ := netip.ParseAddrPort(local) // port 0 if it is none: no rule names that
	environment.Own.Arrived(address)
	role := environment.Rules.Role(address.Port())
	s.brokerName = role.BrokerName
	switch {
	case environment.EnvoyRouting != nil:
		s.mode = newEnvoyRouted(s, environment.EnvoyRouting)
	case role.Kind == addressing.Shared:
		s.mode = newShared(s)
	default:
		s.mode = newSingle(s, role)
	}
	s.backlog.memory = &s.quota.Memory
	s.requests = s.newCutter()
	s.requests.Paused = &s.full
	s.toUpstream.Write = func(to framing.Target, b []byte) {
		if u := s.upstreams[to]; u != nil {
			u.write(b)
		}
	}
	s.toClient.Write = s.passDownstream
	s.refreshed = func() {
		s.called.Store(true)
		s.host.WakeAt(0)
	}
	return s
}
