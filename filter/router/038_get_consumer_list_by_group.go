// SPDX-License-Identifier: Apache-2.0

package router

import (
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// GET_CONSUMER_LIST_BY_GROUP (38), header GetConsumerListByGroupRequestHeader, which has the group
// and no topic. Sent by consumers when they rebalance, to any broker of the topic. All members must
// get the same list, or queues are assigned twice or not at all: so it is asked of one broker for
// the whole group, chosen from those of a topic that every member subscribes to and so registers at.
func byGroup(r *Request, v View) ([]byte, *codec.Reply) {
	group, ok := r.Header.Field(r.Type.Fields.ConsumerGroup)
	if !ok {
		return nil, unnamed
	}
	for _, topic := range v.GroupTopics(string(group)) {
		if strings.HasPrefix(topic, codec.RetryTopicPrefix) || len(v.TopicBrokers(topic)) == 0 {
			continue
		}
		return anyBroker(topic, string(group), v)
	}
	return anyBroker("", string(group), v)
}
