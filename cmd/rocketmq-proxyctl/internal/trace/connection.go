// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"
)

// connection is one connection of a capture.
type connection struct {
	capture *capture
	talk    conversation
	sides   [2]side
	frames  int
	tls     bool
	bytes   bool // there were any
	ended   bool
}

// side is one direction of a connection.
type side struct {
	connection *connection
	index      int
	way        string
	splitter   splitter
	joined     bool // frames are being found
	sure       bool // one has been
}

// Accept implements reassembly.Stream. A connection that the capture joins late starts with what is there.
func (x *connection) Accept(_ *layers.TCP, _ gopacket.CaptureInfo, _ reassembly.TCPFlowDirection, _ reassembly.Sequence, start *bool, _ reassembly.AssemblerContext) bool {
	*start = true
	return true
}

// ReassembledSG implements reassembly.Stream.
func (x *connection) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	direction, _, _, skip := sg.Info()
	s := &x.sides[0]
	if direction == reassembly.TCPDirServerToClient {
		s = &x.sides[1]
	}
	available, _ := sg.Lengths()
	if available == 0 {
		return
	}
	x.bytes = true
	at := sg.CaptureInfo(0).Timestamp
	if skip > 0 {
		x.capture.result.Lost += int64(skip)
		if s.joined && s.sure {
			x.capture.printer.note(clock(at), s.way, fmt.Sprintf("%d bytes are not in the capture", skip))
		}
		s.lose()
	}
	s.feed(at, sg.Fetch(available))
}

// feed takes bytes in order.
func (s *side) feed(at time.Time, b []byte) {
	if !s.joined {
		if !plausible(b, limits) {
			s.connection.tls = s.connection.tls || len(b) > 2 && b[0] == 0x16 && b[1] == 3
			s.skip(len(b))
			return
		}
		s.joined = true
	}
	if err := s.splitter.feed(at, b); err != nil {
		if s.sure {
			s.connection.capture.printer.note(clock(at), s.way, fmt.Sprintf("not a frame: %v", err))
		}
		s.skip(len(b))
		s.lose()
	}
}

// lose gives up finding frames until something looks like the first byte of one.
func (s *side) lose() {
	s.splitter.reset()
	s.joined = false
}

func (s *side) skip(n int) {
	if s.sure {
		s.connection.capture.result.Skipped += int64(n)
	}
}

func (s *side) frame(f Frame) {
	x := s.connection
	s.sure = true
	x.frames++
	asked, known := question{}, false
	if f.Header.IsResponse() {
		asked, known = x.talk.answer(s.index, f.Header.Opaque)
	} else {
		x.talk.ask(s.index, f.Header, f.Time)
	}
	x.capture.printer.frame(f, clock(f.Time), s.way, asked, known)
}

// ReassemblyComplete implements reassembly.Stream.
func (x *connection) ReassemblyComplete(reassembly.AssemblerContext) bool {
	c := x.capture
	if x.ended {
		return true
	}
	x.ended = true
	c.open--
	switch {
	case x.frames > 0:
		c.result.Connections++
	case x.tls:
		c.result.TLS++
		c.result.Silent++
	case x.bytes:
		c.result.Silent++
	}
	for i := range x.sides {
		x.sides[i].splitter.reset()
	}
	x.talk.end()
	return true
}

func clock(at time.Time) string { return at.UTC().Format("15:04:05.000000") }
