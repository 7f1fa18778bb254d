// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// validate returns what Envoy logs of a config, and whether it takes it.
func validate(t *testing.T, config string) (log string, ok bool) {
	t.Helper()
	if err := repo.Fetch(t.Context(), "", "envoy"); err != nil {
		t.Fatal(err)
	}
	log, err := envoy.Validate(t.Context(), envoy.Options{Config: config, Dir: t.TempDir(), ModuleDir: modules(t)})
	return log, err == nil
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "envoy-config", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExampleConfigsAreAccepted(t *testing.T) {
	for _, name := range []string{"unified.yaml", "per-broker.yaml", "per-broker-template.yaml", "per-broker-tls.yaml", "transparent.yaml", "unified-upstream-tls.yaml", "cpp-compatible.yaml", "cpp-compatible-eds.yaml", "several-clusters.yaml", "two-views.yaml", "tls-client-certificates.yaml", "policy.yaml", "observability.yaml", "grpc-clients.yaml"} {
		t.Run(name, func(t *testing.T) {
			config := strings.ReplaceAll(example(t, name), tlsFolder, makeCertificate(t))
			config = strings.ReplaceAll(config, "/etc/envoy/endpoints.yaml", filepath.Join(root(t), "envoy-config", "endpoints", "cpp-compatible.yaml"))
			if log, ok := validate(t, config); !ok {
				t.Errorf("refused:\n%s", log)
			}
		})
	}
}

func TestBadConfigsAreRefusedWithEveryBadFieldNamed(t *testing.T) {
	bad := example(t, "unified.yaml")
	for old, new := range map[string]string{
		`name_servers: ["127.0.0.1:9876"]`: `name_servers: ["nowhere"]`,
		"stat_prefix: demo":                `stat_prefix: ""`,
		"unified: {}":                      "unified: {advertised_address: x}\n              limits: {max_frame_bytes: 1}",
	} {
		if !strings.Contains(bad, old) {
			t.Fatalf("unified.yaml has no %q any more", old)
		}
		bad = strings.ReplaceAll(bad, old, new)
	}
	log, ok := validate(t, bad)
	if ok {
		t.Error("accepted")
	}
	for _, want := range []string{
		"rocketmq_proxy.stat_prefix is invalid: value length must be at least 1 runes",
		`clusters[0].name_servers[0] is "nowhere"; want host:port`,
		`addressing.unified.advertised_address is "x"; want host:port`,
		"limits.max_frame_bytes is 1; want 29 to 1073741824",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
}

func TestAConfigWithAnUnknownFieldIsRefused(t *testing.T) {
	log, ok := validate(t, strings.ReplaceAll(example(t, "unified.yaml"), "unified: {}", "unified: {}\n              adressing: {}"))
	if ok || !strings.Contains(log, "adressing") {
		t.Errorf("accepted, or the field not named:\n%s", log)
	}
}

func TestUnifiedAddressingInFrontOfTCPProxyIsRefused(t *testing.T) {
	bad := example(t, "per-broker.yaml")
	start := strings.Index(bad, "                per_broker:\n")
	end := strings.Index(bad, "      - name: tcp_proxy\n")
	log, ok := validate(t, bad[:start]+"                unified: {}\n"+bad[end:])
	if ok || !strings.Contains(log, "addressing.unified needs several upstreams") {
		t.Errorf("accepted, or the field not named:\n%s", log)
	}
}
