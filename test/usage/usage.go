// SPDX-License-Identifier: Apache-2.0

// Package usage reads from /proc what processes and the machine have used so far.
package usage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what one process has used since its start, or between two samples.
type Usage struct {
	// CPU is the time its threads ran, user and kernel, in nanoseconds as the scheduler counts.
	CPU time.Duration `json:"cpu_ns"`
	// Delay is the time its threads were ready to run and had to wait for a processor.
	Delay time.Duration `json:"delay_ns"`
	// Switches are context switches, voluntary or not.
	Switches uint64 `json:"switches"`
	// RSS is the resident memory in bytes; not a difference, the value at the later sample.
	RSS uint64 `json:"rss_bytes"`
}

// Since is what was used after an earlier sample.
func (u Usage) Since(earlier Usage) Usage {
	return Usage{
		CPU:      u.CPU - earlier.CPU,
		Delay:    u.Delay - earlier.Delay,
		Switches: u.Switches - earlier.Switches,
		RSS:      u.RSS,
	}
}

// Of samples a process: the sum over its threads. What ended threads used is not in it.
func Of(pid int) (Usage, error) {
	var u Usage
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	threads, err := os.ReadDir(filepath.Join(dir, "task"))
	if err != nil {
		return u, err
	}
	for _, t := range threads {
		err := u.addThread(filepath.Join(dir, "task", t.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // it has just ended
		}
		if err != nil {
			return u, err
		}
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, err
	}
	kib, err := field(string(status), "VmRSS:")
	u.RSS = kib << 10
	return u, err
}

func (u *Usage) addThread(dir string) error {
	sched, err := os.ReadFile(filepath.Join(dir, "schedstat"))
	if err != nil {
		return err
	}
	var cpu, delay int64
	if _, err := fmt.Sscan(string(sched), &cpu, &delay); err != nil {
		return fmt.Errorf("%s/schedstat: %w", dir, err)
	}
	u.CPU += time.Duration(cpu)
	u.Delay += time.Duration(delay)
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return err
	}
	for _, name := range []string{"voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"} {
		n, err := field(string(status), name)
		if err != nil {
			return fmt.Errorf("%s/status: %w", dir, err)
		}
		u.Switches += n
	}
	return nil
}

// field reads the number behind a name that begins a line.
func field(text, name string) (uint64, error) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name); ok {
			digits, _, _ := strings.Cut(strings.TrimSpace(value), " ")
			return strconv.ParseUint(digits, 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s", name)
}

// tick is the unit of /proc/stat: USER_HZ is 100 on every platform that Go and Envoy share.
const tick = 10 * time.Millisecond

// Machine is the time that all processors together were not idle since the machine started: everybody's work,
// interrupts, and what a hypervisor withheld.
func Machine() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	// cpu user nice system idle iowait irq softirq steal, then guest times that user and nice include
	columns := strings.Fields(line)
	if len(columns) < 9 || columns[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat begins with %q", line)
	}
	var busy time.Duration
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
		n, err := strconv.ParseInt(columns[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		busy += time.Duration(n) * tick
	}
	return busy, nil
}

// LoadAverage is the number of processes that ran or wanted to, averaged over the last minute.
func LoadAverage() (float64, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	return strconv.ParseFloat(first, 64)
}
