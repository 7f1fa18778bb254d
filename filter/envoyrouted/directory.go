// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import (
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// fallbackInterval is the time after which a directory of endpoints is refreshed although no watcher has looked.
const fallbackInterval = time.Hour

// Directory is a directory of the brokers that the endpoints of a cluster of Envoy are. It follows a watcher: it starts once
// a look at Envoy has covered its cluster, so that sessions wait until then, and is refreshed after each look.
type Directory struct {
	*directory.Directory
	source    *source
	cluster   string
	unobserve func()

	mu               sync.Mutex
	started, stopped bool
}

// NewDirectory makes a directory of a cluster, which is to be watched from then on: the directory sees the first look.
func NewDirectory(cluster string, bounds directory.Bounds, watcher *envoyadmin.Watcher) *Directory {
	s := &source{Watcher: watcher}
	d := &Directory{Directory: directory.New([]string{cluster}, fallbackInterval, 0, bounds, s), source: s, cluster: cluster}
	d.Restrict(reach.Rules{Own: reach.Process, Configured: true})
	d.unobserve = watcher.Observe(d.looked)
	return d
}

// looked is called after each look at Envoy's clusters. The first look may have begun before the cluster was watched.
func (d *Directory) looked(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || err == nil && !d.source.Snapshot().Covers(d.cluster) {
		return
	}
	d.source.fresh.Store(true)
	if d.started {
		d.RefreshSoon()
		return
	}
	d.started = true
	d.Start()
}

// Stop ends the directory. Its snapshot can still be read.
func (d *Directory) Stop() {
	d.unobserve()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.started {
		d.Directory.Stop()
	}
}
