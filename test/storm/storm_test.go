// SPDX-License-Identifier: Apache-2.0

package storm

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

func FuzzNothing(f *testing.F) {
	f.Add([]byte("seed"), "text", 7, true, byte(1))
	Fuzz(f, func(*testing.T, []byte, string, int, bool, byte) {})
}

func TestChangesAreOfTheSameTypeAndLeaveTheSeed(t *testing.T) {
	s := &storm{random: rand.New(rand.NewPCG(1, 2))}
	seed := []any{[]byte("a seed of bytes"), "a text", int32(7), uint16(9), true, byte(1)}
	s.remember([]reflect.Value{reflect.ValueOf(seed[0]), reflect.ValueOf(seed[1])})
	for _, each := range seed {
		different := 0
		v := reflect.ValueOf(each)
		for range 10_000 {
			changed := s.change(v)
			if changed.Type() != v.Type() {
				t.Fatalf("%T became %s", each, changed.Type())
			}
			if !reflect.DeepEqual(changed.Interface(), each) {
				different++
			}
		}
		if different < 7_000 {
			t.Errorf("%T: only %d of 10,000 changes were any", each, different)
		}
	}
	if !bytes.Equal(seed[0].([]byte), []byte("a seed of bytes")) {
		t.Errorf("the seed is %q now", seed[0])
	}
}

func TestTheTargetIsCalledSoOften(t *testing.T) {
	calls, lengths := 0, map[int]bool{}
	s := &storm{random: rand.New(rand.NewPCG(1, 2)), target: reflect.ValueOf(func(_ *testing.T, b []byte) {
		calls++
		lengths[len(b)] = true
	})}
	s.run(t, []reflect.Value{reflect.ValueOf([]byte("0123456789"))}, 1000)
	if calls != 1000 || s.executions != 1000 || len(lengths) < 10 {
		t.Errorf("%d calls, %d executions, %d lengths", calls, s.executions, len(lengths))
	}
}

func TestAnInputIsWrittenAsGoTestKeepsIt(t *testing.T) {
	got := corpusFile([]reflect.Value{reflect.ValueOf([]byte("\x00a")), reflect.ValueOf("b\n"), reflect.ValueOf(int32(-1)), reflect.ValueOf(true), reflect.ValueOf(byte(200))})
	if want := "go test fuzz v1\n[]byte(\"\\x00a\")\nstring(\"b\\n\")\nint32(-1)\nbool(true)\nuint8(200)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
