// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

var directories = newPool((*directory.Directory).Stop)

// openClusters starts, or joins, the directories of a config's RocketMQ clusters.
func (x *Instance) openClusters() {
	c := x.Config
	var all []*directory.Directory
	for _, cluster := range c.Clusters {
		key := fmt.Sprintf("%q %q %v %v", fmt.Sprint(cluster), c.Egress, frameLimits(c), bounds(c))
		d := directories.acquire(key, func() *directory.Directory { return newDirectory(c, cluster) })
		x.use(d, func() { directories.release(key) })
		all = append(all, d)
	}
	x.Clusters = directory.NewClusters(c.ClusterOf, all...)
}

// use counts the refreshes of a directory and warns of brokers where nothing is sent, until the config is closed, and
// then releases it.
func (x *Instance) use(d *directory.Directory, release func()) {
	learned := func() { session.WarnOfBrokers(d, Warn) }
	x.watches = append(x.watches, newWatch(d, x.Stats.Recorder(), learned))
	x.releases = append(x.releases, release)
}

func frameLimits(c *apiv1.Config) codec.Limits {
	return codec.Limits{MaxFrame: c.Limits.MaxFrameBytes, MaxHeader: c.Limits.MaxHeaderBytes, MaxFields: c.Limits.MaxFields}
}

func bounds(c *apiv1.Config) directory.Bounds {
	return directory.Bounds{Brokers: c.Limits.MaxBrokers, Topics: c.Limits.MaxTopics}
}

func newDirectory(c *apiv1.Config, cluster apiv1.ClusterConfig) *directory.Directory {
	d := directory.New(cluster.NameServers, cluster.RefreshInterval, directory.NameServersForget, bounds(c), directory.RemotingNameServers{
		Limits:      frameLimits(c),
		Credentials: directory.Credentials(cluster.Credentials),
		Egress:      c.Egress,
	})
	d.Restrict(reach.Rules{Own: reach.Process, Networks: cluster.BrokerNetworks})
	d.Start()
	return d
}
