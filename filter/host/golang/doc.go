// SPDX-License-Identifier: Apache-2.0

// Package golang is the filter behind Envoy's Golang network filter: it owns the connection (no filter follows) and opens an
// upstream connection for each broker of a session. It implements the filters of Envoy's API (contrib/golang/common/go/api):
//   - network_plugin.go exports what Envoy calls, and keeps what Envoy's handles stand for;
//   - callback.go and capi.go call Envoy;
//   - connection.go is the filter of a client connection, with its upstream connections;
//   - http_plugin.go, metrics.go and sink.go are an HTTP plugin, by which the stats reach Envoy.
package golang
