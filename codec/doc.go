// SPDX-License-Identifier: Apache-2.0

// Package codec reads and writes RocketMQ remoting frames: the fixed prefix, the
// header in both of its serializations, and whole frames made by the proxy itself.
//
// A frame is received in three steps that need no buffer of their own:
//
//	p, err := codec.ParsePrefix(b, limits)        // 8 bytes are there
//	err = h.Parse(p.Type, b[8:8+p.HeaderSize])    // the header is there
//	group, ok := h.Field("a")                     // what the caller wants to know
//
// A frame is forwarded as the bytes received. When only its opaque must change,
// Header.AppendWithOpaque rewrites those digits and keeps every other byte, because
// a client may have signed the fields and because other clients spell JSON
// differently.
//
// A Header that reads the frames of one direction of a connection, one after the other, recognizes those
// that are like the one before and does not scan them again: see pattern.
//
// Not its business: reassembly of a stream, bodies (package body below), routing,
// and what a code means for the proxy.
//
// Input is hostile: lengths are checked against Limits before anything depends on
// them, nesting and the number of fields are bounded, work is linear in the input.
// After warm-up Parse, Field and the Append functions allocate nothing for ordinary
// headers. Nothing here is safe for concurrent use of one value; there is no global
// state but constant tables.
//
// Lifetime of bytes: Parse borrows its argument until the next Parse; the slices a
// Header hands out are views of it and end with it.
package codec
