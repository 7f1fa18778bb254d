// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// noted is what is kept of a request until its end only where the config asks for it.
type noted struct {
	bill policy.Bill
}

// askPolicy has the policy judge a request. A frame that is not whole has all that the policy needs.
func (s *Session) askPolicy(code codec.RequestCode, kind *router.Kind, frame []byte, h *codec.Header) *router.Refusal {
	bill, refusal := s.policy.Judge(&policy.Request{
		Code:   code,
		Kind:   kind,
		Header: h,
		Body:   frame[codec.PrefixSize+s.requests.prefix.HeaderSize:],
		Size:   s.requests.prefix.FrameSize(),
	}, s.now)
	if bill != nil {
		s.noting = &noted{bill: bill}
	}
	return refusal
}
