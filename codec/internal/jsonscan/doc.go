// SPDX-License-Identifier: Apache-2.0

// Package jsonscan walks JSON text without building values: functions take the
// text and a position and return the next position, or -1 when the text is not
// well formed there. Nothing allocates but what appends; all bytes are borrowed,
// and the work is linear in the length of the text.
//
// Two dialects are read. Strict is RFC 8259 with what fastjson tolerates inside
// strings: raw control bytes, bytes that are not UTF-8, and the escape \'. Fastjson
// adds what fastjson writes for maps that are not keyed by strings
// ({0:"ip:port"}, {{"queueId":0}:123}) and single-quoted strings.
//
// Not its business: what the members mean, and conversion to Go types.
package jsonscan
