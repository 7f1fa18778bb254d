// SPDX-License-Identifier: Apache-2.0

// Package crowd is many connections of which few do anything at a time: idle clients that now and then say that
// they are there, or one client after the other that asks something.
package crowd

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/frame"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/poll"
)

// atOnce is how many requests wait for their answers at a time, over all connections: few enough for the buffers
// of sockets.
const atOnce = 64

// stall is how long an answer may take.
const stall = 10 * time.Second

// Crowd is not safe for concurrent use.
type Crowd struct {
	poller *poll.Poller
	conns  []*conn
	byFD   map[int]*conn
	in     []byte
	out    []byte
}

type conn struct {
	fd      int
	stream  frame.Stream
	waiting map[int32]struct{} // opaques without an answer; nil before the first
}

// Open opens n connections, a few at a time: before the next few, each of these makes the request `first` and has its
// answer. So neither a proxy nor a server on the way has to take more at once than it can.
func Open(addr netip.AddrPort, n int, first func(dst []byte, i int32) []byte) (*Crowd, error) {
	poller, err := poll.New()
	if err != nil {
		return nil, err
	}
	c := &Crowd{poller: poller, byFD: map[int]*conn{}, in: make([]byte, 256<<10)}
	for len(c.conns) < n {
		few := min(atOnce, n-len(c.conns))
		err := c.open(addr, few)
		if err == nil {
			err = c.ask(c.conns[len(c.conns)-few:], few, first)
		}
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("connection %d of %d: %w", len(c.conns)+1, n, err)
		}
	}
	return c, nil
}

func (c *Crowd) open(addr netip.AddrPort, n int) error {
	for range n {
		fd, err := poll.Dial(addr)
		if err != nil {
			return err
		}
		one := &conn{fd: fd, waiting: map[int32]struct{}{}}
		c.conns, c.byFD[fd] = append(c.conns, one), one
		if err := c.poller.Add(fd, poll.In); err != nil {
			return err
		}
	}
	return nil
}

// Size is the number of connections.
func (c *Crowd) Size() int { return len(c.conns) }

// Close ends all connections.
func (c *Crowd) Close() {
	for _, one := range c.conns {
		_ = syscall.Close(one.fd)
	}
	_ = c.poller.Close()
}

// Ask makes n requests, the next ones on the next connections, a few at a time, and waits for the answers, each of
// which must be a success. `request` appends the i-th with opaque i.
func (c *Crowd) Ask(n int, request func(dst []byte, i int32) []byte) error {
	return c.ask(c.conns, n, request)
}

func (c *Crowd) ask(conns []*conn, n int, request func(dst []byte, i int32) []byte) error {
	for first := 0; first < n; first += atOnce {
		last := min(first+atOnce, n)
		for i := first; i < last; i++ {
			one := conns[i%len(conns)]
			c.out = request(c.out[:0], int32(i))
			written, err := poll.Write(one.fd, c.out)
			if err == nil && written < len(c.out) {
				err = errors.New("no room for a request")
			}
			if err != nil {
				return fmt.Errorf("write: %w", err)
			}
			one.waiting[int32(i)] = struct{}{}
		}
		if err := c.await(last - first); err != nil {
			return err
		}
	}
	return nil
}

func (c *Crowd) await(answers int) error {
	for last := time.Now(); answers > 0; {
		events, err := c.poller.Wait(stall)
		if err != nil {
			return err
		}
		if len(events) > 0 {
			last = time.Now()
		} else if time.Since(last) >= stall { // a signal ends waiting, too
			return fmt.Errorf("%d requests have no answer, and none came for %s", answers, stall)
		}
		for _, e := range events {
			n, err := c.read(c.byFD[int(e.Fd)])
			if err != nil {
				return err
			}
			answers -= n
		}
	}
	return nil
}

// read reads once and returns how many answers came to an end.
func (c *Crowd) read(one *conn) (answers int, err error) {
	n, err := syscall.Read(one.fd, c.in)
	if poll.Temporary(err) {
		return 0, nil
	}
	if err == nil && n <= 0 {
		err = errors.New("the connection was closed")
	}
	if err != nil {
		return 0, fmt.Errorf("read: %w", err)
	}
	for b := c.in[:n]; len(b) > 0; {
		head, rest, ok, err := one.stream.Next(b)
		if err != nil {
			return 0, fmt.Errorf("answer: %w", err)
		}
		if ok {
			if _, waits := one.waiting[head.Opaque]; !waits {
				return 0, fmt.Errorf("answer with opaque %d, for which nothing waits", head.Opaque)
			}
			if code := codec.ResponseCode(head.Code); code != codec.ResponseSuccess {
				return 0, fmt.Errorf("answer %v to opaque %d", code, head.Opaque)
			}
			delete(one.waiting, head.Opaque)
			answers++
		}
		b = rest
	}
	return answers, nil
}
