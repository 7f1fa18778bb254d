// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// setting is what the world of some scenarios is like. In each all ways are open side by side.
type setting struct {
	id   string
	acl  world.ACL
	edit func(w *world.World, yaml string) (string, error)
}

// The settings, in the order in which they are run.
var (
	plain       = &setting{id: "plain", edit: withVIPChannel}
	acl1        = &setting{id: "ACL 1.0", acl: world.ACL1}
	acl2        = &setting{id: "ACL 2.0", acl: world.ACL2}
	tls         = &setting{id: "TLS", edit: withTLS}
	allSettings = []*setting{acl1, acl2, tls, plain}
)

// brokerConfig is what the scenarios need of the brokers.
var brokerConfig = map[string]string{
	"messageDelayLevel":   "1s 2s 2s 2s 3s 3s 4s 4s 5s 5s 6s 6s 7s 7s 8s 8s 9s 9s",
	"timerWheelEnable":    "true",
	"recallMessageEnable": "true",
}

func (s *setting) options(o options) world.Options {
	return world.Options{
		Mode: world.SideBySide, ModuleDir: o.moduleDir, BrokerConfig: brokerConfig, ACL: s.acl, EditConfig: s.editConfig, Keep: o.keep,
	}
}

// editConfig lets changes through that clients send to every broker of the cluster, and makes the setting's own changes.
func (s *setting) editConfig(w *world.World, yaml string) (string, error) {
	const unified = "unified: {}"
	if strings.Count(yaml, unified) != 1 {
		return "", errors.New("want one unified listener in the config")
	}
	yaml = strings.Replace(yaml, unified, "unified: {allow_cluster_wide_changes: true}", 1)
	if s.edit == nil {
		return yaml, nil
	}
	return s.edit(w, yaml)
}

// withTLS has clients speak TLS to each listener.
func withTLS(w *world.World, yaml string) (string, error) {
	const chain = "    - filters:\n"
	if strings.Count(yaml, chain) != 2+len(w.Brokers) {
		return "", errors.New("want one filter chain for each listener in the config")
	}
	if err := world.WriteCertificate(w.Dir); err != nil {
		return "", err
	}
	return strings.ReplaceAll(yaml, chain, fmt.Sprintf(`    - transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates:
            - certificate_chain: {filename: %s}
              private_key: {filename: %s}
      filters:
`, filepath.Join(w.Dir, "server.crt"), filepath.Join(w.Dir, "server.key"))), nil
}
