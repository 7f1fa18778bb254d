// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

var (
	brokerIsSelf     = &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "the address that this broker has registered leads back to the proxy: see its brokerIP1 and listenPort"}
	nameServerIsSelf = &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "the address of the name server leads back to the proxy"}
	outsideNetworks  = &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "the address that this broker has registered is in none of the networks where the proxy connects to brokers"}
)

// mayConnect judges the address of a new upstream connection. A refusal is counted, and the first one of an address is
// logged.
func (s *Session) mayConnect(to target, address string) *codec.Reply {
	verdict := s.reaches(to, address)
	if verdict == reach.Allowed {
		return nil
	}
	to.cluster.RefreshSoon() // the broker may have registered again
	warn(to.cluster, s.mode.describe(to), address, verdict, s.warn)
	switch {
	case verdict == reach.Outside:
		s.recorder.Inc(stats.BrokerOutsideNetworks)
		return outsideNetworks
	case to.broker == "":
		s.recorder.Inc(stats.BrokerIsSelf)
		return nameServerIsSelf
	}
	s.recorder.Inc(stats.BrokerIsSelf)
	return brokerIsSelf
}

// reaches judges an address by who has named it: the operator, who has named the name servers, or whoever can make a
// broker register.
func (s *Session) reaches(to target, address string) reach.Verdict {
	rules, servers := to.cluster.Reach(), to.cluster.Snapshot().NameServers()
	if address == "" && len(servers) > 0 { // the host's choice, most likely among these
		address = servers[0]
	}
	if s.mode.isNameServer(to, address) {
		return rules.NameServer(address)
	}
	return rules.Broker(address)
}

// logTarget is how the log calls what an upstream connection leads to.
type logTarget struct {
	kind logline.Own
	name string // empty: it has none
}

func brokerNamed(name string) logTarget { return logTarget{"broker", name} }

// warn logs that nothing is sent to an address of a cluster: once for each, whatever the number of configs that share it.
func warn(cluster *directory.Directory, to logTarget, address string, verdict reach.Verdict, log func(format string, arguments ...any)) {
	if !cluster.FirstRefusal(string(to.kind), to.name, address) {
		return
	}
	why := logline.Own("is in none of the networks where brokers may be (clusters[].broker_networks)")
	if verdict == reach.Self {
		why = "leads back to this proxy"
	}
	if to.name == "" {
		log("nothing is sent to a %s: its address %s %s", to.kind, address, why)
	} else {
		log("nothing is sent to the %s %s: its address %s %s", to.kind, to.name, address, why)
	}
}

// WarnOfBrokers logs which brokers of a cluster have an address where nothing is sent, each once.
func WarnOfBrokers(cluster *directory.Directory, log func(format string, arguments ...any)) {
	for _, broker := range cluster.Snapshot().Unusable() {
		if cluster.FirstRefusal("unusable", broker.BrokerName, broker.Addr) {
			log("nothing is sent to the broker %s: its address %s is neither ip:port nor a host name that can be resolved", broker.BrokerName, broker.Addr)
		}
	}
	for name, address := range cluster.Snapshot().Addresses() {
		if verdict := cluster.Reach().Broker(address); verdict != reach.Allowed {
			warn(cluster, brokerNamed(name), address, verdict, log)
		}
	}
}
