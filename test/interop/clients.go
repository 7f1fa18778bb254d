// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"golang.org/x/mod/semver"
)

// client is a column of the matrix: one client of one version, perhaps with a setting.
type client struct {
	id, title string
	java      string // version of the Java client, or
	goModFile string // the go.mod of test/interop/goclient with its version
	version   string // of the Go client
	python    string // version of the Python client, the package rocketmq of PyPI
	tags      string // for its build: what this version can do and others cannot
	flags     []string
	admin     bool // runs mqadmin's commands instead of the others
	// names: it puts the broker's name into its requests, as one address for all brokers needs.
	names bool
}

// binary is the header's other form; clients speak JSON by default.
const binary = "-Drocketmq.serialize.type=ROCKETMQ"

// newest is the Java client of the release that the servers are of.
var newest = versions.RocketMQ[0]

// allClients in the order of the columns.
var allClients = slices.Concat(
	[]*client{
		java(newest, true),
		javaBinary(newest),
		java("5.4.0", true),
		java("5.3.3", true),
		java("5.2.0", true),
		java("5.0.0", false),
		java("4.9.8", true),
		javaBinary("4.9.8"),
		java("4.9.4", false),
		java("4.7.1", false, olderThanModules...),
		// With its own default every send would go to the VIP channel; send-vip-channel does that.
		java("4.4.0", false, append(olderThanModules, "-Dcom.rocketmq.sendMessageWithVIPChannel=false")...),
	},
	[]*client{
		{id: "go-2.1.3", title: "Go v2.1.3 of 2025-12-26", goModFile: "go.mod", version: "v2.1.3-0.20251226070945-2173d070fd1b", tags: "tls", names: true},
		{id: "go-2.1.2", title: "Go v2.1.2", goModFile: "go-2.1.2.mod", version: "v2.1.2"},
		{id: "python-0.4.4", title: "Python and C++, rocketmq 0.4.4", python: "0.4.4"},
		{id: "mqadmin-" + newest, title: "mqadmin " + newest, java: newest, admin: true, names: true},
	},
)

// olderThanModules lets a Netty that is older than Java's modules run.
var olderThanModules = []string{"--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"}

func java(version string, names bool, flags ...string) *client {
	return &client{id: "java-" + version, title: "Java " + version, java: version, names: names, flags: flags}
}

// javaBinary is a Java client that names its broker, with the header's other form.
func javaBinary(version string) *client {
	c := java(version, true, binary)
	c.id += "-binary"
	c.title += ", ROCKETMQ headers"
	return c
}

// before reports whether a Java client is older than a release.
func (c *client) before(release string) bool {
	return c.java != "" && semver.Compare("v"+c.java, "v"+release) < 0
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
