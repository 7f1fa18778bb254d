// SPDX-License-Identifier: Apache-2.0

package router

import (
	"encoding/base64"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// RECALL_MESSAGE (370), header RecallMessageRequestHeader, no body. Sent by producers from 5.3.2 on
// to take a delayed message back. The handle that the send answered is base64 of "v1 topic broker
// timestamp messageId" (RecallMessageHandle).
func byRecallHandle(r *Request, v View) ([]byte, *codec.Reply) {
	if name := namedBroker(r); len(name) > 0 {
		return name, nil
	}
	handle, _ := r.Header.Field("recallHandle")
	if text, err := base64.URLEncoding.DecodeString(string(handle)); err == nil {
		if parts := strings.Split(string(text), " "); len(parts) == 5 && parts[0] == "v1" && parts[2] != "" {
			return []byte(parts[2]), nil
		}
	}
	return onlyBroker(r, v)
}
