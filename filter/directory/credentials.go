// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Credentials sign the directory's own requests. Without an AccessKey nothing is signed.
type Credentials struct {
	AccessKey, SecretKey, SecurityToken string
}

// sign adds what Java's AclClientRPCHook adds: the signature is HMAC-SHA1 over the values of all fields
// in the order of their names, and the body.
func (c Credentials) sign(command *codec.Command) {
	if c.AccessKey == "" {
		return
	}
	command.Fields = append(command.Fields, codec.Field{Name: "AccessKey", Value: c.AccessKey})
	if c.SecurityToken != "" {
		command.Fields = append(command.Fields, codec.Field{Name: "SecurityToken", Value: c.SecurityToken})
	}
	slices.SortFunc(command.Fields, func(a, b codec.Field) int { return cmp.Compare(a.Name, b.Name) })
	mac := hmac.New(sha1.New, []byte(c.SecretKey))
	for _, field := range command.Fields {
		mac.Write([]byte(field.Value))
	}
	mac.Write(command.Body)
	command.Fields = append(command.Fields, codec.Field{Name: "Signature", Value: base64.StdEncoding.EncodeToString(mac.Sum(nil))})
}
