// SPDX-License-Identifier: Apache-2.0

// Package envoyfile finds the configs of this filter in files that Envoy, Istio, Envoy Gateway or Kubernetes read,
// and checks them as the filter itself would, without an Envoy.
//
// A file is walked as a tree of YAML (JSON is YAML), so that what is wrong is named with its line and path; what Envoy
// or a mesh has around the filter is not checked. The config itself is read by package api/v1 and nothing else.
package envoyfile
