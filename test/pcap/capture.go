// SPDX-License-Identifier: Apache-2.0

// Package pcap makes captures of recorded frames.
package pcap

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

// Frame returns a recorded frame, such as "SEND_MESSAGE_V2.request", with another opaque.
func Frame(t testing.TB, name string, opaque int32) []byte {
	t.Helper()
	recorded, err := golden.Read(golden.JSON, name)
	if err != nil {
		t.Fatal(err)
	}
	var h codec.Header
	if err := h.Parse(codec.JSON, recorded.Header); err != nil {
		t.Fatal(err)
	}
	return append(h.AppendWithOpaque(nil, opaque, len(recorded.Body)), recorded.Body...)
}

// Begin is the time of the first packet of every capture.
var Begin = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

// Capture is a capture that is being written. Packets are a millisecond apart.
type Capture struct {
	t       testing.TB
	buffer  bytes.Buffer
	write   func(gopacket.CaptureInfo, []byte) error
	flush   func() error
	at      time.Time
	connect int
}

// New begins a pcap or, where ng is set, a pcapng file of an Ethernet.
func New(t testing.TB, ng bool) *Capture {
	t.Helper()
	return NewOf(t, ng, layers.LinkTypeEthernet)
}

// NewOf is New with a link type that the file claims. Its packets are Ethernet nevertheless.
func NewOf(t testing.TB, ng bool, link layers.LinkType) *Capture {
	t.Helper()
	c := &Capture{t: t, at: Begin, flush: func() error { return nil }}
	if ng {
		w, err := pcapgo.NewNgWriter(&c.buffer, link)
		if err != nil {
			t.Fatal(err)
		}
		c.write, c.flush = w.WritePacket, w.Flush
		return c
	}
	w := pcapgo.NewWriter(&c.buffer)
	if err := w.WriteFileHeader(65535, link); err != nil {
		t.Fatal(err)
	}
	c.write = w.WritePacket
	return c
}

// Bytes returns the file.
func (c *Capture) Bytes() []byte {
	if err := c.flush(); err != nil {
		c.t.Fatal(err)
	}
	return c.buffer.Bytes()
}

// Connection is a TCP connection between a client and a server.
type Connection struct {
	capture    *Capture
	client     layers.TCPPort
	sent, back uint32
	server     layers.TCPPort
}

// Connect adds a connection; its handshake is missing if the capture begins late.
func (c *Capture) Connect(server uint16, late bool) *Connection {
	x := &Connection{capture: c, client: layers.TCPPort(40000 + c.connect), server: layers.TCPPort(server), sent: 1000, back: 5000}
	c.connect++
	if !late {
		x.packet(true, layers.TCP{SYN: true}, nil)
		x.packet(false, layers.TCP{SYN: true, ACK: true}, nil)
		x.sent++
		x.back++
	}
	return x
}

// Client adds a packet from the client for each part.
func (x *Connection) Client(parts ...[]byte) {
	for _, b := range parts {
		x.packet(true, layers.TCP{ACK: true, PSH: true}, b)
		x.sent += uint32(len(b))
	}
}

// Server adds a packet from the server for each part.
func (x *Connection) Server(parts ...[]byte) {
	for _, b := range parts {
		x.packet(false, layers.TCP{ACK: true, PSH: true}, b)
		x.back += uint32(len(b))
	}
}

// Swapped adds two packets from the client in the wrong order.
func (x *Connection) Swapped(first, second []byte) {
	x.sent += uint32(len(first))
	x.packet(true, layers.TCP{ACK: true, PSH: true}, second)
	x.sent -= uint32(len(first))
	x.packet(true, layers.TCP{ACK: true, PSH: true}, first)
	x.sent += uint32(len(first) + len(second))
}

// Miss leaves n bytes of the client out of the capture.
func (x *Connection) Miss(n int) { x.sent += uint32(n) }

// Close adds the end of the connection by both sides.
func (x *Connection) Close() {
	x.packet(true, layers.TCP{FIN: true, ACK: true}, nil)
	x.packet(false, layers.TCP{FIN: true, ACK: true}, nil)
}

func (x *Connection) packet(fromClient bool, tcp layers.TCP, payload []byte) {
	c := x.capture
	ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IPv4(127, 0, 0, 1), DstIP: net.IPv4(127, 0, 0, 2)}
	tcp.SrcPort, tcp.DstPort, tcp.Seq, tcp.Ack, tcp.Window = x.client, x.server, x.sent, x.back, 65535
	if !fromClient {
		ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
		tcp.SrcPort, tcp.DstPort, tcp.Seq, tcp.Ack = x.server, x.client, x.back, x.sent
	}
	ethernet := layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4}
	if err := tcp.SetNetworkLayerForChecksum(&ip); err != nil {
		c.t.Fatal(err)
	}
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, &ethernet, &ip, &tcp, gopacket.Payload(payload)); err != nil {
		c.t.Fatal(err)
	}
	data := buffer.Bytes()
	if err := c.write(gopacket.CaptureInfo{Timestamp: c.at, CaptureLength: len(data), Length: len(data)}, data); err != nil {
		c.t.Fatal(err)
	}
	c.at = c.at.Add(time.Millisecond)
}
