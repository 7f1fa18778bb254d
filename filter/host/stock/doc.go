// SPDX-License-Identifier: Apache-2.0

// Package stock is the way into a stock Envoy, by the contract of rocketmq_proxy_host.h with our C++ module. Its exported
// functions change from C to Go; what they lead to is in package host, whose adapters recover from panics.
package stock
