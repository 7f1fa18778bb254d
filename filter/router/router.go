// SPDX-License-Identifier: Apache-2.0

package router

import (
	"slices"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Class is how requests of a code find their way.
type Class uint8

// The classes.
const (
	// Named requests are for one broker, which they name.
	Named Class = iota + 1
	// AddressOnly requests are for one broker, which only the dialled address tells.
	AddressOnly
	// AllBrokers requests are for every broker: this client's registration.
	AllBrokers
	// AnyBroker requests can be served by several brokers alike.
	AnyBroker
	// NameServer requests are for any name server.
	NameServer
	// AllNameServers requests change something at every name server.
	AllNameServers
	// FromBroker requests go from brokers to clients only.
	FromBroker
	// Internal requests are between brokers, name servers and controllers; refused.
	Internal
	// Unlisted is the class of codes without a row.
	Unlisted
)

func (c Class) String() string {
	return [...]string{"?", "named", "address only", "all brokers", "any broker", "name server", "all name servers", "from broker", "internal", "unlisted"}[c]
}

// Rewriting is what becomes of the body of an answer.
type Rewriting uint8

// The rewritings.
const (
	// Untouched answers pass as they are.
	Untouched Rewriting = iota
	// TopicRouteData answers get other broker addresses.
	TopicRouteData
	// ClusterInfo answers get other broker addresses.
	ClusterInfo
)

// Kind is a row of the table: what holds for all requests of one code.
type Kind struct {
	Code  codec.RequestCode
	Class Class
	// Timeout is the proxy's deadline on unified connections, just below the clients' own;
	// 0: the config's.
	Timeout time.Duration
	// Wait is how long the broker may hold this very request before it answers; nil where it never
	// does. Its deadline is later by as much.
	Wait func(*codec.Header) time.Duration
	// Locate finds the broker of a request on a unified connection.
	Locate Locate
	// Rewrite is what becomes of the answer.
	Rewrite Rewriting
}

// Request is one request of a client.
type Request struct {
	Kind   *Kind
	Header *codec.Header
	Body   []byte
}

// Locate finds the broker of a request; the name is borrowed from the request or from Knowledge.
type Locate func(Request, Knowledge) (broker []byte, refusal *Refusal)

// Knowledge is what rules may ask of the connection and of the directory.
type Knowledge interface {
	// TopicBrokers are the brokers that serve a topic, sorted; empty when unknown.
	TopicBrokers(topic string) []string
	// GroupTopics are the topics that a consumer group of this client subscribes to, sorted.
	GroupTopics(group string) []string
	// ToldBrokers are the brokers this client has learned of, sorted.
	ToldBrokers() []string
	// CheckedBroker is the broker that asked about the transaction at these offsets.
	CheckedBroker(tranStateTableOffset, commitLogOffset int64) (string, bool)
}

// Refusal is the answer to a request that goes nowhere.
type Refusal struct {
	Code   codec.ResponseCode
	Remark string
}

var (
	unnamed = &Refusal{codec.ResponseVersionNotSupported,
		"the request does not name its broker, and all brokers share this address: use a client of version 4.9.5 to 4.9.8 or 5.1.0 and later, or a proxy in per_broker mode"}
	addressOnly = &Refusal{codec.ResponseVersionNotSupported,
		"this request goes to the broker whose address is dialled, and all brokers share this address: use a proxy in per_broker mode"}
	unknownCode = &Refusal{codec.ResponseRequestCodeNotSupported,
		"this request code is not known and names no broker: use a proxy in per_broker mode"}
	noBroker = &Refusal{codec.ResponseServiceNotAvailable, "no broker is known that serves this client"}
	// RefusedInternal answers requests that no client may send through the proxy.
	RefusedInternal = &Refusal{codec.ResponseRequestCodeNotSupported,
		"this request is for use inside the cluster and is not passed on"}
)

// broker is the rule of class Named: the name in `field`, else the only broker of the topic.
func broker(field, topicField string) Locate {
	return func(r Request, k Knowledge) ([]byte, *Refusal) {
		if name, ok := r.Header.Field(field); ok && len(name) > 0 {
			return name, nil
		}
		return onlyBroker(r, k, topicField)
	}
}

// onlyBroker is the broker of a topic that lives on one broker.
func onlyBroker(r Request, k Knowledge, topicField string) ([]byte, *Refusal) {
	if topic, ok := r.Header.Field(topicField); ok {
		if names := k.TopicBrokers(string(topic)); len(names) == 1 {
			return []byte(names[0]), nil
		}
	}
	return nil, unnamed
}

// onlyByAddress is the rule of class AddressOnly on a unified connection.
func onlyByAddress(Request, Knowledge) ([]byte, *Refusal) { return nil, addressOnly }

// ifNamed is the rule for codes without a row.
func ifNamed(r Request, _ Knowledge) ([]byte, *Refusal) {
	if name, ok := r.Header.Field("bname"); ok && len(name) > 0 {
		return name, nil
	}
	return nil, unknownCode
}

// choose picks one of `names` for `key` by rendezvous hashing: every proxy picks the same, and a
// broker that comes or goes moves only the keys it gains or loses.
func choose(names []string, key []byte) string {
	return slices.MaxFunc(names, func(a, b string) int {
		if x, y := weight(a, key), weight(b, key); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return 0
	})
}

// weight is 64-bit FNV-1a of both, mixed once more so that short names spread.
func weight(name string, key []byte) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	h = (h ^ 0xff) * 1099511628211
	for _, c := range key {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}
