// SPDX-License-Identifier: Apache-2.0

package world

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// paths are the places of what a World runs.
type paths struct {
	root      string
	envoy     string // binary
	classPath string // RocketMQ's jars, as java wants it
	servers   string // the same for the servers, which may be of another release
	workload  string // the workload's classes
}

// EnvoyBinary returns the path of the Envoy that this World runs.
func (w *World) EnvoyBinary() string { return w.paths.envoy }

// ClassPath returns RocketMQ's jars, as java wants it.
func (w *World) ClassPath() string { return w.paths.classPath }

func findPaths(envoyVersion, serverVersion string) (p paths, err error) {
	if p.root, err = repo.Root(); err != nil {
		return p, err
	}
	if p.envoy, err = repo.Envoy(envoyVersion); err != nil {
		return p, err
	}
	if p.workload, err = repo.Cached("java", "workload", "classes"); err != nil {
		return p, err
	}
	lib, err := repo.Jars(versions.RocketMQ[0])
	if err != nil {
		return p, err
	}
	serverLib, err := repo.Jars(serverVersion)
	if err != nil {
		return p, err
	}
	p.classPath, p.servers = filepath.Join(lib, "*"), filepath.Join(serverLib, "*")
	if _, err := os.Stat(serverLib); err != nil && serverVersion != versions.RocketMQ[0] {
		return p, fmt.Errorf("run build/fetch.sh rocketmq-%s first: %w", serverVersion, err)
	}
	for _, f := range []string{p.envoy, lib, p.workload} {
		if _, err := os.Stat(f); err != nil {
			return p, fmt.Errorf("run build/fetch.sh (with ENVOY_VERSION=%s) first: %w", envoyVersion, err)
		}
	}
	if _, err := exec.LookPath("java"); err != nil {
		return p, fmt.Errorf("install a JDK, 17 or later: %w", err)
	}
	return p, nil
}

// dirPrefix begins the name of each World's folder; our pid follows, so that a later World can tell whether
// its owner still lives.
const dirPrefix = "rocketmq-world-"

// keepFile marks a folder that must not be removed.
const keepFile = "keep"

// makeDir makes the folder of a World, and removes those of dead ones.
func makeDir() (string, error) {
	old, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*-*"))
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		if _, err := os.Stat("/proc/" + pid); err == nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, keepFile)); err == nil {
			continue
		}
		_ = os.RemoveAll(dir) // Another user's folder stays; it is not ours to care for.
	}
	return os.MkdirTemp("", fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
}
