// SPDX-License-Identifier: Apache-2.0

package router

// QUERY_MESSAGE (12), header QueryMessageRequestHeader, no body. A client that looks for a key or a
// unique id sends the same request to every broker of the topic and merges the answers. On a shared
// address those copies are all alike: so each goes to the next broker of the topic in turn.
func queryMessage(r Request, k Knowledge) ([]byte, *Refusal) {
	topic, _ := r.Header.Field(longNames.topic)
	key, _ := r.Header.Field("key")
	brokers := k.TopicBrokers(string(topic))
	if len(brokers) == 0 {
		return nil, noBroker
	}
	return []byte(brokers[k.Turn(string(topic)+" "+string(key))%len(brokers)]), nil
}
