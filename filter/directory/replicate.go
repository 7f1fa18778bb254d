// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

const (
	// maxCopying bounds, in bytes, the changes that wait for one name server, each of which takes copyCost beside its
	// frame. A single one may be larger.
	maxCopying = 32 << 20
	copyCost   = 64 << 10
	// maxCopyWait bounds how long a change may wait for its turn and for its answer.
	maxCopyWait = 4 * nameServerTimeout
)

var errTooManyCopies = errors.New("too many changes are on their way to this name server")

// copies has the changes that wait for each name server, in the order in which they came. The zero value is empty.
type copies struct {
	mu       sync.Mutex // held while a change joins all queues, so that each has the same order
	byServer map[string]*copyQueue
}

// copyQueue has the changes that wait for one name server; a goroutine sends one after the other until none is left.
type copyQueue struct {
	changes []change
	bytes   int64
}

// change is a request that sets name-server data.
type change struct {
	frame    []byte
	deadline time.Time
	failed   func(error)
}

func (c change) cost() int64 { return int64(len(c.frame)) + copyCost }

// Replicate sends a client's change of name-server data to every name server, in the background and in
// addition to the one that the client's connection leads to: that one gets it twice, which does no harm
// as such requests set a state. Each name server gets all changes in the order of the calls, one after the other.
// `failed` is called for each name server that did not take it, or for which too much waits already. `frame` is
// borrowed. Replicate does nothing where there is only one name server.
func (d *Directory) Replicate(frame []byte, failed func(error)) {
	servers := d.Snapshot().NameServers()
	if len(servers) < 2 {
		return
	}
	full := 0
	d.copies.mu.Lock()
	next := change{frame: frame, deadline: time.Now().Add(maxCopyWait), failed: failed}
	owned := false
	for _, address := range servers {
		q := d.copies.queue(address)
		if q.bytes > 0 && q.bytes+next.cost() > maxCopying {
			full++
			continue
		}
		if !owned {
			next.frame, owned = bytes.Clone(frame), true
		}
		if q.bytes == 0 {
			go d.sendCopies(address, q)
		}
		q.changes = append(q.changes, next)
		q.bytes += next.cost()
	}
	d.copies.mu.Unlock()
	for range full {
		failed(errTooManyCopies)
	}
}

// queue returns the queue of a name server. One that is empty has no goroutine, and gets a change next.
func (c *copies) queue(address string) *copyQueue {
	q := c.byServer[address]
	if q == nil {
		if c.byServer == nil {
			c.byServer = make(map[string]*copyQueue)
		}
		q = &copyQueue{}
		c.byServer[address] = q
	}
	return q
}

// sendCopies sends a name server what waits for it, and drops the queue when that is empty.
func (d *Directory) sendCopies(address string, q *copyQueue) {
	for {
		d.copies.mu.Lock()
		next := q.changes[0]
		d.copies.mu.Unlock()
		if err := d.send(address, next); err != nil {
			next.failed(err)
		}
		d.copies.mu.Lock()
		q.changes[0] = change{} // its frame is not needed any more
		q.changes = q.changes[1:]
		if q.bytes -= next.cost(); len(q.changes) == 0 {
			delete(d.copies.byServer, address)
			d.copies.mu.Unlock()
			return
		}
		d.copies.mu.Unlock()
	}
}

// send makes one request of a name server. A panic is a failure like others: the answer may be behind it.
func (d *Directory) send(address string, next change) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("fault: %v", fault)
		}
	}()
	if d.reach.NameServer(address) != reach.Allowed {
		return errSelf
	}
	waiting, done := context.WithDeadline(context.Background(), next.deadline)
	defer done()
	ctx, cancel := context.WithTimeout(waiting, nameServerTimeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.source.Send(ctx, address, next.frame)
}
