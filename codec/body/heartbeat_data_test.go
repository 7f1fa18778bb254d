// SPDX-License-Identifier: Apache-2.0

package body

import (
	"strings"
	"testing"
)

func TestHeartbeatOfGroupsLeavesOutTheOthers(t *testing.T) {
	keep := func(isConsumer bool, group string) bool {
		return isConsumer && strings.HasPrefix(group, "c") || !isConsumer && strings.HasPrefix(group, "p")
	}
	for src, want := range map[string]string{
		`{"clientID":"x"}`: `{"clientID":"x"}`,
		`{"consumerDataSet":[{"groupName":"c1"},{"groupName":"c2"}],"producerDataSet":[{"groupName":"p"}]}`:                          `{"consumerDataSet":[{"groupName":"c1"},{"groupName":"c2"}],"producerDataSet":[{"groupName":"p"}]}`,
		`{"consumerDataSet":[{"groupName":"c1"},{"groupName":"gone","subscriptionDataSet":[{"topic":"t"}]}],"producerDataSet":null}`: `{"consumerDataSet":[{"groupName":"c1"}],"producerDataSet":null}`,
		`{"consumerDataSet":[{"groupName":"p"}],"producerDataSet":[{"groupName":"c"}, {"groupName":"p"}],"clientID":"x"}`:            `{"consumerDataSet":[],"producerDataSet":[{"groupName":"p"}],"clientID":"x"}`,
		`{"consumerDataSet":[{}]}`: `{"consumerDataSet":[]}`,
	} {
		got, err := HeartbeatOfGroups([]byte(src), keep)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", src, got, err, want)
		}
		if data, err := ParseHeartbeatData(got); err != nil {
			t.Errorf("%s cannot be read: %v, %v", got, data, err)
		}
	}
	for _, src := range []string{``, `[]`, `{"consumerDataSet":{}}`, `{"producerDataSet":[1]}`, `{"producerDataSet":[{"groupName":1}]}`, `{"producerDataSet":[`} {
		if got, err := HeartbeatOfGroups([]byte(src), keep); err == nil {
			t.Errorf("%s: got %s", src, got)
		}
	}
}
