// SPDX-License-Identifier: Apache-2.0

// Package body reads and edits the few frame bodies the proxy must understand: route
// and cluster data, whose broker addresses it replaces, and what is needed of
// heartbeats, queue locks and batch acknowledgements to choose a broker.
//
// Bodies are JSON in the dialect fastjson writes, which is not standard JSON: numbers
// and whole objects may stand as unquoted member names. Editing changes the bytes of
// the edited values only; everything else, unknown members included, stays as
// received, because clients compare routes byte by byte or take them apart with their
// own parsers (the Go client splits brokerAddrs at "," and ":").
//
// Not its business: frames and headers (package codec), and the decision which address
// a client is told.
//
// All functions borrow src and keep nothing of it, but for the result of a rewrite that
// changes nothing, which is src itself. Nesting and the number of entries are bounded;
// time and memory are linear in the input. No function has state; all may be called
// from any goroutine.
package body
