// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// client is a column of the matrix: one client of one version, perhaps with a setting.
type client struct {
	id, title string
	java      string // version of the Java client, or
	goModFile string // the go.mod of test/interop/goclient with its version
	version   string // of the Go client
	tags      string // for its build: what this version can do and others cannot
	flags     []string
	admin     bool // runs mqadmin's commands instead of the others
	// names: it puts the broker's name into its requests, as one address for all brokers needs.
	names bool
}

const (
	newest = "5.3.3"
	// binary is the header's other form; clients speak JSON by default.
	binary = "-Drocketmq.serialize.type=ROCKETMQ"
)

// allClients in the order of the columns.
var allClients = []*client{
	{id: "java-5.3.3", title: "Java 5.3.3", java: newest, names: true},
	{id: "java-5.3.3-binary", title: "Java 5.3.3, ROCKETMQ headers", java: newest, flags: []string{binary}, names: true},
	{id: "java-5.0.0", title: "Java 5.0.0", java: "5.0.0"},
	{id: "java-4.9.8", title: "Java 4.9.8", java: "4.9.8", names: true},
	{id: "java-4.9.8-binary", title: "Java 4.9.8, ROCKETMQ headers", java: "4.9.8", flags: []string{binary}, names: true},
	{id: "java-4.9.4", title: "Java 4.9.4", java: "4.9.4"},
	{id: "java-4.4.0", title: "Java 4.4.0", java: "4.4.0", flags: []string{
		// With its own default every send would go to the VIP channel; send-vip-channel does that.
		"-Dcom.rocketmq.sendMessageWithVIPChannel=false",
		// Its Netty is older than Java's modules.
		"--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
	}},
	{id: "go-2.1.3", title: "Go v2.1.3 of 2025-12-26", goModFile: "go.mod", version: "v2.1.3-0.20251226070945-2173d070fd1b", tags: "tls", names: true},
	{id: "go-2.1.2", title: "Go v2.1.2", goModFile: "go-2.1.2.mod", version: "v2.1.2"},
	{id: "mqadmin-5.3.3", title: "mqadmin 5.3.3", java: newest, admin: true, names: true},
}

func clientIDs() []string {
	var ids []string
	for _, c := range allClients {
		ids = append(ids, c.id)
	}
	return ids
}

// scenarios are those of this client's table, in a setting, that were asked for.
func (c *client) scenarios(in *setting, wanted []string) []scenario {
	var mine []scenario
	for _, s := range allScenarios {
		if s.setting() == in && (s.admin == c.admin || s.id == onProxy) && (len(wanted) == 0 || slices.Contains(wanted, s.id)) {
			mine = append(mine, s)
		}
	}
	if len(mine) == 1 && mine[0].id == onProxy {
		return nil
	}
	return mine
}
