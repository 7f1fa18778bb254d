// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"strconv"
	"strings"
	"time"
)

// connectionConfig is the part of envoy.config.cluster.v3.Cluster that says how a connection to its endpoints is made.
type connectionConfig struct {
	ConnectTimeout         string          `json:"connect_timeout"`
	TransportSocket        transportSocket `json:"transport_socket"`
	TransportSocketMatches []struct {
		TransportSocket transportSocket `json:"transport_socket"`
	} `json:"transport_socket_matches"`
	UpstreamBindConfig map[string]any `json:"upstream_bind_config"`
	Filters            []struct{}     `json:"filters"`
	CircuitBreakers    struct {
		Thresholds        []thresholds `json:"thresholds"`
		PerHostThresholds []thresholds `json:"per_host_thresholds"`
	} `json:"circuit_breakers"`
}

// transportSocket is envoy.config.core.v3.TransportSocket.
type transportSocket struct {
	Name        string `json:"name"`
	TypedConfig struct {
		Type string `json:"@type"`
	} `json:"typed_config"`
}

// The socket that adds nothing to TCP.
const (
	rawBufferName = "envoy.transport_sockets.raw_buffer"
	rawBufferType = "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
)

// isPlain reports whether the socket is plain TCP. Envoy goes by the type; the name counts where there is none.
func (t *transportSocket) isPlain() bool {
	if t.TypedConfig.Type == "" {
		return t.Name == "" || t.Name == rawBufferName
	}
	return t.TypedConfig.Type == rawBufferType
}

// bootstrapDump is /config_dump?mask=bootstrap.cluster_manager.upstream_bind_config.
type bootstrapDump struct {
	Configs []struct {
		Bootstrap struct {
			ClusterManager struct {
				UpstreamBindConfig map[string]any `json:"upstream_bind_config"`
			} `json:"cluster_manager"`
		} `json:"bootstrap"`
	} `json:"configs"`
}

// binds reports whether Envoy binds the connections of clusters that do not say otherwise.
func (d *bootstrapDump) binds() bool {
	for i := range d.Configs {
		if len(d.Configs[i].Bootstrap.ClusterManager.UpstreamBindConfig) > 0 {
			return true
		}
	}
	return false
}

// demands is the option by which the config asks for more than a plain TCP connection; empty when none does. Which of the
// transport_socket_matches an endpoint gets may depend on metadata that no dump has, so one of them that is not plain is enough.
func (c *connectionConfig) demands(processBinds bool) string {
	switch {
	case !c.TransportSocket.isPlain():
		return "transport_socket"
	case len(c.Filters) > 0:
		return "filters"
	case len(c.UpstreamBindConfig) > 0:
		return "upstream_bind_config"
	case c.UpstreamBindConfig == nil && processBinds:
		return "cluster_manager.upstream_bind_config"
	}
	for i := range c.TransportSocketMatches {
		if !c.TransportSocketMatches[i].TransportSocket.isPlain() {
			return "transport_socket_matches"
		}
	}
	return ""
}

// defaultConnectTimeout is Envoy's.
const defaultConnectTimeout = 5 * time.Second

// connectTimeout is connect_timeout, as JSON writes a duration: "1.500s".
func (c *connectionConfig) connectTimeout() time.Duration {
	if d, err := time.ParseDuration(c.ConnectTimeout); err == nil && d > 0 {
		return d
	}
	return defaultConnectTimeout
}

// Breakers are a cluster's circuit breakers of the priority DEFAULT, as far as they apply to TCP: Envoy's TCP pools pass
// max_requests over (enforceMaxRequests).
type Breakers struct {
	MaxConnections, MaxConnectionsPerHost, MaxPendingRequests uint32
}

// thresholds is envoy.config.cluster.v3.CircuitBreakers.Thresholds.
type thresholds struct {
	Priority           string  `json:"priority"`
	MaxConnections     *uint32 `json:"max_connections"`
	MaxPendingRequests *uint32 `json:"max_pending_requests"`
}

// Envoy's defaults. Without per_host_thresholds a host has no limit of its own.
const (
	defaultMaxConnections     = 1024
	defaultMaxPendingRequests = 1024
	unlimited                 = ^uint32(0)
)

// breakers are the configured circuit breakers.
func (c *connectionConfig) breakers() Breakers {
	b := Breakers{defaultMaxConnections, unlimited, defaultMaxPendingRequests}
	if t := ofDefaultPriority(c.CircuitBreakers.Thresholds); t != nil {
		set(&b.MaxConnections, t.MaxConnections)
		set(&b.MaxPendingRequests, t.MaxPendingRequests)
	}
	if t := ofDefaultPriority(c.CircuitBreakers.PerHostThresholds); t != nil {
		set(&b.MaxConnectionsPerHost, t.MaxConnections)
	}
	return b
}

// ofDefaultPriority is the first of the thresholds that is for the priority DEFAULT, which a dump leaves out.
func ofDefaultPriority(all []thresholds) *thresholds {
	for i := range all {
		if p := all[i].Priority; p == "" || p == "DEFAULT" {
			return &all[i]
		}
	}
	return nil
}

func set(value, to *uint32) {
	if to != nil {
		*value = *to
	}
}

// breakerKey is followed by the name of a cluster, the priority and the name of a threshold.
const breakerKey = "circuit_breakers."

// override replaces thresholds by those of the runtime, which count for more.
func (r *runtimeEntries) override(b *Breakers, cluster string) {
	for name, value := range map[string]*uint32{"max_connections": &b.MaxConnections, "max_pending_requests": &b.MaxPendingRequests} {
		entry, ok := r.Entries[breakerKey+cluster+".default."+name]
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(entry.FinalValue), 10, 64); err == nil {
			*value = uint32(min(n, uint64(unlimited)))
		}
	}
}
