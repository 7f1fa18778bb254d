// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"fmt"
	"strings"
	"testing"
)

func TestBrokerNetworks(t *testing.T) {
	with := func(networks string) string {
		return `{"rocketmq_proxy":{"stat_prefix":"demo"},"clusters":[{"name":"c","name_servers":["ns:9876"],"broker_networks":[` + networks + `]}],"addressing":{"unified":{}}}`
	}
	got, err := resolveText(t, with(`"10.1.2.3/16","10.1.2.3","fd00:1::/64","::ffff:10.2.0.0/112","::1"`))
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(got.Clusters[0].BrokerNetworks); text != "[10.1.0.0/16 10.1.2.3/32 fd00:1::/64 10.2.0.0/16 ::1/128]" {
		t.Errorf("got %s", text)
	}
	_, err = resolveText(t, with(`"10.0.0.0/8","10.0.0.0/33","broker.example","fe80::1%eth0/64",""`))
	want := strings.ReplaceAll(`clusters[0].broker_networks[1] is "10.0.0.0/33"; W
clusters[0].broker_networks[2] is "broker.example"; W
clusters[0].broker_networks[3] is "fe80::1%eth0/64"; W
clusters[0].broker_networks[4] is ""; W`, "W", "want a network such as 10.1.0.0/16, or an address")
	if err == nil || strings.TrimSpace(err.Error()) != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	_, err = resolveText(t, with(strings.Repeat(`"10.0.0.1",`, maxNetworks)+`"10.0.0.1"`))
	if err == nil || strings.TrimSpace(err.Error()) != "clusters[0].broker_networks has 257 entries; want at most 256" {
		t.Errorf("got %v", err)
	}
}
