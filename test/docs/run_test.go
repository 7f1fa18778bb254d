// SPDX-License-Identifier: Apache-2.0

//go:build integration

package docs

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// workshop is a folder that looks like the repository's root, with Envoy and the other programs on the PATH. The ports of
// the examples are others in it, as they are in the commands.
type workshop struct {
	dir   string
	ports map[string]string
}

var number = regexp.MustCompile(`\b[0-9]+\b`)

// moved is a text with this workshop's ports.
func (s workshop) moved(text string) string {
	return number.ReplaceAllStringFunc(text, func(port string) string {
		if own := s.ports[port]; own != "" {
			return own
		}
		return port
	})
}

// TestCommands runs the commands of each page beside a RocketMQ of two brokers.
func TestCommands(t *testing.T) {
	if err := repo.Fetch(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	w, err := world.Start(t.Context(), world.Options{Mode: world.NoProxy})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, p := range allPages(t) {
		if p.has("sh") {
			t.Run(p.name, func(t *testing.T) { open(t, w).run(t, p) })
		}
	}
}

func open(t *testing.T, w *world.World) workshop {
	t.Helper()
	nameServer := w.NameServer[strings.LastIndex(w.NameServer, ":")+1:]
	s := workshop{dir: t.TempDir(), ports: map[string]string{"19876": freePort(t), "9876": nameServer, "9901": freePort(t)}}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != "envoy-config" {
			s.check(t, os.Symlink(filepath.Join(here, entry.Name()), filepath.Join(s.dir, entry.Name())))
		}
	}
	s.check(t, os.CopyFS(filepath.Join(s.dir, "envoy-config"), os.DirFS(filepath.Join(root, "envoy-config"))))
	examples, err := filepath.Glob(filepath.Join(s.dir, "envoy-config", "*.yaml"))
	s.check(t, err)
	for _, example := range examples {
		text, err := os.ReadFile(example)
		s.check(t, err)
		s.check(t, os.WriteFile(example, []byte(s.moved(string(text))), 0o600))
	}
	programs := filepath.Join(s.dir, "programs")
	s.check(t, os.Mkdir(programs, 0o700))
	s.check(t, os.Symlink(w.EnvoyBinary(), filepath.Join(programs, "envoy")))
	s.check(t, os.WriteFile(filepath.Join(programs, "mqadmin"), []byte("#!/bin/sh\nexec java -cp '"+w.ClassPath()+"' org.apache.rocketmq.tools.command.MQAdminStartup \"$@\"\n"), 0o700))
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(programs, "rocketmq-proxyctl"), root+"/cmd/rocketmq-proxyctl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

func (s workshop) check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	ownTarget    = regexp.MustCompile(`(?m)^make .*$`)
	rocketMQInfo = regexp.MustCompile(`(?m)^.*\|-INFO in .*\n`)
	// What mqadmin says when it fails, with exit status 0.
	mqadminFailed = regexp.MustCompile(`(?m)^.*(Exception|command failed).*$`)
)

// run runs the commands of a page in one shell, which ends at the first that fails.
func (s workshop) run(t *testing.T, p page) {
	script := "set -euo pipefail\ntrap 'for job in $(jobs -p); do kill $job; done; wait' EXIT\n"
	for _, b := range p.blocks {
		if b.kind == "sh" {
			script += s.moved(ownTarget.ReplaceAllString(strings.Join(b.lines, "\n"), "")) + "\n"
		}
	}
	shell := exec.CommandContext(t.Context(), "bash", "-c", script)
	shell.Dir = s.dir
	shell.Env = append(os.Environ(), "PATH="+filepath.Join(s.dir, "programs")+":"+os.Getenv("PATH"))
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	shell.WaitDelay = 10 * time.Second
	output, err := shell.CombinedOutput()
	output = rocketMQInfo.ReplaceAll(output, nil)
	if bad := mqadminFailed.FindString(string(output)); err != nil || bad != "" {
		t.Errorf("%v %s\n%s\n-- it printed\n%s", err, bad, script, output)
	}
	t.Logf("%s", output)
}
