// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"maps"
	"slices"
	"time"
)

// Cluster is one cluster of Envoy. It is immutable.
type Cluster struct {
	Name string
	// Endpoints are all hosts whatever their health, in Envoy's order: by priority, then by locality.
	Endpoints []*Endpoint
	// Subsets tells how endpoints are chosen by metadata; nil: they are not.
	Subsets *Subsets
	// MaintenancePercent is the runtime key upstream.maintenance_mode.<name>, 0 to 100: the share of
	// requests that Envoy would refuse.
	MaintenancePercent uint32
	// Demands is the option by which the cluster asks for more than plain TCP connections; empty for most.
	Demands string
	// ConnectTimeout is connect_timeout.
	ConnectTimeout time.Duration
	Breakers       Breakers
}

// Snapshot is the clusters at one moment. It is immutable.
type Snapshot struct {
	clusters map[string]*Cluster
	asked    map[string]bool // names of clusters, there or not
	whole    bool            // there are no other clusters
}

// Covers reports whether Envoy was asked for the cluster with this name.
func (s *Snapshot) Covers(name string) bool { return s.whole || s.asked[name] }

// Cluster is the cluster with this name, unless Envoy has none or it was not asked for.
func (s *Snapshot) Cluster(name string) (*Cluster, bool) {
	c, ok := s.clusters[name]
	return c, ok
}

// Names are the names of all clusters of the snapshot, sorted.
func (s *Snapshot) Names() []string {
	return slices.Sorted(maps.Keys(s.clusters))
}

// NewSnapshot makes a snapshot of an Envoy that has these clusters and no others.
func NewSnapshot(clusters ...*Cluster) *Snapshot {
	s := &Snapshot{clusters: make(map[string]*Cluster, len(clusters)), whole: true}
	for _, c := range clusters {
		s.clusters[c.Name] = c
	}
	return s
}
