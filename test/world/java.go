// SPDX-License-Identifier: Apache-2.0

package world

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// Event is a line that a Java program printed. Which fields are set depends on Kind; the comments of the programs
// in test/java/workload say it. Latencies are in microseconds.
type Event struct {
	Kind      string           `json:"event"` // ready, assigned, tick, end, failed or a program's own
	PerBroker map[string]int64 `json:"perBroker"`
	Error     string           `json:"error"`
	// Code and Remark are those of the broker's answer that the error stands for, if it was one.
	Code   int    `json:"code"`
	Remark string `json:"remark"`

	// Producer. Sent and Failed belong to the second that a tick ends, or to the whole run in an end.
	Sent        int64 `json:"sent"`
	Failed      int64 `json:"failed"` // also Consumer: deliveries answered with "later", since the start
	P50         int64 `json:"p50us"`
	P99         int64 `json:"p99us"`
	TotalSent   int64 `json:"totalSent"`
	TotalFailed int64 `json:"totalFailed"`

	// Consumer.
	Queues        int   `json:"queues"`
	Consumed      int64 `json:"consumed"`
	TotalConsumed int64 `json:"totalConsumed"`
	Corrupt       int64 `json:"corrupt"`
	Violations    int64 `json:"violations"`

	// Raw is the whole line, for fields that are not above.
	Raw json.RawMessage `json:"-"`
}

// Java is a running Java client.
type Java struct {
	*process.Process

	stdin   *os.File
	readers sync.WaitGroup // of stdout and of records

	mu       sync.Mutex
	latest   map[string]Event // by kind
	assigned time.Time        // when the latest "assigned" came
	changed  chan struct{}    // closed and replaced at each event
	onEvent  func(Event)
}

// JavaOptions say what to run.
type JavaOptions struct {
	// Name is for messages and names the log file; unique in a World.
	Name string
	// Class is the program, as workload.Producer.
	Class string
	Args  []string
	// Flags are further options of the JVM.
	Flags []string
	// ClassPath, if set, takes the place of RocketMQ's jars (other client versions); the workload's classes
	// are always added.
	ClassPath string
	// OnEvent, if set, is called for each event, from one goroutine.
	OnEvent func(Event)
	// Records, if set, is called for each line that the program writes to /dev/fd/3, from one goroutine.
	Records func(line string)
}

// RunJava runs a class of the workload against the jars of a release, which repo.Fetch has got, and returns its output.
func (w *World) RunJava(ctx context.Context, version, class, input string) (output string, err error) {
	jars, err := repo.Jars(version)
	if err != nil {
		return "", err
	}
	argv := append(w.javaArgv(w.Dir, w.paths.workload+":"+filepath.Join(jars, "*")), class)
	java := exec.CommandContext(ctx, argv[0], argv[1:]...)
	java.Stdin = strings.NewReader(input)
	out, err := java.Output()
	if err != nil {
		return "", fmt.Errorf("%s with RocketMQ %s: %w", class, version, err)
	}
	return string(out), nil
}

// StartJava starts a Java client. It ends with the World at the latest.
func (w *World) StartJava(opt JavaOptions) (*Java, error) {
	home := filepath.Join(w.Dir, opt.Name)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	classPath := opt.ClassPath
	if classPath == "" {
		classPath = w.paths.classPath
	}
	argv := append(w.javaArgv(home, w.paths.workload+":"+classPath, append([]string{"-Xms64m", "-Xmx256m"}, opt.Flags...)...), opt.Class)
	c := process.Command{Name: opt.Name, Argv: append(argv, opt.Args...)}
	j := &Java{latest: map[string]Event{}, changed: make(chan struct{}), onEvent: opt.OnEvent}

	var theirs []*os.File // ends of pipes that are the child's
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	var ours []*os.File
	pipe := func() (r, w *os.File, err error) {
		if r, w, err = os.Pipe(); err == nil {
			ours, theirs = append(ours, r), append(theirs, w)
		}
		return r, w, err
	}
	fail := func(err error) (*Java, error) {
		for _, f := range ours {
			f.Close()
		}
		return nil, err
	}
	stdout, childOut, err := pipe()
	if err != nil {
		return fail(err)
	}
	records, childRecords, err := pipe()
	if err != nil {
		return fail(err)
	}
	childIn, stdin, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	ours, theirs = append(ours, stdin), append(theirs, childIn)
	c.Stdin, c.Stdout, c.Extra = childIn, childOut, []*os.File{childRecords}
	if j.Process, err = w.spawn(c); err != nil {
		return fail(err)
	}
	j.stdin = stdin
	j.readers.Go(func() { readLines(stdout, j.takeEvent) })
	j.readers.Go(func() {
		readLines(records, func(line []byte) {
			if opt.Records != nil {
				opt.Records(string(line))
			}
		})
	})
	w.mu.Lock()
	w.java = append(w.java, j)
	w.mu.Unlock()
	return j, nil
}

// readLines calls f for each whole line, until the end of the file, and closes it.
func readLines(file *os.File, f func(line []byte)) {
	defer file.Close()
	for r := bufio.NewReaderSize(file, 64<<10); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		f(line[:len(line)-1])
	}
}

func (j *Java) takeEvent(line []byte) {
	e := Event{Raw: line}
	if err := json.Unmarshal(line, &e); err != nil {
		e = Event{Kind: "failed", Error: fmt.Sprintf("printed %q: %v", line, err), Raw: line}
	}
	j.mu.Lock()
	j.latest[e.Kind] = e
	if e.Kind == "assigned" {
		j.assigned = time.Now()
	}
	close(j.changed)
	j.changed = make(chan struct{})
	j.mu.Unlock()
	if j.onEvent != nil {
		j.onEvent(e)
	}
}

// Latest returns the latest event of a kind, and whether there was one.
func (j *Java) Latest(kind string) (Event, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.latest[kind]
	return e, ok
}

// Await returns the first event of a kind for which ok is true, looking at the latest one first; ok may be nil.
// It fails when the program has ended or reported a failure without printing one.
func (j *Java) Await(ctx context.Context, kind string, ok func(Event) bool) (Event, error) {
	gone := false
	for {
		j.mu.Lock()
		e, has := j.latest[kind]
		failed, hasFailed := j.latest["failed"]
		changed := j.changed
		j.mu.Unlock()
		switch {
		case has && (ok == nil || ok(e)):
			return e, nil
		case hasFailed:
			return e, fmt.Errorf("%s: %s\n%s", j.Name, failed.Error, process.Tail(j.LogFile, 20))
		case gone:
			return e, fmt.Errorf("%w before the event %q\n%s", j.Ended(), kind, process.Tail(j.LogFile, 20))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return e, fmt.Errorf("waiting for event %q of %s: %w\n%s", kind, j.Name, ctx.Err(), process.Tail(j.LogFile, 20))
		case <-j.Done():
			j.readers.Wait() // what it printed last may not be read yet
			gone = true
		}
	}
}

// Go lets a program begin that was started with --wait-go yes, or go on after Rest.
func (j *Java) Go() error {
	_, err := j.stdin.WriteString("go\n")
	return err
}

// Rest has a producer send nothing until Go. It stays connected, and still answers brokers that ask about transactions.
func (j *Java) Rest() error {
	_, err := j.stdin.WriteString("rest\n")
	return err
}

// Finish tells the program to end by itself, waits for that and for the last of its events and records, and
// returns its "end" event.
func (j *Java) Finish(ctx context.Context) (Event, error) {
	if err := j.stdin.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return Event{}, err
	}
	select {
	case <-j.Done():
	case <-ctx.Done():
		return Event{}, fmt.Errorf("waiting for the end of %s: %w", j.Name, ctx.Err())
	}
	j.readers.Wait()
	return j.Await(ctx, "end", nil)
}

// Stop ends the program, like Process.Stop, and reads what it printed last.
func (j *Java) Stop() error {
	err := j.Process.Stop()
	j.readers.Wait()
	_ = j.stdin.Close() // Finish may have closed it
	return err
}

// Kill ends the program with SIGKILL and reads what it printed last.
func (j *Java) Kill() {
	j.Process.Kill()
	j.readers.Wait()
	_ = j.stdin.Close() // Finish may have closed it
}

// AwaitGroup waits until the consumers, all members of one group, own all queues of their topic between them, in
// shares that differ by one at most, and none has changed its share for the time still. Uneven shares are a stage
// on the way, even if they last.
func AwaitGroup(ctx context.Context, members []*Java, queues int, still time.Duration) error {
	for {
		sum, shares, quiet := 0, make([]int, len(members)), true
		for i, m := range members {
			if !m.Running() {
				return fmt.Errorf("%w\n%s", m.Ended(), process.Tail(m.LogFile, 20))
			}
			m.mu.Lock()
			shares[i] = m.latest["assigned"].Queues
			quiet = quiet && shares[i] > 0 && time.Since(m.assigned) >= still
			m.mu.Unlock()
			sum += shares[i]
		}
		if quiet && sum == queues && slices.Max(shares)-slices.Min(shares) <= 1 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %d consumers own %d queues: %w; they own %v", len(members), queues, ctx.Err(), shares)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
