// SPDX-License-Identifier: Apache-2.0

package router

import (
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// anyBroker picks a broker of a topic, the same for all members of a group.
func anyBroker(topic, group string, v View) ([]byte, *codec.Reply) {
	if brokers := v.TopicBrokers(topic); len(brokers) > 0 {
		return []byte(choose(brokers, []byte(group))), nil
	}
	if brokers := v.ToldBrokers(); len(brokers) > 0 {
		return []byte(choose(brokers, []byte(group))), nil
	}
	return nil, brokerless
}

// choose picks one of `names` for `key` by rendezvous hashing: every proxy picks the same, and a
// broker that comes or goes moves only the keys it gains or loses.
func choose(names []string, key []byte) string {
	return slices.MaxFunc(names, func(a, b string) int {
		if x, y := weight(a, key), weight(b, key); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return 0
	})
}

// weight is 64-bit FNV-1a of both, mixed once more so that short names spread.
func weight(name string, key []byte) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	h = (h ^ 0xff) * 1099511628211
	for _, c := range key {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}
