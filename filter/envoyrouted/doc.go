// SPDX-License-Identifier: Apache-2.0

// Package envoyrouted has what a filter needs that is configured as Envoy's own rocketmq_proxy and finds brokers in Envoy's
// clusters instead of asking name servers:
//
//   - each cluster as a directory of brokers ([Directory]), which package envoyadmin reads from Envoy's admin interface,
//   - the use of each cluster, against its circuit breakers ([Circuit]),
//   - which broker a popped message came from ([Directives]) and who is in which consumer group ([Members]). Envoy's
//     filter remembers both for one client connection only; here all connections share them.
//
// What a session does with them is in filter/session, in the files envoy_routed*.go.
package envoyrouted
