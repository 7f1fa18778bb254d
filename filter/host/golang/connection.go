// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
)

// connection is one client connection.
type connection struct {
	*networkConfig
	callbacks api.ConnectionCallback
	session   *host.Terminal
	opened    bool
}

var (
	_ api.DownstreamFilter = (*connection)(nil)
	_ receiver             = (*connection)(nil)
	_ host.Client          = (*connection)(nil)
)

func newFilterOfClient(x *networkConfig, callbacks api.ConnectionCallback) api.DownstreamFilter {
	return newConnection(x, callbacks)
}

func newConnection(x *networkConfig, callbacks api.ConnectionCallback) *connection {
	c := &connection{networkConfig: x, callbacks: callbacks}
	c.session = host.NewTerminal(&x.Host, x.instance, c)
	return c
}

// OnNewConnection starts the session. The local address is what the client dialled.
func (c *connection) OnNewConnection() api.FilterStatus {
	defer c.Recover(c.instance, func() {})
	c.metrics.warnOnce()
	local, _ := c.callbacks.StreamInfo().UpstreamLocalAddress() // the ABI's names for them, on either side
	if c.opened = c.session.Open(local, c.clientAddress()); !c.opened {
		c.callbacks.Close(api.NoFlush)
	}
	return api.NetworkFilterContinue
}

// clientAddressKey names the filter state in which the config of a contrib Envoy may put the client's
// address. The ABI knows only the peer of the socket, which behind the PROXY protocol is the balancer.
const clientAddressKey = "rocketmq_proxy.client_address"

// clientAddress returns the client's address as Envoy's listener filters know it.
func (c *connection) clientAddress() string {
	info := c.callbacks.StreamInfo()
	if address := info.FilterState().GetString(clientAddressKey); address != "" {
		return address
	}
	address, _ := info.UpstreamRemoteAddress()
	return address
}

// Receive implements receiver.
func (c *connection) Receive(views [][]byte) {
	defer c.Recover(c.instance, func() {})
	c.metrics.record()
	if c.opened {
		c.session.Data(views, false)
	}
}

// OnData implements api.DownstreamFilter. Envoy's bytes come by Receive.
func (c *connection) OnData(b []byte, _ bool) api.FilterStatus {
	c.Receive([][]byte{b})
	return api.NetworkFilterStopIteration
}

// OnWrite sees our own bytes on their way to the client.
func (c *connection) OnWrite([]byte, bool) api.FilterStatus { return api.NetworkFilterContinue }

// OnEvent ends the session when the client connection has ended.
func (c *connection) OnEvent(event api.ConnectionEvent) {
	defer c.Recover(c.instance, func() {})
	c.metrics.record()
	if ends(event) && c.opened {
		c.session.Closed(event == api.LocalClose)
	}
}

// Write implements host.Client.
func (c *connection) Write(b []byte) { c.callbacks.Write(b, false) }

// Full implements host.Client. The Golang ABI does not tell.
func (c *connection) Full() bool { return false }

// Close implements host.Client.
func (c *connection) Close(flush bool) { c.callbacks.Close(closeType(flush)) }

func closeType(flush bool) api.ConnectionCloseType {
	if flush {
		return api.FlushWrite
	}
	return api.NoFlush
}

// Wake implements host.Client. A wake takes the session's lock, which a timer is set under: so it runs on a goroutine
// of its own.
func (c *connection) Wake() { go c.session.Wake() }

// Connect implements host.Client.
func (c *connection) Connect(address string, events *host.Upstream) host.UpstreamConn {
	u := &upstream{networkConfig: c.networkConfig, events: events}
	openUpstream(c.libraryID, address, u)
	return u
}
