// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// TestBrokersToWhichNothingIsSentAreInTheLog has a real name server of this process name brokers at the process's own
// listener, at what clients are given as the proxy, and outside of the brokers' networks.
func TestBrokersToWhichNothingIsSentAreInTheLog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	own := listener.Addr().String()
	answer := codec.Command{Flag: codec.FlagResponse, Opaque: 1, Body: fmt.Appendf(nil, `{"brokerAddrTable":{
		"broker-a":{"brokerAddrs":{"0":"%s"},"brokerName":"broker-a","cluster":"c"},
		"broker-b":{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-b","cluster":"c"},
		"broker-c":{"brokerAddrs":{"0":"10.0.0.9:9876"},"brokerName":"broker-c","cluster":"c"},
		"broker-d":{"brokerAddrs":{"0":"192.0.2.1:10911"},"brokerName":"broker-d","cluster":"c"}},"clusterAddrTable":{"c":["broker-a"]}}`, own)}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			start := make([]byte, codec.PrefixSize)
			_, _ = io.ReadFull(c, start)
			prefix, _ := codec.ParsePrefix(start, codec.Limits{})
			_, _ = io.CopyN(io.Discard, c, int64(prefix.HeaderSize))
			_, _ = c.Write(answer.Append(nil))
			_ = c.Close()
		}
	}()
	lines := make(chan string, 10)
	c := config(time.Hour)
	c.Clusters[0].NameServers = []string{own}
	c.Clusters[0].BrokerNetworks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	c.Limits.MaxBrokers, c.Limits.MaxFields = 10, 10
	c.Addressing.AdvertisedAddress = "10.0.0.9:9876"
	x := Start(c, Host{Warn: func(format string, arguments ...any) { lines <- logline.Format(format, arguments...) }})
	var got []string
	for len(got) < 3 {
		select {
		case line := <-lines:
			got = append(got, line)
		case <-time.After(30 * time.Second):
			t.Fatalf("only %q", got)
		}
	}
	x.Close()
	slices.Sort(got)
	want := []string{
		`nothing is sent to the broker "broker-a": its address "` + own + `" leads back to this proxy`,
		`nothing is sent to the broker "broker-c": its address "10.0.0.9:9876" leads back to this proxy`,
		`nothing is sent to the broker "broker-d": its address "192.0.2.1:10911" is in none of the networks where brokers may be (clusters[].broker_networks)`,
	}
	if !slices.Equal(got, want) || len(lines) != 0 {
		t.Errorf("got %q and %d more, want %q", got, len(lines), want)
	}
	rules := reach.Rules{Own: reach.Process}
	if rules.Broker("10.0.0.9:9876") != reach.Allowed {
		t.Error("what the config advertised is taken for the proxy's after its end")
	}
}
