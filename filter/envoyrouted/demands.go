// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"

// WarnOfDemands warns of clusters whose connections the filter cannot open itself, once for each change, until unobserve is
// called. The line begins with statPrefix, which names the config.
func WarnOfDemands(watcher *envoyadmin.Watcher, names []string, statPrefix string, warn func(format string, arguments ...any)) (unobserve func()) {
	known := make(map[string]string) // the demands of each cluster; of the watcher's thread
	return watcher.Observe(func(error) {
		snapshot := watcher.Snapshot()
		for _, name := range names {
			demands := ""
			if cluster, ok := snapshot.Cluster(name); ok {
				demands = cluster.Demands
			}
			if demands != "" && demands != known[name] {
				warn("%s: cluster %q has %s, which needs an egress listener (egress.address): its brokers get no request", statPrefix, name, demands)
			}
			known[name] = demands
		}
	})
}
