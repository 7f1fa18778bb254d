// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// maxConfigErrors is how many bad fields of one config are logged, and maxConfigError how many bytes of each.
const (
	maxConfigErrors = 100
	maxConfigError  = 1000
)

// ConfigErrors returns what is wrong with a config as lines for Envoy's log. Errors quote values by themselves; paths
// have the names of fields, which whoever wrote the config may have chosen.
func ConfigErrors(err error) (lines []logline.Own) {
	fields := apiv1.Errors{}
	if !errors.As(err, &fields) {
		return []logline.Own{logline.Own(logline.Escape(err.Error(), maxConfigError))}
	}
	for i, field := range fields {
		if i == maxConfigErrors {
			return append(lines, logline.Own(fmt.Sprintf("%d more fields are bad", len(fields)-i)))
		}
		lines = append(lines, logline.Own(logline.Escape(field.Error(), maxConfigError)))
	}
	return lines
}

// Start puts the config that `read` returns to work. newSink makes the sink of its stats; in a stock Envoy they can be
// defined only while Envoy reads the config, that is, during this call.
func (h *Host) Start(read func() (*apiv1.Config, error), newSink func(statPrefix string, defs []stats.Def) stats.Sink) (x *instance.Instance, err error) {
	defer h.Recover(nil, func() {
		x, err = nil, apiv1.Errors{{Path: "the config", Problem: "made the filter panic; see the log"}}
	})
	config, err := read()
	if err != nil {
		return nil, err
	}
	return instance.Start(config, instance.Host{NewSink: newSink, Warn: h.LogWarning}), nil
}
