// SPDX-License-Identifier: Apache-2.0

package world

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// behindWire is where a server behind a Wire listens: at another loopback address than the one that clients are told.
const behindWire = "127.0.0.2"

// Wire stands for the network between a server and everybody who connects to it.
type Wire struct {
	listener net.Listener
	server   string
	tap      func() (toServer, toClient io.Writer)

	mu    sync.Mutex
	whole chan struct{} // closed while the wire is whole
	delay time.Duration
	ends  map[net.Conn]bool
	shut  bool
}

// newWire leads from an address to a server. tap, which may be nil, gives for each connection what sees its bytes
// before they go on; errors of these writers are of no concern.
func newWire(addr, server string, tap func() (toServer, toClient io.Writer)) (*Wire, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if tap == nil {
		tap = func() (toServer, toClient io.Writer) { return io.Discard, io.Discard }
	}
	w := &Wire{listener: listener, server: server, tap: tap, whole: make(chan struct{}), ends: map[net.Conn]bool{}}
	close(w.whole)
	go w.accept()
	return w, nil
}

// Wire is what a broker of Options.Wired is reached by; nil for others.
func (b *Broker) Wire() *Wire { return b.wire }

// ProxyWires are what Envoy's listeners are reached by, with Options.WiredEnvoy.
func (w *World) ProxyWires() []*Wire { return w.proxyWires }

// Cut keeps everything from getting through, either way, until Mend. As when packets are lost, nobody is told:
// connections stay open, and new ones seem to open.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = make(chan struct{})
}

// Mend undoes Cut. What was sent meanwhile arrives.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.whole)
}

// Delay has whatever is read from now on arrive that much later; 0 ends it.
func (w *Wire) Delay(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = d
}

// Reset breaks every connection that is open, for both ends, with a TCP reset.
func (w *Wire) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for end := range w.ends {
		_ = end.(*net.TCPConn).SetLinger(0) // fails if it is closed already
		end.Close()
	}
}

// wait returns when the wire is whole, after the delay.
func (w *Wire) wait() {
	w.mu.Lock()
	whole, delay := w.whole, w.delay
	w.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay)
	}
	<-whole
}

func (w *Wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		go w.connect(client)
	}
}

func (w *Wire) connect(client net.Conn) {
	defer w.drop(client)
	if !w.keep(client) {
		return
	}
	w.wait()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer w.drop(server)
	if !w.keep(server) {
		return
	}
	toServer, toClient := w.tap()
	var both sync.WaitGroup
	both.Go(func() { w.carry(server, client, toServer) })
	both.Go(func() { w.carry(client, server, toClient) })
	both.Wait()
}

// carry copies until an end is closed, and tells the other.
func (w *Wire) carry(to, from net.Conn, tap io.Writer) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		w.wait()
		if n > 0 {
			_, _ = tap.Write(buffer[:n])
			if _, err := to.Write(buffer[:n]); err != nil {
				from.Close()
				return
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = to.(*net.TCPConn).CloseWrite() // fails if it is closed already
			return
		case err != nil:
			to.Close()
			return
		}
	}
}

// keep notes an open end; false if the wire is gone.
func (w *Wire) keep(end net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[end] = true
	return !w.shut
}

func (w *Wire) drop(end net.Conn) {
	end.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.ends, end)
}

// close ends the wire and all its connections.
func (w *Wire) close() {
	w.listener.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut = true
	select {
	case <-w.whole:
	default:
		close(w.whole) // whoever waits may end
	}
	for end := range w.ends {
		end.Close()
	}
}
