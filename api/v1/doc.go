// SPDX-License-Identifier: Apache-2.0

// Package apiv1 is the contract with users: the FilterConfig message, the forms in which Envoy may
// hand it over, its checks and its defaults. It does no I/O and keeps no state.
//
// A config goes through three steps: [Parse] finds the message in what Envoy passes, [Resolve]
// checks it and fills defaults in, and the rest of the filter reads the resulting [Config].
package apiv1

//go:generate go -C ../../build/protogen run . -root ../.. api/v1/filter_config.proto
