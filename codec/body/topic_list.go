// SPDX-License-Identifier: Apache-2.0

package body

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"

// RewriteTopicList returns the body of a GET_SYSTEM_TOPIC_LIST_FROM_NS or a
// QUERY_TOPICS_BY_CONSUMER answer (Java: TopicList) with the address that f decides on
// in brokerAddr, or null there if f does not keep it: Java then asks no
// broker. It borrows src; dst is src itself when nothing changes. Errors are *Error.
func RewriteTopicList(src []byte, f func(addr string) (string, bool)) (dst []byte, err error) {
	c := &cursor{b: src, body: "TopicList"}
	var value span
	c.each(c.root(), c.body, func(m member) {
		if string(c.text(m.name)) == "brokerAddr" {
			c.once(&value, m, "brokerAddr")
		}
	})
	var e edits
	if value.to != 0 {
		if old := c.str(value, "brokerAddr"); old != "" {
			switch addr, keep := f(old); {
			case !keep:
				e = append(e, edit{value, []byte("null")})
			case addr != old:
				e = append(e, edit{value, jsonscan.AppendString(nil, addr)})
			}
		}
	}
	if err := c.result(); err != nil {
		return nil, err
	}
	return e.apply(src), nil
}
