// SPDX-License-Identifier: Apache-2.0

// Package router decides where a client's request goes. Table has a row for each request code;
// what needs more than its class's rule has a file of its own, NNN_java_name.go. No I/O and no
// state: what a rule must know of the client or the cluster it asks of [Knowledge].
//
// Only unified connections need all of it. Where the connection itself stands for a broker or for
// the name servers, the table says no more than what is refused, what is rewritten and how long an
// answer may take.
package router
