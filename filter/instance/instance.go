// SPDX-License-Identifier: Apache-2.0

// Package instance makes the things that live as long as a filter config: its stats, which it flushes
// to Envoy, and the directory of its RocketMQ cluster, which configs with equal clusters share (one
// config per listener is the rule, with several listeners for one cluster).
package instance

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// flushInterval is how often stats reach Envoy.
const flushInterval = time.Second

// Instance is a config at work. Sessions may outlive Close: what they count then is lost, and they
// find brokers by what was known.
type Instance struct {
	session.Environment
	sink        stats.Sink
	stop        chan struct{}
	done        chan struct{}
	unobserve   func()
	releaseOnce sync.Once
	stale       atomic.Bool
}

// Start puts a config to work. With a nil sink its stats go nowhere.
func Start(config *apiv1.Config, sink stats.Sink) *Instance {
	x := &Instance{
		Environment: session.Environment{
			Config:    config,
			Rules:     addressing.New(config.Addressing),
			Directory: acquireDirectory(config),
			Stats:     stats.New(),
		},
		sink: sink,
		stop: make(chan struct{}),
		done: make(chan struct{}),
	}
	x.setStale(x.Directory.Stale())
	x.unobserve = x.Directory.Observe(x.refreshed)
	if x.sink != nil {
		go x.flush()
	} else {
		close(x.done)
	}
	return x
}

// refreshed counts a refresh of the directory.
func (x *Instance) refreshed(err error) {
	x.Stats.Recorder().Inc(stats.DirectoryRefresh)
	if err != nil {
		x.Stats.Recorder().Inc(stats.DirectoryRefreshFailure)
	}
	x.setStale(err != nil)
}

func (x *Instance) setStale(stale bool) {
	if x.stale.Swap(stale) == stale {
		return
	}
	if stale {
		x.Stats.Recorder().Inc(stats.DirectoryStale)
	} else {
		x.Stats.Recorder().Add(stats.DirectoryStale, -1)
	}
}

func (x *Instance) flush() {
	defer close(x.done)
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			x.Stats.Flush(x.sink)
		case <-x.stop:
			return
		}
	}
}

// Close flushes a last time and lets go of what is shared.
func (x *Instance) Close() {
	x.releaseOnce.Do(func() {
		close(x.stop)
		<-x.done
		x.unobserve()
		x.setStale(false)
		if x.sink != nil {
			x.Stats.Flush(x.sink)
		}
		releaseDirectory(x.Config)
	})
}

var shared = struct {
	sync.Mutex
	directories map[string]*sharedDirectory
}{directories: make(map[string]*sharedDirectory)}

type sharedDirectory struct {
	*directory.Directory
	users int
}

func directoryKey(c *apiv1.Config) string {
	return fmt.Sprintf("%q %d %d", fmt.Sprint(c.Cluster), c.Limits.MaxFrameBytes, c.Limits.MaxHeaderBytes)
}

func acquireDirectory(c *apiv1.Config) *directory.Directory {
	shared.Lock()
	defer shared.Unlock()
	key := directoryKey(c)
	d := shared.directories[key]
	if d == nil {
		source := directory.RemotingNameServers{
			Limits:      codec.Limits{MaxFrame: c.Limits.MaxFrameBytes, MaxHeader: c.Limits.MaxHeaderBytes},
			Credentials: directory.Credentials(c.Cluster.Credentials),
		}
		d = &sharedDirectory{Directory: directory.New(c.Cluster.NameServers, c.Cluster.RefreshInterval, source)}
		d.Start()
		shared.directories[key] = d
	}
	d.users++
	return d.Directory
}

func releaseDirectory(c *apiv1.Config) {
	shared.Lock()
	key := directoryKey(c)
	d := shared.directories[key]
	d.users--
	last := d.users == 0
	if last {
		delete(shared.directories, key)
	}
	shared.Unlock()
	if last {
		d.Stop()
	}
}
