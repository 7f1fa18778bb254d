// SPDX-License-Identifier: Apache-2.0

// Package instance makes everything that lives as long as a filter config: its stats, which it flushes to Envoy, the
// directories of its clusters, its policy and the observers of its sessions. Configs share what they have in common, such
// as the directory of a cluster, since usually each listener has a config and several listeners lead to one cluster.
package instance

import (
	"sync"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/breakdown"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/requestlog"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// flushInterval is the time between two flushes of the stats to Envoy.
const flushInterval = time.Second

// Host connects configs with the process they run in.
type Host struct {
	// NewSink makes the sink of a config's stats; defs are those of the config, by stats.ID. Without a NewSink, or if it
	// returns nil, the stats go nowhere.
	NewSink func(statPrefix string, defs []stats.Def) stats.Sink
	// Warn writes a line to Envoy's log, by the rules of package logline. Without it there is no log.
	Warn func(format string, arguments ...any)
}

// warnFunc is the type of Host.Warn.
type warnFunc = func(format string, arguments ...any)

// Instance is a config at work. Sessions may outlive Close: what they count then is lost, and they find brokers by what
// was known.
type Instance struct {
	session.Environment
	sink    stats.Sink     // nil: stats go nowhere
	runtime *runtimeGauges // nil without a sink
	logRate logRate

	stop, flushed chan struct{} // flush shall end, has ended
	watches       []*watch      // one for each cluster
	atEnd         cleanup
	closeOnce     sync.Once
}

// Start puts a config to work.
func Start(config *apiv1.Config, host Host) *Instance {
	fitted := *config
	config = &fitted
	warn := host.Warn
	if warn == nil {
		warn = func(string, ...any) {}
	}
	most := openFiles()
	files.SetLimit(sessionFiles(most))
	fitFiles(&config.Limits, most, warn)
	x := &Instance{
		Environment: session.Environment{
			Config: config,
			Rules:  addressing.New(config.Addressing),
			Stats:  stats.New(),
			Files:  &files,
			Own:    reach.Process,
		},
		stop:    make(chan struct{}),
		flushed: make(chan struct{}),
	}
	x.Warn = func(now session.Instant, format string, arguments ...any) {
		if x.MayLog(now) {
			warn(format, arguments...)
		}
	}
	x.openStats(host)
	x.atEnd.add(reach.Process.Advertise(x.Rules.Advertises))
	x.openClusters(warn)
	if c := config.RequestLog; c != nil {
		x.Observers = append(x.Observers, requestlog.NewObserver(c, openRequestLog(c, &x.atEnd), x.Stats.Recorder()))
	}
	if x.sink != nil {
		x.runtime = newRuntimeGauges(config.StatPrefix, x.Stats.Recorder())
		go x.flush()
	} else {
		close(x.flushed)
	}
	return x
}

// openStats defines the counters of the config's own, before a sink is made of all stats.
func (x *Instance) openStats(host Host) {
	x.Policy = policy.New(x.Config.Policy, x.Stats)
	if c := x.Config.Breakdown; c != nil {
		x.Observers = append(x.Observers, breakdown.New(c, x.Stats))
		x.CountsMessages = true
	}
	if host.NewSink != nil {
		x.sink = host.NewSink(x.Config.StatPrefix, x.Stats.Defs())
	}
	x.Stats.Recorder().Inc(stats.BuildInfo)
}

// openClusters opens the directories of the config's clusters: RocketMQ's or, in a compatible config, Envoy's.
func (x *Instance) openClusters(warn warnFunc) {
	c := x.Config.Compatible
	if c == nil {
		x.adopt(openDirectories(x.Config, &x.atEnd), x.Config.ClusterOf, warn)
		return
	}
	clusters := openEnvoyClusters(x.Config, warn, &x.atEnd)
	x.adopt(clusters.directories, clusters.clusterOf(c.Routes), warn)
	x.EnvoyRouting = clusters.compatible(x.Config, &x.atEnd)
	clusters.watch(c.RefreshInterval)
}

// adopt makes directories the config's, and counts and logs their refreshes until Close.
func (x *Instance) adopt(all []*directory.Directory, clusterOf func(topic string) int, warn warnFunc) {
	for _, d := range all {
		x.watches = append(x.watches, newWatch(d, x.Stats.Recorder(), warn))
	}
	x.Clusters = directory.NewClusters(clusterOf, all...)
}

// MayLog reports whether one more line that a connection causes may go to Envoy's log now, by any clock that all callers
// share; if not, it counts the line. It may be called from any thread.
func (x *Instance) MayLog(now session.Instant) bool {
	ok := x.logRate.admit(now, x.Config.Limits.MaxLogLinesPerMinute)
	if !ok {
		x.Stats.Recorder().Inc(stats.LogSuppressed)
	}
	return ok
}

func (x *Instance) flush() {
	defer close(x.flushed)
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			x.runtime.show()
			x.Stats.Flush(x.sink)
		case <-x.stop:
			return
		}
	}
}

// Close flushes a last time and releases what is shared.
func (x *Instance) Close() {
	x.closeOnce.Do(func() {
		close(x.stop)
		<-x.flushed
		for _, w := range x.watches {
			w.close()
		}
		x.Stats.Recorder().Add(stats.BuildInfo, -1)
		if x.sink != nil {
			x.runtime.close()
			x.Stats.Flush(x.sink)
		}
		x.atEnd.run()
	})
}
