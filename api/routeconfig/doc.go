// SPDX-License-Identifier: Apache-2.0

// Package routeconfig compiles the route_config of Envoy's RocketmqProxy message into a [Table] that
// tells which cluster a request goes to.
//
// Routes mean what they mean to Envoy's C++ filter (router/route_matcher.cc, common/matchers.h,
// http/header_utility.h of v1.39.0): the first whose header matchers and topic matcher all agree is
// taken. Whether the cluster exists, and which of its hosts carries the metadata, is not its business:
// see filter/envoyadmin.
//
// A Table is immutable; any thread may use it.
package routeconfig
