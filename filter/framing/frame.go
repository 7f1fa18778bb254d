// SPDX-License-Identifier: Apache-2.0

package framing

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// Target says where frames go. What a number stands for is the judge's business.
type Target uint32

// Frame is a frame that is judged. It is borrowed.
type Frame struct {
	Raw    []byte // the whole frame if it is complete, else prefix and header
	Header *codec.Header
	Size   int // of the whole frame, in bytes
}

// Complete reports whether all of the frame is there.
func (f Frame) Complete() bool { return len(f.Raw) == f.Size }

// Body returns what is there of the body: all of it if the frame is complete, else nothing.
func (f Frame) Body() []byte { return f.Raw[codec.PrefixSize+len(f.Header.Raw()):] }

// Judge decides about frames. It is called once for each, and again for one of which it wanted More.
type Judge interface {
	Judge(Frame) Verdict
}

// Verdict is a decision about a frame.
type Verdict struct {
	action action
	to     Target
}

type action uint8

const (
	pass action = iota
	drop
	more
	stop
)

// Verdicts beside PassTo.
var (
	Drop = Verdict{action: drop} // the frame ends here
	More = Verdict{action: more} // judge it again when it is complete
	Stop = Verdict{action: stop} // nothing more is judged, this frame included
)

// PassTo returns the verdict that sends a frame on unchanged.
func PassTo(to Target) Verdict { return Verdict{action: pass, to: to} }
