// SPDX-License-Identifier: Apache-2.0

package proxyprotocol

import (
	"bytes"
	"net/netip"
	"testing"
)

func TestHeader(t *testing.T) {
	start := "\r\n\r\n\x00\r\nQUIT\n\x21"
	for name, c := range map[string]struct{ source, destination, want string }{
		"IPv4":          {"10.0.0.1:258", "10.0.0.2:10911", start + "\x11\x00\x0c\x0a\x00\x00\x01\x0a\x00\x00\x02\x01\x02\x2a\x9f"},
		"IPv6":          {"[::1]:1", "[::2]:2", start + "\x21\x00\x24" + zeros(15) + "\x01" + zeros(15) + "\x02\x00\x01\x00\x02"},
		"both":          {"10.0.0.1:1", "[::2]:2", start + "\x21\x00\x24" + zeros(10) + "\xff\xff\x0a\x00\x00\x01" + zeros(15) + "\x02\x00\x01\x00\x02"},
		"IPv6 to IPv4":  {"[2001:db8::7]:6000", "10.0.0.2:2", start + "\x11\x00\x0c\xc0\x00\x00\x08\x0a\x00\x00\x02\x00\x00\x00\x02"},
		"mapped":        {"[::ffff:10.0.0.1]:1", "10.0.0.2:2", start + "\x11\x00\x0c\x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x01\x00\x02"},
		"unknown to v4": {"", "10.0.0.2:2", start + "\x11\x00\x0c\xc0\x00\x00\x08\x0a\x00\x00\x02\x00\x00\x00\x02"},
		"unknown to v6": {"", "[::2]:2", start + "\x21\x00\x24\x01" + zeros(14) + "\x01" + zeros(15) + "\x02\x00\x00\x00\x02"},
	} {
		source, _ := netip.ParseAddrPort(c.source)
		if got := Header(source, netip.MustParseAddrPort(c.destination)); string(got) != c.want {
			t.Errorf("%s:\n got %x\nwant %x", name, got, c.want)
		}
	}
}

func zeros(n int) string { return string(bytes.Repeat([]byte{0}, n)) }
