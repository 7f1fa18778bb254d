// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/quota"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Sessions of two configs share five files: a client with a single upstream takes two, one of a unified listener takes
// one, and one more for each upstream connection.
func TestTheFilesOfAllConfigsAreBounded(t *testing.T) {
	files := &quota.Files{}
	files.SetLimit(5)
	chained, unified := newEnvironment(t, perBroker, fakeNameServers{}), newEnvironment(t, unifiedMode, fakeNameServers{})
	chained.Files, unified.Files = files, files

	first, shared := dial(t, chained, 20911, inPlace), dial(t, unified, 19876, terminal)
	shared.send(sendV2(1, "broker-a", "t"))
	shared.UpstreamConnected(shared.clock, shared.to(brokerAAddress))
	if used := files.Used(); used != 4 {
		t.Fatalf("%d files are counted, want 4", used)
	}
	second := dial(t, chained, 20911, inPlace)
	if first.host.downClosed || !second.host.downClosed || len(second.host.order) != 0 {
		t.Error("want the second closed, before it has opened anything")
	}
	second.wantStats(map[stats.ID]int64{stats.DownstreamOverLimit: 1})
	third := dial(t, unified, 19876, terminal)
	if third.host.downClosed {
		t.Error("the fifth file is not given")
	}
	third.send(sendV2(1, "broker-a", "t"))
	third.wantOneAnswer(1, codec.ResponseSystemBusy)
	shared.send(sendV2(2, "broker-b", "t"))
	shared.wantOneAnswer(2, codec.ResponseSystemBusy)
	third.wantStats(map[stats.ID]int64{stats.RequestOverLimit: 2})

	files.SetLimit(0) // those that are open stay
	for _, h := range []*harness{first, second, third, shared} {
		h.Close(h.clock)
	}
	if used := files.Used(); used != 0 || files.Sources() != 0 {
		t.Errorf("%d files of %d clients are still counted", used, files.Sources())
	}
}

// A client address has one share of the files, whatever the number of listeners to which it connects.
func TestAnAddressHasOneShareOfTheFilesOfAllConfigs(t *testing.T) {
	const limit = 20
	files := &quota.Files{}
	files.SetLimit(limit)
	var all []*harness
	open := func(remote string) (n int) {
		for range 3 {
			e := newEnvironment(t, unifiedMode, fakeNameServers{})
			e.Files, e.Config.Limits.MaxSourcePercent = files, 50
			for range limit {
				h := dialFrom(t, e, remote, "127.0.0.1:19876", terminal)
				if all = append(all, h); !h.host.downClosed {
					n++
				}
			}
		}
		return n
	}
	for i, want := range []int{10, 5, 3} { // a half of what all others leave, rounded up
		if got := open(fmt.Sprintf("10.1.1.%d:5000", i)); got != want {
			t.Errorf("address %d has %d files, want %d", i, got, want)
		}
	}
	for _, h := range all {
		h.Close(h.clock)
	}
	if used := files.Used(); used != 0 || files.Sources() != 0 {
		t.Errorf("%d files of %d clients are still counted", used, files.Sources())
	}
}

func TestAnUpstreamThatEndedGivesItsFileBack(t *testing.T) {
	files := &quota.Files{}
	files.SetLimit(2)
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	e.Files = files
	h := dial(t, e, 19876, terminal)
	for opaque, end := range map[int32]func(*Session, Instant, UpstreamID){1: func(s *Session, now Instant, id UpstreamID) { s.UpstreamFailed(now, id, RemoteFailure) }, 2: (*Session).UpstreamClosed} {
		h.send(sendV2(opaque, "broker-a", "t"))
		if used := files.Used(); used != 2 {
			t.Errorf("%d files are counted, want 2", used)
		}
		id := h.to(brokerAAddress)
		if opaque == 2 {
			h.UpstreamConnected(h.clock, id)
		}
		end(h.Session, h.clock, id)
		if used := files.Used(); used != 1 {
			t.Errorf("%d files are counted after the end, want 1", used)
		}
	}
}
