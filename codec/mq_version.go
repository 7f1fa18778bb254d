// SPDX-License-Identifier: Apache-2.0

package codec

import "strconv"

// OwnVersion is the version in requests that the proxy and its tools make themselves: V5_3_3 of Java's MQVersion, so that
// name servers answer in standard JSON.
const OwnVersion = 479

// Java's MQVersion has two ordinals for each release from 4.1.0 on, a snapshot's and its own, and goes from 4.9.9 on to
// 5.0.0.
const (
	firstRelease        = 410
	firstReleaseOrdinal = 233
)

// MQVersion returns the ordinal of a release in Java's MQVersion, for instance of "5.3.3". It knows the releases from 4.1.0
// to 9.9.9.
func MQVersion(release string) (version int32, ok bool) {
	if len(release) != len("5.3.3") || release[1] != '.' || release[3] != '.' {
		return 0, false
	}
	n, err := strconv.ParseUint(release[:1]+release[2:3]+release[4:], 10, 16)
	if err != nil || n < firstRelease {
		return 0, false
	}
	return int32(firstReleaseOrdinal + 2*(n-firstRelease)), true
}
