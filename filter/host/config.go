// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"sync/atomic"

	"google.golang.org/protobuf/types/known/anypb"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Config is a config as Envoy handed it over: an instance, or what is wrong with it.
type Config struct {
	Instance *instance.Instance
	Err      error
}

// Close ends the instance and lets go of it. Envoy's Go package keeps every config that was ever parsed (configCache in
// its shim.go), so what a config holds must not be what is large. To be called when no connection can be opened any more.
func (c *Config) Close() {
	if x := c.Instance; x != nil {
		c.Instance = nil
		x.Close()
	}
}

// NewSink makes the sink of a new config's stats. It is called while Envoy reads that config, which
// in a stock Envoy is the only time when stats can be defined. Each host puts its own here.
var NewSink = func(statPrefix string, table []stats.Def) stats.Sink { return nil }

// RejectsConfigs is set where the host reports a bad config itself and has Envoy reject it.
var RejectsConfigs = false

// last is the config parsed last: the Golang ABI gives configs ids of its own and has no way to
// report an error, so the stock host asks for it right after, on the same thread.
var last atomic.Pointer[Config]

// LastConfig is the config that ParseConfig has made last.
func LastConfig() *Config { return last.Load() }

// maxConfigErrors is how many bad fields of one config are logged, and maxConfigError how much of each.
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

// ParseConfig puts the config in `any` to work.
func ParseConfig(any *anypb.Any) (c *Config) {
	c = &Config{}
	last.Store(c)
	defer Recover(nil, func() {
		c.Err = apiv1.Errors{{Path: "the config", Problem: "has led to a fault of the filter, which is in the log"}}
	})
	config, err := apiv1.Read(any)
	if err != nil {
		c.Err = err
		return c
	}
	c.Instance = instance.Start(config, instance.Host{NewSink: NewSink, Warn: LogWarning})
	return c
}
