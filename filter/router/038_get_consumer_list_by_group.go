// SPDX-License-Identifier: Apache-2.0

package router

import "strings"

// retryTopicPrefix starts the name of each group's own retry topic (MixAll.RETRY_GROUP_TOPIC_PREFIX).
const retryTopicPrefix = "%RETRY%"

// GET_CONSUMER_LIST_BY_GROUP (38), header GetConsumerListByGroupRequestHeader, which has the group
// and no topic. Sent by consumers when they rebalance, to any broker of the topic. All members must
// get the same list, or queues are assigned twice or not at all: so it is asked of one broker for
// the whole group, chosen from those of a topic that every member subscribes to and so registers at.
func consumerList(r Request, k Knowledge) ([]byte, *Refusal) {
	group, ok := r.Header.Field("consumerGroup")
	if !ok {
		return nil, unnamed
	}
	for _, topic := range k.GroupTopics(string(group)) {
		if strings.HasPrefix(topic, retryTopicPrefix) || len(k.TopicBrokers(topic)) == 0 {
			continue
		}
		return anyBroker(topic, string(group), k)
	}
	return anyBroker("", string(group), k)
}
