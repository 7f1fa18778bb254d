// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// StartRocketMQProxy starts RocketMQ Proxy in cluster mode and waits until it listens for gRPC at the port that the config of
// Envoy has for it. Further options win over ours. Its jars are the part "grpc" of build/fetch.sh.
func (w *World) StartRocketMQProxy(ctx context.Context, options map[string]any) (*process.Process, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	remoting, err := w.picker.pick()
	if err != nil {
		return nil, err
	}
	config := map[string]any{
		"rocketMQClusterName": "DefaultCluster", "proxyClusterName": "DefaultCluster", "proxyMode": "CLUSTER",
		"namesrvAddr": w.NameServer, "localServeAddr": "127.0.0.1", "remotingListenPort": remoting, "grpcServerPort": w.ports[exampleGRPC],
	}
	maps.Copy(config, options)
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	home := filepath.Join(w.Dir, "rocketmq-proxy")
	if err := os.MkdirAll(filepath.Join(home, "conf"), 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(home, "rmq-proxy.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return nil, err
	}
	jars, err := repo.Cached("rocketmq-proxy", versions.RocketMQ[0], "lib", "*")
	if err != nil {
		return nil, err
	}
	p, err := w.spawn(process.Command{
		Name: "rocketmq-proxy",
		Env:  []string{"ROCKETMQ_HOME=" + home},
		Argv: append(w.javaArgv(home, jars, "-Xms256m", "-Xmx512m"), "org.apache.rocketmq.proxy.ProxyStartup", "-pc", file),
	})
	if err != nil {
		return nil, err
	}
	return p, process.Await(ctx, p, "RocketMQ Proxy listens", func() (bool, error) { return dials(loopback(w.ports[exampleGRPC])) })
}
