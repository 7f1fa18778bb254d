// SPDX-License-Identifier: Apache-2.0

package envoyfile

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// What must stand around the filter's config. The names are those of filter/host/module and filter/host/golang,
// which cannot be imported without cgo.
const (
	pluginName   = "rocketmq_proxy"       // plugin_name of the Golang filter
	libraryName  = "librocketmq_proxy.so" // ends library_path of the Golang filter
	terminalName = "rocketmq_proxy"       // filter_name of the dynamic module, last of its chain
	chainedName  = "rocketmq_proxy_chain" // likewise, in front of tcp_proxy
)

// dynamicModule checks a filter of a stock Envoy.
func (r *reader) dynamicModule(f *Filter, n *yaml.Node, p place) {
	isTrue := func(names ...string) bool { return text(at(n, names...)) == "true" }
	problem := func(member, problem string, warning bool) {
		r.report(f, Finding{Line: r.firstLine + lineOf(n, member), Path: f.Path + "." + member, Problem: problem, Warning: warning})
	}
	f.Chained = text(at(n, "filter_name")) == chainedName
	switch name := text(at(n, "filter_name")); {
	case name != terminalName && name != chainedName:
		problem("filter_name", fmt.Sprintf("is %q; want %s (with terminal_filter: true) or %s (in front of tcp_proxy)", name, terminalName, chainedName), false)
	case name == terminalName && !isTrue("terminal_filter"):
		problem("terminal_filter", "is not true; want true, since the filter owns its upstream connections", false)
	case name == terminalName && p.next != "":
		problem("filter_name", "is that of the last filter of a chain, and another stands behind it", false)
	case name == chainedName && isTrue("terminal_filter"):
		problem("terminal_filter", "is true; want false, since tcp_proxy stands behind this filter", false)
	case name == chainedName && p.filters && p.next != tcpProxyType:
		problem("filter_name", "needs tcp_proxy right behind this filter", false)
	}
	if !isTrue("dynamic_module_config", "do_not_close") {
		problem("dynamic_module_config.do_not_close", "is not true; want true, since the Go runtime cannot be unloaded", false)
	}
	if namespace := text(at(n, "dynamic_module_config", "metrics_namespace")); namespace != "rocketmq" {
		problem("dynamic_module_config.metrics_namespace", fmt.Sprintf("is %q; with rocketmq, stats have the documented names", namespace), true)
	}
	r.config(f, n, "filter_config")
	if f.Config != nil && f.Chained && f.Config.Addressing.Mode == apiv1.UnifiedMode {
		problem("filter_name", "is for one upstream, and unified addressing has several: use filter_name rocketmq_proxy with terminal_filter true and nothing behind it", false)
		f.Config = nil
	}
}

// golang checks a filter of contrib Envoy.
func (r *reader) golang(f *Filter, n *yaml.Node, p place) {
	problem := func(member, problem string, warning bool) {
		r.report(f, Finding{Line: r.firstLine + lineOf(n, member), Path: f.Path + "." + member, Problem: problem, Warning: warning})
	}
	if name := text(at(n, "plugin_name")); name != pluginName {
		problem("plugin_name", fmt.Sprintf("is %q; want %s", name, pluginName), false)
	}
	for _, required := range []string{"library_id", "library_path"} {
		if text(at(n, required)) == "" {
			problem(required, "is empty", false)
		}
	}
	if text(at(n, "is_terminal_filter")) != "true" {
		problem("is_terminal_filter", "is not true; want true, since Envoy's Golang filter can be nothing else", false)
	}
	if p.next != "" {
		problem("plugin_name", "is that of the last filter of a chain, and another stands behind it", false)
	}
	if r.clusters != nil && !r.clusters["plainText"] {
		problem("plugin_name", "needs a cluster named plainText, of type ORIGINAL_DST, which this file does not have", true)
	}
	r.config(f, n, "plugin_config")
}

// neighbourhood checks what a config asks of the listeners around it.
func (r *reader) neighbourhood(f *Filter) {
	if f.Config == nil || len(f.Listeners) == 0 {
		return
	}
	r.ownNameServers(f)
	warn := func(format string, args ...any) {
		r.report(f, Finding{Line: f.Line, Path: f.Path, Problem: fmt.Sprintf(format, args...), Warning: true})
	}
	switch f.Config.Addressing.Mode {
	case apiv1.TransparentMode:
		for _, l := range f.Listeners {
			if !l.originalDst {
				warn("is transparent, and listener %q has no listener filter original_dst", l.Name)
			}
		}
	case apiv1.PerBrokerMode:
		listening := map[int]bool{}
		for _, other := range r.file.Filters {
			for _, l := range other.Listeners {
				for _, port := range l.Ports {
					listening[port] = true
				}
			}
		}
		for i, b := range f.Config.Addressing.Brokers {
			if !listening[int(b.ListenerPort)] {
				warn("has addressing.per_broker.brokers[%d] with listener_port %d, and no listener of this file with the filter has that port", i, b.ListenerPort)
			}
		}
		if t := f.Config.Addressing.Template; t != nil {
			for port := t.ListenerBasePort; port < t.ListenerBasePort+t.Numbers*t.IDsPerBroker; port++ {
				if !listening[port] {
					warn("has a template with listener ports %d to %d, and no listener of this file with the filter has port %d",
						t.ListenerBasePort, t.ListenerBasePort+t.Numbers*t.IDsPerBroker-1, port)
					break
				}
			}
		}
	}
}

// ownNameServers reports name servers that are listeners of this file with the filter.
func (r *reader) ownNameServers(f *Filter) {
	rules := reach.Rules{Own: r.file.Own(nil)}
	for i, cluster := range f.Config.Clusters {
		for j, address := range cluster.NameServers {
			if rules.NameServer(address) == reach.Self {
				r.report(f, Finding{Line: f.Line, Path: f.Path, Problem: fmt.Sprintf(
					"has clusters[%d].name_servers[%d] %s, where a listener of this file has the filter: the proxy would call itself", i, j, address)})
			}
		}
	}
}
