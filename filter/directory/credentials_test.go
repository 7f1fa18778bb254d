// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

func TestSignaturesAreThoseOfHMACOverTheValuesInOrder(t *testing.T) {
	command := codec.Command{Fields: []codec.Field{{Name: "topic", Value: "b"}, {Name: "Alpha", Value: "a"}}, Body: []byte("body")}
	Credentials{AccessKey: "key", SecretKey: "secret", SecurityToken: "token"}.sign(&command)
	got := map[string]string{}
	for _, f := range command.Fields {
		got[f.Name] = f.Value
	}
	// printf %s keyatokenbbody | openssl dgst -sha1 -hmac secret -binary | base64, with the values of
	// AccessKey, Alpha, SecurityToken, topic and the body.
	if got["Signature"] != "gpqQD9jua+WuchIy+RLFAh1Yd9o=" || got["AccessKey"] != "key" || got["SecurityToken"] != "token" {
		t.Errorf("got %v", got)
	}
	command = codec.Command{}
	if (Credentials{}).sign(&command); command.Fields != nil {
		t.Errorf("signed without a key: %v", command.Fields)
	}
}
