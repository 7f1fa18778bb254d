// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultInterval is how often a Watcher should refresh.
const DefaultInterval = 5 * time.Second

// minRefreshGap is the least time between two refreshes, whoever asks for them.
const minRefreshGap = time.Second

// Source gives clusters by name; Client is the one that asks Envoy.
type Source interface {
	Read(ctx context.Context, names []string) (*Snapshot, error)
	// Close is called once, after the last Read.
	Close()
}

// Watcher keeps a snapshot of some clusters fresh. It is shared by all sessions. All methods may be called
// from any thread.
type Watcher struct {
	source   Source
	names    []string
	interval time.Duration

	snapshot atomic.Pointer[Snapshot]

	ask  chan struct{}
	stop context.CancelFunc
	done chan struct{}

	asked atomic.Bool // a refresh has been completed
	stale atomic.Bool // the last one failed

	mu       sync.Mutex // guards the fields below
	waiting  map[*func()]struct{}
	observer map[*func(error)]struct{}
}

// New makes a Watcher of the clusters with these names; Start makes it work.
func New(names []string, interval time.Duration, source Source) *Watcher {
	w := &Watcher{
		source:   source,
		names:    names,
		interval: interval,
		ask:      make(chan struct{}, 1),
		done:     make(chan struct{}),
		waiting:  make(map[*func()]struct{}),
		observer: make(map[*func(error)]struct{}),
	}
	w.snapshot.Store(&Snapshot{})
	return w
}

// Start begins to refresh, at once and then at intervals, until Stop. It does not wait for the first.
func (w *Watcher) Start() {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go w.run(ctx)
}

// Stop ends the refreshing and waits for it; a request that is under way is broken off. It may be called on
// Envoy's main thread.
func (w *Watcher) Stop() {
	w.stop()
	<-w.done
}

func (w *Watcher) run(ctx context.Context) {
	defer close(w.done)
	defer w.source.Close()
	for failures := 0; ; {
		w.refresh(ctx)
		pause := w.interval
		if w.Stale() { // try again soon, and then less and less often
			pause = min(pause, minRefreshGap<<min(failures, 5))
			failures++
		} else {
			failures = 0
		}
		gap := time.NewTimer(minRefreshGap)
		next := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-gap.C:
			select {
			case <-ctx.Done():
			case <-next.C:
			case <-w.ask:
			}
		}
		gap.Stop()
		next.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// refresh reads once. What was known stays if that fails.
func (w *Watcher) refresh(ctx context.Context) {
	next, err := w.source.Read(ctx, w.names)
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	if err == nil {
		w.snapshot.Store(next)
	}
	w.asked.Store(true)
	w.stale.Store(err != nil)
	var wake []func()
	for each := range w.waiting {
		wake = append(wake, *each)
	}
	clear(w.waiting)
	var observers []func(error)
	for each := range w.observer {
		observers = append(observers, *each)
	}
	w.mu.Unlock()
	for _, each := range wake {
		each()
	}
	for _, each := range observers {
		each(err)
	}
}

// RefreshSoon asks for a refresh ahead of the interval; many calls become one.
func (w *Watcher) RefreshSoon() {
	select {
	case w.ask <- struct{}{}:
	default:
	}
}

// Snapshot is what is known now; before the first refresh that succeeds it has no clusters.
func (w *Watcher) Snapshot() *Snapshot { return w.snapshot.Load() }

// Asked tells whether a refresh has been completed, successful or not.
func (w *Watcher) Asked() bool { return w.asked.Load() }

// Stale tells whether the last refresh failed.
func (w *Watcher) Stale() bool { return w.stale.Load() }

// Await has `wake` called once, after the next refresh whatever its outcome; Forget takes that back.
func (w *Watcher) Await(wake *func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[wake] = struct{}{}
}

// Forget removes what Await registered.
func (w *Watcher) Forget(wake *func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, wake)
}

// Observe calls `each` after every refresh with its error, until the returned function is called.
func (w *Watcher) Observe(each func(error)) (remove func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observer[&each] = struct{}{}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.observer, &each)
	}
}
