// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/binary"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"
)

// Field is one extField of a Command.
type Field struct{ Name, Value string }

// Command is a whole frame made by the proxy itself: an answer of its own or a request
// to a name server. Java: RemotingCommand.
type Command struct {
	Code     int32
	Language LanguageCode
	Version  int32 // with ROCKETMQ only the low 16 bits travel, of Code too
	Opaque   int32
	Flag     int32
	Type     SerializeType
	Remark   string  // left out when empty
	Fields   []Field // in this order; names must differ and, with ROCKETMQ, have at most 32767 bytes
	Body     []byte
}

// Append appends the whole frame and gives the extended dst; it borrows all of c. JSON
// comes as Java's encoder writes it: members in alphabetical order, no blanks, empty
// ones left out, fastjson's escapes. ROCKETMQ: RocketMQSerializable.
func (c *Command) Append(dst []byte) []byte {
	prefix := len(dst)
	dst = appendPrefix(dst, c.Type, 0, 0)
	start := len(dst)
	if c.Type == ROCKETMQ {
		dst = c.appendBinary(dst)
	} else {
		dst = c.appendJSON(dst)
	}
	appendPrefix(dst[:prefix], c.Type, len(dst)-start, len(c.Body))
	return append(dst, c.Body...)
}

func (c *Command) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(c.Code), 10)
	if len(c.Fields) > 0 {
		dst = append(dst, `,"extFields":{`...)
		for i, f := range c.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = jsonscan.AppendString(dst, f.Name)
			dst = append(dst, ':')
			dst = jsonscan.AppendString(dst, f.Value)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `,"flag":`...)
	dst = strconv.AppendInt(dst, int64(c.Flag), 10)
	dst = append(dst, `,"language":"`...)
	if c.Language < languageCodes {
		dst = append(dst, languageCodeNames[c.Language]...)
	} else {
		dst = append(dst, languageCodeNames[LanguageOther]...)
	}
	dst = append(dst, `","opaque":`...)
	dst = strconv.AppendInt(dst, int64(c.Opaque), 10)
	if c.Remark != "" {
		dst = append(dst, `,"remark":`...)
		dst = jsonscan.AppendString(dst, c.Remark)
	}
	dst = append(dst, `,"serializeTypeCurrentRPC":"JSON","version":`...)
	dst = strconv.AppendInt(dst, int64(c.Version), 10)
	return append(dst, '}')
}

func (c *Command) appendBinary(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(c.Code))
	language := c.Language
	if language >= languageCodes {
		language = LanguageOther
	}
	dst = append(dst, byte(language))
	dst = binary.BigEndian.AppendUint16(dst, uint16(c.Version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.Opaque))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.Flag))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(c.Remark)))
	dst = append(dst, c.Remark...)
	sizeAt := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for _, f := range c.Fields {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(f.Name)))
		dst = append(dst, f.Name...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.Value)))
		dst = append(dst, f.Value...)
	}
	binary.BigEndian.PutUint32(dst[sizeAt:], uint32(len(dst)-sizeAt-4))
	return dst
}
