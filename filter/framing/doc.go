// SPDX-License-Identifier: Apache-2.0

// Package framing cuts one direction of a byte stream into RocketMQ frames and hands them on as a [Judge] decides: bytes
// in, frames to the judge, verdicts back, bytes out. It knows no session and no host.
//
//	bytes of an event ──▶ Cutter ──Frame──▶ Judge
//	                        │ Verdict ◀───────┘
//	                        ▼
//	                     Passage ──▶ write(target, bytes)
//
// A [Cutter] keeps what lasts from event to event: the front of a frame that cannot be judged yet, and where the rest of
// a judged one goes. A [Passage] follows the bytes of one event, which are borrowed, and writes those that go on unchanged
// in as few pieces as possible. Only what cannot be judged yet is copied.
package framing
