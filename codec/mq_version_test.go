// SPDX-License-Identifier: Apache-2.0

package codec

import "testing"

func TestOrdinalsOfReleasesAreJavas(t *testing.T) {
	for release, want := range map[string]int32{
		"4.1.0": 233, "4.9.4": 401, "5.1.0": 433, "5.3.3": OwnVersion, "9.9.9": 1411,
		"4.0.9": 0, "4.10.0": 0, "5.1": 0, "5.1.x": 0, "5,1,0": 0, "+.1.0": 0, "5.-.0": 0, "": 0,
	} {
		if got, ok := MQVersion(release); got != want || ok != (want != 0) {
			t.Errorf("%s: got %d, %v, want %d", release, got, ok, want)
		}
	}
}
