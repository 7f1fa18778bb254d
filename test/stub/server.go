// SPDX-License-Identifier: Apache-2.0

// Package stub is a broker and a name server that do nothing but answer. It serves all connections from one
// thread: per read of a socket it writes one batch of ready-made answers, and allocates nothing.
package stub

import (
	"context"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/frame"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/poll"
)

// Options of a Server.
type Options struct {
	// PullBody is the length in bytes of the messages in an answer to PULL_MESSAGE.
	PullBody int
	// Brokers is the number of brokers that clients are told of, 1 at least. Only the first is there.
	Brokers int
}

// Counts are requests answered since the start.
type Counts struct {
	Sends int64 `json:"sends"`
	Pulls int64 `json:"pulls"`
	// Routes are what clients ask of a name server.
	Routes int64 `json:"routes"`
	// Held are LITE_PULL_MESSAGE: the stub has nothing for them and never answers, as a broker does for a while.
	Held int64 `json:"held"`
	// Others are heartbeats and the questions of proxies to the name server.
	Others int64 `json:"others"`
	// Refused are requests that the stub has no answer for.
	Refused int64 `json:"refused"`
}

// Since is what was counted after an earlier count.
func (c Counts) Since(earlier Counts) Counts {
	return Counts{
		Sends: c.Sends - earlier.Sends, Pulls: c.Pulls - earlier.Pulls, Routes: c.Routes - earlier.Routes,
		Held: c.Held - earlier.Held, Others: c.Others - earlier.Others, Refused: c.Refused - earlier.Refused,
	}
}

// Server is the stub. Broker and NameServer are the addresses it listens on; both answer everything.
type Server struct {
	Broker, NameServer netip.AddrPort

	poller    *poll.Poller
	listeners [2]int
	conns     map[int]*conn
	answers   answers
	in, out   []byte // of the read that is being served

	sends, pulls, routes, held, others, refused atomic.Int64
}

// conn is a connection to the stub.
type conn struct {
	fd      int
	stream  frame.Stream
	pending []byte // answers the socket has no room for; nothing is read before they are gone
}

// readSize is how much is read at once, in bytes.
const readSize = 256 << 10

// Listen starts listening on two free ports of the loopback interface.
func Listen(opt Options) (*Server, error) {
	s := &Server{conns: map[int]*conn{}, in: make([]byte, readSize)}
	var err error
	if s.poller, err = poll.New(); err != nil {
		return nil, err
	}
	loopback := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	for i, bound := range []*netip.AddrPort{&s.Broker, &s.NameServer} {
		if s.listeners[i], *bound, err = poll.Listen(loopback); err != nil {
			return nil, err
		}
		if err := s.poller.Add(s.listeners[i], poll.In); err != nil {
			return nil, err
		}
	}
	s.answers, err = newAnswers(opt, s.Broker)
	return s, err
}

// Counts may be called at any time.
func (s *Server) Counts() Counts {
	return Counts{
		Sends: s.sends.Load(), Pulls: s.pulls.Load(), Routes: s.routes.Load(), Held: s.held.Load(),
		Others: s.others.Load(), Refused: s.refused.Load(),
	}
}

// Serve answers until the context ends, and closes everything then.
func (s *Server) Serve(ctx context.Context) error {
	defer s.close()
	for ctx.Err() == nil {
		events, err := s.poller.Wait(100 * time.Millisecond)
		if err != nil {
			return err
		}
		for _, e := range events {
			fd := int(e.Fd)
			if fd == s.listeners[0] || fd == s.listeners[1] {
				if err := s.accept(fd); err != nil {
					return err
				}
				continue
			}
			c := s.conns[fd]
			alive := c != nil
			if alive && poll.Writable(e) {
				alive = s.write(c, nil)
			}
			if alive && poll.Readable(e) && len(c.pending) == 0 {
				alive = s.read(c)
			}
			if c != nil && !alive {
				delete(s.conns, fd)
				_ = syscall.Close(fd)
			}
		}
	}
	return nil
}

func (s *Server) accept(listener int) error {
	for {
		fd, ok, err := poll.Accept(listener)
		if err != nil || !ok {
			return err
		}
		s.conns[fd] = &conn{fd: fd}
		if err := s.poller.Add(fd, poll.In); err != nil {
			return err
		}
	}
}

// read reads once and answers; false means that the connection is over.
func (s *Server) read(c *conn) bool {
	n, err := syscall.Read(c.fd, s.in)
	if poll.Temporary(err) {
		return true
	}
	if err != nil || n <= 0 {
		return false
	}
	s.out = s.out[:0]
	var counts Counts
	for b := s.in[:n]; len(b) > 0; {
		head, rest, ok, err := c.stream.Next(b)
		if err != nil {
			return false
		}
		if ok {
			s.answer(head, &counts)
		}
		b = rest
	}
	s.sends.Add(counts.Sends)
	s.pulls.Add(counts.Pulls)
	if counts.Routes+counts.Held+counts.Others+counts.Refused > 0 {
		s.routes.Add(counts.Routes)
		s.held.Add(counts.Held)
		s.others.Add(counts.Others)
		s.refused.Add(counts.Refused)
	}
	return s.write(c, s.out)
}

func (s *Server) answer(request frame.Head, counts *Counts) {
	template := s.answers[request.Code]
	switch {
	case request.Code == int32(requests.LitePullMessage):
		counts.Held++
		return
	case template == nil:
		counts.Refused++
		s.out = notSupported(s.out, request.Opaque)
		return
	case request.Code == int32(requests.SendMessageV2):
		counts.Sends++
	case request.Code == int32(requests.PullMessage):
		counts.Pulls++
	case request.Code == int32(requests.GetRouteInfoByTopic):
		counts.Routes++
	default:
		counts.Others++
	}
	s.out = template.Append(s.out, request.Opaque)
}

// write writes what is pending or, if nothing is, b; false means that the connection is over. While something
// stays pending, room for it is all that the connection waits for.
func (s *Server) write(c *conn, b []byte) bool {
	waited := len(c.pending) > 0
	if waited {
		b = c.pending
	}
	n, err := poll.Write(c.fd, b)
	if err != nil {
		return false
	}
	c.pending = append(c.pending[:0], b[n:]...)
	switch waits := len(c.pending) > 0; {
	case waits && !waited:
		err = s.poller.Change(c.fd, poll.Out)
	case waited && !waits:
		err = s.poller.Change(c.fd, poll.In)
	}
	return err == nil
}

func (s *Server) close() {
	for fd := range s.conns {
		_ = syscall.Close(fd)
	}
	for _, fd := range s.listeners {
		_ = syscall.Close(fd)
	}
	_ = s.poller.Close()
}
