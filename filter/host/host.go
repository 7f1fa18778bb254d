// SPDX-License-Identifier: Apache-2.0

// Package host is the part of the filter that both ways into Envoy share: how a config is put to work, the log, the clock,
// recovery from panics, and the two adapters between a connection's events and its session. The ways themselves are
//   - golang: Envoy's Golang network filter ABI, in contrib Envoy;
//   - stock: our own contract with module, in a stock Envoy;
//   - module: the C++ dynamic module that keeps it.
package host

import (
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
)

// Host connects the filter with the process that it runs in. It is made once, before Envoy reads a config.
type Host struct {
	// WriteLog writes a line to Envoy's log.
	WriteLog func(level Level, line string)
	// NoSocketHint says what to check when an upstream connection could not be begun.
	NoSocketHint logline.Own

	stacks atomic.Int32 // logged so far
}
