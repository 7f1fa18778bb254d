// SPDX-License-Identifier: Apache-2.0

package body

// UniqueConsumerIDs gives the body of a GET_CONSUMER_LIST_BY_GROUP answer (Java:
// GetConsumerListByGroupResponseBody) with each client named once, in the order in which they
// stand first; src itself when none stands twice. Errors are *Error.
func UniqueConsumerIDs(src []byte) (dst []byte, err error) {
	c := &cursor{b: src, body: "GetConsumerListByGroupResponseBody"}
	var list span
	c.each(c.root(), c.body, func(m member) {
		if string(c.text(m.name)) == "consumerIdList" {
			c.once(&list, m, "consumerIdList")
		}
	})
	var ids []item
	seen := make(map[string]bool)
	c.elements(list, "consumerIdList", func(v span) {
		if !c.room(len(ids), v, "consumers") {
			return
		}
		id := c.str(v, "a consumer's id")
		ids = append(ids, item{v, seen[id]})
		seen[id] = true
	})
	if err := c.result(); err != nil {
		return nil, err
	}
	var e edits
	e.remove(ids)
	return e.apply(src), nil
}
