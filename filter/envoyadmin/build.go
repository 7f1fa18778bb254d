// SPDX-License-Identifier: Apache-2.0

package envoyadmin

// answers is what Envoy said in one refresh.
type answers struct {
	static, dynamic struct {
		clusters  clusterDump
		endpoints endpointDump
	}
	statuses     clusterStatuses
	runtime      runtimeEntries
	processBinds bool // cluster_manager.upstream_bind_config is set
}

// snapshot joins the answers for the clusters with these names.
func (a *answers) snapshot(names []string) (*Snapshot, error) {
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		wanted[name] = true
	}
	health := a.statuses.byAddress(wanted)
	maintenance := a.runtime.maintenance()
	s := &Snapshot{clusters: make(map[string]*Cluster), asked: wanted}
	// A dynamic cluster cannot have the name of a static one, but an EDS service name may be anything.
	for _, from := range []struct {
		clusters  *clusterDump
		endpoints *endpointDump
	}{{&a.static.clusters, &a.static.endpoints}, {&a.dynamic.clusters, &a.dynamic.endpoints}} {
		sharing := make(map[string]int) // clusters so far, by the name of their assignment
		for i := range from.clusters.Configs {
			config := &from.clusters.Configs[i].Cluster
			name := config.assignmentName()
			ordinal := sharing[name]
			sharing[name]++
			if !wanted[config.Name] {
				continue
			}
			cluster := &Cluster{
				Name:               config.Name,
				MaintenancePercent: maintenance[config.Name],
				Demands:            config.demands(a.processBinds),
				ConnectTimeout:     config.connectTimeout(),
				Breakers:           config.breakers(),
			}
			a.runtime.override(&cluster.Breakers, config.Name)
			var err error
			if cluster.Subsets, err = config.subsets(); err != nil {
				return nil, err
			}
			if cluster.Endpoints, err = from.endpoints.of(name, ordinal, health[config.Name]); err != nil {
				return nil, err
			}
			s.clusters[config.Name] = cluster
		}
	}
	return s, nil
}

// of gives the endpoints of a cluster: those of the assignment with this name, with the health of the
// cluster's own hosts by address where that is known. There are several when clusters share an EDS service name,
// or one has the service name of another for its name. Then it is the one that has most of the cluster's hosts
// and, as they may well be the same, the one at the cluster's place: Envoy dumps both clusters and assignments in
// the order of the clusters' names.
func (d *endpointDump) of(name string, ordinal int, health map[string]Health) ([]*Endpoint, error) {
	var best []*Endpoint
	most, place := -1, 0
	for i := range d.Configs {
		if d.Configs[i].EndpointConfig.ClusterName != name {
			continue
		}
		endpoints, err := d.Configs[i].EndpointConfig.endpoints()
		if err != nil {
			return nil, err
		}
		known := 0
		for _, e := range endpoints {
			if _, ok := health[e.Address]; ok {
				known++
			}
		}
		if known > most || known == most && place == ordinal {
			best, most = endpoints, known
		}
		place++
	}
	for _, e := range best {
		if h, ok := health[e.Address]; ok {
			e.Health = h
		}
	}
	return best, nil
}
