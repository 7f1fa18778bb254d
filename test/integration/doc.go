// SPDX-License-Identifier: Apache-2.0

// Package integration holds the tests with a real RocketMQ, a real Envoy and real clients. They have
// the build tag "integration" and are run by `make test`, which builds what they need.
package integration
