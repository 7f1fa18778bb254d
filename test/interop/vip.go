// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// withVIPChannel adds to the examples of envoy-config/ what old clients need that send to the port two below the
// advertised ones: Envoy listens there too, and with an address per broker the filter is told of it.
func withVIPChannel(w *world.World, yaml string) (string, error) {
	addrs := append(perBroker.brokers(w), w.UnifiedAddr)
	for _, addr := range addrs {
		_, text, err := net.SplitHostPort(addr)
		if err != nil {
			return "", err
		}
		port, err := strconv.Atoi(text)
		if err != nil {
			return "", err
		}
		listens := fmt.Sprintf("    address:\n      socket_address: {address: 127.0.0.1, port_value: %d}\n", port)
		also := fmt.Sprintf("    additional_addresses:\n    - address:\n        socket_address: {address: 127.0.0.1, port_value: %d}\n", port-2)
		if !strings.Contains(yaml, listens) {
			return "", fmt.Errorf("no listener at port %d in the config", port)
		}
		yaml = strings.Replace(yaml, listens, listens+also, 1)
		role := fmt.Sprintf("listener_port: %d,", port)
		yaml = strings.Replace(yaml, role, fmt.Sprintf("%s vip_channel_port: %d,", role, port-2), 1)
	}
	return yaml, nil
}
