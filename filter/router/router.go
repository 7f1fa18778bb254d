// SPDX-License-Identifier: Apache-2.0

package router

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Request is one request of a client.
type Request struct {
	Type   *requests.Type
	Header *codec.Header
	Body   []byte
}

// View is what rules may ask about the client and the cluster.
type View interface {
	// TopicBrokers returns the brokers that serve a topic by the client's route, sorted; none when the topic is unknown.
	TopicBrokers(topic string) []string
	// OnlyBroker returns the broker of a topic that has no other by any source.
	OnlyBroker(topic string) (string, bool)
	// GroupTopics returns the topics that a consumer group of this client subscribes to, sorted.
	GroupTopics(group string) []string
	// ToldBrokers returns the brokers this client has learned of, sorted.
	ToldBrokers() []string
	// QueueBroker returns the broker that has a queue of a static topic now.
	QueueBroker(topic, logicalBroker string, queue int32) (string, bool)
	// HalfMessageBroker returns the broker that stored the half message that a request is about, by its own
	// word when it was sent or when the broker asked about it.
	HalfMessageBroker(HalfMessage, *codec.Header) (string, bool)
	// Turn counts how often this client has asked something, from 0 on.
	Turn(question string) int
}

// Locate returns the broker of a request by its rule, or the answer to one that has none. The name is borrowed from the
// request or from the View.
func Locate(r *Request, v View) (broker []byte, refusal *codec.Reply) {
	switch r.Type.Broker {
	case requests.ByName:
		return byName(r, v)
	case requests.ByReceipt:
		return byReceipt(r, v)
	case requests.ByHalfMessage:
		return byHalfMessage(r, v)
	case requests.ByRecallHandle:
		return byRecallHandle(r, v)
	case requests.ByQueues:
		return byQueues(r, v)
	case requests.ByBody:
		return byBody(r)
	case requests.ByTopic:
		return byTopic(r, v)
	case requests.ByGroup:
		return byGroup(r, v)
	case requests.InTurn:
		return inTurn(r, v)
	case requests.AnyUnlessNamed:
		return anyUnlessNamed(r, v)
	case requests.ByAddress:
		return byAddress(r)
	case requests.ByMessageID:
		return byMessageID()
	case requests.IfNamed:
		return ifNamed(r)
	}
	return nil, ruleless
}

// namedBroker returns the broker that the header of a request names; none if it names none.
func namedBroker(r *Request) []byte {
	name, _ := r.Header.Field(r.Type.Fields.Broker)
	return name
}

// byName takes the broker that the header names, else the only broker of the topic.
func byName(r *Request, v View) ([]byte, *codec.Reply) {
	switch name := namedBroker(r); {
	case len(name) == 0:
		return onlyBroker(r, v)
	case isLogical(name):
		return resolve(name, r, v)
	default:
		return name, nil
	}
}

// byAddress refuses requests that do not name their broker. No client is known to name it in one that goes to the broker
// that was dialled, but one may.
func byAddress(r *Request) ([]byte, *codec.Reply) {
	if name := namedBroker(r); len(name) > 0 {
		return name, nil
	}
	return nil, addressOnly
}

// ifNamed takes the broker that a request with an unlisted code names.
func ifNamed(r *Request) ([]byte, *codec.Reply) {
	if name := namedBroker(r); len(name) > 0 {
		return name, nil
	}
	return nil, unknownCode
}

// resolve returns the broker that has the queue of a request now, whose name is the logical one of a static topic. The
// broker itself translates the queue's number.
func resolve(name []byte, r *Request, v View) ([]byte, *codec.Reply) {
	topic := r.Type.Topic(r.Header)
	queue, ok := r.Header.IntField(r.Type.Fields.Queue)
	if !ok || queue != int64(int32(queue)) {
		return nil, unnamed
	}
	if broker, ok := v.QueueBroker(string(topic), string(name), int32(queue)); ok {
		return []byte(broker), nil
	}
	return nil, unmapped
}

// isLogical reports whether a broker's name is one that clients use for the queues of static topics.
func isLogical[T string | []byte](name T) bool {
	const n = len(body.LogicalBrokerPrefix)
	return len(name) > n && string(name[:n]) == body.LogicalBrokerPrefix
}

// onlyBroker returns the broker of a topic that has no other.
func onlyBroker(r *Request, v View) ([]byte, *codec.Reply) {
	if topic, ok := r.Header.Field(r.Type.Fields.Topic); ok {
		if broker, ok := v.OnlyBroker(string(topic)); ok {
			return []byte(broker), nil
		}
	}
	return nil, unnamed
}
