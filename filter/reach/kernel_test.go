// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"net/netip"
	"testing"
)

func TestTheKernelSaysWhichAddressesAreOfThisHost(t *testing.T) {
	for _, a := range Hosts() {
		if a.IsLinkLocalUnicast() { // dialled with a zone only, and by nobody here
			continue
		}
		if !routesHere(a) {
			t.Errorf("%s of an interface is not of this host", a)
		}
	}
	for _, other := range []string{"192.0.2.1", "2001:db8::1", "255.255.255.255", "224.0.0.1"} {
		if routesHere(netip.MustParseAddr(other)) {
			t.Errorf("%s is of this host", other)
		}
	}
}
