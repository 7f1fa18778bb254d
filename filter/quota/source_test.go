// SPDX-License-Identifier: Apache-2.0

package quota

import "testing"

func TestWhatCountsAsOneClientAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"10.1.2.3:5000":                 "10.1.2.3/32",
		"10.1.2.4:5000":                 "10.1.2.4/32",
		"[::ffff:10.1.2.3]:1":           "10.1.2.3/32",
		"[2001:db8:1:2:3:4:5:6]:1":      "2001:db8:1:2::/64",
		"[2001:db8:1:3::1]:1":           "2001:db8:1:3::/64",
		"[fe80::1%eth0]:1":              "fe80::/64",
		"/run/envoy/proxy.sock":         "invalid Prefix",
		"":                              "invalid Prefix",
		"[::ffff:10.1.2.3%eth0]:1":      "10.1.2.3/32",
		"[2001:db8:1:2:ffff:ffff::]:80": "2001:db8:1:2::/64",
	} {
		if got := networkOf(remote).String(); got != want {
			t.Errorf("%q counts as %s, want %s", remote, got, want)
		}
	}
}
