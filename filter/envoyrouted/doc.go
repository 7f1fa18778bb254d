// SPDX-License-Identifier: Apache-2.0

// Package envoyrouted has what a filter needs that is configured as Envoy's own rocketmq_proxy and finds brokers in Envoy's
// clusters instead of asking name servers: each cluster as a directory of brokers, and the demands of clusters that the
// filter cannot meet. Package envoyadmin reads the clusters.
package envoyrouted
