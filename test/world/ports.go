// SPDX-License-Identifier: Apache-2.0

package world

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
)

// portsEnv narrows the ports that a World takes, as "first-last".
const portsEnv = "ROCKETMQ_WORLD_PORTS"

// portPicker hands out ports that are free now. It stays below the range from which the kernel takes the
// ports of outgoing connections, so that a port stays ours while its process is down.
type portPicker struct {
	first, last int
	taken       map[int]bool
}

func newPortPicker() (*portPicker, error) {
	p := &portPicker{first: 12000, last: 32000, taken: map[int]bool{}}
	var low, high int
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if _, err := fmt.Sscan(string(b), &low, &high); err == nil && low > p.first+2000 {
			p.last = min(p.last, low-1)
		}
	}
	if s := os.Getenv(portsEnv); s != "" {
		if _, err := fmt.Sscanf(s, "%d-%d", &p.first, &p.last); err != nil || p.first < 1 || p.last > 65535 || p.last-p.first < 30 {
			return nil, fmt.Errorf("%s=%s: want first-last, at least 30 ports", portsEnv, s)
		}
	}
	return p, nil
}

// pick returns a port p such that p plus each offset is free; offset 0 is implied.
func (p *portPicker) pick(offsets ...int) (int, error) {
	offsets = append(offsets, 0)
next:
	for range 1000 {
		port := p.first + 2 + rand.IntN(p.last-p.first-3)
		for _, o := range offsets {
			if p.taken[port+o] || !isFree(port+o) {
				continue next
			}
		}
		for _, o := range offsets {
			p.taken[port+o] = true
		}
		return port, nil
	}
	return 0, fmt.Errorf("no free port in %d to %d", p.first, p.last)
}

// isFree tells whether a port can be bound on all interfaces: a broker's replication port is, whatever its
// bindAddress says.
func isFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
