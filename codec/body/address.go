// SPDX-License-Identifier: Apache-2.0

package body

import (
	"net"
	"net/netip"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"
)

// Address is one broker address in route or cluster data.
type Address struct {
	Cluster    string // cluster name, "" when the data has none
	BrokerName string
	BrokerID   int64  // 0 is the master
	Addr       string // host:port as written; an IPv6 address has no brackets there
	// ActingMaster is set where, without a master, the slave with the least id acts for it (enableActingMaster).
	ActingMaster bool
}

// HostPort returns Addr as it is dialled: of an IPv6 address with brackets. RocketMQ writes such an address without, and
// takes what follows the last colon for the port (RemotingUtil.string2SocketAddress).
func (a Address) HostPort() string {
	colon := strings.LastIndexByte(a.Addr, ':')
	if colon < 0 {
		return a.Addr
	}
	ip, err := netip.ParseAddr(a.Addr[:colon])
	if err != nil || ip.Is4() {
		return a.Addr
	}
	return net.JoinHostPort(ip.String(), a.Addr[colon+1:])
}

// Advertise decides what a client is told for one address: another text, or
// keep=false to leave the address out.
type Advertise func(Address) (addr string, keep bool)

// brokerData is one BrokerData object on its way through an edit.
type brokerData struct {
	name      string
	addresses int    // addresses found
	kept      int    // of these, told to the client
	list      []item // members of brokerAddrs
	edits     edits  // new texts of those kept
}

// gone reports whether the broker must disappear: it had addresses and none is kept.
// A broker without any was of no use to a client before either, and stays.
func (d *brokerData) gone() bool { return d.addresses > 0 && d.kept == 0 }

// broker reads the BrokerData object at v (Java: BrokerData), appends its addresses to
// seen and, when f is not nil, asks it about each. In ClusterInfo the name is the key
// of the table, since clients look brokers up by that.
func (c *cursor) broker(v span, key *string, f Advertise, seen *[]Address) brokerData {
	var d brokerData
	var cluster, name, addrs, acting span
	c.each(v, "BrokerData", func(m member) {
		switch string(c.text(m.name)) {
		case "cluster":
			c.once(&cluster, m, "cluster")
		case "brokerName":
			c.once(&name, m, "brokerName")
		case "brokerAddrs":
			c.once(&addrs, m, "brokerAddrs")
		case "enableActingMaster":
			acting = m.value
		}
	})
	var clusterName string
	if cluster.to != 0 {
		clusterName = c.str(cluster, "cluster")
	}
	if name.to != 0 {
		d.name = c.str(name, "brokerName")
	}
	if key != nil {
		d.name = *key
	}
	if addrs.to == 0 {
		return d
	}
	actingMaster := acting.to != 0 && string(c.text(acting)) == "true"
	c.each(addrs, "brokerAddrs", func(m member) {
		it := item{span: span{m.name.from, m.value.to}}
		if !c.room(len(*seen), it.span, "addresses") || !c.room(len(d.list), it.span, "addresses") {
			return
		}
		if !c.isNull(m.value) {
			a := Address{clusterName, d.name, c.integer(m.name, 64, "broker id"), c.str(m.value, "broker address"), actingMaster}
			if c.err != nil {
				return
			}
			*seen = append(*seen, a)
			d.addresses++
			if f != nil {
				addr, keep := f(a)
				switch {
				case !keep:
					it.gone = true
				case addr != a.Addr:
					d.edits = append(d.edits, edit{m.value, jsonscan.AppendString(nil, addr)})
				}
				if keep {
					d.kept++
				}
			}
		}
		if f != nil {
			d.list = append(d.list, it)
		}
	})
	return d
}
