// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// expectation of a cell.
type expectation struct {
	kind   kind
	code   int    // refused, denied
	remark string // refused, denied: part of the remark
	reason string // fails, lacks
	detail string // fails: part of what the client says
	// nothingStored: fails, and the brokers have no message in its topic.
	nothingStored bool
}

type kind int

const (
	works   kind = iota
	refused      // by the proxy, with a documented answer
	denied       // by the broker, whose answer arrives
	fails        // whatever the proxy does, in a way that is known
	lacks        // the client has no such thing
)

func (k kind) String() string {
	return [...]string{"works", "refused", "denied", "impossible", "impossible"}[k]
}

func (e expectation) why() string {
	if e.kind == refused || e.kind == denied {
		return e.remark
	}
	return e.reason
}

// The remarks of the proxy that the table below is about (filter/router), and codes.
const (
	remarkUnnamed     = "the request does not name its broker, and all brokers share this address"
	remarkAddressOnly = "this request goes to the broker whose address is dialled, and all brokers share this address"

	systemError         = 1
	versionNotSupported = 15
	noPermission        = 16
)

var (
	refusedUnnamed     = expectation{kind: refused, code: versionNotSupported, remark: remarkUnnamed}
	refusedAddressOnly = expectation{kind: refused, code: versionNotSupported, remark: remarkAddressOnly}
)

func isLacking(reason string) expectation { return expectation{kind: lacks, reason: reason} }

// failing: the client says so and so, for that reason.
func failing(detail, reason string) expectation {
	return expectation{kind: fails, detail: detail, reason: reason}
}

// expect is the table: what must come of a scenario with a client, one way.
func expect(s scenario, c *client, wy way) expectation {
	if s.id == onProxy && wy == direct {
		return isLacking("without a proxy all connections are direct")
	}
	if reason := missing(s, c); reason != "" {
		return isLacking(reason)
	}
	if wy == unified && c.admin {
		return adminUnified(s)
	}
	if wy == unified && !c.names {
		return unnamedUnified(s, c)
	}
	// The rest is the same with an address per broker as without a proxy.
	return ofClient(s, c)
}

// ofPython are the scenarios of test/interop/pyclient.
var ofPython = []string{
	"send-sync", "send-oneway", "send-delayed", "one-broker-topic", "push-concurrent", "push-orderly", "filter-tag", "pull", onProxy,
}

// missing is why a client has no such scenario; empty if it has.
func missing(s scenario, c *client) string {
	if c.python != "" {
		if !slices.Contains(ofPython, s.id) {
			return "the Python client has no such thing, or its program does not use it"
		}
		return ""
	}
	if c.goModFile != "" {
		switch s.id {
		case "pop", "pop-orderly", "recall", "offsets", "bare-max-offset", "bare-commit-offset", "bare-lock",
			"lite-pull-subscribe", "lite-pull-assign", "query-key", "query-unique-id", "query-offset-id":
			return "the Go client has no such thing"
		case "tls":
			if c.tags == "" {
				return "the Go client learnt it after 2.1.2"
			}
		}
		return ""
	}
	switch s.id {
	case "lite-pull-subscribe", "lite-pull-assign", "request-reply", "request-reply-async", "namespace":
		if c.before("4.6.0") {
			return "came with 4.6"
		}
	case "pop":
		if c.before("5.0.0") {
			return "came with 5.0"
		}
	case "pop-orderly":
		if c.before("5.1.0") {
			return "before 5.1 its classes, if there at all, have other names than those that our program uses"
		}
	case "recall":
		if c.before("5.3.2") {
			return "came with 5.3.2"
		}
	}
	return ""
}

// ofClient is what comes of a scenario wherever the broker can be told: it works, or the client itself cannot do it.
func ofClient(s scenario, c *client) expectation {
	if c.python != "" && s.id == "pull" {
		return failing("10 of 20 not pulled", "it keeps offsets by the queue's number alone, and so takes the queues of two brokers for the same")
	}
	const binaryPop = "the codes of the pop requests do not fit into the 16 bits that a ROCKETMQ header has for them"
	switch s.id {
	case "acl1-wrong-secret":
		return expectation{kind: denied, code: systemError, remark: "Check signature failed for accessKey=application"}
	case "acl2-wrong-secret":
		return expectation{kind: denied, code: noPermission, remark: "check signature failed."}
	case "pop":
		switch {
		case slices.Contains(c.flags, binary):
			return failing("all messages popped: not within", binaryPop)
		case c.java == "5.0.0":
			return failing("failed messages popped again: not within", "what Java 5.0.0 could not consume does not come again from a 5.3 broker")
		}
	case "pop-orderly":
		if slices.Contains(c.flags, binary) {
			return failing("request type 3442 not supported", binaryPop)
		}
	case "request-reply":
		switch c.java {
		case "5.3.3":
			return failing("OK, but wait reply message timeout", "Java 5.3.3 takes the answer to its send for the end of its wait, and says at once that there was no reply in time")
		case "4.9.4":
			return failing("reply: want re: request-reply-0, got request-reply-0", "Java 4.9.4 takes its own request for the reply")
		}
	case "request-reply-async":
		if c.java != "" && c.java != "4.7.1" {
			return failing("called back without a reply", "Java clients call back as soon as their send is answered, with no reply")
		}
	}
	return expectation{kind: works}
}

// unnamedUnified: clients that name no broker in their sends, behind one address for all of them.
func unnamedUnified(s scenario, c *client) expectation {
	switch s.id {
	case "one-broker-topic", onProxy, "bare-lock": // a lock names the broker in its body
		return expectation{kind: works}
	case "bare-pull", "bare-max-offset", "bare-commit-offset":
		if c.java == "5.0.0" { // it names the broker in these
			return expectation{kind: works}
		}
	case "send-oneway":
		e := failing("", "refused like the others, and not stored, but a oneway request has no answer: the client cannot see it")
		e.nothingStored = true
		return e
	case "request-reply":
		if c.goModFile != "" {
			return failing("timeout", "refused like the others, but this call of the Go client does not look at that answer and waits until its time is over")
		}
	}
	if c.python != "" {
		return failing("", "refused like the others, but the C++ client hides the remark")
	}
	return refusedUnnamed
}

const notForOneBroker = "with one address for all brokers a change cannot be for one: it is for all, if `allow_cluster_wide_changes` is set, or refused"

// adminUnified: mqadmin behind one address for all brokers.
func adminUnified(s scenario) expectation {
	switch s.id {
	case "topicStatus", "clusterList", "brokerStatus", "brokerConsumeStats", "updateBrokerConfig",
		"consumerProgress", "consumerConnection", "producerConnection", "consumerStatus", "resetOffsetByTime":
		return refusedAddressOnly
	case "updateTopic":
		return failing(`"readQueueNums":3/ in what it printed`, notForOneBroker)
	case "updateSubGroup":
		return failing("every broker has the address that -b names", notForOneBroker)
	}
	return expectation{kind: works}
}
