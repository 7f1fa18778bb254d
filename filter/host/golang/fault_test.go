// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func TestAFaultWhileAConfigIsReadRefusesTheConfig(t *testing.T) {
	before := host.NewSink
	defer func() { host.NewSink = before }()
	host.NewSink = func(string, []stats.Def) stats.Sink { panic("no sink today") }
	var log []string
	host.SetLogForTest(t, func(line string) { log = append(log, line) })
	config, err := anypb.New(wrapperspb.String(`{"rocketmq_proxy":{"stat_prefix":"t"},"clusters":[{"name":"c","name_servers":["127.0.0.1:1"]}],"addressing":{"unified":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	got := host.ParseConfig(config)
	if got == nil || got.Instance != nil || got.Err == nil || got.Err.Error() != "the config has led to a fault of the filter, which is in the log" || host.LastConfig() != got {
		t.Errorf("got %+v", got)
	}
	if len(log) < 2 || log[0] != `rocketmq_proxy: fault: "no sink today"` || !strings.HasPrefix(log[1], "rocketmq_proxy: goroutine ") {
		t.Errorf("the log has %q", log)
	}
}
