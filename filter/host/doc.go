// SPDX-License-Identifier: Apache-2.0

// Package host is what both ways into Envoy share: how a config becomes an instance, the log, the
// clock, and what happens when the filter itself is at fault. The ways themselves are
//   - golang: Envoy's Golang network filter ABI, in contrib Envoy and, by our C++ module, in a stock one;
//   - stock: a non-terminal filter in front of tcp_proxy, in a stock Envoy by our C++ module;
//   - module: that C++ module.
package host
