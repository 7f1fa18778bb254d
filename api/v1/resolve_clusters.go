// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
)

// maxClusters bounds the RocketMQ clusters behind one filter.
const maxClusters = 64

func (c *checker) clusters(all []*Cluster) []ClusterConfig {
	if len(all) == 0 || len(all) > maxClusters {
		c.add("clusters", "has %d entries; want 1 to %d", len(all), maxClusters)
	}
	configs := make([]ClusterConfig, 0, len(all))
	for i, m := range all {
		path := fmt.Sprintf("clusters[%d]", i)
		if m.GetName() == "" {
			c.add(path+".name", "is empty")
		} else if first := slices.IndexFunc(configs, func(other ClusterConfig) bool { return other.Name == m.GetName() }); first >= 0 {
			c.add(path+".name", "is %q, which clusters[%d] has already", m.GetName(), first)
		}
		config := c.cluster(path, m)
		for _, other := range configs {
			for j, address := range config.NameServers {
				if slices.Contains(other.NameServers, address) {
					c.add(fmt.Sprintf("%s.name_servers[%d]", path, j), "is %q, which cluster %q has already", address, other.Name)
				}
			}
		}
		configs = append(configs, config)
	}
	return configs
}

func (c *checker) cluster(path string, m *Cluster) ClusterConfig {
	config := ClusterConfig{
		Name:            m.GetName(),
		NameServers:     m.GetNameServers(),
		RefreshInterval: c.duration(path+".refresh_interval", m.GetRefreshInterval(), 30*time.Second, time.Second, time.Hour),
		Credentials:     c.credentials(path+".credentials", m.GetCredentials()),
		BrokerNetworks:  c.networks(path+".broker_networks", m.GetBrokerNetworks()),
	}
	if len(config.NameServers) == 0 {
		c.add(path+".name_servers", "is empty; want host:port of at least one name server")
	}
	for j, address := range config.NameServers {
		field := fmt.Sprintf("%s.name_servers[%d]", path, j)
		if c.hostPort(field, address) && slices.Index(config.NameServers, address) < j {
			c.add(field, "repeats %q", address)
		}
	}
	return config
}

// maxNetworks bounds the networks of one cluster's brokers.
const maxNetworks = 256

func (c *checker) networks(path string, all []string) (networks []netip.Prefix) {
	if len(all) > maxNetworks {
		c.add(path, "has %d entries; want at most %d", len(all), maxNetworks)
		return nil
	}
	for i, text := range all {
		network, ok := prefixOf(text)
		if !ok {
			c.add(fmt.Sprintf("%s[%d]", path, i), "is %q; want a network such as 10.1.0.0/16, or an address", text)
			continue
		}
		if network.Addr().Is4In6() && network.Bits() >= 96 {
			network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
		}
		networks = append(networks, network.Masked())
	}
	return networks
}

func (c *checker) credentials(path string, m *Credentials) CredentialsConfig {
	switch {
	case m.GetFile() != "":
		if m.GetAccessKey()+m.GetSecretKey()+m.GetSecurityToken() != "" {
			c.add(path+".file", "is set beside keys; want either")
		}
		if !strings.HasPrefix(m.GetFile(), "/") {
			c.add(path+".file", "is %q; want a path that begins with /", m.GetFile())
		}
	case m != nil && m.GetAccessKey() == "":
		c.add(path+".access_key", "is empty, and there is no file")
	}
	if m != nil && m.GetFile() == "" && m.GetSecretKey() == "" {
		c.add(path+".secret_key", "is empty, and there is no file")
	}
	return CredentialsConfig{AccessKey: m.GetAccessKey(), SecretKey: m.GetSecretKey(), SecurityToken: m.GetSecurityToken(), File: m.GetFile()}
}

// clusterOf finds the cluster of a topic by the routes: the place in config.Clusters of the one that the first matching
// route names, or else the first.
func (c *checker) clusterOf(config *Config, m *rocketmqproxy.RouteConfiguration, routes *routeconfig.Table) func(string) int {
	if len(config.Clusters) > 1 && config.Addressing.Mode != UnifiedMode && config.Addressing.Mode != 0 {
		c.add("clusters", "has %d entries; want 1 unless addressing is unified: a connection of another mode leads to one place", len(config.Clusters))
	}
	place := make(map[string]int)
	for i, cluster := range config.Clusters {
		place[cluster.Name] = i
	}
	for i, route := range m.GetRoutes() {
		path := fmt.Sprintf("rocketmq_proxy.route_config.routes[%d]", i)
		if name := route.GetRoute().GetCluster(); name != "" {
			if _, ok := place[name]; !ok {
				c.add(path+".route.cluster", "is %q; want the name of one of `clusters`", name)
			}
		}
		if len(route.GetMatch().GetHeaders()) > 0 {
			c.add(path+".match.headers", "is set; a topic must be in the same cluster for every request")
		}
		if route.GetRoute().GetMetadataMatch() != nil {
			c.add(path+".route.metadata_match", "is set; brokers have no metadata")
		}
	}
	return func(topic string) int {
		route, ok := routes.Match(routeconfig.Request{Topic: topic})
		if !ok {
			return 0
		}
		return place[route.Cluster]
	}
}
