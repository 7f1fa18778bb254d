// SPDX-License-Identifier: Apache-2.0

package instance

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"

// demandLog logs clusters whose connections the filter cannot open itself, once for each change.
type demandLog struct {
	statPrefix string
	names      []string
	watcher    *envoyadmin.Watcher
	warn       warnFunc
	known      map[string]string // the demands of each cluster; of the watcher's thread
}

// looked is called after each look at Envoy's clusters.
func (l *demandLog) looked(error) {
	snapshot := l.watcher.Snapshot()
	for _, name := range l.names {
		demands := ""
		if cluster, ok := snapshot.Cluster(name); ok {
			demands = cluster.Demands
		}
		if demands != "" && demands != l.known[name] {
			l.warn("%s: cluster %q has %s, which needs an egress listener (egress.address): its brokers get no request", l.statPrefix, name, demands)
		}
		l.known[name] = demands
	}
}
