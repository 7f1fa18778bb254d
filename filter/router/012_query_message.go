// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// QUERY_MESSAGE (12), header QueryMessageRequestHeader, no body. A client that looks for a key or a
// unique id sends the same request to every broker of the topic and merges the answers. On a shared
// address those copies are all alike: so each goes to the next broker of the topic in turn.
func inTurn(r *Request, v View) ([]byte, *codec.Reply) {
	topic := r.Type.Topic(r.Header)
	key, _ := r.Header.Field("key")
	brokers := v.TopicBrokers(string(topic))
	if len(brokers) == 0 {
		return nil, brokerless
	}
	return []byte(brokers[v.Turn(string(topic)+" "+string(key))%len(brokers)]), nil
}
