// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Printer prints frames, each as a line, with further lines for its fields, remark and body.
type Printer struct {
	To io.Writer
	// Brief leaves the further lines out.
	Brief bool
	// Full shows values whole.
	Full bool
	// Bodies shows the beginning of bodies of unknown kinds, messages among them.
	Bodies bool
	// Codes are the requests to be shown, with their answers; empty: all.
	Codes map[requests.Code]bool
	// Paint adds colour to a text.
	Paint func(colour, text string) string

	shown int
	err   error
}

// Colours that Paint is asked for.
const (
	Good   = "green"
	Bad    = "red"
	Strong = "bold"
	Weak   = "dim"
)

func (p *Printer) paint(colour, text string) string {
	if p.Paint == nil {
		return text
	}
	return p.Paint(colour, text)
}

// frame prints one frame. way is where it went, and asked, if known, the request that it answers.
func (p *Printer) frame(f Frame, at, way string, asked question, known bool) {
	code := requests.CodeOf(f.Header)
	if f.Header.IsResponse() {
		code = asked.code
	}
	if len(p.Codes) > 0 && !p.Codes[code] {
		return
	}
	p.shown++
	h := f.Header
	line := p.paint(Weak, at) + " " + way + " "
	if h.IsResponse() {
		colour := Good
		if h.ResponseCode() != codec.ResponseSuccess {
			colour = Bad
		}
		line += "answer  " + p.paint(colour, fmt.Sprintf("%v (%d)", h.ResponseCode(), h.Code))
		switch {
		case !known:
			line += " to an unseen request"
		case f.Time.IsZero() || asked.at.IsZero():
			line += fmt.Sprintf(" to %v", asked.code)
		default:
			line += fmt.Sprintf(" to %v after %v", asked.code, f.Time.Sub(asked.at).Round(time.Microsecond))
		}
	} else {
		line += "request " + p.paint(Strong, fmt.Sprintf("%v (%d)", requests.CodeOf(h), requests.CodeOf(h)))
	}
	line += fmt.Sprintf(" opaque=%d", h.Opaque)
	if h.IsOneway() {
		line += " oneway"
	}
	if other := h.Flag &^ (codec.FlagResponse | codec.FlagOneway); other != 0 {
		line += fmt.Sprintf(" flag=%#x", uint32(h.Flag))
	}
	line += fmt.Sprintf(" %v v%d %v %d+%d bytes", h.Language, h.Version, h.Type, f.Prefix.HeaderSize, f.Prefix.BodySize)
	p.line(line)
	if p.Brief {
		return
	}
	if fields := p.fields(h); fields != "" {
		p.line("    " + fields)
	}
	if remark := h.Remark(); remark != "" {
		p.line("    remark " + p.show([]byte(remark)))
	}
	if summary := p.summary(f, code); summary != "" {
		p.line("    body " + summary)
	}
}

func (p *Printer) fields(h *codec.Header) string {
	var all []string
	for name, value := range h.Fields() {
		text := p.show(value)
		if len(value) == 0 {
			text = `""`
		} else if secret(string(name)) {
			text = fmt.Sprintf("(%d bytes, not shown)", len(value))
		}
		all = append(all, p.show(name)+"="+text)
	}
	return strings.Join(all, " ")
}

// note prints what is no frame.
func (p *Printer) note(at, way, text string) {
	p.line(p.paint(Weak, at) + " " + way + " " + p.paint(Bad, text))
}

func (p *Printer) line(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.To, text+"\n")
	}
}
