// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"runtime"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
)

// PluginName is what `plugin_name` in Envoy's config must say.
const PluginName = "rocketmq_proxy"

// Register makes the filter known to Envoy's Golang network filter. To be called once, before Envoy reads a config.
func Register() {
	filterFactories[PluginName] = newConnection
	host.NewSink = process.sink
	host.LogInfo("version %v, %v", logline.Own(version.String()), logline.Own(runtime.Version()))
}

// refusal closes a connection at once.
type refusal struct {
	api.EmptyDownstreamFilter
	callbacks api.ConnectionCallback
}

func (r *refusal) OnNewConnection() api.FilterStatus {
	r.callbacks.Close(api.NoFlush)
	return api.NetworkFilterStopIteration
}
