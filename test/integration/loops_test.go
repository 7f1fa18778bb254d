// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// registerAt has a broker register at another address than its own, by a request to `by`, which is the broker or leads
// to it, and waits until the name server says so.
func (x *installation) registerAt(by, address string) {
	x.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		x.Fatal(err)
	}
	// Brokers register anew when their permission is set, even to what it was (AdminBrokerProcessor).
	command := codec.Command{
		Code: int32(requests.UpdateBrokerConfig), Language: codec.LanguageJava, Version: 479, Opaque: 1,
		Body: fmt.Appendf(nil, "brokerIP1=%s\nlistenPort=%s\nbrokerPermission=6\n", host, port),
	}
	if answer, _ := x.askAt(by, command.Append(nil)); answer.ResponseCode() != codec.ResponseSuccess {
		x.Fatalf("UPDATE_BROKER_CONFIG is answered %v %s", answer.ResponseCode(), answer.Remark())
	}
	for limit := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		_, body := x.askAt(x.NameServer, request(requests.GetBrokerClusterInfo, 2))
		if bytes.Contains(body, []byte(`"`+address+`"`)) {
			return
		}
		if time.Now().After(limit) {
			x.Fatalf("no broker has registered at %s: %s", address, body)
		}
	}
}

// askAt sends one request on a connection of its own.
func (x *installation) askAt(address string, frame []byte) (*codec.Header, []byte) {
	x.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		x.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return exchangeOn(x.T, c, frame)
}

// learn makes a listener's directory look where the brokers are now: a route that passes and says something else than the
// name servers' lists makes it ask for these soon.
func (x *installation) learn(nameServer string) {
	x.Helper()
	topic := []codec.Field{{Name: "topic", Value: "T"}, {Name: "acceptStandardJsonOnly", Value: "true"}}
	if answer, _ := x.askAt(nameServer, request(requests.GetRouteInfoByTopic, 3, topic...)); answer.ResponseCode() != codec.ResponseSuccess {
		x.Fatalf("a route is answered %v", answer.ResponseCode())
	}
}

// wantClosed demands that a new connection to an address ends without a byte, whatever is sent, as soon as the directory
// knows of what was learned.
func (x *installation) wantClosed(address string) {
	x.Helper()
	eventually(x.T, "the end of a connection to "+address+" without a byte", func() bool {
		c, err := net.Dial("tcp", address)
		if err != nil {
			x.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = c.Write(request(requests.GetBrokerConfig, 4))
		n, err := c.Read(make([]byte, 1))
		return n == 0 && !errors.Is(err, os.ErrDeadlineExceeded)
	})
}

// wantFewFiles demands that Envoy has no more than a handful of files open than before, for a while.
func (x *installation) wantFewFiles(before int) {
	x.Helper()
	most := 0
	for range 20 {
		most = max(most, x.files())
		time.Sleep(100 * time.Millisecond)
	}
	x.Logf("files of Envoy: %d before, at most %d after", before, most)
	if most > before+8 {
		x.Errorf("Envoy has %d files open, %d before", most, before)
	}
}

// TestAProxyDoesNotCallItself has a broker register at the addresses of Envoy's own listeners, as a wrong brokerIP1 does.
func TestAProxyDoesNotCallItself(t *testing.T) {
	x := install(t, world.Options{Mode: world.SideBySide, Topics: map[string]int{"T": queues}})
	a, b := x.Brokers[0], x.Brokers[1]
	x.learn(x.ProxyAddr)
	x.learn(x.UnifiedAddr)
	for _, loop := range []struct{ name, at string }{
		{"at the unified listener", x.UnifiedAddr},
		{"at its own listener", a.ProxyAddr},
		{"at another broker's listener", b.ProxyAddr},
		{"at the name servers' listener", x.ProxyAddr},
		{"at Envoy's admin interface", x.Admin},
	} {
		t.Run(loop.name, func(t *testing.T) {
			x := x.on(t)
			x.registerAt(a.Addr, loop.at)
			x.learn(x.ProxyAddr)
			x.learn(x.UnifiedAddr)
			before := x.files()
			x.wantClosed(a.ProxyAddr)
			send := request(requests.SendMessageV2, 5, codec.Field{Name: "a", Value: "p"}, codec.Field{Name: "b", Value: "T"},
				codec.Field{Name: "e", Value: "0"}, codec.Field{Name: "n", Value: a.Name})
			eventually(x.T, "a send that is refused since it leads back to the proxy", func() bool {
				answer, _ := x.askAt(x.UnifiedAddr, send)
				return answer.Opaque == 5 && answer.ResponseCode() == codec.ResponseServiceNotAvailable && strings.Contains(answer.Remark(), "leads back to the proxy")
			})
			x.wantFewFiles(before)
		})
	}
	// The other broker goes on.
	if answer, _ := x.askAt(b.ProxyAddr, request(requests.GetBrokerConfig, 6)); answer.ResponseCode() != codec.ResponseSuccess {
		t.Errorf("the other broker is answered %v", answer.ResponseCode())
	}
	x.awaitStat("broker_is_self", 5)
	x.idle()
	x.statPrefix = "rocketmq.unified."
	x.awaitStat("broker_is_self", 5)
	x.idle()
	if log, want := x.envoyLog(), fmt.Sprintf("nothing is sent to the broker %q: its address %q leads back to this proxy", a.Name, x.UnifiedAddr); strings.Count(log, want) != 1 {
		t.Errorf("want one line that says %s:\n%s", want, log)
	}
}

// TestATransparentListenerDoesNotCallItself dials it directly.
func TestATransparentListenerDoesNotCallItself(t *testing.T) {
	x := install(t, world.Options{
		Mode:   world.PerBroker, // for the ports only
		Config: filepath.Join(root(t), "envoy-config", "transparent.yaml"),
		EditConfig: func(_ *world.World, yaml string) (string, error) {
			return strings.Replace(yaml, "addressing:\n", "addressing:\n                uncovered: PASS\n", 1), nil
		},
	})
	before := x.files()
	x.wantClosed(x.ProxyAddr)
	x.wantFewFiles(before)
	x.awaitAtLeast("broker_is_self", 1) // start dials it too
	x.idle()
}

// TestAClientCannotChooseWhereTheProxyDials has a client tell a broker, through the proxy, to register where the client
// wants the next connections to go.
func TestAClientCannotChooseWhereTheProxyDials(t *testing.T) {
	x := install(t, world.Options{Topics: map[string]int{"T": queues}}) // per-broker.yaml has broker_networks
	target, err := net.Listen("tcp", "127.0.0.9:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	broker := x.Brokers[0]
	x.registerAt(broker.ProxyAddr, target.Addr().String())
	x.learn(x.ProxyAddr)
	x.wantClosed(broker.ProxyAddr)
	x.awaitStat("broker_outside_networks", 1)
	_ = target.(*net.TCPListener).SetDeadline(time.Now().Add(time.Second))
	if c, err := target.Accept(); err == nil {
		_ = c.SetDeadline(time.Now().Add(time.Second))
		got, _ := io.ReadAll(c)
		t.Errorf("the target was dialled, and got %q", got)
	}
	x.registerAt(broker.Addr, broker.Addr)
	x.learn(x.ProxyAddr)
	eventually(t, "an answer of the broker after its return", func() bool {
		c, err := net.Dial("tcp", broker.ProxyAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = c.Write(request(requests.GetBrokerConfig, 7))
		start := make([]byte, codec.PrefixSize)
		_, err = io.ReadFull(c, start)
		return err == nil
	})
	x.idle()
}

func (x *installation) envoyLog() string {
	x.Helper()
	var log strings.Builder
	if err := x.WriteLogs(&log, 200); err != nil {
		x.Fatal(err)
	}
	return log.String()
}
