// SPDX-License-Identifier: Apache-2.0

package world

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

func TestAWireThatIsCutCarriesNothingUntilItIsMended(t *testing.T) {
	broker, err := net.Listen("tcp", behindWire+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	go func() { // gives back what it gets
		for {
			c, err := broker.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); c.Close() }()
		}
	}()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	w, err := newWire(address, broker.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()

	connect := func() net.Conn {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	say := func(c net.Conn) {
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(c net.Conn, within time.Duration) error {
		if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		_, err := io.ReadFull(c, make([]byte, 1))
		return err
	}
	before := connect()
	say(before)
	if err := hear(before, 10*time.Second); err != nil {
		t.Fatalf("a whole wire carries nothing: %v", err)
	}
	w.Cut()
	during := connect()
	for _, c := range []net.Conn{before, during} {
		say(c)
		if err := hear(c, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v over a wire that is cut, want silence", err)
		}
	}
	w.Mend()
	for _, c := range []net.Conn{before, during} {
		if err := hear(c, 10*time.Second); err != nil {
			t.Errorf("what was sent before the wire was mended does not arrive: %v", err)
		}
	}
	if err := before.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := hear(before, 10*time.Second); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end that the broker made", err)
	}
}
