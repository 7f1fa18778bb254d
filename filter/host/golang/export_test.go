// SPDX-License-Identifier: Apache-2.0

package golang

// breakForTest makes the next event of the connection panic.
func (c *connection) breakForTest() { c.session = nil }
