// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"sync/atomic"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Totals are what the client connections of one config take together. The zero value is nothing taken.
type Totals struct {
	Connections Total
	Pending     Total // requests that wait for an answer
	Memory      Total // bytes that are kept

	sources sources
}

// Sources returns how many client addresses have connections.
func (t *Totals) Sources() int { return t.sources.size() }

// Connection is what one client connection takes of the totals of its config, and of the files of the process. The zero
// value has joined nothing.
type Connection struct {
	Pending Share // requests that wait for an answer
	Memory  Share // bytes that are kept

	connections Share // this connection
	totals      *Totals
	source      *Source
	files       *Files // nil where any number of files may be open
	fileSource  *Source
	percent     int64 // of files that a source may have of what others leave
	ownFiles    int   // open as long as the connection is
	recorder    *stats.Recorder
}

// Join begins to count what a connection of the client at `remote` ("ip:port") takes; the caller must call Leave once. A
// nil `files` bounds nothing.
func (c *Connection) Join(totals *Totals, files *Files, limits *apiv1.LimitsConfig, remote string, recorder *stats.Recorder) {
	network, isNew := networkOf(remote), false
	c.totals, c.files, c.recorder, c.percent = totals, files, recorder, int64(limits.MaxSourcePercent)
	if c.source, isNew = totals.sources.join(network); isNew {
		recorder.Inc(stats.SourceActive)
	}
	if files != nil {
		c.fileSource, _ = files.sources.join(network)
	}
	share := func(total *Total, source *atomic.Int64, limit, own, chunk int) Share {
		return Share{
			total: total, source: source, limit: int64(limit), percent: c.percent,
			own: int64(own), chunk: int64(chunk), recorder: recorder,
		}
	}
	c.connections = share(&totals.Connections, &c.source.connections, limits.MaxConnections, 1, 0)
	c.Pending = share(&totals.Pending, &c.source.pending, limits.MaxTotalPendingRequests, limits.MaxPendingRequests, 16)
	c.Memory = share(&totals.Memory, &c.source.memory, limits.MaxTotalBytes, limits.MaxSessionBytes, 16<<10)
	c.Memory.isMemory = true
}

// Admit reports whether there is room for one more client connection with so many files, and takes it.
func (c *Connection) Admit(files int) bool {
	if !c.connections.Reserve(1) {
		return false
	}
	if !c.OpenFiles(files) {
		c.connections.Close(0)
		return false
	}
	c.ownFiles = files
	return true
}

// OpenFiles counts n more open files. It returns false, and counts nothing, if that exceeds a limit.
func (c *Connection) OpenFiles(n int) bool {
	if c.files == nil {
		return true
	}
	result := c.files.total.take(&c.fileSource.files, int64(n), c.files.limit.Load(), c.percent)
	if result == sourceTaken {
		c.recorder.Inc(stats.SourceOverLimit)
	}
	return result == granted
}

// CloseFiles counts n files that are closed.
func (c *Connection) CloseFiles(n int) {
	if c.files != nil {
		c.files.total.giveBack(&c.fileSource.files, int64(n))
	}
}

// Leave returns what the connection itself has taken, once everything else of it is closed.
func (c *Connection) Leave() {
	c.Memory.Close(0)
	c.CloseFiles(c.ownFiles)
	c.connections.Close(0)
	if c.totals.sources.leave(c.source) {
		c.recorder.Add(stats.SourceActive, -1)
	}
	if c.files != nil {
		c.files.sources.leave(c.fileSource)
	}
}
