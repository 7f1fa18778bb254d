// SPDX-License-Identifier: Apache-2.0

package host

// Client is the host's side of a client connection. Its methods only queue, and never call back. All but Wake are called
// with the session's lock held.
type Client interface {
	// Write sends to the client. The bytes are borrowed for the call.
	Write(b []byte)
	// Full reports what session.Host.DownstreamFull does.
	Full() bool
	// Close ends the connection: with flush, once what was written to it has been sent.
	Close(flush bool)
	// Wake makes the host call the adapter's Wake soon. It may be called from any thread.
	Wake()
	// Connect begins to open an upstream connection, and returns it. Its events go to `events`; a Chained gets them
	// itself, and passes nil. It returns nil if the host does not take the address.
	Connect(address string, events *Upstream) UpstreamConn
}

// UpstreamConn is the host's side of an upstream connection, to be used until its end has been reported.
type UpstreamConn interface {
	// Write sends to an upstream connection that is ready. It returns what session.Host.WriteUpstream does.
	Write(b []byte) (kept int)
	// Close ends the connection, ready or not, once what was written to it has been sent, if the peer reads it soon: it
	// may be an offset update.
	Close()
}
