// SPDX-License-Identifier: Apache-2.0

// Package session is the core of the filter: one [Session] per client connection. It is fed bytes, connection events and
// the time, and acts through the small [Host] interface. It owns no socket, no goroutine, no clock and no cgo, so the same
// input gives the same output.
//
// # Threads and bytes
//
// Events of one session may come on several threads (the client's worker, upstream connections, timers); one mutex
// serialises them. Host methods are called with it held, so they only queue and never call back.
//
// Bytes that a session is shown are borrowed for the call. Package framing cuts them; frames that go on unchanged are
// handed on as the very bytes received, and only a part of a frame that cannot be judged yet is copied.
//
// # States
//
// A session:
//
//	          mode.open: the directory knows enough        closeDownstream, Close, Abandon: end
//	waiting ───────────────────────────────────────▶ open ──────────────────────────────────────▶ closed
//	   │ openDeadline: mode.openUnknown               ▲                                             ▲
//	   ├──────────────────────────────────────────────┘ a shared address                            │
//	   └────────────────────────────────────────────────────────────────────────────────────────────┘ one upstream
//
//	waiting: what the client sends is the backlog.
//	open:    requests are judged, unless the client is full: then they are the backlog as well.
//	closed:  nothing is judged or written any more. If the session has ended the connection itself, the client has closeTime
//	         to take what it was sent (abortAt), and again once it has caught up; then it is aborted. Close is the last event.
//
// A request of the client:
//
//	judged ──▶ refused, or answered by the proxy alone ───────────────────▶ ended
//	   │
//	   ├─ holdRefusal ──▶ held back on a shared address, since it might have waited: conclude ──▶ ended
//	   │
//	   ├─ forward ──▶ pending at one upstream ──▶ answered, failed, expired or cancelled: conclude ──▶ ended
//	   │
//	   └─ sendCopies ──▶ a broadcast, with a copy pending at each upstream: the last one to end ends it ──▶ ended
//
// conclude is the only way out of the table of what waits, and ended the only place where the end of a request is counted,
// observed and answered. send is the only way of bytes of the client to an upstream beside those that pass unchanged: they
// go out behind what was judged before them.
//
// # Modes
//
// What a connection is for is chosen once, in New, and is the session's mode:
//
//   - single (single.go): one upstream for life, a broker or a name server. The mode of per_broker and transparent addressing.
//   - shared (shared.go and shared_*.go): one address for all brokers and name servers. The mode of unified addressing.
//   - envoyRouted (envoy_routed.go and envoy_routed_*.go): a shared address whose routes and endpoints are Envoy's. The mode
//     of a config of Envoy's own rocketmq_proxy.
//
// Read session.go, request.go, answer.go, conclude.go and upstream.go, which all modes share, then mode.go, and the files of
// one mode. No file of what is shared knows a mode but new.go.
package session
