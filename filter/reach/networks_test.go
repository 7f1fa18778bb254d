// SPDX-License-Identifier: Apache-2.0

package reach

import "testing"

func TestBrokersAreOnlyWhereTheyMayBe(t *testing.T) {
	for _, c := range []struct {
		networks []string
		address  string
		want     Verdict
	}{
		{nil, "10.0.0.1:10911", Allowed},
		{nil, "127.0.0.1:10911", Allowed},
		{nil, "[fd00:1::5]:10911", Allowed},
		{nil, "169.254.169.254:80", Outside},
		{nil, "[::ffff:169.254.169.254]:80", Outside},
		{nil, "[64:ff9b::a9fe:a9fe]:80", Outside},
		{nil, "[fe80::1%eth0]:10911", Outside},
		{nil, "[fd00:ec2::254]:80", Outside},
		{nil, "[fd20:ce::254]:80", Outside},
		{nil, "100.100.100.200:80", Outside},
		{nil, "168.63.129.16:80", Outside},
		{nil, "192.0.0.192:80", Outside},
		{nil, "0.0.0.0:10911", Outside},
		{nil, "[::]:10911", Outside},
		{nil, "224.0.0.1:10911", Outside},
		{nil, "[ff02::1]:10911", Outside},
		{nil, "255.255.255.255:10911", Outside},
		{nil, "", Outside},
		{nil, "broker.example:10911", Outside}, // nobody has resolved it
		{[]string{"127.0.0.1/32"}, "127.0.0.1:10911", Allowed},
		{[]string{"127.0.0.1/32"}, "[::ffff:127.0.0.1]:10911", Allowed},
		{[]string{"127.0.0.1/32"}, "127.0.0.9:10911", Outside},
		{[]string{"127.0.0.1/32"}, "[::1]:10911", Outside},
		{[]string{"10.0.0.0/8", "fd00::/8"}, "[fd00:1::5]:10911", Allowed},
		{[]string{"10.0.0.0/8", "fd00::/8"}, "[fd00:ec2::254]:80", Outside},
		{[]string{"0.0.0.0/0", "::/0"}, "192.0.2.1:10911", Allowed},
		{[]string{"0.0.0.0/0", "::/0"}, "169.254.169.254:80", Outside},
		{[]string{"0.0.0.0/0", "::/0"}, "[64:ff9b::a9fe:a9fe]:80", Outside},
		{[]string{"0.0.0.0/0", "::/0"}, "0.0.0.0:80", Outside},
		{[]string{"169.254.0.0/16"}, "169.254.7.7:10911", Allowed},
		{[]string{"169.254.7.0/24"}, "169.254.7.7:10911", Allowed},
		{[]string{"169.254.7.0/24"}, "169.254.8.7:10911", Outside},
		{[]string{"100.100.100.200/32"}, "100.100.100.200:10911", Allowed},
		{[]string{"224.0.0.1/32"}, "224.0.0.1:10911", Outside},
	} {
		rules := Rules{Networks: prefixes(c.networks...)}
		if got := rules.Broker(c.address); got != c.want {
			t.Errorf("%s, networks %v: got %d, want %d", c.address, c.networks, got, c.want)
		}
		if got := rules.NameServer(c.address); got != Allowed {
			t.Errorf("%s as a name server: got %d", c.address, got)
		}
	}
}
