// SPDX-License-Identifier: Apache-2.0

package router

import (
	"slices"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Class is how requests of a code find their way.
type Class uint8

// The classes.
const (
	// Named requests are for one broker, which they name.
	Named Class = iota + 1
	// AddressOnly requests are for one broker, which only the dialled address tells.
	AddressOnly
	// AllBrokers requests are for every broker that the client knows: its registration.
	AllBrokers
	// EveryBroker requests change something at every broker of the cluster, or fail.
	EveryBroker
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
	return [...]string{"?", "named", "address only", "all brokers", "every broker", "any broker", "name server", "all name servers", "from broker", "internal", "unlisted"}[c]
}

// Effect is what a request does to the cluster.
type Effect uint8

// The effects. The row of codes that nobody knows has none.
const (
	// ClientTraffic is what producers and consumers do: messages, their own offsets, locks and registrations.
	ClientTraffic Effect = iota + 1
	// Reads requests change nothing.
	Reads
	// Changes requests change topics, groups, offsets of others, permissions, settings or files of servers.
	Changes
)

func (e Effect) String() string {
	return [...]string{"unknown", "client traffic", "reads", "changes"}[e]
}

// MayChange reports whether a request changes something, or may do so for all that is known of its code.
func (k *Kind) MayChange() bool { return k.Effect != ClientTraffic && k.Effect != Reads }

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
	// TopicList answers get another broker address, or none.
	TopicList
	// ConsumerIDs answers name each consumer once, on unified connections.
	ConsumerIDs
)

// Kind is a row of the table: what holds for all requests of one code.
type Kind struct {
	Code  requests.Code
	Class Class
	// Timeout is the proxy's deadline on unified connections, just below the clients' own;
	// 0: the config's.
	Timeout time.Duration
	// Wait is how long the broker may hold this very request before it answers; nil where it never
	// does. Its deadline is later by as much.
	Wait func(*codec.Header) time.Duration
	// Effect is what such a request does to the cluster. Every row has one.
	Effect Effect
	// Prepared tells whether a request sends the half message of a transaction; nil where none does.
	Prepared func(*codec.Header) bool
	// Locate finds the broker of a request on a unified connection.
	Locate Locate
	// Rewrite is what becomes of the answer.
	Rewrite Rewriting
	// Addresses names the addresses in the answer.
	Addresses Addresses

	inHeader *headerNames       // of topics and groups
	inBody   body.SubjectReader // nil for a body that has none
}

// Request is one request of a client.
type Request struct {
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
	// QueueBroker is the broker that has a queue of a static topic now.
	QueueBroker(topic, logicalBroker string, queue int32) (string, bool)
	// HalfMessageBroker is the broker that stored the half message that a request is about, by its own
	// word when it was sent or when the broker asked about it.
	HalfMessageBroker(HalfMessage, *codec.Header) (string, bool)
	// Turn counts how often this client has asked something, from 0 on.
	Turn(question string) int
}

// Refusal is the answer to a request that goes nowhere.
type Refusal struct {
	Code   codec.ResponseCode
	Remark string
}

var (
	unnamed = &Refusal{
		codec.ResponseVersionNotSupported,
		"the request does not name its broker, and all brokers share this address: use a client of version 4.9.5 to 4.9.8 or 5.1.0 and later, or a proxy in per_broker mode",
	}
	addressOnly = &Refusal{
		codec.ResponseVersionNotSupported,
		"this request goes to the broker whose address is dialled, and all brokers share this address: use a proxy in per_broker mode",
	}
	unknownCode = &Refusal{
		codec.ResponseRequestCodeNotSupported,
		"this request code is not known and names no broker: use a proxy in per_broker mode",
	}
	noBroker = &Refusal{codec.ResponseServiceNotAvailable, "no broker is known that serves this client"}
	unmapped = &Refusal{codec.ResponseServiceNotAvailable, "the proxy does not know which broker has this queue of the static topic (yet): ask for the topic's route first"}
	// RefusedInternal answers requests that no client may send through the proxy.
	RefusedInternal = &Refusal{
		codec.ResponseRequestCodeNotSupported,
		"this request is for use inside the cluster and is not passed on",
	}
	// RefusedChange answers changes where the config has made admin requests read-only.
	RefusedChange = &Refusal{codec.ResponseNoPermission, "changes are not allowed through this proxy"}
)

// names are the extFields that say what a request is about.
type names struct{ broker, topic, queue string }

var (
	longNames  = names{"bname", "topic", "queueId"}
	shortNames = names{"n", "b", "e"} // SendMessageRequestHeaderV2
)

// named is the rule of class Named: the broker's name, else the only broker of the topic.
func named(fields names) Locate {
	return func(r Request, k Knowledge) ([]byte, *Refusal) {
		if name, ok := r.Header.Field(fields.broker); ok && len(name) > 0 {
			return physical(name, r, k, fields)
		}
		return onlyBroker(r, k, fields.topic)
	}
}

// physical turns the logical broker name of a queue of a static topic into that of the broker which
// has the queue now. The broker itself translates the queue's number.
func physical(name []byte, r Request, k Knowledge, fields names) ([]byte, *Refusal) {
	if !isLogical(name) {
		return name, nil
	}
	topic, _ := r.Header.Field(fields.topic)
	queue, ok := r.Header.IntField(fields.queue)
	if !ok || queue != int64(int32(queue)) {
		return nil, unnamed
	}
	if broker, ok := k.QueueBroker(string(topic), string(name), int32(queue)); ok {
		return []byte(broker), nil
	}
	return nil, unmapped
}

// isLogical reports whether a broker's name is one that clients use for the queues of static topics.
func isLogical[T string | []byte](name T) bool {
	const n = len(body.LogicalBrokerPrefix)
	return len(name) > n && string(name[:n]) == body.LogicalBrokerPrefix
}

// onlyBroker is the broker of a topic that lives on one broker.
func onlyBroker(r Request, k Knowledge, topicField string) ([]byte, *Refusal) {
	if topic, ok := r.Header.Field(topicField); ok {
		if brokers := k.TopicBrokers(string(topic)); len(brokers) == 1 {
			return []byte(brokers[0]), nil
		}
	}
	return nil, unnamed
}

// anyBroker picks a broker of a topic, the same for all members of a group.
func anyBroker(topic, group string, k Knowledge) ([]byte, *Refusal) {
	if brokers := k.TopicBrokers(topic); len(brokers) > 0 {
		return []byte(choose(brokers, []byte(group))), nil
	}
	if brokers := k.ToldBrokers(); len(brokers) > 0 {
		return []byte(choose(brokers, []byte(group))), nil
	}
	return nil, noBroker
}

// severalBrokers answers a request whose entries are not all for one broker.
var severalBrokers = &Refusal{codec.ResponseSystemError, "the entries of this request are for several brokers: send a request for each"}

// Unreadable answers a request whose body cannot be read.
func Unreadable(err error) *Refusal {
	return &Refusal{codec.ResponseSystemError, "unreadable body: " + err.Error()}
}

// onlyByAddress is the rule of class AddressOnly on a unified connection: no client is known to name the
// broker in such a request, but one may.
func onlyByAddress(r Request, _ Knowledge) ([]byte, *Refusal) {
	if name, ok := r.Header.Field(longNames.broker); ok && len(name) > 0 {
		return name, nil
	}
	return nil, addressOnly
}

// ifNamed is the rule for codes without a row.
func ifNamed(r Request, _ Knowledge) ([]byte, *Refusal) {
	if name, ok := r.Header.Field(longNames.broker); ok && len(name) > 0 {
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
