// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"runtime"
	"sync"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
)

// PluginName is what `plugin_name` in Envoy's config must say.
const PluginName = "rocketmq_proxy"

// plugin is the filter as one process has it.
type plugin struct {
	host.Host
	metrics *metrics
	greet   sync.Once
}

// process is where the functions that Envoy calls lead.
var process = newPlugin(writeLog, metricsCAPI{})

func newPlugin(writeLog func(host.Level, string), envoy metricsAPI) *plugin {
	p := &plugin{}
	p.WriteLog = writeLog
	// Envoy does not tell whether it has no socket or no cluster.
	p.NoSocketHint = "is there a cluster plainText of type ORIGINAL_DST, and is the process out of files (ulimit -n)?"
	p.metrics = newMetrics(&p.Host, envoy)
	return p
}

// logVersion logs the version once.
func (p *plugin) logVersion() {
	p.greet.Do(func() { p.LogInfo("version %v, %v", logline.Own(version.String()), logline.Own(runtime.Version())) })
}

// Register makes the filter known to Envoy's Golang network filter. To be called once, before Envoy reads a config. It
// calls nothing of Envoy, since the process may be a stock one.
func Register() { filterFactories[PluginName] = newFilterOfClient }

// refusal closes a connection at once.
type refusal struct {
	api.EmptyDownstreamFilter
	callbacks api.ConnectionCallback
}

func (r *refusal) OnNewConnection() api.FilterStatus {
	r.callbacks.Close(api.NoFlush)
	return api.NetworkFilterStopIteration
}
