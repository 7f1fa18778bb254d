// SPDX-License-Identifier: Apache-2.0

package world

import (
	"errors"
	"io"
	"net"
	"sync"
)

// behindWire is where a wired broker listens: at another loopback address than the one that it registers.
const behindWire = "127.0.0.2"

// Wire stands for the network between a broker and everybody who connects to it.
type Wire struct {
	listener net.Listener
	broker   string

	mu    sync.Mutex
	whole chan struct{} // closed while the wire is whole
	ends  map[net.Conn]bool
	shut  bool
}

func newWire(addr, broker string) (*Wire, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	w := &Wire{listener: listener, broker: broker, whole: make(chan struct{}), ends: map[net.Conn]bool{}}
	close(w.whole)
	go w.accept()
	return w, nil
}

// Wire is what a broker of Options.Wired is reached by; nil for others.
func (b *Broker) Wire() *Wire { return b.wire }

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

// wait returns when the wire is whole.
func (w *Wire) wait() {
	w.mu.Lock()
	whole := w.whole
	w.mu.Unlock()
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
	broker, err := net.Dial("tcp", w.broker)
	if err != nil {
		return
	}
	defer w.drop(broker)
	if !w.keep(broker) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { w.carry(broker, client) })
	both.Go(func() { w.carry(client, broker) })
	both.Wait()
}

// carry copies until an end is closed, and tells the other.
func (w *Wire) carry(to, from net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		w.wait()
		if n > 0 {
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
