// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305), no header, no body. Sent by admin tools to the broker whose address the answer
// to GET_SYSTEM_TOPIC_LIST_FROM_NS (304) has, which is any: all brokers have the same system topics, but for those that
// are named after the broker itself.
func anyUnlessNamed(r *Request, v View) ([]byte, *codec.Reply) {
	if name := namedBroker(r); len(name) > 0 {
		return name, nil
	}
	return anyBroker("", "", v)
}
