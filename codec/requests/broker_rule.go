// SPDX-License-Identifier: Apache-2.0

package requests

// BrokerRule says how the one broker of a request is found. Package router applies the rules.
type BrokerRule uint8

// The rules.
const (
	// NoBroker is for requests that are not for one broker.
	NoBroker BrokerRule = iota

	// ByName takes the broker that the header names, else the only broker of the topic. It is the rule of class Named
	// where a row has none.
	ByName
	// ByReceipt takes the broker in the receipt of the message that is acknowledged.
	ByReceipt
	// ByHalfMessage takes the broker that stored the half message of a transaction.
	ByHalfMessage
	// ByRecallHandle takes the broker in the handle of a delayed message.
	ByRecallHandle
	// ByQueues takes the broker of the queues in the body.
	ByQueues
	// ByBody takes the broker that the body names.
	ByBody

	// ByTopic takes one broker of the topic in the body, the same for the whole group.
	ByTopic
	// ByGroup takes one broker of a topic of the group, the same for all its members.
	ByGroup
	// InTurn takes the next broker of the topic for each copy of the same question.
	InTurn
	// AnyUnlessNamed takes the broker that the header names, else any.
	AnyUnlessNamed

	// ByAddress refuses requests that do not name their broker: it is the one that was dialled. It is the rule of class
	// AddressOnly where a row has none.
	ByAddress
	// ByMessageID refuses requests whose broker is known only by the address in a message's id.
	ByMessageID
	// IfNamed takes the broker that the header names, else refuses the code as unknown. It is the rule of class Unlisted.
	IfNamed
)
