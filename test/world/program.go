// SPDX-License-Identifier: Apache-2.0

package world

import (
	"os"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
)

// StartProgram starts a client that is no Java program but behaves like ours: it prints events on its output and
// may wait for a line on its input. It ends with the World at the latest.
func (w *World) StartProgram(name string, argv []string, onEvent func(Event)) (*Java, error) {
	stdout, childOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer childOut.Close()
	childIn, stdin, err := os.Pipe()
	if err != nil {
		stdout.Close()
		return nil, err
	}
	defer childIn.Close()
	j := &Java{latest: map[string]Event{}, changed: make(chan struct{}), onEvent: onEvent, stdin: stdin}
	if j.Process, err = w.spawn(process.Command{Name: name, Argv: argv, Stdin: childIn, Stdout: childOut}); err != nil {
		stdout.Close()
		stdin.Close()
		return nil, err
	}
	j.readers.Go(func() { readLines(stdout, j.takeEvent) })
	w.mu.Lock()
	w.java = append(w.java, j)
	w.mu.Unlock()
	return j, nil
}
