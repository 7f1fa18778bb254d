// SPDX-License-Identifier: Apache-2.0

// Package repo finds the repository, and the programs that its build/fetch.sh has downloaded.
package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
)

// Root returns the root of the repository: the nearest folder above the working directory that has a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("not inside the repository: no go.mod above the working directory")
		}
		dir = up
	}
}

// Fetch runs build/fetch.sh for some of its parts, by default for all that most tests need: it downloads what is missing
// and compiles the Java sources that have changed. That takes some 10 s the first time and a few hundredths of a second
// later. Its messages go to stderr. An empty envoyVersion is EnvoyVersion.
func Fetch(ctx context.Context, envoyVersion string, parts ...string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	if envoyVersion == "" {
		envoyVersion = EnvoyVersion()
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "build", "fetch.sh"), parts...)
	cmd.Env = append(os.Environ(), "ENVOY_VERSION="+envoyVersion)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	// A Ctrl-C reaches the script through ctx; it then removes its unfinished downloads.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build/fetch.sh: %w", err)
	}
	return nil
}

// EnvoyVersion returns the version of Envoy that tests run: $ENVOY_VERSION, else the first of versions.Envoy.
func EnvoyVersion() string {
	if version := os.Getenv("ENVOY_VERSION"); version != "" {
		return version
	}
	return versions.Envoy[0]
}

// Cached returns the path of a file or folder of the cache that build/fetch.sh fills.
func Cached(elements ...string) (string, error) {
	dir := os.Getenv("ROCKETMQ_PROXY_CACHE")
	if dir == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, ".cache")
	}
	return filepath.Join(append([]string{dir}, elements...)...), nil
}

// Envoy returns the path of an Envoy. An empty version is EnvoyVersion.
func Envoy(version string) (string, error) {
	if version == "" {
		version = EnvoyVersion()
	}
	return Cached("envoy", version, "envoy")
}

// Prometheus returns the path of one of Prometheus's programs.
func Prometheus(name string) (string, error) { return Cached("prometheus", "bin", name) }

// Jars returns the folder with the jars of a release of RocketMQ.
func Jars(version string) (string, error) { return Cached("rocketmq", version, "lib") }

// Modules returns the folder with the filter's two libraries, as `make build` leaves it.
func Modules() (string, error) {
	root, err := Root()
	return filepath.Join(root, "out"), err
}
