// SPDX-License-Identifier: Apache-2.0

package requests

// Type is a row of the table: what is known of all requests with one code.
type Type struct {
	Code Code
	// Name is Java's constant.
	Name  string
	Class Class
	// Effect is what such a request does to the cluster. Every row has one.
	Effect  Effect
	Purpose Purpose
	// Operation is its operation type by OpenTelemetry's conventions for messaging.
	Operation Operation
	// Timeout is the proxy's deadline on unified connections.
	Timeout Timeout
	// LongPoll says how long a broker may hold such a request before it answers.
	LongPoll LongPoll
	// Fields are the fields of its header that say what it is about.
	Fields *Fields
	// Body is its body, as far as that names topics or groups; nil for any other.
	Body *Body
	// Broker is the rule that finds its broker on unified connections.
	Broker BrokerRule
	// Sends is what it sends to be stored.
	Sends Content
	// HidesTopic is set where the topic in such requests proves nothing about the messages in the answer.
	HidesTopic bool
	// Secret is set where the body of a request or its answer may have a password.
	Secret bool
	// Answer is the body of a successful answer, as far as the proxy reads it.
	Answer Answer
	// Addresses names the addresses in the answer.
	Addresses Addresses
	// Envoy is what Envoy's own filter does with such a request.
	Envoy EnvoyRule
	// EnvoyStat is the stat that counts it in Envoy's own filter; "" if none does.
	EnvoyStat string
	// EnvoyReadsAs is the code that Envoy's own filter takes it for: that filter knows numbers of Alibaba's own releases,
	// which the open-source ones use for something else. 0: its own.
	EnvoyReadsAs Code

	// Ordinal is the place of the row in Table; -1 for Unlisted. The ordinal of a code differs between versions that
	// know different codes.
	Ordinal int
}

// Known reports whether the table has a row for the code: one that it lists.
func (t *Type) Known() bool { return t.Class != Unlisted }

// MayChange reports whether a request changes something, or may do so for all that is known of its code.
func (t *Type) MayChange() bool { return t.Effect != ClientTraffic && t.Effect != Reads }

// Fetches reports whether a request is answered with messages that a consumer takes.
func (t *Type) Fetches() bool { return t.Operation == Receive }
