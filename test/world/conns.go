// SPDX-License-Identifier: Apache-2.0

package world

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// Conn is a TCP socket of a process.
type Conn struct {
	Local, Remote netip.AddrPort // IPv4-mapped addresses, as Java's sockets have, are given as IPv4
	State         ConnState
}

// ConnState is the kernel's number of a TCP state.
type ConnState uint8

// The states that tests ask for; the others print as their number.
const (
	Established ConnState = 1
	SynSent     ConnState = 2
	Listening   ConnState = 10
)

func (s ConnState) String() string {
	switch s {
	case Established:
		return "established"
	case SynSent:
		return "syn-sent"
	case Listening:
		return "listening"
	default:
		return "state " + strconv.Itoa(int(s))
	}
}

func (c Conn) String() string { return fmt.Sprintf("%s → %s %s", c.Local, c.Remote, c.State) }

// Connections lists the TCP sockets of a process, IPv4 and IPv6, in whatever state, listening ones too. It reads
// the tables of /proc, so it needs the right to look at the process: that of its owner.
func Connections(pid int) ([]Conn, error) {
	proc := fmt.Sprintf("/proc/%d/", pid)
	// The table first: a socket opened in between is then missed, whereas the other way round an inode number
	// used anew could be taken for a socket of this process.
	var lines []string
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		b, err := os.ReadFile(proc + table)
		if errors.Is(err, fs.ErrNotExist) && table == "net/tcp6" {
			continue // no IPv6 on this machine
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, strings.Split(string(b), "\n")[1:]...)
	}
	inodes, err := socketInodes(proc + "fd")
	if err != nil {
		return nil, err
	}
	var conns []Conn
	for _, line := range lines {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...
		f := strings.Fields(line)
		if len(f) < 10 || !inodes[f[9]] {
			continue
		}
		c, err := parseConn(f[1], f[2], f[3])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func socketInodes(dir string) (map[string]bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	inodes := make(map[string]bool)
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		if err != nil {
			continue // closed meanwhile
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes, nil
}

func parseConn(local, remote, state string) (Conn, error) {
	var c Conn
	st, err := strconv.ParseUint(state, 16, 8)
	if err != nil {
		return c, err
	}
	c.State = ConnState(st)
	if c.Local, err = parseAddr(local); err != nil {
		return c, err
	}
	c.Remote, err = parseAddr(remote)
	return c, err
}

// parseAddr reads "0100007F:1F90": the address as 32-bit words in host order, the port as a number.
func parseAddr(s string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	if !ok || err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("bad address %q", s)
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	p, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("bad address %q", s)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(p)), nil
}
