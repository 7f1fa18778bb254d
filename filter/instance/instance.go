// SPDX-License-Identifier: Apache-2.0

// Package instance makes the things that live as long as a filter config: its stats, which it flushes
// to Envoy, and the directories of its clusters, which configs with equal clusters share (one config per
// listener is the rule, with several listeners for one cluster).
package instance

import (
	"slices"
	"sync"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/breakdown"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// flushInterval is how often stats reach Envoy.
const flushInterval = time.Second

// Instance is a config at work. Sessions may outlive Close: what they count then is lost, and they
// find brokers by what was known.
type Instance struct {
	session.Environment
	sink      stats.Sink
	runtime   *runtimeGauges
	stop      chan struct{}
	done      chan struct{}
	watches   []*watch // one for each cluster
	releases  []func() // of what is shared
	closeOnce sync.Once
	logRate   logRate
}

// Table are the stats of a config, by stats.ID.
func Table(config *apiv1.Config) []stats.Def {
	return append(slices.Clone(stats.Table), ownStats(config)...)
}

func ownStats(config *apiv1.Config) []stats.Def {
	return append(policy.Stats(config.Policy), breakdown.Stats(config.Breakdown)...)
}

func (x *Instance) openBreakdown() {
	if c := x.Config.Breakdown; c != nil {
		x.Observers = append(x.Observers, breakdown.New(c, stats.ID(len(stats.Table)+len(policy.Stats(x.Config.Policy)))))
		x.CountsMessages = true
	}
}

// Start puts a config to work. With a nil sink its stats, those of Table, go nowhere.
func Start(config *apiv1.Config, sink stats.Sink) *Instance {
	fitted := *config
	config = &fitted
	most := openFiles()
	files.SetLimit(sessionFiles(most))
	fitFiles(&config.Limits, most)
	x := &Instance{
		Environment: session.Environment{
			Config: config,
			Rules:  addressing.New(config.Addressing),
			Stats:  stats.New(ownStats(config)...),
			Policy: policy.New(config.Policy, stats.ID(len(stats.Table))),
			Files:  &files,
			Own:    reach.Process,
		},
		sink: sink,
		stop: make(chan struct{}),
		done: make(chan struct{}),
	}
	x.Warn = func(now session.Instant, format string, arguments ...any) {
		if x.MayLog(now) {
			Warn(format, arguments...)
		}
	}
	x.releases = append(x.releases, reach.Process.Advertise(x.Rules.Advertises))
	x.Stats.Recorder().Inc(stats.BuildInfo)
	if config.Compatible != nil {
		x.openEndpoints()
	} else {
		x.openClusters()
	}
	x.openRequestLog()
	x.openBreakdown()
	if x.sink != nil {
		x.runtime = joinRuntimeGauges(config.StatPrefix)
		go x.flush()
	} else {
		close(x.done)
	}
	return x
}

func (x *Instance) flush() {
	defer close(x.done)
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	recorder := x.Stats.Recorder()
	for {
		select {
		case <-ticker.C:
			x.runtime.show(x, recorder)
			x.Stats.Flush(x.sink)
		case <-x.stop:
			return
		}
	}
}

// Close flushes a last time and lets go of what is shared.
func (x *Instance) Close() {
	x.closeOnce.Do(func() {
		close(x.stop)
		<-x.done
		for _, w := range x.watches {
			w.end()
		}
		x.Stats.Recorder().Add(stats.BuildInfo, -1)
		if x.sink != nil {
			x.runtime.leave(x, x.Stats.Recorder())
			x.Stats.Flush(x.sink)
		}
		for _, release := range x.releases {
			release()
		}
	})
}
