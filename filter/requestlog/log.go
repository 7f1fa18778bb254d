// SPDX-License-Identifier: Apache-2.0

package requestlog

import (
	"bytes"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// queueLength is how many records can wait for the writer; each has a few hundred bytes.
const queueLength = 4096

// followInterval is the time between two checks whether the file was moved, two flushes, and two tries to open it.
const followInterval = time.Second

// closeLimit bounds the time that Close waits for a file that takes nothing, such as a pipe that nobody reads: Envoy's main thread
// calls it.
const closeLimit = time.Second

// Log is one file with its writer. Its methods may be called from any thread.
type Log struct {
	file     *file // the writer's
	queue    chan entry
	stop     chan struct{}
	done     chan struct{}
	maxBytes atomic.Int64
	maxFiles atomic.Int64
}

// entry is a record and the recorder that counts it.
type entry struct {
	record   session.Record
	ended    time.Time
	recorder *stats.Recorder
}

// Open starts to write to a file. Limit must follow.
func Open(path string) *Log {
	l := &Log{file: &file{path: path}, queue: make(chan entry, queueLength), stop: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// Limit sets the size at which the file is put aside, and how many files are kept.
func (l *Log) Limit(maxBytes, maxFiles int) {
	l.maxBytes.Store(int64(maxBytes))
	l.maxFiles.Store(int64(maxFiles))
}

// Close writes the queued records and closes the file, within closeLimit. Records that come later are lost.
func (l *Log) Close() {
	close(l.stop)
	select {
	case <-l.done:
	case <-time.After(closeLimit):
		l.file.abandon()
	}
}

// put hands a record over, or drops it if too many wait.
func (l *Log) put(r *session.Record, ended time.Time, recorder *stats.Recorder) {
	select {
	case l.queue <- entry{*r, ended, recorder}:
	default:
		recorder.Inc(stats.RequestLogDropped)
	}
}

// writer is the state of a Log's goroutine.
type writer struct {
	*Log
	*file
	line     bytes.Buffer
	encoder  *json.Encoder
	recorder *stats.Recorder // of the last record
	failed   bool            // in this interval: nothing is tried before the next
}

func (l *Log) run() {
	defer close(l.done)
	w := &writer{Log: l, file: l.file}
	w.encoder = json.NewEncoder(&w.line)
	w.encoder.SetEscapeHTML(false)
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		select {
		case e := <-l.queue:
			w.take(e)
		case <-ticker.C:
			w.check(w.flush())
			w.follow()
			w.failed = false
		case <-l.stop:
			for len(l.queue) > 0 {
				w.take(<-l.queue)
			}
			w.check(w.flush())
			w.close()
			return
		}
	}
}

func (w *writer) take(e entry) {
	w.recorder = e.recorder
	if w.failed {
		e.recorder.Inc(stats.RequestLogDropped)
		return
	}
	w.line.Reset()
	kept, err := false, encode(w.encoder, &e.record, e.ended)
	if err == nil {
		kept, err = w.write(w.line.Bytes(), w.maxBytes.Load(), int(w.maxFiles.Load()))
	}
	switch {
	case kept && err != nil:
		e.recorder.Inc(stats.RequestLogFailure)
		fallthrough
	case kept:
		e.recorder.Inc(stats.RequestLogWritten)
	default:
		e.recorder.Inc(stats.RequestLogDropped)
		w.check(err)
	}
}

// check counts a failure.
func (w *writer) check(err error) {
	if err != nil {
		w.failed = true
		w.recorder.Inc(stats.RequestLogFailure)
	}
}
