// SPDX-License-Identifier: Apache-2.0

package codec

import "strconv"

// SerializeType is the type byte of a frame: how its header is written. Each frame
// has its own; the answer's may differ from the question's. Java: SerializeType.
type SerializeType byte

// The two serializations.
const (
	JSON     SerializeType = 0
	ROCKETMQ SerializeType = 1
)

// String returns Java's name.
func (t SerializeType) String() string {
	switch t {
	case JSON:
		return "JSON"
	case ROCKETMQ:
		return "ROCKETMQ"
	}
	return "UNKNOWN_SERIALIZE_TYPE_" + strconv.Itoa(int(t))
}
