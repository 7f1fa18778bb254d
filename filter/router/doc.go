// SPDX-License-Identifier: Apache-2.0

// Package router finds the broker of a client's request on a connection that stands for the whole cluster. There is a rule
// for each requests.BrokerRule; one that is about few codes has a file named after them, NNN_java_name.go. No I/O and no
// state: what a rule must know of the client or the cluster it asks of [View].
package router
