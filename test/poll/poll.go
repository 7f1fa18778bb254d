// SPDX-License-Identifier: Apache-2.0

// Package poll is epoll and non-blocking TCP sockets over IPv4, used directly: the load generator and the stub
// serve all their connections from one thread each, so that they take as little as possible of the processor
// time that belongs to what is measured.
package poll

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// What to wait for.
const (
	In  = syscall.EPOLLIN
	Out = syscall.EPOLLOUT
)

// Poller waits for many sockets at once. It is not safe for concurrent use.
type Poller struct {
	fd     int
	events [256]syscall.EpollEvent
}

// New makes an empty Poller.
func New() (*Poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	return &Poller{fd: fd}, nil
}

// Close ends the Poller, not its sockets.
func (p *Poller) Close() error { return syscall.Close(p.fd) }

// Add begins to wait for events of a socket; closing the socket ends that.
func (p *Poller) Add(fd int, events uint32) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)})
}

// Change replaces the events that are waited for.
func (p *Poller) Change(fd int, events uint32) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_MOD, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)})
}

// Wait waits until something happens, at most for limit (which is rounded up to milliseconds), and returns the
// events. They are valid until the next Wait.
func (p *Poller) Wait(limit time.Duration) ([]syscall.EpollEvent, error) {
	n, err := syscall.EpollWait(p.fd, p.events[:], int((max(limit, 0)+time.Millisecond-1)/time.Millisecond))
	if errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("epoll_wait: %w", err)
	}
	return p.events[:n], nil
}

// Readable tells whether a read would find something: bytes, the end, or an error.
func Readable(e syscall.EpollEvent) bool {
	return e.Events&(syscall.EPOLLIN|syscall.EPOLLERR|syscall.EPOLLHUP) != 0
}

// Writable tells whether there is room for a write.
func Writable(e syscall.EpollEvent) bool { return e.Events&syscall.EPOLLOUT != 0 }

// backlog is how many connections may wait to be accepted: all that a bench opens at once.
const backlog = 4096

// Listen opens a listening socket. Port 0 chooses one; the address returned is the real one.
func Listen(addr netip.AddrPort) (fd int, bound netip.AddrPort, err error) {
	fd, err = socket()
	if err != nil {
		return -1, bound, err
	}
	if err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err == nil {
		err = syscall.Bind(fd, sockaddr(addr))
	}
	if err == nil {
		err = syscall.Listen(fd, backlog)
	}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	var name syscall.Sockaddr
	if err == nil {
		name, err = syscall.Getsockname(fd)
	}
	if err != nil {
		_ = syscall.Close(fd)
		return -1, bound, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return fd, netip.AddrPortFrom(addr.Addr(), uint16(name.(*syscall.SockaddrInet4).Port)), nil
}

// Accept takes a waiting connection; ok is false if there is none.
func Accept(listener int) (fd int, ok bool, err error) {
	fd, _, err = syscall.Accept4(listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	switch {
	case err == nil:
		return fd, true, syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	case Temporary(err) || errors.Is(err, syscall.ECONNABORTED):
		return -1, false, nil
	}
	return -1, false, fmt.Errorf("accept: %w", err)
}

// Dial opens a connection and waits until it is open.
func Dial(addr netip.AddrPort) (fd int, err error) {
	fd, err = socket()
	if err != nil {
		return -1, err
	}
	for {
		if err = syscall.Connect(fd, sockaddr(addr)); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil || errors.Is(err, syscall.EISCONN) { // of the second try, after EINTR
		err = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		_ = syscall.Close(fd)
		return -1, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return fd, nil
}

// Write writes what the socket has room for and returns how many bytes that were.
func Write(fd int, b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := syscall.Write(fd, b[done:])
		if n > 0 {
			done += n
		}
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return done, nil
		case err != nil:
			return done, err
		}
	}
	return done, nil
}

// Temporary tells whether a read or an accept failed only because it has to be tried again later.
func Temporary(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
}

func socket() (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	return fd, nil
}

func sockaddr(addr netip.AddrPort) *syscall.SockaddrInet4 {
	return &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
}
