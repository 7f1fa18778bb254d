// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// question is a request that waits for its answer.
type question struct {
	code requests.Code
	at   time.Time
}

// conversation ties the answers of a connection to its requests. Both sides ask, and count their opaques
// independently.
type conversation struct {
	budget  *budget
	awaited [2]map[int32]question // by who asked
}

// ask notes a request. One that declares that it wants no answer gets none.
func (c *conversation) ask(side int, h *codec.Header, at time.Time) {
	if h.IsOneway() {
		return
	}
	if _, again := c.awaited[side][h.Opaque]; !again && !c.budget.take(awaitedSize) {
		return
	}
	if c.awaited[side] == nil {
		c.awaited[side] = make(map[int32]question)
	}
	c.awaited[side][h.Opaque] = question{requests.CodeOf(h), at}
}

// answer finds the request of an answer that `side` gives.
func (c *conversation) answer(side int, opaque int32) (q question, ok bool) {
	asker := 1 - side
	if q, ok = c.awaited[asker][opaque]; ok {
		delete(c.awaited[asker], opaque)
		c.budget.give(awaitedSize)
	}
	return q, ok
}

// end forgets what was still awaited.
func (c *conversation) end() {
	c.budget.give(awaitedSize * (len(c.awaited[0]) + len(c.awaited[1])))
	c.awaited = [2]map[int32]question{}
}
