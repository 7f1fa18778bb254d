// SPDX-License-Identifier: Apache-2.0

package router

// GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305), no header, no body. Sent by admin tools to the broker whose address the answer
// to GET_SYSTEM_TOPIC_LIST_FROM_NS (304) has, which is any: all brokers have the same system topics, but for those that
// are named after the broker itself.
func systemTopicList(r Request, k Knowledge) ([]byte, *Refusal) {
	if name, ok := r.Header.Field(longNames.broker); ok && len(name) > 0 {
		return name, nil
	}
	return anyBroker("", "", k)
}
