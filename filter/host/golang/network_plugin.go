// SPDX-License-Identifier: Apache-2.0

package golang

import "C"

import (
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
)

// This is all that Envoy's Golang network filter asks of a plugin. Filters are those of Envoy's API, but the bytes of a connection
// come by receiver, where Envoy has them. What Envoy names and is not known, or has ended, is ignored.

// filterFactory makes the filter of one client connection.
type filterFactory func(config *networkConfig, callbacks api.ConnectionCallback) api.DownstreamFilter

// filterFactories are the factories by what `plugin_name` in Envoy's config must say.
var filterFactories = map[string]filterFactory{}

// networkConfig is a config of the network filter; without an instance it was bad. Envoy does not tell when it lets go of
// one.
type networkConfig struct {
	*plugin
	instance  *instance.Instance
	libraryID string
	misnamed  sync.Once // its plugin_name is in the log
}

// receiver is a filter that takes the bytes of a connection where Envoy has them; they are borrowed for the call.
type receiver interface {
	Receive(views [][]byte)
}

// downstream is a client connection.
type downstream struct {
	callback downstreamCallback
	filter   api.DownstreamFilter
	views    [8][]byte // room for the views of an event
}

// upstreamConnection is an upstream connection.
type upstreamConnection struct {
	callback upstreamCallback
	filter   api.UpstreamFilter
	views    [8][]byte // room for the views of an event
}

var (
	networkConfigs  sync.Map // id → *networkConfig
	networkConfigID atomic.Uint64

	downstreams sync.Map // wrapper → *downstream

	connecting   sync.Map // id → *upstreamConnection
	connectingID atomic.Uint64
	connected    sync.Map // wrapper → *upstreamConnection
)

// openUpstream opens an upstream connection. One of the filter's events may come before it has returned.
func openUpstream(libraryID, address string, filter api.UpstreamFilter) {
	u := &upstreamConnection{filter: filter}
	id := connectingID.Add(1)
	connecting.Store(id, u)
	u.callback.set(envoy.UpstreamConnect(libraryID, address, id))
}

// text returns a text that Envoy lends us.
func text(address, size uint64) string {
	return strings.Clone(unsafe.String((*byte)(pointer(address)), int(size)))
}

// appendViews appends views of Envoy's slices, pairs of an address and a size.
func appendViews(views [][]byte, slices uint64, count int) [][]byte {
	for _, s := range unsafe.Slice((*[2]uint64)(pointer(slices)), count) {
		if s[1] > 0 {
			views = append(views, unsafe.Slice((*byte)(pointer(s[0])), int(s[1])))
		}
	}
	return views
}

// receive hands slices of Envoy to a filter that takes them. The views are lent for the call, like the slices.
func receive(filter any, room [][]byte, slices uint64, count int) {
	views := appendViews(room, slices, count)
	if to, ok := filter.(receiver); ok && len(views) > 0 {
		to.Receive(views)
	}
	clear(views)
}

func ends(event api.ConnectionEvent) bool { return event == api.LocalClose || event == api.RemoteClose }

// It is called while Envoy reads the config, on the main thread. A config cannot be rejected.
//
//export envoyGoFilterOnNetworkFilterConfig
func envoyGoFilterOnNetworkFilterConfig(libraryID, librarySize, config, configSize uint64) (id uint64) {
	p := process
	defer p.Recover(nil, func() {})
	p.logVersion()
	id = networkConfigID.Add(1)
	x := &networkConfig{plugin: p, libraryID: text(libraryID, librarySize)}
	networkConfigs.Store(id, x)
	var err error
	x.instance, err = p.Start(func() (*apiv1.Config, error) {
		var packed anypb.Any
		if err := proto.Unmarshal([]byte(text(config, configSize)), &packed); err != nil {
			return nil, err
		}
		return apiv1.Read(&packed)
	}, p.metrics.sink)
	if err != nil {
		for _, line := range host.ConfigErrors(err) {
			p.LogError("config: %v", line)
		}
	}
	return id
}

//export envoyGoFilterOnDownstreamConnection
func envoyGoFilterOnDownstreamConnection(wrapper unsafe.Pointer, name, nameSize, config uint64) (status uint64) {
	d := &downstream{}
	d.callback.set(wrapper)
	d.filter = &refusal{callbacks: &d.callback}
	downstreams.Store(wrapper, d)
	status = uint64(api.NetworkFilterStopIteration)
	defer process.Recover(nil, func() { d.callback.Close(api.NoFlush) })
	if x, ok := networkConfigs.Load(config); ok {
		d.filter = newFilter(x.(*networkConfig), text(name, nameSize), &d.callback)
	}
	return uint64(d.filter.OnNewConnection())
}

// newFilter returns a filter of the plugin of this name. Where there is none, or the config is bad, it refuses the connection.
func newFilter(x *networkConfig, pluginName string, callbacks api.ConnectionCallback) api.DownstreamFilter {
	create := filterFactories[pluginName]
	switch {
	case create == nil:
		x.misnamed.Do(func() {
			x.LogError("config: plugin_name is %q, its connections are closed; want %q", pluginName, PluginName)
		})
		return &refusal{callbacks: callbacks}
	case x.instance == nil:
		return &refusal{callbacks: callbacks}
	}
	return create(x, callbacks)
}

//export envoyGoFilterOnDownstreamData
func envoyGoFilterOnDownstreamData(wrapper unsafe.Pointer, size, slices uint64, count, end int) uint64 {
	defer process.Recover(nil, func() {})
	if found, ok := downstreams.Load(wrapper); ok {
		d := found.(*downstream)
		receive(d.filter, d.views[:0], slices, count)
	}
	return uint64(api.NetworkFilterStopIteration)
}

// It sees our own bytes on their way to the client.
//
//export envoyGoFilterOnDownstreamWrite
func envoyGoFilterOnDownstreamWrite(unsafe.Pointer, uint64, uint64, int, int) uint64 {
	return uint64(api.NetworkFilterContinue)
}

// Events may come before a connection has reached this filter, and instead of that; the wrapper is null then.
//
//export envoyGoFilterOnDownstreamEvent
func envoyGoFilterOnDownstreamEvent(wrapper unsafe.Pointer, number int) {
	defer process.Recover(nil, func() {})
	found, ok := downstreams.Load(wrapper)
	if !ok {
		return
	}
	d, event := found.(*downstream), api.ConnectionEvent(number)
	if ends(event) {
		downstreams.Delete(wrapper)
		d.callback.end()
		defer envoy.DownstreamFinalize(wrapper, api.NormalFinalize)
	}
	d.filter.OnEvent(event)
}

// It answers questions that are not asked off a connection's worker.
//
//export envoyGoFilterOnSemaDec
func envoyGoFilterOnSemaDec(unsafe.Pointer) {}

//export envoyGoFilterOnUpstreamConnectionReady
func envoyGoFilterOnUpstreamConnectionReady(wrapper unsafe.Pointer, id uint64) {
	defer process.Recover(nil, func() {})
	if found, ok := connecting.LoadAndDelete(id); ok {
		u := found.(*upstreamConnection)
		connected.Store(wrapper, u)
		u.callback.set(wrapper)
		u.filter.OnPoolReady(&u.callback)
	}
}

//export envoyGoFilterOnUpstreamConnectionFailure
func envoyGoFilterOnUpstreamConnectionFailure(wrapper unsafe.Pointer, reason int, id uint64) {
	defer process.Recover(nil, func() {})
	if found, ok := connecting.LoadAndDelete(id); ok {
		u := found.(*upstreamConnection)
		u.callback.end()
		defer envoy.UpstreamFinalize(wrapper, api.NormalFinalize)
		u.filter.OnPoolFailure(api.PoolFailureReason(reason), "")
	}
}

//export envoyGoFilterOnUpstreamData
func envoyGoFilterOnUpstreamData(wrapper unsafe.Pointer, size, slices uint64, count, end int) {
	defer process.Recover(nil, func() {})
	if found, ok := connected.Load(wrapper); ok {
		u := found.(*upstreamConnection)
		receive(u.filter, u.views[:0], slices, count)
	}
}

//export envoyGoFilterOnUpstreamEvent
func envoyGoFilterOnUpstreamEvent(wrapper unsafe.Pointer, number int) {
	defer process.Recover(nil, func() {})
	found, ok := connected.Load(wrapper)
	if !ok {
		return
	}
	u, event := found.(*upstreamConnection), api.ConnectionEvent(number)
	if ends(event) {
		connected.Delete(wrapper)
		u.callback.end()
		defer envoy.UpstreamFinalize(wrapper, api.NormalFinalize)
	}
	u.filter.OnEvent(event)
}
