// SPDX-License-Identifier: Apache-2.0

package body

import "testing"

func TestAddressesAreReadAsRocketMQReadsThem(t *testing.T) {
	for written, want := range map[string]string{
		"10.0.0.1:10911":           "10.0.0.1:10911",
		"broker.example:10911":     "broker.example:10911",
		"::1:10911":                "[::1]:10911",
		"fd00:0:0::0a:10911":       "[fd00::a]:10911",
		"fe80::1%eth0:10911":       "[fe80::1%eth0]:10911",
		"::ffff:10.0.0.1:10911":    "[::ffff:10.0.0.1]:10911",
		"[::1]:10911":              "[::1]:10911",
		"2001:db8:1:2:3:4:5:6:109": "[2001:db8:1:2:3:4:5:6]:109",
		"no port":                  "no port",
		"":                         "",
		":10911":                   ":10911",
	} {
		if got := (Address{Addr: written}).HostPort(); got != want {
			t.Errorf("%q: got %q, want %q", written, got, want)
		}
	}
}
