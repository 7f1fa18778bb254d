// SPDX-License-Identifier: Apache-2.0

//go:build tls

package main

import (
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// Only later versions of this client can speak TLS. They check no certificate.
func init() {
	catalog["tls"] = func(r *run) error {
		return sendAndConsume(r, []producer.Option{producer.WithTls(true)}, []consumer.Option{consumer.WithTls(true)})
	}
}
