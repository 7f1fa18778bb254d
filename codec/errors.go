// SPDX-License-Identifier: Apache-2.0

package codec

// FrameErrorKind says what is wrong with a frame. Each kind closes the connection,
// as Java's NettyDecoder does.
type FrameErrorKind uint8

// The kinds of frame errors.
const (
	// ShortPrefix: fewer bytes were given than the function needs. A mistake of the
	// caller, not of the peer.
	ShortPrefix FrameErrorKind = iota
	// BadLength: the length word is negative or has no room for the header word.
	BadLength
	// FrameTooLarge: the frame is longer than Limits.MaxFrame.
	FrameTooLarge
	// HeaderTooLarge: the header is longer than Limits.MaxHeader.
	HeaderTooLarge
	// HeaderBeyondFrame: the header does not fit into the frame.
	HeaderBeyondFrame
	// UnknownSerializeType: the type byte is neither JSON (0) nor ROCKETMQ (1).
	UnknownSerializeType
	// BadHeader: the header cannot be read.
	BadHeader
	// TooManyFields: the header has more extFields than Limits.MaxFields.
	TooManyFields

	frameErrorKinds
)

var frameErrorKindNames = [frameErrorKinds]string{
	ShortPrefix:          "short_prefix",
	BadLength:            "bad_length",
	FrameTooLarge:        "frame_too_large",
	HeaderTooLarge:       "header_too_large",
	HeaderBeyondFrame:    "header_beyond_frame",
	UnknownSerializeType: "unknown_serialize_type",
	BadHeader:            "bad_header",
	TooManyFields:        "too_many_fields",
}

// FrameErrorKinds gives a new slice with all kinds in ascending order, for tables
// of stats.
func FrameErrorKinds() []FrameErrorKind {
	kinds := make([]FrameErrorKind, frameErrorKinds)
	for i := range kinds {
		kinds[i] = FrameErrorKind(i)
	}
	return kinds
}

// String gives the kind in snake case, fit for a stat name.
func (k FrameErrorKind) String() string {
	if k < frameErrorKinds {
		return frameErrorKindNames[k]
	}
	return "unknown"
}

// FrameError means that a connection's bytes cannot be understood any further. Its
// reach is the connection: nothing behind the bad frame can be trusted.
type FrameError struct {
	Kind   FrameErrorKind
	Detail string // for the log: bounded, and the bytes of the peer in it are quoted
}

// Error implements error.
func (e *FrameError) Error() string {
	if e.Detail == "" {
		return e.Kind.String()
	}
	return e.Kind.String() + ": " + e.Detail
}
