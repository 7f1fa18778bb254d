// SPDX-License-Identifier: Apache-2.0

// Package envoy starts Envoys and reads their admin interface and their logs.
package envoy

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// Options of an Envoy.
type Options struct {
	Config string // YAML
	Admin  string // the address of the admin interface in Config
	// Listens are addresses that must take connections before Envoy counts as ready.
	Listens []string

	Dir  string // folder for its config and its log
	Name string // of these two files; default envoy

	Version     string   // default repo.EnvoyVersion
	ModuleDir   string   // folder of the filter's two libraries; default repo.Modules
	Concurrency int      // worker threads; default 2
	LogLevel    string   // default warning
	Wrapper     []string // a command that runs Envoy, such as prlimit with its arguments
	Env         []string // NAME=value, beside the folder of the libraries
	Args        []string

	// HotRestart lets several Envoys with one BaseID, a number of this machine, take over from each other in the order of
	// their epochs, which begin with 0.
	HotRestart    bool
	BaseID, Epoch int
}

// Envoy is a running Envoy.
type Envoy struct {
	*process.Process
	opt Options
}

// Start starts an Envoy and waits until it is ready. If it does not become ready, nothing is left of it but its files.
func Start(ctx context.Context, o Options) (*Envoy, error) {
	e, err := Launch(o)
	if err != nil {
		return nil, err
	}
	if err := e.AwaitReady(ctx); err != nil {
		return nil, errors.Join(err, e.Stop())
	}
	return e, nil
}

// Launch starts an Envoy without waiting.
func Launch(o Options) (*Envoy, error) {
	c, err := o.command()
	if err != nil {
		return nil, err
	}
	p, err := process.Start(c)
	if err != nil {
		return nil, err
	}
	return &Envoy{Process: p, opt: o}, nil
}

// Validate returns what an Envoy logs that only checks a config, and an error if it refuses the config.
func Validate(ctx context.Context, o Options) (log string, err error) {
	o.Args = append(o.Args[:len(o.Args):len(o.Args)], "--mode", "validate")
	c, err := o.command()
	if err != nil {
		return "", err
	}
	p, err := process.Start(c)
	if err != nil {
		return "", err
	}
	err = p.Wait(ctx)
	text, readErr := os.ReadFile(c.LogFile)
	return string(text), errors.Join(err, readErr)
}

// command writes the config and returns the command that runs Envoy with it.
func (o *Options) command() (process.Command, error) {
	name, moduleDir, level, workers := o.Name, o.ModuleDir, o.LogLevel, o.Concurrency
	if name == "" {
		name = "envoy"
	}
	if level == "" {
		level = "warning"
	}
	if workers == 0 {
		workers = 2
	}
	if moduleDir == "" {
		var err error
		if moduleDir, err = repo.Modules(); err != nil {
			return process.Command{}, err
		}
	}
	binary, err := repo.Envoy(o.Version)
	if err != nil {
		return process.Command{}, err
	}
	file := filepath.Join(o.Dir, name+".yaml")
	if err := os.WriteFile(file, []byte(o.Config), 0o644); err != nil {
		return process.Command{}, err
	}
	restart := []string{"--disable-hot-restart"}
	if o.HotRestart {
		restart = []string{"--base-id", strconv.Itoa(o.BaseID), "--restart-epoch", strconv.Itoa(o.Epoch)}
	}
	return process.Command{
		Name: name, LogFile: filepath.Join(o.Dir, name+".log"), Dir: o.Dir,
		// And nothing else: what users need not set, tests must not set either.
		Env:  append([]string{"ENVOY_DYNAMIC_MODULES_SEARCH_PATH=" + moduleDir}, o.Env...),
		Argv: slices.Concat(o.Wrapper, []string{binary, "-c", file, "-l", level, "--concurrency", strconv.Itoa(workers)}, restart, o.Args),
	}, nil
}

// AwaitReady waits until Envoy is live and listens. It fails when Envoy ends, or when ctx does.
func (e *Envoy) AwaitReady(ctx context.Context) error {
	return process.Await(ctx, e.Process, "Envoy is ready", func() (bool, error) {
		info, err := Get(ctx, e.opt.Admin, "/server_info")
		if err != nil || !strings.Contains(info, `"state": "LIVE"`) {
			return false, err
		}
		// The one before may answer during a hot restart.
		if e.opt.Epoch > 0 && !strings.Contains(info, `"restart_epoch": `+strconv.Itoa(e.opt.Epoch)) {
			return false, nil
		}
		for _, address := range e.opt.Listens {
			if err := dial(address); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// dial opens and closes a TCP connection.
func dial(address string) error {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}
