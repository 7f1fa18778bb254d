// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestConsumersBehindTwoEnvoysShareTheirQueues: the state of a group is the brokers', so Envoys stand side
// by side without knowing of each other.
func TestConsumersBehindTwoEnvoysShareTheirQueues(t *testing.T) {
	x := install(t, world.Options{Mode: world.Unified, Topics: map[string]int{"Plain": queues}})
	second := x.secondEnvoy()
	var ledger world.Ledger
	group := []*world.Java{
		x.start("Consumer", &ledger, "--topic", "Plain", "--group", "wide-group"),
		x.start("Consumer", &ledger, "--topic", "Plain", "--group", "wide-group", "--namesrv", second),
	}
	x.settle(group)
	x.produce(&ledger, "Plain", 0, 200, "--namesrv", second)
	if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 200 || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	x.awaitStat("send_message_v2", 0) // of the first Envoy: all went through the second
	for _, end := range x.finish(group...) {
		if end.TotalConsumed == 0 {
			x.Error("one consumer had no messages")
		}
	}
	x.idle()
}

// secondEnvoy starts another Envoy in front of the same cluster and gives its address.
func (x *installation) secondEnvoy() string {
	x.Helper()
	yaml, err := x.EnvoyConfig()
	if err != nil {
		x.Fatal(err)
	}
	listener, admin := freePort(x.T), freePort(x.T)
	for before, after := range map[string]string{x.ProxyAddr: listener, x.Admin: admin} {
		_, old, _ := net.SplitHostPort(before)
		_, port, _ := net.SplitHostPort(after)
		yaml = strings.ReplaceAll(yaml, "port_value: "+old, "port_value: "+port)
	}
	file := filepath.Join(x.TempDir(), "second.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		x.Fatal(err)
	}
	envoy := exec.Command(envoyBinary(x.T), "-c", file, "--disable-hot-restart", "-l", "warning", "--concurrency", "2")
	envoy.Env = append(os.Environ(), "ENVOY_DYNAMIC_MODULES_SEARCH_PATH="+modules(x.T))
	envoy.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := envoy.Start(); err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() {
		_ = envoy.Process.Signal(syscall.SIGTERM)
		if err := envoy.Wait(); err != nil {
			x.Errorf("the second Envoy ended with %v", err)
		}
	})
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", listener)
		if err == nil {
			c.Close()
			return listener
		}
		if time.Now().After(limit) {
			x.Fatal(err)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
