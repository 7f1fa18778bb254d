// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"fmt"
	"net"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
)

// clusterDump is /config_dump?resource=static_clusters or dynamic_active_clusters: messages of the type
// ClustersConfigDump.StaticCluster or DynamicCluster, as far as they matter. encoding/json reads them and not
// protojson, because a dump may hold messages of any type, which protojson must know to pass over.
type clusterDump struct {
	Configs []struct {
		Cluster clusterConfig `json:"cluster"`
	} `json:"configs"`
}

// clusterConfig is envoy.config.cluster.v3.Cluster.
type clusterConfig struct {
	Name             string `json:"name"`
	EDSClusterConfig struct {
		ServiceName string `json:"service_name"`
	} `json:"eds_cluster_config"`
	LBSubsetConfig *subsetConfig `json:"lb_subset_config"`
	connectionConfig
	LoadBalancingPolicy *struct {
		Policies []struct {
			TypedExtensionConfig struct {
				TypedConfig typedSubsetConfig `json:"typed_config"`
			} `json:"typed_extension_config"`
		} `json:"policies"`
	} `json:"load_balancing_policy"`
}

// subsetConfig is Cluster.LbSubsetConfig; the fields of the load balancing policy Subset are the same.
type subsetConfig struct {
	FallbackPolicy  string         `json:"fallback_policy"`
	DefaultSubset   map[string]any `json:"default_subset"`
	SubsetSelectors []struct {
		Keys               []string `json:"keys"`
		FallbackPolicy     string   `json:"fallback_policy"`
		FallbackKeysSubset []string `json:"fallback_keys_subset"`
	} `json:"subset_selectors"`
	PanicModeAny       bool `json:"panic_mode_any"`
	ListAsAny          bool `json:"list_as_any"`
	AllowRedundantKeys bool `json:"allow_redundant_keys"`
}

// typedSubsetConfig is a load balancing policy, with the fields of the one that makes subsets.
type typedSubsetConfig struct {
	Type string `json:"@type"`
	subsetConfig
}

const subsetPolicyType = "type.googleapis.com/envoy.extensions.load_balancing_policies.subset.v3.Subset"

// assignmentName is the name that the cluster's endpoints have in the other dump. What the cluster calls
// its own load_assignment plays no part.
func (c *clusterConfig) assignmentName() string {
	if c.EDSClusterConfig.ServiceName != "" {
		return c.EDSClusterConfig.ServiceName
	}
	return c.Name
}

// subsets is the cluster's rules; nil when it makes no subsets. Of the policies the first counts, which
// is the one Envoy takes unless it lacks the extension.
func (c *clusterConfig) subsets() (*Subsets, error) {
	config := c.LBSubsetConfig
	if c.LoadBalancingPolicy != nil {
		config = nil
		if policies := c.LoadBalancingPolicy.Policies; len(policies) > 0 {
			if typed := &policies[0].TypedExtensionConfig.TypedConfig; typed.Type == subsetPolicyType {
				config = &typed.subsetConfig
			}
		}
	}
	if config == nil || len(config.SubsetSelectors) == 0 { // without selectors it is off, whatever the fallback
		return nil, nil
	}
	criteria, err := lbmetadata.NewCriteria(config.DefaultSubset)
	if err != nil {
		return nil, fmt.Errorf("default_subset of cluster %s: %w", c.Name, err)
	}
	s := &Subsets{
		Fallback:           fallbackOf(config.FallbackPolicy, NoFallback),
		DefaultSubset:      criteria,
		AllowRedundantKeys: config.AllowRedundantKeys,
		ListAsAny:          config.ListAsAny,
		PanicModeAny:       config.PanicModeAny,
	}
	for _, each := range config.SubsetSelectors {
		s.Selectors = append(s.Selectors, Selector{
			Keys:         each.Keys,
			Fallback:     fallbackOf(each.FallbackPolicy, NotDefined),
			FallbackKeys: each.FallbackKeysSubset,
		})
	}
	s.normalize()
	return s, nil
}

// fallbackOf is a policy by its name in the API; `otherwise` if it is not named, since a default is
// left out of the dump.
func fallbackOf(name string, otherwise Fallback) Fallback {
	switch name {
	case "NO_FALLBACK":
		return NoFallback
	case "ANY_ENDPOINT":
		return AnyEndpoint
	case "DEFAULT_SUBSET":
		return DefaultSubset
	case "KEYS_SUBSET":
		return KeysSubset
	}
	return otherwise
}

// endpointDump is /config_dump?include_eds&resource=static_endpoint_configs or dynamic_endpoint_configs:
// messages of the type EndpointsConfigDump.StaticEndpointConfig or DynamicEndpointConfig.
type endpointDump struct {
	Configs []struct {
		EndpointConfig assignment `json:"endpoint_config"`
	} `json:"configs"`
}

// assignment is envoy.config.endpoint.v3.ClusterLoadAssignment as Envoy makes it from the hosts that it
// has, whatever they came from.
type assignment struct {
	// ClusterName is the EDS service name of the cluster if it has one, else the cluster's name.
	ClusterName string `json:"cluster_name"`
	Endpoints   []struct {
		Priority    uint32       `json:"priority"`
		LBEndpoints []lbEndpoint `json:"lb_endpoints"`
	} `json:"endpoints"`
}

type lbEndpoint struct {
	Endpoint struct {
		Address address `json:"address"`
	} `json:"endpoint"`
	// HealthStatus is HEALTHY, DEGRADED or UNHEALTHY: all that Envoy knows, in three words.
	HealthStatus string `json:"health_status"`
	Metadata     struct {
		Filter struct {
			LB       map[string]any `json:"envoy.lb"`
			RocketMQ map[string]any `json:"envoy.filters.network.rocketmq_proxy"`
		} `json:"filter_metadata"`
	} `json:"metadata"`
	Weight uint32 `json:"load_balancing_weight"`
}

// address is envoy.config.core.v3.Address.
type address struct {
	SocketAddress struct {
		Address   string `json:"address"`
		PortValue uint16 `json:"port_value"`
	} `json:"socket_address"`
	Pipe struct {
		Path string `json:"path"`
	} `json:"pipe"`
}

func (a address) String() string {
	if a.SocketAddress.Address != "" {
		return net.JoinHostPort(a.SocketAddress.Address, strconv.Itoa(int(a.SocketAddress.PortValue)))
	}
	return a.Pipe.Path
}

// endpoints are the hosts of the assignment. One without an address, as internal listeners are, is left
// out: nothing could be sent to it.
func (a *assignment) endpoints() ([]*Endpoint, error) {
	var all []*Endpoint
	for _, locality := range a.Endpoints {
		for i := range locality.LBEndpoints {
			each := &locality.LBEndpoints[i]
			to := each.Endpoint.Address.String()
			if to == "" {
				continue
			}
			lb, err := newLBMetadata(each.Metadata.Filter.LB)
			if err != nil {
				return nil, fmt.Errorf("endpoint %s: %w", to, err)
			}
			all = append(all, &Endpoint{
				Address:  to,
				Broker:   newBroker(each.Metadata.Filter.RocketMQ),
				Health:   healthOf(each.HealthStatus),
				Weight:   max(each.Weight, 1),
				Priority: locality.Priority,
				lb:       lb,
			})
		}
	}
	return all, nil
}

// healthOf is a HealthStatus by its name in the API. UNKNOWN and no word at all are healthy: nobody checks.
func healthOf(status string) Health {
	switch status {
	case "DEGRADED":
		return Degraded
	case "DRAINING":
		return Draining
	case "UNHEALTHY", "TIMEOUT":
		return Unhealthy
	}
	return Healthy
}
