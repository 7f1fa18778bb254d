// SPDX-License-Identifier: Apache-2.0

// Package session is the core of the filter: one [Session] per client connection. It is fed bytes,
// connection events and the time, and acts through the small [Host] interface. It owns no socket, no
// goroutine, no clock and no cgo, so the same input gives the same output.
//
// Threads: events of one session may come on several threads (the client's worker, upstream
// connections, timers); one mutex serialises them. Host methods are called with it held, so they only
// queue and never call back.
//
// Bytes: what a session is shown is borrowed for the call. Frames that go on unchanged are handed on
// as the very bytes received; a part of a frame that cannot be judged yet is copied and kept here.
// On a connection with a single upstream that part is at most a header, and bodies are cut through;
// where frames of several upstreams meet on one client connection, frames are kept until whole.
//
// State: waiting (for the directory) → open → closed.
package session
