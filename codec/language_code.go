// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"strconv"
	"strings"
)

// LanguageCode names the language of the peer's library. Java: LanguageCode.
type LanguageCode uint8

// Java's language codes.
const (
	LanguageJava LanguageCode = iota
	LanguageCPP
	LanguageDotnet
	LanguagePython
	LanguageDelphi
	LanguageErlang
	LanguageRuby
	LanguageOther
	LanguageHTTP
	LanguageGo
	LanguagePHP
	LanguageOMS
	LanguageRust
	LanguageNodeJS

	languageCodes

	// LanguageUnknown stands for a JSON name that is none of Java's, null, or a
	// missing member.
	LanguageUnknown LanguageCode = 255
)

var languageCodeNames = [languageCodes]string{
	"JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER",
	"HTTP", "GO", "PHP", "OMS", "RUST", "NODE_JS",
}

// String returns Java's name, "UNKNOWN", or "UNKNOWN_LANGUAGE_CODE_<n>".
func (c LanguageCode) String() string {
	switch {
	case c < languageCodes:
		return languageCodeNames[c]
	case c == LanguageUnknown:
		return "UNKNOWN"
	}
	return "UNKNOWN_LANGUAGE_CODE_" + strconv.Itoa(int(c))
}

// languageCodeOf returns the code of a JSON name, which Java's brokers know in any case (fastjson's EnumDeserializer).
func languageCodeOf(name []byte) LanguageCode {
	for i, s := range languageCodeNames {
		if string(name) == s {
			return LanguageCode(i)
		}
	}
	for i, s := range languageCodeNames {
		if len(name) == len(s) && strings.EqualFold(string(name), s) { // of one length: no letter but ASCII's folds
			return LanguageCode(i)
		}
	}
	return LanguageUnknown
}
