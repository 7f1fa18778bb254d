// SPDX-License-Identifier: Apache-2.0

// Package storm runs fuzz targets very often. The fuzzing of `go test` looks for new code after each execution, which takes ten
// times as long as most of our targets; once a corpus has grown that way, random changes of it find by their number what
// is rare.
package storm

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// chunk is how many executions share a *testing.T, which keeps what is registered with it.
const chunk = 10_000

// hang is how long an execution may take.
const hang = 30 * time.Second

// Fuzz is f.Fuzz. Where $STORM is a number, each seed and each input of the corpus is also changed at random and given to
// the target so many times; what it ran is in a line "storm: TARGET, N executions". The input of a failure is logged as a file
// of testdata/fuzz has it. What ends the process without a word, as a stack that overflows, is found again by $STORM_SEED,
// which is printed at the start.
func Fuzz(f *testing.F, target any) {
	f.Helper()
	each, _ := strconv.Atoi(os.Getenv("STORM"))
	if each <= 0 {
		f.Fuzz(target)
		return
	}
	random := rand.Uint64()
	if given, err := strconv.ParseUint(os.Getenv("STORM_SEED"), 10, 64); err == nil {
		random = given
	}
	fmt.Printf("storm: %s begins, STORM=%d STORM_SEED=%d\n", f.Name(), each, random)
	s := &storm{target: reflect.ValueOf(target), random: rand.New(rand.NewPCG(random, 0))}
	f.Fuzz(reflect.MakeFunc(s.target.Type(), func(in []reflect.Value) []reflect.Value {
		t, seed := in[0].Interface().(*testing.T), in[1:]
		s.remember(seed)
		for left := each; left > 0; left -= chunk {
			if !t.Run("", func(t *testing.T) { s.run(t, seed, min(left, chunk)) }) {
				break // one input is enough
			}
		}
		return nil
	}).Interface())
	fmt.Printf("storm: %s, %d executions\n", f.Name(), s.executions)
}

type storm struct {
	target     reflect.Value
	random     *rand.Rand
	executions int
	pieces     [][]byte // of all seeds so far, to mix them
}

func (s *storm) remember(seed []reflect.Value) {
	for _, v := range seed {
		if b := bytesOf(v); len(b) > 0 {
			s.pieces = append(s.pieces, b)
		}
	}
}

func (s *storm) run(t *testing.T, seed []reflect.Value, n int) {
	in := make([]reflect.Value, 1, 1+len(seed))
	in[0] = reflect.ValueOf(t)
	in = append(in, seed...)
	ended := false
	defer func() {
		if !ended || t.Failed() { // a failure of the target ends this goroutine, or is a panic on its way
			t.Log("the input was\n" + corpusFile(in[1:]))
		}
	}()
	watchdog := time.AfterFunc(hang, func() {
		fmt.Printf("storm: no end after %s of an input like\n%s", hang, corpusFile(in[1:]))
		os.Exit(1)
	})
	defer watchdog.Stop()
	for range n {
		watchdog.Reset(hang)
		copy(in[1:], seed)
		for range 1 + s.random.IntN(3) {
			i := 1 + s.random.IntN(len(seed))
			in[i] = s.change(in[i])
		}
		s.executions++
		s.target.Call(in)
		if t.Failed() {
			break
		}
	}
	ended = true
}

// change gives another value of the same type.
func (s *storm) change(v reflect.Value) reflect.Value {
	changed := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Bool:
		changed.SetBool(!v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		changed.SetInt(int64(s.number(uint64(v.Int()))))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		changed.SetUint(s.number(v.Uint()))
	case reflect.String:
		changed.SetString(string(s.changeBytes([]byte(v.String()))))
	default:
		changed.SetBytes(s.changeBytes(append([]byte(nil), v.Bytes()...)))
	}
	return changed
}

// number is n and a bit more or less, a bound of a type, or anything.
func (s *storm) number(n uint64) uint64 {
	switch s.random.IntN(4) {
	case 0:
		return n + uint64(s.random.IntN(33)) - 16
	case 1:
		return 1<<s.random.IntN(64) - uint64(s.random.IntN(2))
	case 2:
		return n ^ 1<<s.random.IntN(64)
	}
	return s.random.Uint64()
}

// changeBytes changes b in one place. It may change the array behind b, too.
func (s *storm) changeBytes(b []byte) []byte {
	at := s.random.IntN(len(b) + 1)
	end := min(len(b), at+1+s.random.IntN(1+len(b)/4))
	switch s.random.IntN(9) {
	case 0:
		return b[:at]
	case 1:
		return append(b[:at], b[end:]...)
	case 2:
		return insert(b, at, b[at:end])
	case 3:
		return insert(b, at, []byte(words[s.random.IntN(len(words))]))
	case 4:
		if len(s.pieces) > 0 {
			other := s.pieces[s.random.IntN(len(s.pieces))]
			from := s.random.IntN(len(other))
			return insert(b, at, other[from:from+1+s.random.IntN(len(other)-from)])
		}
	case 5:
		if at+4 <= len(b) { // lengths are such
			binary.BigEndian.PutUint32(b[at:], uint32(s.number(uint64(binary.BigEndian.Uint32(b[at:])))))
		}
	case 6:
		for i := at; i < end; i++ {
			b[i] = byte(s.random.Uint32())
		}
	case 7:
		if at < len(b) {
			b[at] ^= 1 << s.random.IntN(8)
		}
	default:
		if at < len(b) {
			b[at] += byte(s.random.IntN(5)) - 2
		}
	}
	return b
}

func insert(b []byte, at int, what []byte) []byte {
	longer := make([]byte, 0, len(b)+len(what))
	return append(append(append(longer, b[:at]...), what...), b[at:]...)
}

// words are what headers and bodies are made of.
var words = []string{
	"{", "}", "[", "]", ":", ",", `"`, `\`, `\u0000`, `"":`, "0", "-0", "-1", "1.5", "1e9", "2147483648", "9223372036854775808", "null", "true", "false",
	`"code":`, `"opaque":`, `"extFields":{`, `"flag":1`, `"brokerAddrs":{0:"`, `"brokerDatas":[`, `"queueDatas":[`, "127.0.0.1:10911", "broker-a", "\x00", "\x00\x00\x00\x00", "\xff\xff\xff\xff", "\x01", "\xc0\xaf",
}

func bytesOf(v reflect.Value) []byte {
	if v.Kind() == reflect.String {
		return []byte(v.String())
	}
	if v.Kind() == reflect.Slice {
		return v.Bytes()
	}
	return nil
}

// corpusFile writes an input as `go test` keeps it.
func corpusFile(in []reflect.Value) string {
	var text strings.Builder
	text.WriteString("go test fuzz v1\n")
	for _, v := range in {
		switch v.Kind() {
		case reflect.Slice:
			fmt.Fprintf(&text, "[]byte(%q)\n", v.Bytes())
		case reflect.String:
			fmt.Fprintf(&text, "string(%q)\n", v.String())
		default:
			fmt.Fprintf(&text, "%s(%v)\n", v.Type(), v.Interface())
		}
	}
	return text.String()
}
