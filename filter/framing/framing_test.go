// SPDX-License-Identifier: Apache-2.0

package framing

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

var limits = codec.Limits{MaxFrame: 1 << 20, MaxHeader: 1 << 16, MaxFields: 64}

// purse is a Memory with so many bytes.
type purse struct{ limit, used int }

func (p *purse) Reserve(n int) bool {
	if p.used+n > p.limit {
		return false
	}
	p.used += n
	return true
}

func (p *purse) Release(n int) { p.used -= n }

func frameOf(opaque int32, body int) []byte {
	command := codec.Command{Code: 10, Opaque: opaque, Body: bytes.Repeat([]byte{byte(opaque)}, body), Fields: []codec.Field{{Name: "topic", Value: "t"}}}
	return command.Append(nil)
}

// byOpaque judges a frame by its opaque alone: dropped, wanted complete first, or sent on to one of two targets.
type byOpaque struct {
	judged []int32
	t      *testing.T
}

func (j *byOpaque) Judge(f Frame) Verdict {
	switch opaque := f.Header.Opaque; {
	case f.Complete() && len(f.Body()) != f.Size-codec.PrefixSize-len(f.Header.Raw()), !f.Complete() && len(f.Body()) != 0:
		j.t.Errorf("frame %d of %d bytes is shown with %d bytes, %d of its body", opaque, f.Size, len(f.Raw), len(f.Body()))
	case opaque%4 == 3 && !f.Complete():
		return More
	}
	j.judged = append(j.judged, f.Header.Opaque)
	if f.Header.Opaque%4 == 0 {
		return Drop
	}
	return PassTo(Target(f.Header.Opaque % 2))
}

// stream is both ends of a cutter.
type stream struct {
	Cutter
	Passage
	judge *byOpaque
	out   map[Target]*bytes.Buffer
}

func newStream(t *testing.T, whole bool, memory int) *stream {
	s := &stream{judge: &byOpaque{t: t}, out: map[Target]*bytes.Buffer{0: {}, 1: {}}}
	s.Cutter = Cutter{Limits: limits, Whole: whole, Memory: &purse{limit: memory}}
	s.Write = func(to Target, b []byte) { s.out[to].Write(b) }
	return s
}

// feed plays one event, and passes on itself what goes on untouched in place.
func (s *stream) feed(inPlace bool, in ...[]byte) error {
	s.Begin(time.Second, in)
	proceed, err := s.Feed(&s.Passage, s.judge)
	if s.End(inPlace && proceed) {
		for _, b := range in {
			s.out[s.to].Write(b)
		}
	}
	return err
}

func TestFramesCutAnywhereGoTheSameWay(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var all []byte
		want := map[Target]*bytes.Buffer{0: {}, 1: {}}
		for opaque := range int32(12) {
			frame := frameOf(opaque, r.IntN(300)*r.IntN(60))
			all = append(all, frame...)
			if opaque%4 != 0 {
				want[Target(opaque%2)].Write(frame)
			}
		}
		s := newStream(t, seed%2 == 0, 1<<20)
		for rest := all; len(rest) > 0; {
			var event [][]byte
			for range 1 + r.IntN(3) {
				n := min(len(rest), 1+r.IntN(1+r.IntN(9000)))
				if n > 0 {
					event, rest = append(event, rest[:n]), rest[n:]
				}
			}
			if err := s.feed(seed%3 == 0, event...); err != nil {
				t.Fatal(err)
			}
		}
		for to, b := range want {
			if !bytes.Equal(b.Bytes(), s.out[to].Bytes()) {
				t.Errorf("seed %d: target %d got %d bytes, want %d", seed, to, s.out[to].Len(), b.Len())
			}
		}
		if got, want := fmt.Sprint(s.judge.judged), "[0 1 2 3 4 5 6 7 8 9 10 11]"; got != want {
			t.Errorf("seed %d: judged %s", seed, got)
		}
		if s.Discard(); s.Memory.(*purse).used != 0 || s.Holds() || s.MidFrame() {
			t.Errorf("seed %d: %d bytes are still reserved", seed, s.Memory.(*purse).used)
		}
	}
}

// Frames that all go to one target are written at once, and not at all where the caller works in place.
func TestWhatGoesOnUnchangedIsWrittenOnce(t *testing.T) {
	writes := 0
	s := newStream(t, false, 1<<20)
	s.Write = func(Target, []byte) { writes++ }
	three := append(append(frameOf(1, 10), frameOf(5, 10)...), frameOf(9, 10)...)
	for _, want := range []int{0, 1} {
		s.Begin(0, [][]byte{three})
		proceed, err := s.Feed(&s.Passage, s.judge)
		if untouched := s.End(want == 0); err != nil || !proceed || untouched != (want == 0) || writes != want {
			t.Errorf("%d writes, want %d; untouched %v, error %v", writes, want, untouched, err)
		}
	}
}

func TestAFrameThatIsHeldTakesNoMoreMemoryThanItsSize(t *testing.T) {
	s := newStream(t, true, 2<<20)
	frame := frameOf(1, 900_000)
	for rest := frame[:len(frame)-1]; len(rest) > 0; rest = rest[min(len(rest), 10_000):] {
		if err := s.feed(false, rest[:min(len(rest), 10_000)]); err != nil {
			t.Fatal(err)
		}
		if kept, size := s.Kept(), len(s.held); kept > max(2*size, maxPooledBuffer) {
			t.Fatalf("%d bytes take %d", size, kept)
		}
	}
	if s.Kept() != len(frame) || s.Memory.(*purse).used != len(frame) {
		t.Errorf("a frame of %d bytes takes %d, of which %d are reserved", len(frame), s.Kept(), s.Memory.(*purse).used)
	}
}

func TestBytesThatMayNotBeHeldEndTheStream(t *testing.T) {
	s := newStream(t, true, 1000)
	if err := s.feed(false, frameOf(1, 2000)[:1500]); !errors.Is(err, ErrOverMemory) {
		t.Errorf("got %v", err)
	}
	var frameError *codec.FrameError
	if err := newStream(t, true, 1000).feed(false, []byte("GET / HTTP/1.1\r\n")); !errors.As(err, &frameError) {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsCutWhilePausedOrStopped(t *testing.T) {
	paused := false
	s := newStream(t, true, 1<<20)
	s.Paused = &paused
	one, two := frameOf(1, 5), frameOf(5, 5)
	s.Begin(0, [][]byte{append(one, two...)})
	proceed, err := s.Feed(&s.Passage, judge(func(f Frame) Verdict {
		paused = f.Header.Opaque == 1
		return PassTo(1)
	}))
	if err != nil || proceed || s.Consumed() != len(one) {
		t.Errorf("proceeds %v with error %v, consumed %d of %d bytes", proceed, err, s.Consumed(), len(one))
	}
	s = newStream(t, false, 1<<20)
	s.Begin(0, [][]byte{one, two})
	proceed, err = s.Feed(&s.Passage, judge(func(Frame) Verdict { return Stop }))
	if err != nil || proceed || s.Consumed() != 0 {
		t.Errorf("proceeds %v with error %v, consumed %d bytes", proceed, err, s.Consumed())
	}
}

type judge func(Frame) Verdict

func (j judge) Judge(f Frame) Verdict { return j(f) }

// FuzzCutter feeds any bytes at once and one by one: what is judged and what goes on must be the same.
func FuzzCutter(f *testing.F) {
	f.Add([]byte{1}, append(frameOf(1, 3), frameOf(7, 40)...))
	f.Add([]byte{9, 200}, append(frameOf(4, 3), 0, 0, 0, 1))
	storm.Fuzz(f, func(t *testing.T, cuts, in []byte) {
		if len(cuts) == 0 || len(in) == 0 || len(in) > 1<<16 {
			return
		}
		whole, pieces := newStream(t, cuts[0]%2 == 0, 1<<20), newStream(t, cuts[0]%2 == 0, 1<<20)
		err := whole.feed(false, in)
		var errPieces error
		for i, rest := 0, in; len(rest) > 0 && errPieces == nil; i++ {
			n := min(len(rest), 1+int(cuts[i%len(cuts)]))
			errPieces = pieces.feed(false, rest[:n])
			rest = rest[n:]
		}
		if (err == nil) != (errPieces == nil) || fmt.Sprint(whole.judge.judged) != fmt.Sprint(pieces.judge.judged) {
			t.Errorf("at once: %v, judged %v; in pieces: %v, judged %v", err, whole.judge.judged, errPieces, pieces.judge.judged)
		}
		for to := range whole.out {
			if !bytes.Equal(whole.out[to].Bytes(), pieces.out[to].Bytes()) {
				t.Errorf("to %d: %q at once, %q in pieces", to, whole.out[to], pieces.out[to])
			}
		}
	})
}
