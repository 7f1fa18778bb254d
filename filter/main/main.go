// SPDX-License-Identifier: Apache-2.0

// Command main is the plugin: built with -buildmode=c-shared it is librocketmq_proxy.so.
package main

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host/golang"
	_ "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host/stock" // its exports
)

func init() { golang.Register() }

func main() {}
