// SPDX-License-Identifier: Apache-2.0

package session

// Bounds of names that a client chooses, in bytes.
const (
	// maxGroup is the longest name of a group, and of a topic, that a client or a broker of any version takes (Validators,
	// TopicValidator). Records for observers have no longer text.
	maxGroup = 255
	// maxName is the longest name of a topic or a client that is remembered: %RETRY% and a group fit into it. RocketMQ
	// bounds no client's id: Java makes it of an address, an instance's name and a unit's name.
	maxName = 1024
	// maxTransactionID is how much of a transaction's id tells it from others; clients make them of 32 to 64 digits.
	maxTransactionID = 256
)
