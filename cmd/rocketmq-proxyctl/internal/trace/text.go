// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxValue is how much of one value is shown, in bytes.
const maxValue = 120

// show makes a value of the input fit for a terminal: quoted unless it is a plain word, and cut when it is long.
func (p *Printer) show(value []byte) string {
	rest := 0
	if !p.Full && len(value) > maxValue {
		cut := maxValue
		for cut > maxValue-utf8.UTFMax && !utf8.RuneStart(value[cut]) {
			cut--
		}
		rest = len(value) - cut
		value = value[:cut]
	}
	text := string(value)
	if !isPlain(text) {
		text = strconv.Quote(text)
	}
	if rest > 0 {
		text += fmt.Sprintf("...(%d more)", rest)
	}
	return text
}

// isPlain tells whether a text needs no quotes.
func isPlain(text string) bool {
	return text != "" && utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool {
		return r == '"' || unicode.IsSpace(r) || !unicode.IsPrint(r)
	}) < 0
}

// secret tells whether a field's value must not be shown.
func secret(name string) bool {
	switch strings.ToLower(name) {
	case "signature", "securitytoken", "secretkey", "password":
		return true
	}
	return false
}
