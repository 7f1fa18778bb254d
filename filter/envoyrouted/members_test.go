// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import (
	"fmt"
	"testing"
	"time"
)

func TestMembersOfAGroupOverSeveralConnections(t *testing.T) {
	m := NewMembers()
	m.Register("g", "b", 1, 0)
	m.Register("g", "a", 2, 0)
	m.Register("h", "c", 2, 0)
	want := func(group, list string, now time.Duration) {
		t.Helper()
		if got := fmt.Sprint(m.List(group, now)); got != list {
			t.Errorf("%s is %s, want %s", group, got, list)
		}
	}
	want("g", "[a b]", time.Minute)
	want("nobody", "[]", 0)
	m.Register("g", "b", 3, time.Minute) // reconnected
	m.Disconnected("g", "b", 1)
	want("g", "[a b]", 2*time.Minute)
	want("g", "[b]", 2*time.Minute+1)
	m.Disconnected("g", "b", 3)
	want("g", "[]", 0)
	m.Unregister("h", "c")
	m.Unregister("h", "c")
	if len(m.groups) != 0 {
		t.Errorf("left are %v", m.groups)
	}
}
