// SPDX-License-Identifier: Apache-2.0

package world

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long a child may take to end after SIGTERM before it gets SIGKILL.
const stopGrace = 25 * time.Second

// Process is a child process. It runs in a process group of its own, so that a Ctrl-C at the terminal reaches
// only us, and dies with us whatever way we end.
type Process struct {
	// Name is for messages and names the log file.
	Name string
	// LogFile holds what the child wrote to stderr, and to stdout where nobody reads that.
	LogFile string

	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait; to be read after done
}

// command says what to start.
type command struct {
	name    string
	logFile string // appended to
	dir     string
	env     []string // beside our own environment
	argv    []string
	stdin   *os.File   // nil: /dev/null
	stdout  *os.File   // nil: the log file
	extra   []*os.File // fd 3 and up in the child
}

// starter starts all children on one thread that never ends: Linux sends the parent-death signal when the
// thread that forked ends, not when the process does.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// start runs a command. The files in c stay the caller's to close.
func start(c command) (*Process, error) {
	log, err := os.OpenFile(c.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stderr, cmd.Stdout = log, log
	if c.stdin != nil {
		cmd.Stdin = c.stdin
	}
	if c.stdout != nil {
		cmd.Stdout = c.stdout
	}
	cmd.ExtraFiles = c.extra
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	starter() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	p := &Process{Name: c.name, LogFile: c.logFile, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Pid is the child's process id, also after its end.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running tells whether the child has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Err tells how the child ended: nil for exit status 0 and while it runs.
func (p *Process) Err() error {
	if p.Running() {
		return nil
	}
	return p.err
}

// Stop ends the child with SIGTERM, after 25 s with SIGKILL, and returns when it is gone. The error says that
// SIGKILL was needed. Stopping twice, or what has ended by itself, is no error.
func (p *Process) Stop() error {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-time.After(stopGrace):
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM and was killed", p.Name, stopGrace)
	}
}

// Kill ends the child with SIGKILL and returns when it is gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Pause stops the child from running (SIGSTOP) until Resume, as a hung process or a long garbage collection does.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume undoes Pause.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) {
	if p.Running() {
		// os.Process, unlike kill(2), never reaches a stranger that got the pid of a child already waited for.
		_ = p.cmd.Process.Signal(s)
	}
}

// Tail returns the last lines of the child's log, at most n.
func (p *Process) Tail(n int) string { return tail(p.LogFile, n) }

// tail returns the last n lines of a file, looking at its last 64 KiB only, without what RocketMQ's logging says of
// its own start and without that log's lines of level INFO.
func tail(path string, n int) string {
	const most = 64 << 10
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, err = f.Seek(max(0, size-most), io.SeekStart)
		if err != nil {
			return ""
		}
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return rocketMQInfo.MatchString(line) })
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

var rocketMQInfo = regexp.MustCompile(`^[-0-9:, ]+ ?(\|-(INFO|WARN) in| INFO) `)

// endedError describes a child that ended when it should run.
func (p *Process) endedError() error {
	how := "exit status 0"
	if err := p.Err(); err != nil {
		how = err.Error()
	}
	return fmt.Errorf("%s ended: %s", p.Name, how)
}

// errAlreadyRunning is what the Start… methods answer when there is nothing to start.
var errAlreadyRunning = errors.New("is already running")
