// SPDX-License-Identifier: Apache-2.0

//go:build fault

package framing

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// FaultCode is a request or response code that no RocketMQ has.
const FaultCode = 29_999

// injectFault panics at a marked frame, of either side. Only plugins built for the tests of what a panic does have it.
func injectFault(h *codec.Header) {
	if h.Code == FaultCode {
		panic("an injected fault")
	}
}
