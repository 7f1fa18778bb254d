// SPDX-License-Identifier: Apache-2.0

// Package refresher keeps something fresh that is known from elsewhere.
package refresher

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// minGap is the least time between two refreshes, whoever asks for them.
const minGap = time.Second

// Refresher refreshes at the start, at intervals and on demand, one at a time. After a failure it tries again
// soon, and then less and less often. All methods may be called from any thread.
type Refresher struct {
	refresh  func(context.Context) error
	interval atomic.Int64 // nanoseconds

	ask  chan struct{}
	stop context.CancelFunc
	done chan struct{}

	asked atomic.Bool // a refresh has been completed
	stale atomic.Bool // the last one failed

	mu       sync.Mutex // guards the fields below
	waiting  map[*func()]struct{}
	observer map[*func(error)]struct{}
}

// New makes a Refresher; Start makes it work. `refresh` takes in what it finds before it returns, and leaves
// everything as it is when it fails or when its context has ended.
func New(interval time.Duration, refresh func(context.Context) error) *Refresher {
	r := &Refresher{
		refresh:  refresh,
		ask:      make(chan struct{}, 1),
		done:     make(chan struct{}),
		waiting:  make(map[*func()]struct{}),
		observer: make(map[*func(error)]struct{}),
	}
	r.SetInterval(interval)
	return r
}

// SetInterval changes the interval, from the next refresh on.
func (r *Refresher) SetInterval(interval time.Duration) { r.interval.Store(int64(interval)) }

// Start begins to refresh, until Stop. It does not wait for the first time.
func (r *Refresher) Start() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go r.run(ctx)
}

// Started reports whether Start has been called.
func (r *Refresher) Started() bool { return r.stop != nil }

// Stop ends the refreshing and waits for it; what is under way is broken off.
func (r *Refresher) Stop() {
	r.stop()
	<-r.done
}

func (r *Refresher) run(ctx context.Context) {
	defer close(r.done)
	for failures := 0; ; {
		if err := Recovered(func() error { return r.refresh(ctx) }); ctx.Err() == nil {
			r.tell(err)
		}
		pause := time.Duration(r.interval.Load())
		if r.Stale() {
			pause = min(pause, minGap<<min(failures, 5))
			failures++
		} else {
			failures = 0
		}
		gap := time.NewTimer(minGap)
		next := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-gap.C:
			select {
			case <-ctx.Done():
			case <-next.C:
			case <-r.ask:
			}
		}
		gap.Stop()
		next.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// Fault is a panic of a refresh.
type Fault struct {
	Value any
	Stack []byte
}

func (f *Fault) Error() string { return fmt.Sprintf("fault: %v", f.Value) }

// Recovered calls f and returns a panic of it as an error: what a server has answered may be behind it.
func Recovered(f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = &Fault{fault, debug.Stack()}
		}
	}()
	return f()
}

// tell wakes who waits and tells observers the outcome.
func (r *Refresher) tell(err error) {
	r.mu.Lock()
	r.asked.Store(true)
	r.stale.Store(err != nil)
	var wake []func()
	for each := range r.waiting {
		wake = append(wake, *each)
	}
	clear(r.waiting)
	var observers []func(error)
	for each := range r.observer {
		observers = append(observers, *each)
	}
	r.mu.Unlock()
	for _, each := range wake {
		each()
	}
	for _, each := range observers {
		each(err)
	}
}

// RefreshSoon asks for a refresh ahead of the interval; many calls become one.
func (r *Refresher) RefreshSoon() {
	select {
	case r.ask <- struct{}{}:
	default:
	}
}

// Asked tells whether a refresh has been completed, successful or not: what can be known at the start is
// known then.
func (r *Refresher) Asked() bool { return r.asked.Load() }

// Stale tells whether the last refresh failed.
func (r *Refresher) Stale() bool { return r.stale.Load() }

// Await has `wake` called once, after the next refresh whatever its outcome; Forget takes that back. The
// pointer is what tells one from another.
func (r *Refresher) Await(wake *func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[wake] = struct{}{}
}

// Forget removes what Await registered.
func (r *Refresher) Forget(wake *func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, wake)
}

// Observe calls `each` after every refresh with its error, until the returned function is called.
func (r *Refresher) Observe(each func(error)) (remove func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observer[&each] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.observer, &each)
	}
}
