// SPDX-License-Identifier: Apache-2.0

package session

import (
	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/quota"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Environment is shared by the sessions of one filter config. It must not be copied once there is a session.
type Environment struct {
	Config   *apiv1.Config
	Rules    addressing.Rules
	Clusters *directory.Clusters
	Stats    *stats.Set
	// Policy is nil where the config has none.
	Policy *policy.Policy
	// Observers receive the record of each request and each connection that has ended; none for most configs.
	Observers []Observer
	// CountsMessages keeps batches until they are complete, for Record.Messages.
	CountsMessages bool
	// EnvoyRouting is set where the config is that of Envoy's own rocketmq_proxy, else nil.
	EnvoyRouting *EnvoyRouting
	// Files are those of the process; nil: any number.
	Files *quota.Files
	// Own are the addresses of this process; nil: none are known.
	Own *reach.Own
	// Warn takes a line that a connection causes for Envoy's log, by the rules of package logline; nil: there is none.
	Warn func(now Instant, format string, arguments ...any)

	totals quota.Totals
}
