// SPDX-License-Identifier: Apache-2.0

// Package answers looks at RocketMQ connections from the middle, and notes every answer that nobody on its connection has
// asked for: a message delivered to the wrong client, an acknowledgement of somebody else's send.
//
// It reads frames by itself on purpose, and not with the codec that it is there to check.
package answers

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

const (
	response = 1 // bits of a header's flag
	oneway   = 2

	mostFrame      = 64 << 20
	mostViolations = 20
)

// Checker checks any number of connections.
type Checker struct {
	mu         sync.Mutex
	matched    int64
	violations []string
	count      int
}

// Matched is how many answers went to who had asked.
func (c *Checker) Matched() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.matched
}

// Violations tells of all that was wrong: how many times, and the first 20.
func (c *Checker) Violations() (count int, first []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count, append([]string(nil), c.violations...)
}

func (c *Checker) violation(format string, args ...any) {
	c.count++
	if len(c.violations) < mostViolations {
		c.violations = append(c.violations, fmt.Sprintf(format, args...))
	}
}

// Connection begins to check a connection: toServer and toClient are to be given its bytes, before they go on. It
// fits world.Options.Tap.
func (c *Checker) Connection(wire string) (toServer, toClient io.Writer) {
	s, t := &side{checker: c, name: wire + " to client"}, &side{checker: c, name: wire + " to server"}
	s.waiting, t.waiting = map[int32]question{}, map[int32]question{}
	s.other, t.other = t, s
	return t, s
}

// side is one direction of a connection.
type side struct {
	checker *Checker
	name    string
	other   *side
	rest    []byte
	waiting map[int32]question // asked from this side, by opaque; the checker's mutex guards it
	broken  bool               // not RocketMQ; to be looked at no more
}

// question is what is compared with an answer.
type question struct {
	code  int
	queue string // of a send
}

// header is what matters of a frame's header.
type header struct {
	Code      int               `json:"code"`
	Opaque    int32             `json:"opaque"`
	Flag      int               `json:"flag"`
	ExtFields map[string]string `json:"extFields"`
}

// Write takes the next bytes of this direction; it never fails.
func (s *side) Write(b []byte) (int, error) {
	if s.broken {
		return len(b), nil
	}
	s.rest = append(s.rest, b...)
	for len(s.rest) >= 8 {
		size := binary.BigEndian.Uint32(s.rest)
		mark := binary.BigEndian.Uint32(s.rest[4:])
		head := mark & 0xffffff
		if size < 4 || size > mostFrame || head > size-4 {
			s.broken = true
			break
		}
		if uint32(len(s.rest)) < 4+size {
			break
		}
		h, err := parse(byte(mark>>24), s.rest[8:8+head])
		if err != nil {
			s.broken = true
			break
		}
		s.frame(h)
		s.rest = append(s.rest[:0], s.rest[4+size:]...)
	}
	return len(b), nil
}

func parse(kind byte, b []byte) (h header, err error) {
	switch {
	case kind == 0:
		err = json.Unmarshal(b, &h)
	case kind == 1 && len(b) >= 13: // code, language, version, opaque, flag
		h.Code = int(binary.BigEndian.Uint16(b))
		h.Opaque = int32(binary.BigEndian.Uint32(b[5:]))
		h.Flag = int(binary.BigEndian.Uint32(b[9:]))
	default:
		err = fmt.Errorf("a header of kind %d with %d bytes", kind, len(b))
	}
	return h, err
}

func (s *side) frame(h header) {
	s.checker.mu.Lock()
	defer s.checker.mu.Unlock()
	if h.Flag&response == 0 {
		if h.Flag&oneway == 0 {
			if before, twice := s.waiting[h.Opaque]; twice {
				s.checker.violation("%s: request %d with opaque %d of request %d that still waits", s.name, h.Code, h.Opaque, before.code)
			}
			s.waiting[h.Opaque] = question{h.Code, queueOf(h)}
		}
		return
	}
	asked, ok := s.other.waiting[h.Opaque]
	if !ok {
		s.checker.violation("%s: answer with opaque %d and code %d to nobody's request", s.name, h.Opaque, h.Code)
		return
	}
	delete(s.other.waiting, h.Opaque)
	if queue := h.ExtFields["queueId"]; h.Code == 0 && asked.queue != "" && queue != asked.queue {
		s.checker.violation("%s: the answer with opaque %d to send %d is for queue %s, the request was for %s", s.name, h.Opaque, asked.code, queue, asked.queue)
		return
	}
	s.checker.matched++
}

// queueOf is the queue of a send, which its answer names again; it tells answers with equal opaques apart.
func queueOf(h header) string {
	switch h.Code {
	case 10: // SEND_MESSAGE
		return h.ExtFields["queueId"]
	case 310, 320: // SEND_MESSAGE_V2, SEND_BATCH_MESSAGE
		return h.ExtFields["e"]
	default:
		return ""
	}
}
