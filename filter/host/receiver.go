// SPDX-License-Identifier: Apache-2.0

package host

import "unsafe"

// Receiver takes the bytes of one connection where the host has them; they are borrowed for the call.
type Receiver interface {
	Receive(views [][]byte)
}

// DownstreamReceiver is a Receiver of a client connection.
type DownstreamReceiver interface {
	Receiver
	// Drained is called when the client has been full and has caught up.
	Drained()
}

// UpstreamReceiver is a Receiver of an upstream connection.
type UpstreamReceiver interface {
	Receiver
	// Full tells that the connection has taken too little of what was written to it for a while, or has taken it. It
	// returns true if what is for it is refused meanwhile; else the client is not read.
	Full(full bool) (refuses bool)
	// Drained is called when the connection has taken n bytes that WriteUpstream said the host keeps.
	Drained(n int)
}

// Where the host can show bytes without copying them these are set, else nil. They have the bytes of the
// downstream connection that is just being opened, or of the upstream connection that has just become ready,
// go to a receiver from now on, until `end` is called. To be called inside the host's call that says so.
var (
	ReceiveDownstream func(DownstreamReceiver) Downstream
	ReceiveUpstream   func(UpstreamReceiver) (end func())
)

// Downstream is what a host that shows bytes can do for a client connection, on any thread and until End is called.
type Downstream struct {
	// Full reports what session.Host.DownstreamFull does.
	Full func() bool
	// Connect opens an upstream connection as the Golang ABI's UpstreamConnect does. That one cannot say for which client
	// it is, and outside of the host's calls nobody knows.
	Connect func(address string, connectionID uint64) (connection unsafe.Pointer)
	// End ends what ReceiveDownstream began.
	End func()
}

// WriteUpstream writes to an upstream connection, which is what Downstream.Connect returned. It returns how many of the
// bytes the host keeps because the socket does not take them now. It is nil where the host has only the Golang ABI; where
// it is set, the ABI's UpstreamClose may be called for a connection that is not ready yet, too.
var WriteUpstream func(connection unsafe.Pointer, b []byte) (kept int)
