// SPDX-License-Identifier: Apache-2.0

// Package stats counts what the filter does. Table is the only place with names; the page
// docs/STATS.md is generated from it.
//
// Sessions count into a [Recorder] with plain atomic additions, on any thread, without a call into
// Envoy. About once a second [Set.Flush] hands the differences to Envoy.
package stats
