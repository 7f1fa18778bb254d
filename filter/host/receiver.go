// SPDX-License-Identifier: Apache-2.0

package host

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
}

// Where the host can show bytes without copying them these are set, else nil. They have the bytes of the
// downstream connection that is just being opened, or of the upstream connection that has just become ready,
// go to a receiver from now on, until `end` is called. To be called inside the host's call that says so.
// `full` reports, on any thread and until `end` is called, what session.Host.DownstreamFull does.
var (
	ReceiveDownstream func(DownstreamReceiver) (full func() bool, end func())
	ReceiveUpstream   func(UpstreamReceiver) (end func())
)
