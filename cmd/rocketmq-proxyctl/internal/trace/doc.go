// SPDX-License-Identifier: Apache-2.0

// Package trace prints the frames of remoting traffic for people, from the bytes of a connection or from a capture
// file (pcap, pcapng). Frames, headers and bodies are read by package codec, as in the filter.
//
// Input is hostile: what is kept of unfinished frames, of answers that are awaited and of packets out of order is
// bounded over all connections together, nothing is allocated on the word of a length, and no control character of
// the input reaches the output.
package trace
