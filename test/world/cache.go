// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
)

// Root is the root of the repository: the nearest folder above the working directory that has a go.mod.
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

// Fetch runs build/fetch.sh for some of its parts, by default all that a World without options needs: downloads what
// is missing and compiles the Java sources that have changed. That takes some 10 s the first time and a few hundredths
// of a second later. Its messages go to our stderr. envoyVersion may be empty.
func Fetch(ctx context.Context, envoyVersion string, parts ...string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "build", "fetch.sh"), parts...)
	cmd.Env = append(os.Environ(), "ENVOY_VERSION="+orDefaultEnvoy(envoyVersion))
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

func orDefaultEnvoy(version string) string {
	if version == "" {
		version = os.Getenv("ENVOY_VERSION")
	}
	if version == "" {
		version = versions.Envoy[0]
	}
	return version
}

// paths are the places of what a World runs.
type paths struct {
	root      string
	envoy     string // binary
	classPath string // RocketMQ's jars, as java wants it
	servers   string // the same for the servers, which may be of another release
	workload  string // the workload's classes
}

// cacheDir is the folder that build/fetch.sh fills.
func cacheDir(root string) string {
	if dir := os.Getenv("ROCKETMQ_PROXY_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(root, ".cache")
}

// libDir holds the jars of a release.
func libDir(cache, version string) string { return filepath.Join(cache, "rocketmq", version, "lib") }

// Jars returns the folder with the jars of a release of RocketMQ, which Fetch has filled.
func Jars(version string) (string, error) {
	root, err := Root()
	return libDir(cacheDir(root), version), err
}

// EnvoyBinary is the Envoy that this World runs.
func (w *World) EnvoyBinary() string { return w.paths.envoy }

// ClassPath is RocketMQ's jars, as java wants it.
func (w *World) ClassPath() string { return w.paths.classPath }

func findPaths(envoyVersion, serverVersion string) (paths, error) {
	root, err := Root()
	if err != nil {
		return paths{}, err
	}
	cache := cacheDir(root)
	lib, serverLib := libDir(cache, versions.RocketMQ[0]), libDir(cache, serverVersion)
	p := paths{
		root:      root,
		envoy:     filepath.Join(cache, "envoy", envoyVersion, "envoy"),
		classPath: filepath.Join(lib, "*"),
		servers:   filepath.Join(serverLib, "*"),
		workload:  filepath.Join(cache, "java", "workload", "classes"),
	}
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
