// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"runtime"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"
	"github.com/envoyproxy/envoy/contrib/golang/filters/network/source/go/pkg/network"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
)

// PluginName is what `plugin_name` in Envoy's config must say.
const PluginName = "rocketmq_proxy"

// Register makes the filter known to the Golang ABI. To be called once, before Envoy reads a config.
func Register() {
	network.SetCgoAPI(capi{})
	network.RegisterNetworkFilterConfigParser(parser{})
	network.RegisterNetworkFilterConfigFactory(PluginName, configFactory{})
	host.NewSink = process.sink
	host.LogInfo("version %v, %v", logline.Own(version.String()), logline.Own(runtime.Version()))
}

type parser struct{}

// ParseConfig cannot fail in this ABI. A bad config is logged here, and its connections are refused.
// (The stock host logs and rejects it by itself.)
func (parser) ParseConfig(config *anypb.Any) any {
	parsed := host.ParseConfig(config)
	if parsed.Err != nil && !host.RejectsConfigs {
		for _, line := range host.ConfigErrors(parsed.Err) {
			host.LogError("config: %v", line)
		}
	}
	return parsed
}

type configFactory struct{}

func (configFactory) CreateFactoryFromConfig(config any) network.FilterFactory {
	return filterFactory{config.(*host.Config)}
}

type filterFactory struct{ config *host.Config }

// CreateFilter makes the filter of one client connection.
func (f filterFactory) CreateFilter(callbacks api.ConnectionCallback) api.DownstreamFilter {
	if f.config.Err != nil {
		return &refusal{callbacks: callbacks}
	}
	return newFilter(f.config.Instance, callbacks)
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
