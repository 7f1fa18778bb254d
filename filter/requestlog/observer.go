// SPDX-License-Identifier: Apache-2.0

package requestlog

import (
	"hash/fnv"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Observer writes the records that one filter config asks for to a Log. Its methods may be called from any thread.
type Observer struct {
	config   *apiv1.RequestLogConfig
	log      *Log
	recorder *stats.Recorder
}

// NewObserver returns the observer of a config.
func NewObserver(config *apiv1.RequestLogConfig, log *Log, recorder *stats.Recorder) *Observer {
	log.Limit(config.MaxFileBytes, config.MaxFiles)
	return &Observer{config: config, log: log, recorder: recorder}
}

// Ended implements session.Observer.
func (o *Observer) Ended(r *session.Record) {
	if o.wants(r) {
		o.log.put(r, time.Now(), o.recorder)
	}
}

func (o *Observer) wants(r *session.Record) bool {
	if r.Connection {
		return o.config.Connections
	}
	return o.config.OneIn == 1 ||
		o.config.AllErrors && r.IsError() ||
		o.config.SlowerThan > 0 && !r.LongPoll && r.Duration > o.config.SlowerThan ||
		o.config.OneIn > 1 && sample(r)%uint32(o.config.OneIn) == 0
}

// sample returns a number that is the same for the same request of the same client.
func sample(r *session.Record) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(r.Client))
	_, _ = h.Write([]byte{byte(r.Opaque >> 24), byte(r.Opaque >> 16), byte(r.Opaque >> 8), byte(r.Opaque)})
	n := h.Sum32() // of two opaques in a row it differs in few bits
	n ^= n >> 16
	n *= 0x85ebca6b
	return n ^ n>>13
}
