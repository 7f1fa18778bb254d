// SPDX-License-Identifier: Apache-2.0

// Package process runs child processes that end with their parent.
package process

import (
	"context"
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
	"sync/atomic"
	"syscall"
	"time"
)

// stopGrace is how long a child may take to end after SIGTERM before it gets SIGKILL.
const stopGrace = 25 * time.Second

// Process is a child process. It runs in its own process group, so that a Ctrl-C at the terminal reaches only its parent,
// and is killed when the parent ends in whatever way.
type Process struct {
	// Name is for messages.
	Name string
	// LogFile is the file with what the child wrote to stderr, and to stdout unless Command.Stdout was set.
	LogFile string

	cmd    *exec.Cmd
	killed atomic.Bool
	done   chan struct{}
	err    error // of Wait; to be read after done
}

// Command describes a process to start.
type Command struct {
	Name    string
	LogFile string // appended to
	Dir     string
	Env     []string // added to the parent's environment
	Argv    []string
	Stdin   io.Reader  // nil: /dev/null
	Stdout  io.Writer  // nil: the log file
	Extra   []*os.File // fd 3 and up in the child
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

// Start starts a command. The caller still closes the files in c.
func Start(c Command) (*Process, error) {
	log, err := os.OpenFile(c.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...)
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, log
	if c.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.ExtraFiles = c.Extra
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	starter() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{Name: c.Name, LogFile: c.LogFile, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Pid returns the child's process id, also after its end.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the child has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Err returns how the child ended: nil for exit status 0, and while it runs.
func (p *Process) Err() error {
	if p.Running() {
		return nil
	}
	return p.err
}

// Stop ends the child with SIGTERM, after 25 s with SIGKILL, and returns when it is gone. It returns an error if SIGKILL
// was needed. A child that has ended already is no error.
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
	p.killed.Store(true)
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Killed reports whether Kill was called.
func (p *Process) Killed() bool { return p.killed.Load() }

// Wait waits until the child ends by itself, and stops it when the context ends. It returns an error unless the child
// ended with exit status 0.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.Stop())
	}
	if p.err != nil {
		return p.Failure(p.err)
	}
	return nil
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

// Failure returns err with the child's name and the end of its log.
func (p *Process) Failure(err error) error {
	return fmt.Errorf("%s: %w\n--- end of %s\n%s", p.Name, err, p.LogFile, Tail(p.LogFile, 30))
}

// Tail returns the last n lines of a file, of its last 64 KiB, without what RocketMQ's logging reports of its own start
// and without that log's lines of level INFO.
func Tail(path string, n int) string {
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

// Await calls ready every 30 ms until it returns true or ctx ends. It fails at once when p, which may be nil, has ended.
// The error has the last reason that ready gave and the end of p's log.
func Await(ctx context.Context, p *Process, what string, ready func() (bool, error)) error {
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, reason := ready()
		if ok {
			return nil
		}
		err := ctx.Err()
		if p != nil && !p.Running() {
			err = p.Ended()
		}
		if err != nil {
			err = fmt.Errorf("waiting until %s: %w", what, err)
			if reason != nil {
				err = fmt.Errorf("%w (last: %w)", err, reason)
			}
			if p != nil {
				err = p.Failure(err)
			}
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// Ended returns an error that says how the child ended, for one that should run.
func (p *Process) Ended() error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("%s has ended: %w", p.Name, err)
	}
	return fmt.Errorf("%s has ended: exit status 0", p.Name)
}
