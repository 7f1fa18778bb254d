// SPDX-License-Identifier: Apache-2.0

// Package golang is the filter behind Envoy's Golang network filter ABI: it owns the connection (no
// filter follows) and opens an upstream connection for each broker of a session.
package golang
