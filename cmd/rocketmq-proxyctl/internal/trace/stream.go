// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Result is what was seen.
type Result struct {
	Shown       int // frames printed
	Connections int // with frames
	Silent      int // connections without any
	TLS         int // connections without any that speak TLS
	Skipped     int64
	Lost        int64 // bytes that a capture lacks
	First       time.Time
}

// Stream prints the frames of the bytes of a connection: of one direction, or of both one after the other as
// they came. An error means that what follows cannot be understood, or that r or the printer failed.
func Stream(r io.Reader, p *Printer) (Result, error) {
	budget := &budget{left: maxHeld}
	talk := &conversation{budget: budget}
	s := splitter{budget: budget}
	s.each = func(f Frame) {
		asked, known := question{}, false
		if f.Header.IsResponse() {
			asked, known = talk.answer(1, f.Header.Opaque)
		} else {
			talk.ask(0, f.Header, time.Time{})
		}
		p.frame(f, fmt.Sprintf("byte %-8d", f.Offset), "", asked, known)
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		if broken := s.feed(time.Time{}, buffer[:n]); broken != nil {
			if s.frame.Offset == 0 {
				broken = fmt.Errorf("%w; the input is neither a capture (pcap, pcapng) nor remoting frames; is it TLS?", broken)
			}
			return p.result(), fmt.Errorf("the frame at byte %d cannot be read: %w", s.frame.Offset, broken)
		}
		if p.err != nil {
			return p.result(), p.err
		}
		switch {
		case errors.Is(err, io.EOF) && s.idle():
			return p.result(), nil
		case errors.Is(err, io.EOF):
			return p.result(), fmt.Errorf("the frame at byte %d is cut off", s.frame.Offset)
		case err != nil:
			return p.result(), err
		}
	}
}

func (p *Printer) result() Result { return Result{Shown: p.shown, Connections: 1} }

// limits are the filter's defaults.
var limits = codec.Limits{}
