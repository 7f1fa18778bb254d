// SPDX-License-Identifier: Apache-2.0

package session

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// replyContext is what the proxy's own answer takes over from its request, beside the opaque.
type replyContext struct {
	version       int32
	serializeType codec.SerializeType
	oneway        bool // no answer is wanted
}

func replyTo(h *codec.Header) replyContext { return replyContext{h.Version, h.Type, h.IsOneway()} }

// reply writes an answer of the proxy itself.
func (s *Session) reply(to replyContext, opaque int32, reply *codec.Reply, body []byte) {
	s.writeCommand(codec.Command{
		Code:     int32(reply.Code),
		Language: codec.LanguageOther,
		Version:  to.version,
		Opaque:   opaque,
		Flag:     codec.FlagResponse,
		Type:     to.serializeType,
		Remark:   reply.Remark,
		Body:     body,
	})
}

func (s *Session) writeCommand(command codec.Command) {
	s.writeDownstream(command.Append(nil))
}
