// SPDX-License-Identifier: Apache-2.0

package envoyadmin

// clusterStatuses is /clusters?format=json: envoy.admin.v3.Clusters. It is read beside the dump of the
// endpoints because it says of which cluster it speaks, while two clusters with one EDS service name are alike
// in the dump, and because it tells draining hosts from failed ones.
type clusterStatuses struct {
	ClusterStatuses []struct {
		Name         string       `json:"name"`
		HostStatuses []hostStatus `json:"host_statuses"`
	} `json:"cluster_statuses"`
}

type hostStatus struct {
	Address      address      `json:"address"`
	HealthStatus healthStatus `json:"health_status"`
}

// healthStatus is envoy.admin.v3.HostHealthStatus. Flags that say nothing of a host's fitness for use are
// not here (pending_dynamic_removal: it is still sent to; pending_active_hc and
// excluded_via_immediate_hc_fail: never without failed_active_health_check).
type healthStatus struct {
	FailedActiveHealthCheck        bool   `json:"failed_active_health_check"`
	FailedOutlierCheck             bool   `json:"failed_outlier_check"`
	FailedActiveDegradedCheck      bool   `json:"failed_active_degraded_check"`
	FailedDegradedOutlierDetection bool   `json:"failed_degraded_outlier_detection"`
	EDSHealthStatus                string `json:"eds_health_status"`
}

// health sums the flags up as Envoy's Host::coarseHealth does.
func (h healthStatus) health() Health {
	switch eds := healthOf(h.EDSHealthStatus); {
	case h.FailedActiveHealthCheck || h.FailedOutlierCheck:
		return Unhealthy
	case eds == Healthy && (h.FailedActiveDegradedCheck || h.FailedDegradedOutlierDetection):
		return Degraded
	default:
		return eds
	}
}

// byAddress is the health of the hosts of each cluster in `wanted`. An address that a cluster has twice, as
// static clusters may, is left out: nobody can tell which is meant.
func (s *clusterStatuses) byAddress(wanted map[string]bool) map[string]map[string]Health {
	all := make(map[string]map[string]Health)
	for _, cluster := range s.ClusterStatuses {
		if !wanted[cluster.Name] {
			continue
		}
		health := make(map[string]Health, len(cluster.HostStatuses))
		times := make(map[string]int)
		for _, host := range cluster.HostStatuses {
			to := host.Address.String()
			health[to] = host.HealthStatus.health()
			times[to]++
		}
		for to, n := range times {
			if n > 1 {
				delete(health, to)
			}
		}
		all[cluster.Name] = health
	}
	return all
}
