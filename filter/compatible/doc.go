// SPDX-License-Identifier: Apache-2.0

// Package compatible has what a filter remembers that is configured as Envoy's own rocketmq_proxy: which
// broker a popped message came from, and who is in which consumer group. Over all client connections, unlike
// Envoy's filter, which forgets with each.
package compatible
