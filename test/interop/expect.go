// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"

// expectation of a cell: it works, or the proxy refuses it with a documented answer, or it cannot be had.
type expectation struct {
	kind   kind
	code   int    // refused
	remark string // refused: part of the remark
	reason string // impossible
	skip   bool   // impossible: do not even try
}

type kind int

const (
	works kind = iota
	refused
	impossible
)

func (k kind) String() string { return [...]string{"works", "refused", "impossible"}[k] }

func (e expectation) why() string {
	if e.kind == refused {
		return e.remark
	}
	return e.reason
}

// The remarks of the proxy that the table below is about (filter/router).
const (
	remarkUnnamed     = "the request does not name its broker, and all brokers share this address"
	remarkAddressOnly = "this request goes to the broker whose address is dialled, and all brokers share this address"

	versionNotSupported = 15
)

var (
	refusedUnnamed     = expectation{kind: refused, code: versionNotSupported, remark: remarkUnnamed}
	refusedAddressOnly = expectation{kind: refused, code: versionNotSupported, remark: remarkAddressOnly}
)

func cannot(reason string) expectation { return expectation{kind: impossible, reason: reason} }

// lacks: the client has no such thing, so there is nothing to run.
func lacks(reason string) expectation {
	return expectation{kind: impossible, reason: reason, skip: true}
}

// expect is the table: what must come of a scenario with a client in a mode.
func expect(s scenario, c *client, mode world.Mode) expectation {
	if e, ok := ofClient(s, c); ok {
		return e
	}
	if s.id == onProxy && mode == world.NoProxy {
		return lacks("without a proxy all connections are direct")
	}
	if mode != world.Unified {
		return expectation{kind: works} // an address per broker: everything that works without a proxy
	}
	if c.admin {
		return adminUnified(s)
	}
	if !c.names {
		return unnamedUnified(s, c)
	}
	return expectation{kind: works}
}

// ofClient are the limits of clients themselves, the same in every mode.
func ofClient(s scenario, c *client) (expectation, bool) {
	if c.goModFile != "" {
		switch s.id {
		case "pop", "recall", "offsets", "lite-pull-subscribe", "lite-pull-assign", "query-key", "query-unique-id", "query-offset-id":
			return lacks("the Go client has no such thing"), true
		}
	}
	switch s.id {
	case "lite-pull-subscribe", "lite-pull-assign", "request-reply", "request-reply-async", "namespace":
		if c.java == "4.4.0" {
			return lacks("came with 4.6"), true
		}
	case "pop":
		if c.java != "" && c.java < "5" {
			return lacks("came with 5.0"), true
		}
		if contains(c.flags, binary) {
			return cannot("the codes of the pop requests do not fit into the 16 bits that a ROCKETMQ header has for them"), true
		}
	case "recall":
		if c.java != "" && c.java != newest {
			return lacks("came with 5.3.2"), true
		}
	}
	if s.id == "request-reply-async" && c.java != "" {
		return cannot("Java clients call back as soon as their send is answered, with no reply"), true
	}
	if s.id == "request-reply" && c.java == "4.9.4" {
		return cannot("Java 4.9.4 takes its own request for the reply"), true
	}
	if s.id == "pop" && c.java == "5.0.0" {
		return cannot("what Java 5.0.0 could not consume does not come again from a 5.3 broker"), true
	}
	if s.id == "request-reply" && c.java == newest {
		return cannot("Java 5.3.3 takes the answer to its send for the reply"), true
	}
	return expectation{}, false
}

// unnamedUnified: clients that name no broker, behind one address for all of them.
func unnamedUnified(s scenario, c *client) expectation {
	switch s.id {
	case "one-broker-topic", onProxy:
		return expectation{kind: works}
	case "send-oneway":
		return cannot("refused like the others, but a oneway request has no answer: the client cannot see it")
	case "request-reply":
		if c.goModFile != "" {
			return cannot("refused like the others, but this call of the Go client does not look at that answer and waits until its time is over")
		}
	}
	return refusedUnnamed
}

// adminUnified: mqadmin behind one address for all brokers.
func adminUnified(s scenario) expectation {
	switch s.id {
	case "topicStatus", "clusterList", "brokerStatus", "brokerConsumeStats", "updateBrokerConfig",
		"consumerProgress", "consumerConnection", "producerConnection", "consumerStatus", "resetOffsetByTime":
		return refusedAddressOnly
	}
	return expectation{kind: works}
}
