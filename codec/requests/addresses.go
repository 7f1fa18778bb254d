// SPDX-License-Identifier: Apache-2.0

package requests

// Addresses names what holds addresses in the answers to requests of one code, or in requests of brokers to clients, by
// what answers of RocketMQ 4.2.0 to 5.5.1 hold (the processors of its broker and name server). A row without any has none.
type Addresses struct {
	// Rewritten parts name addresses of the proxy, or none: clients dial them.
	Rewritten string
	// Data passes as it is: no client dials it.
	Data string
	// Stored is part of a stored message or made of it. It passes as it is, though some clients dial it: see
	// docs/TROUBLESHOOTING.md.
	Stored string
}

// storedMessages are the addresses in every stored message.
const storedMessages = "storeHost and bornHost of each message"
