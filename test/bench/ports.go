// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
)

// ports hands out ports of the loopback interface that are free when they are asked for, each once.
type ports struct{ last int }

// The range the ports are from.
const (
	firstPort = 34000
	lastPort  = 34999
)

func (p *ports) next() (int, error) {
	if p.last == 0 {
		p.last = firstPort - 1
	}
	for p.last < lastPort {
		p.last++
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p.last))
		if err == nil {
			return p.last, listener.Close()
		}
	}
	return 0, fmt.Errorf("no free port left in %d to %d", firstPort, lastPort)
}
