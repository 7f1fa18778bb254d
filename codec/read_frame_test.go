// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestReadFrameTakesOneFrame(t *testing.T) {
	command := Command{Code: 7, Opaque: 3, Body: []byte("body")}
	frame := command.Append(nil)
	r := bytes.NewReader(append(bytes.Clone(frame), "next"...))
	header, body, err := ReadFrame(iotest.OneByteReader(r), Limits{})
	if err != nil || header.Code != 7 || header.Opaque != 3 || string(body) != "body" || r.Len() != len("next") {
		t.Errorf("got %+v, %q, %v with %d bytes left", header, body, err, r.Len())
	}
	for n := range frame {
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		if _, _, err := ReadFrame(bytes.NewReader(frame[:n]), Limits{}); !errors.Is(err, want) {
			t.Errorf("%d of %d bytes: got %v", n, len(frame), err)
		}
	}
	var bad *FrameError
	if _, _, err := ReadFrame(bytes.NewReader(frame), Limits{MaxFrame: 20}); !errors.As(err, &bad) || bad.Kind != FrameTooLarge {
		t.Errorf("beyond the limit: got %v", err)
	}
}
