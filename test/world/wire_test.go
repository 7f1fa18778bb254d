// SPDX-License-Identifier: Apache-2.0

package world

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// echo is a server that gives back what it gets, behind a wire.
func echo(t *testing.T, tap func() (toServer, toClient io.Writer)) (w *Wire, connect func() net.Conn) {
	t.Helper()
	server, err := net.Listen("tcp", behindWire+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		for {
			c, err := server.Accept()
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
	if w, err = newWire(address, server.Addr().String(), tap); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w, func() net.Conn {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
}

func say(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c net.Conn, within time.Duration) error {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

func TestAWireThatIsCutCarriesNothingUntilItIsMended(t *testing.T) {
	w, connect := echo(t, nil)
	before := connect()
	say(t, before)
	if err := hear(t, before, 10*time.Second); err != nil {
		t.Fatalf("a whole wire carries nothing: %v", err)
	}
	w.Cut()
	during := connect()
	for _, c := range []net.Conn{before, during} {
		say(t, c)
		if err := hear(t, c, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v over a wire that is cut, want silence", err)
		}
	}
	w.Mend()
	for _, c := range []net.Conn{before, during} {
		if err := hear(t, c, 10*time.Second); err != nil {
			t.Errorf("what was sent before the wire was mended does not arrive: %v", err)
		}
	}
	if err := before.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := hear(t, before, 10*time.Second); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end that the broker made", err)
	}
}

func TestAWireThatIsResetBreaksWhatIsOpenAndTakesNewConnections(t *testing.T) {
	w, connect := echo(t, nil)
	before := connect()
	say(t, before)
	if err := hear(t, before, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	w.Reset()
	if err := hear(t, before, 10*time.Second); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	after := connect()
	say(t, after)
	if err := hear(t, after, 10*time.Second); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

func TestAWireIsTapped(t *testing.T) {
	var toServer, toClient bytes.Buffer
	_, connect := echo(t, func() (io.Writer, io.Writer) { return &toServer, &toClient })
	c := connect()
	say(t, c)
	if err := hear(t, c, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	// What has been heard went through both taps before.
	if toServer.String() != "x" || toClient.String() != "x" {
		t.Errorf("got %q and %q", toServer.String(), toClient.String())
	}
}
