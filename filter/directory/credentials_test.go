// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"os"
	"path/filepath"
	"strings"
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

func TestCredentialsOfAFileAreThoseThatItHasNow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "account.yaml")
	for name, c := range map[string]struct {
		text string
		want Credentials
		err  string
	}{
		"as the tools have it": {"accessKey: key\nsecretKey: hushhush\n", Credentials{AccessKey: "key", SecretKey: "hushhush"}, ""},
		"JSON, with a token":   {`{"accessKey":"key","secretKey":"hushhush","securityToken":"t"}`, Credentials{AccessKey: "key", SecretKey: "hushhush", SecurityToken: "t"}, ""},
		"empty":                {"", Credentials{}, "is not an account"},
		"no secret":            {"accessKey: hushhush", Credentials{}, "is not an account"},
		"not YAML":             {"hushhush: [", Credentials{}, "is not an account"},
		"of another shape":     {"accessKey: [hushhush]\nsecretKey: {hushhush: 1}", Credentials{}, "is not an account"},
		"a bomb":               {"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\naccessKey: *c\nsecretKey: hushhush", Credentials{}, "is not an account"},
		"far too long":         {"accessKey: key\nsecretKey: " + strings.Repeat("hush", 20_000), Credentials{}, "is not an account"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Credentials{File: file}.load()
		if got != c.want || (err != nil) != (c.err != "") {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: got %q", name, err)
		}
	}
	if _, err := (Credentials{File: file + "x"}).load(); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}
