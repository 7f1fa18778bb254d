// SPDX-License-Identifier: Apache-2.0

package session

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
)

// UpstreamID names an upstream connection of a session. Numbers are not used twice.
type UpstreamID = framing.Target

// Instant is a point in time: the time since some start of the adapter's choice.
type Instant = time.Duration

// ConnectFailure is why an upstream connection could not be opened.
type ConnectFailure uint8

// The causes that hosts tell apart. A connection that takes too long is ended by the session.
const (
	// RemoteFailure: the other side refused, or could not be reached.
	RemoteFailure ConnectFailure = iota
	// LocalFailure: there is no socket, or the address is none.
	LocalFailure
	// ConnectOverflow: a limit of Envoy's own.
	ConnectOverflow
	// ConnectTimeout: a deadline of Envoy's own.
	ConnectTimeout
)

// Host acts for a session. Byte slices are borrowed for the call and never empty. Methods return at once; their effects come
// back as events later.
type Host interface {
	// ConnectUpstream begins to open an upstream connection to "ip:port". Its end is
	// UpstreamConnected, UpstreamFailed, or neither after CloseUpstream. With an empty address, and
	// only where Capabilities.OwnDestination, the host knows where to.
	ConnectUpstream(id UpstreamID, address string)
	// WriteUpstream sends to an upstream connection that is connected. It returns how many of the bytes the host keeps
	// because the connection does not take them now, until UpstreamDrained or the end of the connection; 0 from a host that
	// cannot know.
	WriteUpstream(id UpstreamID, b []byte) (kept int)
	// CloseUpstream ends an upstream connection, connected or not. No event of it comes any more.
	CloseUpstream(id UpstreamID)
	// WriteDownstream sends to the client.
	WriteDownstream(b []byte)
	// DownstreamFull reports whether the client has left too much unread of what was written to it. The host does not
	// read it then, and DownstreamDrained follows when it has caught up.
	DownstreamFull() bool
	// CloseDownstream ends the client connection once what was written to it has been sent.
	CloseDownstream()
	// AbortDownstream ends the client connection now, and drops what has not been sent. It may follow CloseDownstream.
	AbortDownstream()
	// WakeAt schedules a call of Wake at about that instant, in place of an earlier request; one in the past means soon. It
	// may be called from any thread.
	WakeAt(at Instant)
	// Capabilities returns what this host does differently from others. Constant.
	Capabilities() Capabilities
}

// Capabilities of a host.
type Capabilities struct {
	// InPlace: the session's single upstream is the next filter of the chain. It is connected as
	// soon as ConnectUpstream was called, its end is the end of the session, and bytes that a session
	// leaves as they are need not be written.
	InPlace bool
	// OwnDestination: the host can choose the name server.
	OwnDestination bool
}
