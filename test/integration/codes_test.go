// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// TestCodesAreThoseOfTheNewestRocketMQ compares our names with the constants of the default release, so that a newer one is
// taken with its new requests and answers, and not without them.
func TestCodesAreThoseOfTheNewestRocketMQ(t *testing.T) {
	newest := versions.RocketMQ[0]
	if err := repo.Fetch(t.Context(), "", "rocketmq-"+newest); err != nil {
		t.Fatal(err)
	}
	jars, err := repo.Jars(newest)
	if err != nil {
		t.Fatal(err)
	}
	jar := filepath.Join(jars, "rocketmq-remoting-"+newest+".jar")
	for class, name := range map[string]func(int64) string{
		"RequestCode":  func(code int64) string { return requests.Code(code).String() },
		"ResponseCode": func(code int64) string { return codec.ResponseCode(code).String() },
	} {
		output, err := exec.CommandContext(t.Context(), "javap", "-constants", "-cp", jar, "org.apache.rocketmq.remoting.protocol."+class).Output()
		if err != nil {
			t.Fatalf("javap: %v", err)
		}
		constants := regexp.MustCompile(`static final int (\w+) = (-?\d+);`).FindAllStringSubmatch(string(output), -1)
		if len(constants) < 60 {
			t.Fatalf("%s has %d constants: want more than 60", class, len(constants))
		}
		for _, c := range constants {
			code, err := strconv.ParseInt(c[2], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			if got := name(code); got != c[1] {
				t.Errorf("%s %d: got %s, want %s", class, code, got, c[1])
			}
		}
	}
}
