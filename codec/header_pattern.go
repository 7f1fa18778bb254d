// SPDX-License-Identifier: Apache-2.0

package codec

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"

// maxPattern is the length in bytes of the longest header that is kept as a pattern.
const maxPattern = 1024

// pattern is a JSON header that was read, for those that come after it on the same connection: a header
// of the same length that differs only in its opaque and inside of the texts of its fields has all its
// parts at the same places. The second of two headers of one length becomes the pattern: to copy headers
// of ever changing length would not pay.
type pattern struct {
	jsonscan.Pattern
	size int // bytes of the latest header, be it the pattern or not

	code, version, flag int32
	language            LanguageCode
}

// matchPattern reads raw by the pattern, if it matches: what is not set here stays as it is.
func (h *Header) matchPattern(raw []byte) bool {
	p := &h.pattern
	if !p.Matches(raw) {
		return false
	}
	opaque, end := jsonInt32(raw, int(h.opaqueStart))
	if end != int(h.opaqueEnd) {
		return false
	}
	h.Code, h.Language, h.Version, h.Opaque, h.Flag = p.code, p.language, p.version, opaque, p.flag
	h.Type, h.raw = JSON, raw
	return true
}

// setPattern makes the JSON header just read the pattern.
func (h *Header) setPattern() {
	if len(h.raw) < jsonscan.MinPattern || len(h.raw) > maxPattern || h.fields > inlineFields {
		return
	}
	p := &h.pattern
	p.code, p.version, p.flag, p.language = h.Code, h.Version, h.Flag, h.Language
	p.Set(h.raw, h.marks)
	p.Free(int(h.opaqueStart), int(h.opaqueEnd))
	for i := range int(h.fields) {
		if f := h.field(i); h.raw[f.value-1] == '"' {
			p.FreeText(int(f.value), int(f.valueEnd))
		}
	}
}
