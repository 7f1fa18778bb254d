// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeSource is an Envoy that answers, fails or hangs.
type fakeSource struct {
	calls, running, closed atomic.Int32
	down, hang             atomic.Bool
	took                   time.Duration // constant
}

func (f *fakeSource) Read(ctx context.Context, names []string) (*Snapshot, error) {
	f.calls.Add(1)
	if f.running.Add(1) > 1 {
		panic("two at once")
	}
	defer f.running.Add(-1)
	time.Sleep(f.took)
	if f.hang.Load() {
		<-ctx.Done()
	}
	if f.down.Load() || ctx.Err() != nil {
		return nil, errors.New("down")
	}
	s := &Snapshot{clusters: make(map[string]*Cluster), asked: make(map[string]bool)}
	for _, name := range names {
		s.clusters[name], s.asked[name] = &Cluster{Name: name}, true
	}
	return s, nil
}

func (f *fakeSource) Close() { f.closed.Add(1) }

func TestTheFirstRefreshIsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		w := New(source)
		if w.Asked() || len(w.Snapshot().Names()) != 0 {
			t.Error("asked before the first refresh")
		}
		if _, ok := w.Snapshot().Cluster("a"); ok {
			t.Error("a cluster of the empty snapshot")
		}
		w.Watch([]string{"a", "b"}, 5*time.Second)
		synctest.Wait()
		if _, ok := w.Snapshot().Cluster("b"); !ok || !w.Asked() || w.Stale() {
			t.Error("not there")
		}
		w.Stop()
		if source.closed.Load() != 1 {
			t.Error("not closed")
		}
	})
}

func TestRefreshesComeAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		w := New(source)
		w.Watch(nil, 5*time.Second)
		defer w.Stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := source.calls.Load(); got != 13 {
			t.Errorf("%d refreshes in a minute", got)
		}
	})
}

func TestWhatWasKnownStaysWhileAdminIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		w := New(source)
		var outcomes []bool
		remove := w.Observe(func(err error) { outcomes = append(outcomes, err == nil) })
		w.Watch([]string{"a"}, 30*time.Second)
		defer w.Stop()
		synctest.Wait()
		before := w.Snapshot()
		source.down.Store(true)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if w.Snapshot() != before || !w.Stale() {
			t.Error("forgotten")
		}
		source.down.Store(false)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if w.Stale() || w.Snapshot() == before {
			t.Error("still stale")
		}
		remove()
		seen := len(outcomes)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if len(outcomes) != seen || seen < 3 || !outcomes[0] || outcomes[1] || !outcomes[seen-1] {
			t.Errorf("observed %v, %d before the end", outcomes, seen)
		}
	})
}

func TestAfterAFailureItTriesAgainSoonAndThenLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		source.down.Store(true)
		w := New(source)
		w.Watch(nil, 30*time.Second)
		defer w.Stop()
		for _, step := range []struct {
			at   time.Duration // since the last step
			want int32
		}{{0, 1}, {time.Second, 2}, {2 * time.Second, 3}, {4 * time.Second, 4}, {8 * time.Second, 5}, {16 * time.Second, 6}, {30 * time.Second, 7}, {30 * time.Second, 8}} {
			time.Sleep(step.at)
			synctest.Wait()
			if got := source.calls.Load(); got != step.want {
				t.Errorf("%d refreshes %v later, want %d", got, step.at, step.want)
			}
		}
	})
}

func TestDemandsBecomeOneRefreshASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{took: 300 * time.Millisecond}
		w := New(source)
		w.Watch(nil, time.Hour)
		defer w.Stop()
		for range 130 {
			w.RefreshSoon()
			time.Sleep(100 * time.Millisecond)
		}
		if got := source.calls.Load(); got < 9 || got > 11 { // each 1.3 s
			t.Errorf("%d refreshes in 13 s", got)
		}
	})
}

func TestSessionsAreWokenByTheNextRefreshUnlessTheyForgot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		source.down.Store(true) // whatever the outcome
		w := New(source)
		var woken, forgotten int
		wake, forget := func() { woken++ }, func() { forgotten++ }
		w.Await(&wake)
		w.Await(&forget)
		w.Forget(&forget)
		w.Watch(nil, time.Hour)
		defer w.Stop()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if woken != 1 || forgotten != 0 {
			t.Errorf("woken %d times, the forgotten one %d times", woken, forgotten)
		}
	})
}

func TestStopBreaksARefreshOffAndTellsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		source.hang.Store(true)
		w := New(source)
		w.Observe(func(err error) { t.Errorf("observed %v", err) })
		w.Watch(nil, time.Hour)
		synctest.Wait()
		begin := time.Now()
		w.Stop()
		if took := time.Since(begin); took != 0 || w.Asked() {
			t.Errorf("Stop took %v, asked %v", took, w.Asked())
		}
	})
}

func TestOneWatcherServesAllWhoName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		w := New(source)
		w.Watch([]string{"b", "a"}, time.Hour)
		synctest.Wait()
		if s := w.Snapshot(); !s.Covers("a") || s.Covers("c") {
			t.Error("want a and b")
		}
		remove := w.Watch([]string{"a", "c"}, 10*time.Second)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := w.Snapshot().Names(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("got %v", got)
		}
		if got := source.calls.Load(); got < 6 || got > 8 { // the interval is the least that is wanted
			t.Errorf("%d reads in a minute", got)
		}
		remove()
		time.Sleep(10 * time.Second)
		w.RefreshSoon()
		time.Sleep(time.Second)
		synctest.Wait()
		calls := source.calls.Load()
		time.Sleep(50 * time.Minute)
		if w.Snapshot().Covers("c") || source.calls.Load() != calls {
			t.Errorf("still covers c: %v; %d reads since", w.Snapshot().Covers("c"), source.calls.Load()-calls)
		}
		w.Stop()
	})
}
