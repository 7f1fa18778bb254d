// SPDX-License-Identifier: Apache-2.0

// Runall runs every test of the repository, with real services where they are due, and ends with the
// line "N passed, N failed". It is what `make test` runs, from the repository's root.
//
//	go run ./test/runall [-check] [-run REGEXP] [-skip-integration]
//
// Exit status 0 only if something passed, nothing failed and every step could be run.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
)

func main() {
	check := flag.Bool("check", false, "begin with what make check does, and count it")
	pattern := flag.String("run", "", "run only the integration tests that match")
	skip := flag.Bool("skip-integration", false, "leave out what needs RocketMQ and Envoy")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	r := runner{ctx: ctx}
	if !*skip {
		r.prefetch()
	}
	if *check {
		r.program("what can be checked without running it", "build/check.sh")
	}
	r.goTest("Go tests under the race detector", nil, "-race", "-short", "./...") // short: without what starts RocketMQ
	r.goTest("the core without cgo", []string{"CGO_ENABLED=0"}, r.lines("listing the packages of the core", "build/core.sh")...)
	r.program("the stock-Envoy host's own tests", "build/module_test.sh", "out/test")
	r.program("the same under the address and undefined-behaviour sanitizers", "build/module_test.sh", "out/test", "address,undefined")
	r.program("the plugin in the double of contrib Envoy, under the address and undefined-behaviour sanitizers", "test/contribhost/test.sh", "out/test/contribhost", "address,undefined")
	r.program("the same under the thread sanitizer", "test/contribhost/test.sh", "out/test/contribhost", "thread")
	if !*skip {
		r.build("building the plugin", "build/plugin.sh", "out")
		r.build("building a plugin that panics at marked frames", "build/plugin.sh", "out/fault", "fault")
		r.build("building the stock-Envoy host", "build/module.sh", "out")
		r.build("building the double of contrib Envoy", "test/contribhost/build.sh", "out/contrib")
		// Tests that mostly wait run beside each other.
		r.goTest("integration with real RocketMQ, Envoy and clients", nil, "-tags", "integration", "-timeout", "40m", "-p", "1", "-parallel", "4", "-run", *pattern, "./test/world", "./test/docs", "./test/integration")
	}
	if !*skip && *pattern == "" {
		r.program("features × clients × ways, a representative part", "go", "run", "./test/interop", "-sample")
	}
	stop()
	fmt.Printf("%d passed, %d failed\n", r.passed, r.failed)
	if r.failed > 0 || r.passed == 0 {
		os.Exit(1)
	}
}

type runner struct {
	ctx            context.Context
	passed, failed int
}

// prefetch downloads, beside the tests that need nothing, what later ones would wait for. If it fails they try again and say why.
func (r *runner) prefetch() {
	parts := []string{"all", "prometheus", "rocketmq-" + versions.RocketMQACL1}
	for _, version := range versions.RocketMQ[1:] {
		parts = append(parts, "rocketmq-"+version)
	}
	command := exec.CommandContext(r.ctx, "build/fetch.sh", parts...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	go func() { _ = command.Run() }()
}

// step runs one command and gives its output to `read`; the error says why it failed.
func (r *runner) step(title string, env []string, read func(io.Reader), name string, args ...string) error {
	fmt.Printf("== %s\n", title)
	begin := time.Now()
	command := exec.CommandContext(r.ctx, name, args...)
	command.Env = append(os.Environ(), env...)
	command.Stderr = os.Stdout
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 30 * time.Second
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	read(output)
	err = command.Wait()
	fmt.Printf("   %.0f s\n", time.Since(begin).Seconds())
	return err
}

// build runs a command that must succeed; a failure counts as a failed test.
func (r *runner) build(title, name string, args ...string) {
	if err := r.step(title, nil, func(output io.Reader) { _, _ = io.Copy(os.Stdout, output) }, name, args...); err != nil {
		fmt.Printf("   FAILED: %v\n", err)
		r.failed++
	}
}

// lines runs a command that must succeed and returns what it prints; a failure counts as a failed test.
func (r *runner) lines(title, name string, args ...string) (all []string) {
	err := r.step(title, nil, func(output io.Reader) {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			all = append(all, lines.Text())
		}
	}, name, args...)
	if err != nil {
		fmt.Printf("   FAILED: %v\n", err)
		r.failed++
	}
	return all
}

// program runs a test program that ends with "N passed, N failed" itself.
func (r *runner) program(title, name string, args ...string) {
	result := regexp.MustCompile(`^(\d+) passed, (\d+) failed$`)
	found := false
	err := r.step(title, nil, func(output io.Reader) {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if m := result.FindStringSubmatch(lines.Text()); m != nil {
				passed, _ := strconv.Atoi(m[1])
				failed, _ := strconv.Atoi(m[2])
				r.passed, r.failed, found = r.passed+passed, r.failed+failed, true
				continue
			}
			fmt.Println("  ", lines.Text())
		}
	}, name, args...)
	if err != nil || !found {
		fmt.Printf("   FAILED: %v\n", err)
		r.failed++
	}
}

// event is a line of `go test -json`.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// goTest runs Go tests. Each test and subtest counts; of passed ones only the long ones are shown.
func (r *runner) goTest(title string, env []string, args ...string) {
	output := map[string]*strings.Builder{}
	failed := r.failed
	err := r.step(title, env, func(pipe io.Reader) {
		for decoder := json.NewDecoder(pipe); ; {
			var e event
			if decoder.Decode(&e) != nil {
				_, _ = io.Copy(os.Stdout, pipe)
				return
			}
			r.take(e, output)
		}
	}, "go", append([]string{"test", "-json", "-count=1"}, args...)...)
	if err != nil && r.failed == failed {
		fmt.Printf("   FAILED: %v\n", err)
		r.failed++
	}
}

func (r *runner) take(e event, output map[string]*strings.Builder) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		if output[key] == nil {
			output[key] = &strings.Builder{}
		}
		output[key].WriteString(e.Output)
		if e.Action == "build-output" {
			fmt.Print(e.Output)
		}
		return
	case "pass":
		if e.Test != "" {
			r.passed++
			if e.Elapsed >= 5 {
				fmt.Printf("   ok %s (%.0f s)\n", e.Test, e.Elapsed)
			}
		}
	case "fail":
		if e.Test != "" {
			r.failed++
		}
		fmt.Printf("   FAILED: %s\n", key)
		if output[key] != nil {
			fmt.Print(output[key].String())
		}
	default:
		return
	}
	delete(output, key)
}
