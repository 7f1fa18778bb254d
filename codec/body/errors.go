// SPDX-License-Identifier: Apache-2.0

package body

import "strconv"

// Error means that a body is not what its request or answer promises. Its reach is
// the one request.
type Error struct {
	Body   string // Java class of the body, for instance "TopicRouteData"
	Offset int    // byte position near which reading stopped
	Detail string // no bytes of the peer
}

// Error implements error.
func (e *Error) Error() string {
	return e.Body + ": " + e.Detail + " at byte " + strconv.Itoa(e.Offset)
}
