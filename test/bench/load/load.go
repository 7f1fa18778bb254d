// SPDX-License-Identifier: Apache-2.0

// Package load keeps a fixed number of requests in flight on a fixed number of connections, as a Java client with
// that many sending threads does, and measures how long each takes. One thread serves all connections: for each
// read of a socket it writes the requests that take the place of those just answered in one write.
package load

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/frame"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/histogram"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/poll"
)

// Options say what to do.
type Options struct {
	Addr        netip.AddrPort
	Connections int
	InFlight    int               // requests on each connection
	Requests    []*frame.Template // taken in turn on each connection
	// Hold, if set, is first sent HeldEach times on each connection. It is never answered.
	Hold     *frame.Template
	HeldEach int
	// WarmUp is not measured; Window is, and follows it. After Window the requests in flight are awaited.
	WarmUp, Window time.Duration
	// Edge, if set, is called on its own goroutine when the window opens (0) and when it closes (1).
	Edge func(i int)
}

// Result is what happened.
type Result struct {
	// Total are the requests made, each of which was answered once, warm-up included and those held not.
	Total int64
	// Answers, and their bytes, that came within the window; Window is its length.
	Answers     int64
	AnswerBytes int64
	Window      time.Duration
	// Latency of the requests sent within the window, from before their write to after the read that ended
	// with their answer.
	Latency histogram.Histogram
}

// Opaques have seven digits all the time, so that all requests are of one length.
const (
	firstOpaque = 1_000_000
	lastOpaque  = 9_999_999
)

// stall is how long nothing at all may happen before the run is given up.
const stall = 10 * time.Second

// readSize is how much is read at once, in bytes.
const readSize = 256 << 10

type conn struct {
	fd      int
	stream  frame.Stream
	slots   []slot
	turn    int    // counts requests
	pending []byte // requests the socket has no room for
}

// slot is one of a connection's requests in flight. The opaques of slot i are firstOpaque+i plus multiples of the
// number of slots.
type slot struct {
	opaque  int32
	waiting bool          // for the answer to opaque
	sent    time.Duration // after the generator's start
}

type generator struct {
	opt     Options
	poller  *poll.Poller
	conns   map[int]*conn
	started time.Time
	in, out []byte
	again   []int // slots that were answered in the current read
	flying  int   // requests without an answer, over all connections

	open, closed time.Duration // the window's edges, once it has them
	result       Result
}

const never = time.Duration(math.MaxInt64)

// Run makes requests and returns when all are answered, or at the first thing that is not as it should be.
func Run(opt Options) (*Result, error) {
	poller, err := poll.New()
	if err != nil {
		return nil, err
	}
	defer poller.Close()
	g := &generator{
		opt: opt, poller: poller, conns: map[int]*conn{}, in: make([]byte, readSize), open: never, closed: never,
	}
	defer func() {
		for fd := range g.conns {
			_ = syscall.Close(fd)
		}
	}()
	for range opt.Connections {
		if err := g.connect(); err != nil {
			return nil, err
		}
	}
	if err := g.run(); err != nil {
		return nil, err
	}
	return &g.result, nil
}

func (g *generator) connect() error {
	fd, err := poll.Dial(g.opt.Addr)
	if err != nil {
		return err
	}
	c := &conn{fd: fd, slots: make([]slot, g.opt.InFlight)}
	for i := range c.slots {
		c.slots[i].opaque = firstOpaque + int32(i) - int32(g.opt.InFlight)
	}
	g.conns[fd] = c
	if err := g.poller.Add(fd, poll.In); err != nil {
		return err
	}
	g.out = g.out[:0]
	for i := range g.opt.HeldEach {
		g.out = g.opt.Hold.Append(g.out, int32(i))
	}
	return g.write(c, g.out)
}

func (g *generator) run() error {
	g.started = time.Now()
	for _, c := range g.conns {
		g.again = g.again[:0]
		for i := range c.slots {
			g.again = append(g.again, i)
		}
		if err := g.request(c); err != nil {
			return err
		}
	}
	last := g.since()
	for g.flying > 0 {
		events, err := g.poller.Wait(10 * time.Millisecond)
		if err != nil {
			return err
		}
		now := g.since()
		g.window(now)
		if len(events) > 0 {
			last = now
		} else if now-last > stall {
			return fmt.Errorf("%d requests have no answer, and none came for %s", g.flying, stall)
		}
		for _, e := range events {
			c := g.conns[int(e.Fd)]
			if poll.Writable(e) {
				if err := g.write(c, nil); err != nil {
					return err
				}
			}
			if poll.Readable(e) {
				if err := g.read(c); err != nil {
					return err
				}
			}
		}
	}
	g.result.Window = g.closed - g.open
	return nil
}

func (g *generator) since() time.Duration { return time.Since(g.started) }

// window opens and closes the window.
func (g *generator) window(now time.Duration) {
	switch {
	case g.open == never && now >= g.opt.WarmUp:
		g.open = now
		g.edge(0)
	case g.closed == never && g.open != never && now >= g.open+g.opt.Window:
		g.closed = now
		g.edge(1)
	}
}

func (g *generator) edge(i int) {
	if g.opt.Edge != nil {
		go g.opt.Edge(i)
	}
}

// read reads once, accounts for the answers, and makes new requests in their place.
func (g *generator) read(c *conn) error {
	n, err := syscall.Read(c.fd, g.in)
	if poll.Temporary(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if n <= 0 {
		return fmt.Errorf("the connection was closed with %d requests in flight", g.flying)
	}
	now := g.since()
	g.window(now)
	g.again = g.again[:0]
	for b := g.in[:n]; len(b) > 0; {
		head, rest, ok, err := c.stream.Next(b)
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if ok {
			if err := g.answered(c, head, now); err != nil {
				return err
			}
		}
		b = rest
	}
	if g.closed != never || len(g.again) == 0 {
		return nil
	}
	return g.request(c)
}

func (g *generator) answered(c *conn, head frame.Head, now time.Duration) error {
	if head.Opaque < firstOpaque {
		return fmt.Errorf("answer with opaque %d, which was never used", head.Opaque)
	}
	i := int(head.Opaque-firstOpaque) % len(c.slots)
	s := &c.slots[i]
	if !s.waiting || s.opaque != head.Opaque {
		return fmt.Errorf("answer with opaque %d, for which nothing waits: answered twice or to another connection", head.Opaque)
	}
	if code := codec.ResponseCode(head.Code); code != codec.ResponseSuccess {
		return fmt.Errorf("answer %v to opaque %d", code, head.Opaque)
	}
	s.waiting = false
	g.flying--
	if s.sent >= g.open && g.open != never {
		g.result.Latency.Record(now - s.sent)
	}
	if g.open != never && g.closed == never {
		g.result.Answers++
		g.result.AnswerBytes += int64(head.Size)
	}
	g.again = append(g.again, i)
	return nil
}

// request sends a new request from each of the slots in again.
func (g *generator) request(c *conn) error {
	g.out = g.out[:0]
	for _, i := range g.again {
		s := &c.slots[i]
		if s.opaque += int32(len(c.slots)); s.opaque > lastOpaque {
			s.opaque = firstOpaque + int32(i)
		}
		g.out = g.opt.Requests[c.turn%len(g.opt.Requests)].Append(g.out, s.opaque)
		c.turn++
	}
	now := g.since()
	for _, i := range g.again {
		c.slots[i].waiting, c.slots[i].sent = true, now
	}
	g.flying += len(g.again)
	g.result.Total += int64(len(g.again))
	return g.write(c, g.out)
}

// write writes what is pending, and then b. Answers are read all the time, even while nothing can be written:
// otherwise both sides could wait for each other.
func (g *generator) write(c *conn, b []byte) error {
	waited := len(c.pending) > 0
	if waited {
		c.pending = append(c.pending, b...)
		b = c.pending
	}
	n, err := poll.Write(c.fd, b)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if waited {
		c.pending = slices.Delete(c.pending, 0, n)
	} else {
		c.pending = append(c.pending, b[n:]...)
	}
	switch waits := len(c.pending) > 0; {
	case waits && !waited:
		return g.poller.Change(c.fd, poll.In|poll.Out)
	case waited && !waits:
		return g.poller.Change(c.fd, poll.In)
	}
	return nil
}
