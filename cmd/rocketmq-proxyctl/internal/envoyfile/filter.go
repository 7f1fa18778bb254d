// SPDX-License-Identifier: Apache-2.0

package envoyfile

import (
	"net/netip"

	"go.yaml.in/yaml/v3"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// Form is how a config reaches the filter.
type Form uint8

// The forms.
const (
	// Bare configs stand alone in a file.
	Bare Form = iota
	// DynamicModule configs are for a stock Envoy.
	DynamicModule
	// Golang configs are for contrib Envoy or Istio's proxy.
	Golang
	// Own configs are those of Envoy's C++ filter rocketmq_proxy.
	Own
)

func (f Form) String() string {
	return [...]string{"bare config", "dynamic module", "Golang filter", "Envoy's own rocketmq_proxy"}[f]
}

// Filter is one config of the filter, which may stand in several places by way of YAML's aliases.
type Filter struct {
	Form Form
	// Chained is set where the filter stands in front of tcp_proxy in a stock Envoy.
	Chained bool
	// Path and Line of the object that the filter's config is in, the first one.
	Path string
	Line int
	// Listeners are those that have the filter, as far as the file tells.
	Listeners []*Listener
	// Config is what the filter would work with; nil when something is wrong.
	Config *apiv1.Config
	// Errors counts what is wrong with it.
	Errors int

	wrapper *yaml.Node // what tells one filter from another
}

// Listener is a listener of Envoy.
type Listener struct {
	Name  string
	Ports []int // of its address and its additional ones

	originalDst bool
	sockets     []reach.Socket
}

// Finding is something wrong with a file, or, as a warning, something that only looks wrong.
type Finding struct {
	Line    int
	Path    string
	Problem string
	Warning bool
}

// File is what was found in one file.
type File struct {
	Filters  []*Filter
	Findings []Finding

	sockets []reach.Socket // of everything that listens: listeners and the admin interface
}

// Own are the addresses of an Envoy with this config on a host with the given addresses.
func (f *File) Own(hosts []netip.Addr) *reach.Own {
	own := reach.NewOwn(func() ([]reach.Socket, []netip.Addr) { return f.sockets, hosts })
	own.Refresh()
	for _, filter := range f.Filters {
		if filter.Config != nil {
			own.Advertise(addressing.New(filter.Config.Addressing).Advertises)
		}
		for _, l := range filter.Listeners {
			for _, s := range l.sockets {
				own.Arrived(arrival(s))
			}
		}
	}
	return own
}

// arrival is the local address of a connection to a socket.
func arrival(s reach.Socket) netip.AddrPort {
	switch at := s.Address.Addr(); {
	case !at.IsUnspecified():
		return s.Address
	case at.Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), s.Address.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), s.Address.Port())
}

// Errors counts the findings that are not warnings.
func (f *File) Errors() (n int) {
	for _, each := range f.Findings {
		if !each.Warning {
			n++
		}
	}
	return n
}
