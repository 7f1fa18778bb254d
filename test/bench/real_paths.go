// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// rocketmqProxy is RocketMQ's own proxy.
const rocketmqProxy variant = "RocketMQ Proxy"

// realVariants are the paths of the part "real".
var realVariants = []variant{direct, tcpProxy, rocketmqProxy, perBroker, unified}

// realPath is a way from Java clients to the brokers of a World.
type realPath struct {
	variant variant
	address string           // of a name server, for clients
	proxy   *process.Process // nil if direct
	relay   *relay           // nil: none
}

func (p *realPath) stop() {
	if p.proxy != nil {
		_ = p.proxy.Stop()
	}
	if p.relay != nil {
		p.relay.close()
	}
}

// startRealPath starts what is between the clients and the World. With an error nothing is left.
func (b *benchmark) startRealPath(ctx context.Context, v variant, w *world.World) (p *realPath, err error) {
	p = &realPath{variant: v, address: w.NameServer}
	switch v {
	case direct:
	case rocketmqProxy:
		p.address, p.proxy, err = b.startRocketMQProxy(ctx, w)
	default:
		err = b.startRealEnvoy(ctx, p, w)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w", v, err)
	}
	return p, nil
}

func (b *benchmark) startRealEnvoy(ctx context.Context, p *realPath, w *world.World) error {
	nameServer, err := netip.ParseAddrPort(w.NameServer)
	if err != nil {
		return err
	}
	first, err := netip.ParseAddrPort(w.Brokers[0].Addr)
	if err != nil {
		return err
	}
	second, err := netip.ParseAddrPort(w.Brokers[1].Addr)
	if err != nil {
		return err
	}
	var edits []edit
	if p.variant == tcpProxy {
		edits = secondBroker(second)
	}
	config, err := p.variant.config(b.root, stubAddresses{Broker: first, NameServer: nameServer}, b.ports.next, edits...)
	if err != nil {
		return err
	}
	modules := b.opt.modules
	if p.variant == tcpProxy {
		modules = ""
	}
	e, err := b.startEnvoy(ctx, "real-envoy-"+string(p.variant), config, modules, 1)
	if err != nil {
		return err
	}
	p.proxy = e.Process
	p.address = config.nameServer.String()
	if p.variant == tcpProxy {
		p.relay, err = newRelay(p.address, w.NameServer, map[string]string{
			w.Brokers[0].Name: config.load.String(), w.Brokers[1].Name: config.other.String(),
		})
	}
	return err
}

// startRocketMQProxy starts RocketMQ Proxy in cluster mode and waits until its remoting port is open.
func (b *benchmark) startRocketMQProxy(ctx context.Context, w *world.World) (address string, p *process.Process, err error) {
	ports := make([]int, 2)
	for i := range ports {
		if ports[i], err = b.ports.next(); err != nil {
			return "", nil, err
		}
	}
	home := filepath.Join(b.dir, "rocketmq-proxy")
	if err := os.MkdirAll(filepath.Join(home, "conf"), 0o755); err != nil {
		return "", nil, err
	}
	config, err := json.Marshal(map[string]any{
		"rocketMQClusterName": "DefaultCluster", "proxyClusterName": "DefaultCluster", "proxyMode": "CLUSTER",
		"namesrvAddr": w.NameServer, "localServeAddr": "127.0.0.1", "remotingListenPort": ports[0], "grpcServerPort": ports[1],
	})
	if err != nil {
		return "", nil, err
	}
	file := filepath.Join(home, "rmq-proxy.json")
	if err := os.WriteFile(file, config, 0o644); err != nil {
		return "", nil, err
	}
	jars, err := repo.Cached("rocketmq-proxy", versions.RocketMQ[0], "lib", "*")
	if err != nil {
		return "", nil, err
	}
	p, err = process.Start(process.Command{
		Name: "rocketmq-proxy", LogFile: filepath.Join(b.dir, "rocketmq-proxy.log"), Env: []string{"ROCKETMQ_HOME=" + home},
		Argv: []string{
			"java", "-Xms512m", "-Xmx1g", "-Duser.home=" + home, "-Djava.io.tmpdir=" + home, "-cp", jars,
			"org.apache.rocketmq.proxy.ProxyStartup", "-pc", file,
		},
	})
	if err != nil {
		return "", nil, err
	}
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	err = process.Await(ctx, p, "RocketMQ Proxy listens", func() (bool, error) {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false, err
		}
		return true, c.Close()
	})
	if err != nil {
		return "", nil, errors.Join(err, p.Stop())
	}
	return address, p, nil
}
