// SPDX-License-Identifier: Apache-2.0

package router

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42), empty header, bodies LockBatchRequestBody and
// UnlockBatchRequestBody. Sent by orderly consumers, one request for the queues of one broker, which
// the queues name. With onlyThisBroker it is one broker speaking to another.
func lockBatch(r Request, _ Knowledge) ([]byte, *Refusal) {
	name, onlyThisBroker, err := body.ParseLockBatch(r.Body)
	switch {
	case err != nil:
		return nil, &Refusal{codec.ResponseSystemError, "unreadable body: " + err.Error()}
	case onlyThisBroker:
		return nil, RefusedInternal
	case name == "":
		return nil, unnamed
	}
	return []byte(name), nil
}
