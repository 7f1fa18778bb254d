// SPDX-License-Identifier: Apache-2.0

//go:build !fault

package session

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// fault does nothing; see fault_injected.go.
func fault(*codec.Header) {}
