// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
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
	if err := repo.Fetch(ctx, "", parts...); err != nil {
		return err
	}
	root, err := repo.Root()
	if err != nil {
		return err
	}
	for _, c := range o.clients {
		if c.python != "" {
			if err := c.installPython(ctx); err != nil {
				return err
			}
		}
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

func (c *client) goBinary() (string, error) { return repo.Cached("interop", c.id) }

// pythonPath returns the folder with the Python client's package.
func (c *client) pythonPath() (string, error) { return repo.Cached("interop", c.id) }

// installPython gets the package by pip, unless it is there.
func (c *client) installPython(ctx context.Context) error {
	folder, err := c.pythonPath()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(folder, "rocketmq")); err == nil {
		return nil
	}
	pip := exec.CommandContext(ctx, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
		"--target", folder, "rocketmq=="+c.python)
	pip.Stdout, pip.Stderr = os.Stderr, os.Stderr
	if err := pip.Run(); err != nil {
		return fmt.Errorf("%s: %w", c.title, err)
	}
	return nil
}

// classPath returns the class path of a Java client: our scenarios, compiled against it, and its jars.
func (c *client) classPath() (string, error) {
	release := "rocketmq-client"
	if c.java == newest {
		release = "rocketmq"
	}
	jars, err := repo.Cached(release, c.java, "lib", "*")
	if err != nil {
		return "", err
	}
	scenarios, err := repo.Cached("java", "interop", c.java, "classes")
	return scenarios + ":" + jars, err
}
