// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"
)

// space is jsonscan.Space for places where clients leave no blanks.
func space(b []byte, i int) int {
	if i < len(b) && b[i] <= ' ' {
		return jsonscan.Space(b, i)
	}
	return i
}

// jsonInt32 reads a JSON integer of at most 32 bits; next is -1 for anything else.
func jsonInt32(b []byte, i int) (n int32, next int) {
	// One to seven digits are read at once. The first is in the lowest byte of x.
	x := eightAt(b, i) ^ '0'*0x0101010101010101
	others := (x + 0x7676767676767676 | x) & 0x8080808080808080 // its lowest bit is exact
	size := uint(bits.TrailingZeros64(others)) / 8
	if size == 0 || size == 8 || x&0xff == 0 && size > 1 || mayGoOn(b, i+int(size)) {
		return jsonLongInt32(b, i)
	}
	x <<= 64 - 8*size // leading zeros make it eight digits
	x = x*10 + x>>8   // each second byte now has the value of two digits
	const twos = 0x000000ff000000ff
	x = x&twos*(100+1000000<<32) + x>>16&twos*(1+10000<<32)
	return int32(x >> 32), i + int(size)
}

// mayGoOn tells whether a number with digits up to b[i] has a fraction or an exponent.
func mayGoOn(b []byte, i int) bool {
	return i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e')
}

// jsonLongInt32 is jsonInt32 for any number of digits.
func jsonLongInt32(b []byte, i int) (n int32, next int) {
	neg := false
	if i < len(b) && b[i] == '-' {
		neg = true
		i++
	}
	start := i
	var u uint64
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		u = u*10 + uint64(b[i]-'0')
		if u > -math.MinInt32 {
			return 0, -1
		}
		i++
	}
	switch {
	case i == start, b[start] == '0' && i > start+1:
		return 0, -1
	case mayGoOn(b, i):
		return 0, -1
	case neg:
		return int32(-int64(u)), i
	case u > math.MaxInt32:
		return 0, -1
	}
	return int32(u), i
}

// jsonQuotedInt32 reads an integer that stands in quotes; next is the position of the closing one, or -1.
func jsonQuotedInt32(b []byte, i int) (n int32, next int) {
	if i >= len(b) || b[i] != '"' {
		return 0, -1
	}
	if n, next = jsonInt32(b, i+1); next >= 0 && next < len(b) && b[next] == '"' {
		return n, next
	}
	return 0, -1
}

// jsonNumber reads an integer as RocketMQ takes it: plain, in quotes, or null, which is 0; next is -1 for anything else.
func jsonNumber(b []byte, i int) (n int32, next int) {
	if n, next = jsonInt32(b, i); next >= 0 {
		return n, next
	}
	if n, next = jsonQuotedInt32(b, i); next >= 0 {
		return n, next + 1
	}
	return 0, jsonNull(b, i)
}

// jsonScalar reads what fastjson makes a string of, always of the same text: an integer, true or false; or null. It
// returns -1 for anything else: how fractions, exponents, -0, objects and arrays are written back depends on the release.
func jsonScalar(b []byte, i int) (next int, null bool) {
	if i >= len(b) {
		return -1, false
	}
	if b[i] != '-' && (b[i] < '0' || b[i] > '9') {
		return jsonscan.Literal(b, i), b[i] == 'n'
	}
	next, integer := jsonscan.Number(b, i)
	if !integer || b[i] == '-' && b[i+1] == '0' {
		return -1, false
	}
	return next, false
}

func jsonNull(b []byte, i int) (next int) {
	if i+4 <= len(b) && string(b[i:i+4]) == "null" {
		return i + 4
	}
	return -1
}

// What stands between two strings of an object, as threeAt gives it.
const (
	quoteColonQuote = '"' | ':'<<8 | '"'<<16
	quoteCommaQuote = '"' | ','<<8 | '"'<<16
)

// threeAt gives b[i] and the two bytes behind it, the first in the lowest byte; 0 near the end of b.
func threeAt(b []byte, i int) uint32 {
	if i+4 > len(b) {
		return 0
	}
	return binary.LittleEndian.Uint32(b[i:]) & 0xffffff
}

// eightAt gives b[i] and the seven bytes behind it, the first in the lowest byte; zeros for those
// behind the end of b, and for all in a b of less than eight.
func eightAt(b []byte, i int) uint64 {
	last := len(b) - 8
	switch {
	case i <= last:
		return binary.LittleEndian.Uint64(b[i:])
	case last >= 0 && i < len(b):
		return binary.LittleEndian.Uint64(b[last:]) >> (8 * (i - last))
	}
	return 0
}
