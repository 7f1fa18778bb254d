// SPDX-License-Identifier: Apache-2.0

package body

import (
	"errors"
	"testing"
)

func TestTopicListRewriteChangesTheAddressOnly(t *testing.T) {
	for src, want := range map[string]string{
		`{"brokerAddr":"10.0.0.1:1","topicList":["a","b"]}`: `{"brokerAddr":"p:2","topicList":["a","b"]}`,
		`{topicList:["brokerAddr"] , 'brokerAddr' : 'x' }`:  `{topicList:["brokerAddr"] , 'brokerAddr' : "p:2" }`,
		`{"topicList":["a"],"brokerAddr":"gone"}`:           `{"topicList":["a"],"brokerAddr":null}`,
		`{"topicList":["a"],"brokerAddr":"same"}`:           `{"topicList":["a"],"brokerAddr":"same"}`,
		`{"topicList":["a"],"brokerAddr":""}`:               `{"topicList":["a"],"brokerAddr":""}`,
		`{"topicList":["a"],"brokerAddr":null}`:             `{"topicList":["a"],"brokerAddr":null}`,
		`{"topicList":[{"brokerAddr":"10.0.0.1:1"}]}`:       `{"topicList":[{"brokerAddr":"10.0.0.1:1"}]}`,
		`{}`: `{}`,
	} {
		got, err := RewriteTopicList([]byte(src), func(addr string) (string, bool) {
			if addr == "same" {
				return addr, true
			}
			return "p:2", addr != "gone"
		})
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v", src, got, err)
		}
	}
	for _, src := range []string{``, `[]`, `{`, `{"brokerAddr":{}}`, `{"brokerAddr":1}`, `{"brokerAddr":"a","brokerAddr":"b"}`, `{"brokerAddr":"a"} x`} {
		var problem *Error
		if got, err := RewriteTopicList([]byte(src), func(string) (string, bool) { return "p:2", true }); got != nil || !errors.As(err, &problem) {
			t.Errorf("%s: got %s, %v", src, got, err)
		}
	}
}
