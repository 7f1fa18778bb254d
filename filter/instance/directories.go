// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// directories are shared by configs with equal clusters and limits.
var directories = newRegistry((*directory.Directory).Stop)

// openDirectories returns the directories of a config's RocketMQ clusters, in the config's order.
func openDirectories(c *apiv1.Config, atEnd *cleanup) (all []*directory.Directory) {
	for _, cluster := range c.Clusters {
		key := fmt.Sprintf("%q %q %v %v", fmt.Sprint(cluster), c.Egress, c.FrameLimits(), bounds(c))
		all = append(all, acquire(atEnd, directories, key, func() *directory.Directory { return newDirectory(c, cluster) }))
	}
	return all
}

func bounds(c *apiv1.Config) directory.Bounds {
	return directory.Bounds{Brokers: c.Limits.MaxBrokers, Topics: c.Limits.MaxTopics}
}

func newDirectory(c *apiv1.Config, cluster apiv1.ClusterConfig) *directory.Directory {
	d := directory.New(cluster.NameServers, cluster.RefreshInterval, directory.NameServersForget, bounds(c), directory.RemotingNameServers{
		Limits:      c.FrameLimits(),
		Credentials: directory.Credentials(cluster.Credentials),
		Egress:      c.Egress,
	})
	d.Restrict(reach.Rules{Own: reach.Process, Networks: cluster.BrokerNetworks})
	d.Start()
	return d
}
