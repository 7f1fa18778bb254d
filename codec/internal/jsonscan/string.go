// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// StringEnd finds the end of the string whose first byte behind the opening quote
// is b[i]. It returns the position of the closing quote (the same byte as quote) and
// whether the string has escapes, all of which are then well formed; end is -1
// otherwise.
func StringEnd(b []byte, i int, quote byte) (end int, escaped bool) {
	quotes := uint64(quote) * lowBits
	const slashes = '\\' * lowBits
	for {
		// Eight bytes at a time: a byte of x is zero where the text has the byte
		// sought. The lowest set bit of the mask is exact, and only it is used.
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			x, y := w^quotes, w^slashes
			m := ((x - lowBits) &^ x & highBits) | ((y - lowBits) &^ y & highBits)
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				goto found
			}
			i += 8
		}
		for ; i < len(b); i++ {
			if b[i] == quote || b[i] == '\\' {
				goto found
			}
		}
		return -1, escaped
	found:
		if b[i] == quote {
			return i, escaped
		}
		escaped = true
		if i = escapeEnd(b, i+1); i < 0 {
			return -1, true
		}
	}
}

// escapeEnd returns the position behind the escape whose letter is b[i], or -1.
func escapeEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't', '\'':
		return i + 1
	case 'u':
		if i+5 > len(b) || hex4(b[i+1:i+5]) < 0 {
			return -1
		}
		return i + 5
	}
	return -1
}

// hex4 is the value of four hexadecimal digits, or -1.
func hex4(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return -1
		}
	}
	return r
}

// AppendUnescaped appends the text that s, the inside of a string accepted by
// StringEnd, stands for. Half a surrogate pair becomes U+FFFD.
func AppendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 >= len(s) {
			dst = append(dst, s[i])
			i++
			continue
		}
		c := s[i+1]
		i += 2
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			if i+4 > len(s) {
				return dst // not a string StringEnd accepted
			}
			r := hex4(s[i : i+4])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					low = hex4(s[i+2 : i+6])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// EqualUnescaped reports whether s, as in AppendUnescaped, stands for text. It does not
// allocate for texts of up to 40 bytes.
func EqualUnescaped(s []byte, text string) bool {
	if len(s) > 6*len(text) || len(s) < len(text) { // six bytes of s make at least one
		return false
	}
	var buf [240]byte
	return string(AppendUnescaped(buf[:0], s)) == text
}

// AppendString appends s as a quoted JSON string with the escapes fastjson writes:
// short ones where JSON has them, \u00XX with capital digits for the other control
// characters, U+007F to U+009F, U+2028 and U+2029; everything else as it is.
func AppendString(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError || (r > 0x9f && r != 0x2028 && r != 0x2029) {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		}
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
