// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func TestLongBodiesAreCountedAndNotKept(t *testing.T) {
	command := codec.Command{Code: int32(requests.SendMessageV2), Opaque: 1}
	head := command.Append(nil)
	header := head[codec.PrefixSize:]
	const size = 15 << 20
	length := 4 + len(header) + size
	prefix := []byte{byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length), 0, 0, 0, byte(len(header))}
	var out strings.Builder
	in := io.MultiReader(bytes.NewReader(prefix), bytes.NewReader(header), io.LimitReader(zeros{}, size))
	result, err := Stream(in, &Printer{To: &out, Bodies: true})
	if err != nil || result.Shown != 1 || !strings.Contains(out.String(), "too long to read") {
		t.Errorf("%+v, %v: %s", result, err, out.String())
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestUnfinishedFramesOfManyConnectionsAreBounded has connections that begin frames and never end them.
func TestUnfinishedFramesOfManyConnectionsAreBounded(t *testing.T) {
	held := &budget{left: maxHeld}
	prefix := []byte{0, 0xf0, 0, 0, 0, 3, 0xff, 0xff} // a header of 256 KiB
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var all []*splitter
	refused := 0
	for range 2000 {
		s := &splitter{budget: held, each: func(Frame) {}}
		err := s.feed(time.Time{}, prefix)
		if err == nil {
			err = s.feed(time.Time{}, bytes.Repeat([]byte{'{'}, 200<<10))
		}
		if err != nil {
			refused++
			s.reset()
		}
		all = append(all, s)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); refused == 0 || refused == len(all) || grown > 3*maxHeld {
		t.Errorf("%d refused, %d MiB kept", refused, grown>>20)
	}
	for _, s := range all {
		s.reset()
	}
	if held.left != maxHeld {
		t.Errorf("%d bytes are not given back", maxHeld-held.left)
	}
}

func TestRequestsThatNobodyAnswersAreBounded(t *testing.T) {
	held := &budget{left: 10 * awaitedSize}
	talk := conversation{budget: held}
	for opaque := range int32(1000) {
		talk.ask(0, &codec.Header{Code: 10, Opaque: opaque}, time.Time{})
	}
	if len(talk.awaited[0]) != 10 {
		t.Errorf("%d requests are remembered", len(talk.awaited[0]))
	}
	if _, known := talk.answer(1, 3); !known {
		t.Error("the first are forgotten")
	}
	talk.end()
	if held.left != 10*awaitedSize {
		t.Error("not all is given back")
	}
}
