// SPDX-License-Identifier: Apache-2.0

// Package directory knows where brokers are: broker name and id to address, and topic to brokers.
//
// It learns from two sources: the name servers, which it asks itself at the start, at intervals and
// when a session meets a broker it does not know; and the route answers that pass through the
// sessions. What it knows about brokers is an immutable [Snapshot] behind an atomic pointer, so that
// a session looks an address up without a lock. When every name server is down, what was known stays.
package directory
