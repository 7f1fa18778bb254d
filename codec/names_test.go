// SPDX-License-Identifier: Apache-2.0

package codec

import "testing"

func TestGroupsOwnTopicsAreKnownByTheirPrefix(t *testing.T) {
	for topic, want := range map[string]string{"%RETRY%g": "g", "%DLQ%g": "g", "%RETRY%g_t": "g_t", "g": "", "RETRY%g": "", "": ""} {
		group, ok := CutGroupTopic(topic)
		if ok != (want != "") || ok && group != want {
			t.Errorf("%s: got %q, %v", topic, group, ok)
		}
	}
}
