// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"context"
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

// Watcher keeps a snapshot of some clusters fresh. It is shared by all sessions. All methods may be called
// from any thread.
type Watcher struct {
	*refresher.Refresher
	source   Source
	names    []string
	snapshot atomic.Pointer[Snapshot]
}

// New makes a Watcher of the clusters with these names; Start makes it work.
func New(names []string, interval time.Duration, source Source) *Watcher {
	w := &Watcher{source: source, names: names}
	w.Refresher = refresher.New(interval, w.refresh)
	w.snapshot.Store(&Snapshot{})
	return w
}

// Stop ends the refreshing and waits for it; a request that is under way is broken off. It may be called on
// Envoy's main thread.
func (w *Watcher) Stop() {
	w.Refresher.Stop()
	w.source.Close()
}

// refresh reads once. What was known stays if that fails.
func (w *Watcher) refresh(ctx context.Context) error {
	next, err := w.source.Read(ctx, w.names)
	if err == nil && ctx.Err() == nil {
		w.snapshot.Store(next)
	}
	return err
}

// Snapshot is what is known now; before the first refresh that succeeds it has no clusters.
func (w *Watcher) Snapshot() *Snapshot { return w.snapshot.Load() }
