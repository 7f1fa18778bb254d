// SPDX-License-Identifier: Apache-2.0

// Package world runs a small RocketMQ installation and an Envoy in front of it, all real processes, for tests
// and for `make run`.
//
// A World is a name server, brokers, an Envoy started with a file of envoy-config/ and any number of Java
// clients. It lives on free ports of 127.0.0.1 and in one temporary folder, and nothing of it outlives Stop:
// each child gets SIGTERM, then SIGKILL. If this process itself is killed, the kernel kills the children
// (parent-death signal), and the next Start removes what was left in the temporary folder.
//
// The package asserts nothing about the proxy. It gives a test what to look at: Envoy's stats and log, the TCP
// connections of any process (Connections), the ledger of what was sent and consumed (Ledger).
//
// What it starts comes from the cache that build/fetch.sh fills: see package repo.
//
// All methods may be called from any goroutine, except where a comment says otherwise. One goroutine of the
// package stays for the life of this process (see starter in package process); leak checkers must be told so.
package world
