// SPDX-License-Identifier: Apache-2.0

//go:build !fault

package framing

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// injectFault does nothing; see fault_injected.go.
func injectFault(*codec.Header) {}
