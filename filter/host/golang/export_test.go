// SPDX-License-Identifier: Apache-2.0

package golang

import "github.com/envoyproxy/envoy/contrib/golang/common/go/api"

// breakForTest makes the next event of the connection panic.
func (c *connection) breakForTest() { c.session = nil }

func connectionOf(f api.DownstreamFilter) *connection { return f.(*connection) }
