// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"errors"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/refresher"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// watch counts and logs the refreshes of one directory for one config.
type watch struct {
	directory *directory.Directory
	recorder  *stats.Recorder
	warn      warnFunc
	dropped   atomic.Int64 // of the directory, as counted so far
	stale     atomic.Bool
	failing   atomic.Bool // the last refresh has failed, and that is in the log
	unobserve func()
}

func newWatch(d *directory.Directory, recorder *stats.Recorder, warn warnFunc) *watch {
	w := &watch{directory: d, recorder: recorder, warn: warn}
	w.dropped.Store(d.Beyond())
	w.setStale(d.Stale())
	w.unobserve = d.Observe(w.refreshed)
	session.WarnOfBrokers(d, warn) // another config may have refreshed it before
	return w
}

// refreshed is called after each refresh of the directory.
func (w *watch) refreshed(err error) {
	w.recorder.Inc(stats.DirectoryRefresh)
	if err != nil {
		w.recorder.Inc(stats.DirectoryRefreshFailure)
		if !w.failing.Swap(true) {
			w.warn("the brokers' addresses cannot be refreshed, those known so far are kept: %v", err)
			if fault := (*refresher.Fault)(nil); errors.As(err, &fault) {
				for _, line := range logline.Stack(fault.Stack) {
					w.warn("%v", line)
				}
			}
		}
	} else {
		w.failing.Store(false)
		session.WarnOfBrokers(w.directory, w.warn)
	}
	dropped := w.directory.Beyond()
	w.recorder.Add(stats.DirectoryOverLimit, dropped-w.dropped.Swap(dropped))
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

// close ends the watch; the gauge of stale directories no longer counts this one.
func (w *watch) close() {
	w.unobserve()
	w.setStale(false)
}
