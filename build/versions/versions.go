// SPDX-License-Identifier: Apache-2.0

// Package versions names the releases of RocketMQ and Envoy that the tests and the programs under test run.
package versions

import (
	_ "embed"
	"strings"
)

//go:embed versions.txt
var text string

var (
	// RocketMQ has the default first: clients and tools of the local world are always of that release.
	RocketMQ = lines("rocketmq")[0]
	// RocketMQACL1 is the release of servers with access control 1.0, which 5.3.3 no longer has.
	RocketMQACL1 = lines("rocketmq-acl1")[0][0]
	// RocketMQGRPC is the release of the Java client that speaks gRPC.
	RocketMQGRPC = lines("rocketmq-grpc")[0][0]
	// Envoy has the default first.
	Envoy = firsts(lines("envoy"))
)

// lines returns what follows a product on each of its lines. It panics without one: the file is part of the build.
func lines(product string) (all [][]string) {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == product {
			all = append(all, words[1:])
		}
	}
	if all == nil {
		panic("build/versions/versions.txt has no line for " + product)
	}
	return all
}

func firsts(lines [][]string) (all []string) {
	for _, words := range lines {
		all = append(all, words[0])
	}
	return all
}
