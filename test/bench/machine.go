// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

var moduleFiles = []string{"librocketmq_proxy.so", "librocketmq_proxy_host.so"}

// machine is where the figures come from.
type machine struct {
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu"`
	Kernel string `json:"kernel"`
	Arch   string `json:"arch"`
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores of %s, Linux %s, %s", m.Cores, m.CPU, m.Kernel, m.Arch)
}

func describeMachine() machine {
	m := machine{Cores: runtime.NumCPU(), CPU: "an unknown processor", Kernel: "of unknown version", Arch: runtime.GOARCH}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(text))
	}
	return m
}

// measured names the builds that were measured.
type measured struct {
	Go     string `json:"go"`
	Envoy  string `json:"envoy"`
	Commit string `json:"commit"`
	// Modules are the SHA-256 of our two files, by name.
	Modules map[string]string `json:"modules"`
}

func (v measured) String() string {
	return fmt.Sprintf("Go %s, Envoy %s, commit %s", strings.TrimPrefix(v.Go, "go"), v.Envoy, v.Commit)
}

func (b *benchmark) versions(ctx context.Context) measured {
	v := measured{Go: runtime.Version(), Envoy: b.opt.envoyVersion, Commit: "unknown", Modules: map[string]string{}}
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", b.root}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	if commit, err := git("rev-parse", "--short=12", "HEAD"); err == nil {
		v.Commit = commit
		// The report itself is about to change; that does not count.
		if changes, err := git("status", "--porcelain", "--", ".", ":!docs/PERFORMANCE.md"); err == nil && changes != "" {
			v.Commit += " with changes"
		}
	}
	for _, name := range moduleFiles {
		if content, err := os.ReadFile(filepath.Join(b.opt.modules, name)); err == nil {
			sum := sha256.Sum256(content)
			v.Modules[name] = hex.EncodeToString(sum[:])
		}
	}
	return v
}
