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
	RocketMQ = listed("rocketmq")
	// RocketMQACL1 is the release of servers with access control 1.0, which 5.3.3 no longer has.
	RocketMQACL1 = listed("rocketmq-acl1")[0]
	// Envoy has the default first.
	Envoy = listed("envoy")
)

// listed returns the releases on the line of a product. It panics without one: the file is part of the build.
func listed(product string) []string {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == product {
			return words[1:]
		}
	}
	panic("build/versions/versions.txt has no line for " + product)
}
