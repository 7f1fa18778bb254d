// SPDX-License-Identifier: Apache-2.0

package requests

// Class says which servers a request is for.
type Class uint8

// The classes.
const (
	// Named requests are for one broker, which they name.
	Named Class = iota + 1
	// AddressOnly requests are for one broker, which only the dialled address tells.
	AddressOnly
	// Registration requests are for every broker that the client knows: its registration, or the end of one.
	Registration
	// BrokerChange requests change something at every broker of the cluster, or fail.
	BrokerChange
	// AnyBroker requests can be served by several brokers alike.
	AnyBroker
	// NameServer requests are for any name server.
	NameServer
	// NameServerChange requests change something at every name server.
	NameServerChange
	// FromBroker requests go from brokers to clients only.
	FromBroker
	// Internal requests are between brokers, name servers and controllers; refused.
	Internal
	// Unlisted is the class of codes without a row.
	Unlisted
)

func (c Class) String() string {
	return [...]string{
		"?", "named", "address only", "registration", "broker change", "any broker", "name server", "name server change",
		"from broker", "internal", "unlisted",
	}[c]
}

// Effect is what a request does to the cluster.
type Effect uint8

// The effects. Unlisted codes have none.
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

// Purpose is what clients use a request for. Policies match requests by it.
type Purpose uint8

// The purposes.
const (
	Administration Purpose = iota // whatever is not one of the others
	Sending
	Consuming
	Connecting // routes and registrations
)

// String returns the name that policies have for the requests of a purpose.
func (p Purpose) String() string {
	return [...]string{"ADMIN", "SEND", "CONSUME", "CLIENT"}[p]
}

// PurposeNamed returns the purpose that policies have a name for.
func PurposeNamed(name string) (Purpose, bool) {
	for p := Administration; p <= Connecting; p++ {
		if p.String() == name {
			return p, true
		}
	}
	return 0, false
}

// Operation is a type of operation on messages, by OpenTelemetry's semantic conventions.
type Operation uint8

// The operations.
const (
	NoOperation Operation = iota
	Send
	Receive // a request is answered with messages that a consumer takes
	Settle
)

// String returns the value of messaging.operation.type; "" for NoOperation.
func (o Operation) String() string {
	return [...]string{"", "send", "receive", "settle"}[o]
}

// Answer is the body of a successful answer.
type Answer uint8

// The answers that the proxy or its tools read.
const (
	OtherAnswer Answer = iota
	// TopicRouteData and ClusterInfo have addresses of brokers.
	TopicRouteData
	ClusterInfo
	// TopicList has one address of a broker, or none.
	TopicList
	// ConsumerIDs has the members of a consumer group.
	ConsumerIDs
	// Messages are stored messages.
	Messages
)

// HasBrokers reports whether the answer has addresses of brokers that clients dial.
func (a Answer) HasBrokers() bool { return a == TopicRouteData || a == ClusterInfo || a == TopicList }
