// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// contribModules returns the folder with the module of test/contribhost, which plays contrib Envoy in a stock one, and the
// environment that it needs beside ENVOY_DYNAMIC_MODULES_SEARCH_PATH.
func contribModules(t *testing.T) (dir string, env []string) {
	t.Helper()
	dir = filepath.Join(root(t), "out", "contrib")
	if _, err := os.Stat(filepath.Join(dir, "libcontrib_host.so")); err != nil {
		t.Fatalf("%v: run test/contribhost/build.sh out/contrib", err)
	}
	return dir, []string{"ROCKETMQ_PROXY_PLUGIN=" + filepath.Join(modules(t), "librocketmq_proxy.so")}
}

// contribConfig puts that module in the place of the product's.
func contribConfig(yaml string) string {
	return strings.ReplaceAll(yaml, "rocketmq_proxy_host", "contrib_host")
}
