// SPDX-License-Identifier: Apache-2.0

package world

import (
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

func TestSubstitutePortsTakesWholeNumbersOnly(t *testing.T) {
	ports := map[int]int{9876: 1111, 19876: 2222, 10911: 3333}
	for _, c := range []struct{ name, in, want string }{
		{"a value", "port_value: 9876}", "port_value: 1111}"},
		{"an address", `"127.0.0.1:9876"`, `"127.0.0.1:1111"`},
		{"the longer number that contains it", "19876 9876", "2222 1111"},
		{"at both ends", "9876,10911", "1111,3333"},
		{"the end of a sentence", "at 9876. Then", "at 1111. Then"},
		{"not as part of others", "1.9876 9876.5 x9876 9876ms 09876 98760 9876_", "1.9876 9876.5 x9876 9876ms 09876 98760 9876_"},
	} {
		if got, err := substitutePorts(c.in, ports, nil); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestSubstitutePortsNamesWhatIsMissing(t *testing.T) {
	_, err := substitutePorts("9876", map[int]int{9876: 1, 9901: 2}, []int{9876, 9901})
	if err == nil || !strings.Contains(err.Error(), "9901") || strings.Contains(err.Error(), "9876") {
		t.Errorf("got error %v, want one that names 9901 alone", err)
	}
}

func TestExampleConfigsHoldThePortsThatAreReplaced(t *testing.T) {
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []Mode{PerBroker, Unified, SideBySide} {
		w := &World{opt: Options{Mode: mode, Brokers: []string{"broker-a", "broker-b"}}, paths: paths{root: root}, ports: map[int]int{}}
		if err := w.choosePorts(); err != nil {
			t.Fatal(err)
		}
		yaml, err := w.EnvoyConfig()
		if err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		for example := range w.ports {
			if left, _ := substitutePorts(yaml, map[int]int{example: 0}, nil); left != yaml {
				t.Errorf("%s: port %d is still in the config", mode, example)
			}
		}
	}
}

func TestParseAddrReadsBothFamilies(t *testing.T) {
	for in, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"0000000000000000FFFF00000100007F:2694": "127.0.0.1:9876",
		"00000000000000000000000001000000:0016": "[::1]:22",
	} {
		if got, err := parseAddr(in); err != nil || got != netip.MustParseAddrPort(want) {
			t.Errorf("%s: got %v, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0100007F", "0100007F:", "0100:1F90", "xx00007F:1F90", "0100007F0100007F:1F90"} {
		if got, err := parseAddr(in); err == nil {
			t.Errorf("%q: got %v, want an error", in, got)
		}
	}
}

func TestConnectionsSeesOurOwn(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Logf("%s: %v", addr, err)
			continue
		}
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns, err := Connections(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		var dialled, listens bool
		for _, x := range conns {
			dialled = dialled || x.State == Established && x.Local.String() == c.LocalAddr().String() && x.Remote.String() == l.Addr().String()
			listens = listens || x.State == Listening && x.Local.String() == l.Addr().String()
		}
		if !dialled || !listens {
			t.Errorf("%s: dialled %v, listens %v in %v", addr, dialled, listens, conns)
		}
	}
}

func TestLedgerCountsInAnyOrder(t *testing.T) {
	var l Ledger
	l.Acknowledged("0")
	l.Delivered("0 broker-a 1 7 0")
	l.Delivered("5000 broker-b 0 0 0") // before its acknowledgement
	if got := l.Sums().Unacknowledged; got != 1 {
		t.Errorf("got %d unacknowledged, want 1", got)
	}
	l.Acknowledged("5000")
	l.Acknowledged("3")
	l.Delivered("0 broker-a 1 7 1")
	l.Delivered("7 broker-a 1 8 0") // its send failed
	l.Delivered("nonsense")
	want := Sums{Sent: 3, Consumed: 2, Duplicated: 1, Unacknowledged: 1, Bad: 1, PerBroker: map[string]int64{"broker-a": 2, "broker-b": 1}}
	if got := l.Sums(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := l.Lost(10); !reflect.DeepEqual(got, []int{3}) {
		t.Errorf("got lost %v, want [3]", got)
	}
}

func TestJournalKnowsWhatCameInTheWrongOrder(t *testing.T) {
	var j Journal
	for _, line := range []string{
		"1 broker-a 0 10 0", "2 broker-a 0 11 0", "3 broker-a 1 5 0", "4 broker-b 0 3 0",
		"1 broker-a 0 10 0", "2 broker-a 0 11 0", // again: no disorder
		"5 broker-a 0 13 0", // a gap: none either
		"6 broker-a 0 12 0",
	} {
		j.Delivered(line)
	}
	if got, want := j.Disorder(), []string{"6 broker-a 0 12 0"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := j.Disorder(); got != nil {
		t.Errorf("got %q a second time", got)
	}
}

func TestJournalKnowsWhatWasSentSinceAndCame(t *testing.T) {
	var j Journal
	j.Acknowledged("1")
	since := time.Now()
	j.Delivered("1 broker-a 0 0 0") // sent before
	if a := j.Arrived("broker-a", since); a.Count != 0 {
		t.Errorf("got %+v, want none", a)
	}
	j.Acknowledged("2")
	j.Acknowledged("3")
	j.Delivered("3 broker-a 0 2 0")
	j.Delivered("2 broker-a 0 1 0")
	a := j.Arrived("broker-a", since)
	if a.Count != 2 || a.Sent != j.acked[2] || a.Consumed != j.delivered[1].at {
		t.Errorf("got %+v", a)
	}
	if b := j.Arrived("broker-b", since); b.Count != 0 {
		t.Errorf("got %+v, want none", b)
	}
}

func TestListenersAreTakenOutOfAConfig(t *testing.T) {
	config, listeners, err := splitListeners("static_resources:\n  listeners:\n  - &a {name: a}\n  - *a\n  clusters: [{name: c}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := []any{map[string]any{"name": "a"}, map[string]any{"name": "a"}}; !reflect.DeepEqual(listeners, want) {
		t.Errorf("got listeners %v, want %v", listeners, want)
	}
	if want := map[string]any{"static_resources": map[string]any{"clusters": []any{map[string]any{"name": "c"}}}}; !reflect.DeepEqual(config, want) {
		t.Errorf("got config %v, want %v", config, want)
	}
	if _, _, err := splitListeners("static_resources: {clusters: []}"); err == nil {
		t.Error("a config without listeners is accepted")
	}
}
