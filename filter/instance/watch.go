// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"errors"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/refresher"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// watch counts the refreshes of one directory for one config.
type watch struct {
	directory *directory.Directory
	recorder  *stats.Recorder
	learned   func()       // called at the start and after each refresh that has succeeded
	beyond    atomic.Int64 // of the directory, as counted so far
	stale     atomic.Bool
	failing   atomic.Bool // the last refresh has failed, and that is in the log
	unobserve func()
}

func newWatch(d *directory.Directory, recorder *stats.Recorder, learned func()) *watch {
	w := &watch{directory: d, recorder: recorder, learned: learned}
	w.beyond.Store(d.Beyond())
	w.setStale(d.Stale())
	w.unobserve = d.Observe(w.refreshed)
	learned() // another config may have had it refreshed
	return w
}

// Warn takes a line for Envoy's log, by the rules of package logline. The host sets it; without one there is no log.
var Warn = func(format string, arguments ...any) {}

func (w *watch) refreshed(err error) {
	w.recorder.Inc(stats.DirectoryRefresh)
	if err != nil {
		w.recorder.Inc(stats.DirectoryRefreshFailure)
		if !w.failing.Swap(true) {
			Warn("the brokers' addresses cannot be refreshed, those known so far are kept: %v", err)
			if fault := (*refresher.Fault)(nil); errors.As(err, &fault) {
				for _, line := range logline.Stack(fault.Stack) {
					Warn("%v", line)
				}
			}
		}
	} else {
		w.failing.Store(false)
		w.learned()
	}
	beyond := w.directory.Beyond()
	w.recorder.Add(stats.DirectoryOverLimit, beyond-w.beyond.Swap(beyond))
	w.setStale(err != nil)
}

func (w *watch) setStale(stale bool) {
	if w.stale.Swap(stale) == stale {
		return
	}
	if stale {
		w.recorder.Inc(stats.DirectoryStale)
	} else {
		w.recorder.Add(stats.DirectoryStale, -1)
	}
}

func (w *watch) end() {
	w.unobserve()
	w.setStale(false)
}
