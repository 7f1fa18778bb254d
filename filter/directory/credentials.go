// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Credentials sign the directory's own requests. Without an AccessKey and a File nothing is signed.
type Credentials struct {
	AccessKey, SecretKey, SecurityToken string
	File                                string // has the others
}

// maxCredentials bounds the file of an account.
const maxCredentials = 64 << 10

// load gives the credentials that hold now: those of the file, if there is one. No error has anything of its content.
func (c Credentials) load() (Credentials, error) {
	if c.File == "" {
		return c, nil
	}
	f, err := os.Open(c.File)
	if err != nil {
		return Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxCredentials+1))
	if err != nil {
		return Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	var account struct {
		AccessKey     string `yaml:"accessKey"`
		SecretKey     string `yaml:"secretKey"`
		SecurityToken string `yaml:"securityToken"`
	}
	if len(text) > maxCredentials || yaml.Unmarshal(text, &account) != nil || account.AccessKey == "" || account.SecretKey == "" {
		return Credentials{}, fmt.Errorf("credentials: %s is not an account; want a file with `accessKey: …` and `secretKey: …`", c.File)
	}
	return Credentials{AccessKey: account.AccessKey, SecretKey: account.SecretKey, SecurityToken: account.SecurityToken}, nil
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
