// SPDX-License-Identifier: Apache-2.0

// Package envoyadmin knows clusters of the Envoy that the filter runs in: their endpoints with metadata,
// health, weights and priorities, and how an endpoint is chosen by metadata. It reads Envoy's admin
// interface, which an unmodified Envoy has, at the start, at intervals and on demand.
//
// What it knows is an immutable [Snapshot] behind an atomic pointer, so that a session looks a cluster
// up without a lock. While admin cannot be read, what was known stays.
//
// One [Watcher] serves all configs that name the same admin interface, since Envoy answers admin requests on
// its main thread: waiting there for a refresh would never end, and a hundred configs that each ask for
// themselves keep that thread from its own work. A refresh is six requests, which Envoy counts in its own http.admin stats and
// access log. With admin.allow_paths the prefixes /config_dump, /clusters and /runtime must be allowed; the
// last may be missing. Clusters that are still warming are not shown by Envoy, so they do not exist here
// either; before Envoy has started nothing is read.
package envoyadmin
