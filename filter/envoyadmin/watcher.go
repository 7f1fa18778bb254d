// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/refresher"
)

// Source gives clusters by name; Client is the one that asks Envoy.
type Source interface {
	Read(ctx context.Context, names []string) (*Snapshot, error)
	// Close is called once, after the last Read.
	Close()
}

// Watcher keeps a snapshot of some clusters fresh, for all configs that name the same admin interface. All methods may
// be called from any thread.
type Watcher struct {
	*refresher.Refresher
	source   Source
	snapshot atomic.Pointer[Snapshot]

	mu      sync.Mutex
	watches map[*watch]struct{}
}

// watch is the clusters that one config names, and how often it wants them read.
type watch struct {
	names    []string
	interval time.Duration
}

// New makes a Watcher of no clusters; the first Watch makes it work.
func New(source Source) *Watcher {
	w := &Watcher{source: source, watches: make(map[*watch]struct{})}
	w.Refresher = refresher.New(0, w.refresh)
	w.snapshot.Store(&Snapshot{})
	return w
}

// Watch adds clusters to those that are read, and has all read at least this often, until `remove` is called.
func (w *Watcher) Watch(names []string, interval time.Duration) (remove func()) {
	added := &watch{names, interval}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watches[added] = struct{}{}
	w.setInterval()
	if len(w.watches) == 1 && !w.Started() {
		w.Start()
	} else {
		w.RefreshSoon()
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watches, added)
		w.setInterval()
	}
}

// setInterval makes the interval the least that is wanted.
func (w *Watcher) setInterval() {
	least := time.Duration(math.MaxInt64)
	for each := range w.watches {
		least = min(least, each.interval)
	}
	w.SetInterval(least)
}

// names are those of all watched clusters, sorted, each once.
func (w *Watcher) names() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for each := range w.watches {
		names = append(names, each.names...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Stop ends the refreshing and waits for it; a request that is under way is broken off. It may be called on
// Envoy's main thread.
func (w *Watcher) Stop() {
	w.Refresher.Stop()
	w.source.Close()
}

// refresh reads once. What was known stays if that fails.
func (w *Watcher) refresh(ctx context.Context) error {
	next, err := w.source.Read(ctx, w.names())
	if err == nil && ctx.Err() == nil {
		w.snapshot.Store(next)
	}
	return err
}

// Snapshot is what is known now; before the first refresh that succeeds it has no clusters.
func (w *Watcher) Snapshot() *Snapshot { return w.snapshot.Load() }
