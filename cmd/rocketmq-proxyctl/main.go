// SPDX-License-Identifier: Apache-2.0

// Rocketmq-proxyctl helps people who run the RocketMQ filter of Envoy: it checks configs without an Envoy, explains
// what clients are told, prints remoting traffic, and shows a running proxy's figures.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/cmd/rocketmq-proxyctl/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}
