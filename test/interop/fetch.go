// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// fetch gets everything that the clients need, and builds their programs.
func fetch(ctx context.Context, o options) error {
	parts := []string{"all"}
	if len(o.jobs(acl1)) > 0 {
		parts = append(parts, "rocketmq-"+versions.RocketMQACL1)
	}
	for _, c := range o.clients {
		if c.java != "" {
			parts = append(parts, "interop-"+c.java)
		}
	}
	if err := world.Fetch(ctx, "", parts...); err != nil {
		return err
	}
	root, err := world.Root()
	if err != nil {
		return err
	}
	for _, c := range o.clients {
		if c.goModFile == "" {
			continue
		}
		binary, err := c.goBinary()
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "go", "build", "-modfile", c.goModFile, "-tags", c.tags, "-o", binary, ".")
		cmd.Dir = filepath.Join(root, "test", "interop", "goclient")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build of %s: %w", c.title, err)
		}
	}
	return nil
}

// cacheDir is the folder that build/fetch.sh fills.
func cacheDir() (string, error) {
	if dir := os.Getenv("ROCKETMQ_PROXY_CACHE"); dir != "" {
		return dir, nil
	}
	root, err := world.Root()
	return filepath.Join(root, ".cache"), err
}

func (c *client) goBinary() (string, error) {
	cache, err := cacheDir()
	return filepath.Join(cache, "interop", c.id), err
}

// classPath of a Java client: our scenarios, compiled against it, and its jars.
func (c *client) classPath() (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	lib := filepath.Join(cache, "rocketmq-client", c.java, "lib")
	if c.java == newest {
		lib = filepath.Join(cache, "rocketmq", c.java, "lib")
	}
	return filepath.Join(cache, "java", "interop", c.java, "classes") + ":" + filepath.Join(lib, "*"), nil
}
