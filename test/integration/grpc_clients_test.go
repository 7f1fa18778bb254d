// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestGRPCClientsBesideRemoting has clients of both protocols share one address and one topic: each of three consumer
// groups gets what a producer of either protocol sends.
func TestGRPCClientsBesideRemoting(t *testing.T) {
	if err := repo.Fetch(t.Context(), "", "grpc"); err != nil {
		t.Fatal(err)
	}
	x := install(t, world.Options{
		Mode:   world.Unified,
		Config: filepath.Join(root(t), "envoy-config", "grpc-clients.yaml"),
		Topics: map[string]int{"Both": queues},
	})
	proxy, err := x.StartRocketMQProxy(x.limit(3*time.Minute), map[string]any{"useEndpointPortFromRequest": true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Kill)

	classes, err := repo.Cached("java", "grpc", "classes")
	if err != nil {
		t.Fatal(err)
	}
	jars, err := repo.Cached("grpc-client", versions.RocketMQGRPC, "lib", "*")
	if err != nil {
		t.Fatal(err)
	}
	classPath := classes + ":" + jars

	var push, simple, remoting world.Ledger
	acknowledged := func(id string) {
		for _, ledger := range []*world.Ledger{&push, &simple, &remoting} {
			ledger.Acknowledged(id)
		}
	}
	grpc := func(role string, records func(string), args ...string) *world.Java {
		client, err := x.StartJava(world.JavaOptions{
			Name: "grpc-" + role, Class: "workload.GrpcClient", ClassPath: classPath, Records: records,
			Args: append([]string{"--namesrv", x.nameServer, "--topic", "Both", "--role", role, "--records", "/dev/fd/3"}, args...),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Await(x.limit(2*time.Minute), "ready", nil); err != nil {
			t.Fatal(err)
		}
		return client
	}
	consumers := append(x.group(&remoting, "Both", "remoting-group", 1),
		grpc("push", push.Delivered, "--group", "push-group"),
		grpc("simple", simple.Delivered, "--group", "simple-group"))
	const each = 100
	producer := grpc("producer", acknowledged, "--first-id", "0", "--count", strconv.Itoa(each))
	// Nobody may reach RocketMQ past Envoy: neither brokers nor RocketMQ Proxy, whatever endpoints it has told.
	watch := x.WatchClients(append(consumers, producer)...)
	x.finish(producer)
	var sent world.Ledger
	x.produce(&sent, "Both", each, each)
	for id := each; id < 2*each; id++ {
		acknowledged(strconv.Itoa(id))
	}
	for name, ledger := range map[string]*world.Ledger{"gRPC push": &push, "gRPC simple": &simple, "remoting": &remoting} {
		if sums := x.drained(ledger, time.Minute); sums.Sent != 2*each || sums.Consumed != 2*each || sums.Bad != 0 {
			t.Errorf("%s consumer: got %v", name, sums)
		}
	}
	if report := watch.Stop(); len(report.Direct) != 0 || report.ViaProxy == 0 {
		t.Errorf("got %+v", report)
	}
	x.awaitAtLeast("send_message_v2", each)
	all, err := x.Stats(x.limit(30*time.Second), "http.rocketmq_grpc.downstream_rq_")
	if err != nil {
		t.Fatal(err)
	}
	if total, failed := all["http.rocketmq_grpc.downstream_rq_total"], all["http.rocketmq_grpc.downstream_rq_5xx"]; total < each || failed != 0 {
		t.Errorf("%v gRPC requests, %v of them failed: %v", total, failed, all)
	}
	x.finish(consumers...)
	x.idle()
}
