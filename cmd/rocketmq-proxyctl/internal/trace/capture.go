// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/gopacket/gopacket/reassembly"
)

// IsCapture tells by the first four bytes whether a file is a capture: pcap in all its variants, perhaps packed by
// gzip, or pcapng. None of them can start a frame of a length that is accepted.
func IsCapture(first []byte) bool {
	if len(first) < 4 {
		return false
	}
	switch binary.LittleEndian.Uint32(first) {
	case 0xA1B2C3D4, 0xD4C3B2A1, 0xA1B23C4D, 0x4D3CB2A1, pcapngMagic:
		return true
	}
	return first[0] == 0x1f && first[1] == 0x8b
}

const pcapngMagic = 0x0A0D0D0A

// maxRecord bounds what stands between two packets of a capture.
const maxRecord = 4 << 20

var errLongRecord = fmt.Errorf("a record of more than %d bytes", maxRecord)

// meter fails when a record goes on too long.
type meter struct {
	r    io.Reader
	left int
}

func (m *meter) Read(b []byte) (int, error) {
	if m.left <= 0 {
		return 0, errLongRecord
	}
	n, err := m.r.Read(b)
	m.left -= n
	return n, err
}

// packets is what both readers of package pcapgo are.
type packets interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// Capture prints the frames of all connections in a capture. Ports, if any, are those whose connections count.
func Capture(r io.Reader, p *Printer, ports map[uint16]bool) (result Result, err error) {
	c := &capture{printer: p, ports: ports, budget: &budget{left: maxHeld}}
	defer func() {
		if fault := recover(); fault != nil { // of a library that takes packets apart
			result, err = c.end(), fmt.Errorf("the capture cannot be read any further: %v", fault)
		}
	}()
	buffered := bufio.NewReader(r)
	first, err := buffered.Peek(4)
	if err != nil {
		return c.result, errors.New("the capture has no header")
	}
	counted := &meter{r: buffered, left: maxRecord}
	var source packets
	var linkType func(gopacket.CaptureInfo) layers.LinkType
	if binary.LittleEndian.Uint32(first) == pcapngMagic {
		ng, err := pcapgo.NewNgReader(counted, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return c.result, err
		}
		source = ng
		linkType = func(info gopacket.CaptureInfo) layers.LinkType {
			link, _ := info.AncillaryData[0].(layers.LinkType)
			return link
		}
	} else {
		classic, err := pcapgo.NewReader(counted)
		if err != nil {
			return c.result, err
		}
		classic.SetSnaplen(0) // its own bound, which is that of tcpdump, and not the file's
		source = classic
		linkType = func(gopacket.CaptureInfo) layers.LinkType { return classic.LinkType() }
	}
	c.start()
	for p.err == nil {
		data, info, err := source.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return c.end(), c.unread()
		}
		if err != nil {
			return c.end(), fmt.Errorf("the capture cannot be read any further: %w", err)
		}
		counted.left = maxRecord
		c.packet(data, info, linkType(info))
	}
	return c.end(), p.err
}

// capture is a capture being read.
type capture struct {
	printer   *Printer
	ports     map[uint16]bool
	budget    *budget
	assembler *reassembly.Assembler
	open      int // connections
	count     int // packets
	result    Result

	unknownLink layers.LinkType // the first one
	unknown     int             // packets of a link type that is not known
}

func (c *capture) start() {
	c.assembler = reassembly.NewAssembler(reassembly.NewStreamPool(c))
	c.assembler.MaxBufferedPagesTotal = maxPages
	c.assembler.MaxBufferedPagesPerConnection = maxPagesEach
}

func (c *capture) end() Result {
	if c.assembler != nil {
		func() {
			defer func() { _ = recover() }() // after a fault of the library
			c.assembler.FlushAll()
		}()
	}
	c.result.Shown = c.printer.shown
	return c.result
}

// seen is a packet's time, as package reassembly wants it.
type seen gopacket.CaptureInfo

func (s seen) GetCaptureInfo() gopacket.CaptureInfo { return gopacket.CaptureInfo(s) }

func (c *capture) packet(data []byte, info gopacket.CaptureInfo, link layers.LinkType) {
	if c.result.First.IsZero() {
		c.result.First = info.Timestamp
	}
	if !isKnown(link) {
		if c.unknown++; c.unknown == 1 {
			c.unknownLink = link
		}
		return
	}
	packet := gopacket.NewPacket(data, link, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	network := packet.NetworkLayer()
	if network == nil {
		return
	}
	tcp, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if !ok || len(c.ports) > 0 && !c.ports[uint16(tcp.SrcPort)] && !c.ports[uint16(tcp.DstPort)] {
		return
	}
	if c.open >= maxConnections {
		c.assembler.FlushAll()
	}
	c.assembler.AssembleWithContext(network.NetworkFlow(), tcp, seen(info))
	if c.count++; c.count%flushEvery == 0 {
		c.assembler.FlushWithOptions(reassembly.FlushOptions{T: info.Timestamp.Add(-patience)})
	}
}

// isKnown reports whether packets of a link type can be taken apart.
func isKnown(link layers.LinkType) bool {
	return int(link) < len(layers.LinkTypeMetadata) && layers.LinkTypeMetadata[link].DecodeWith != nil
}

// unread returns an error if packets were left out because of their link type.
func (c *capture) unread() error {
	if c.unknown == 0 {
		return nil
	}
	return fmt.Errorf("%d packets could not be read: link type %d is not known (see https://www.tcpdump.org/linktypes.html); capture with tcpdump -i any", c.unknown, uint16(c.unknownLink))
}

const (
	patience   = 5 * time.Second // that a packet out of order waits for those before it
	flushEvery = 256             // packets
)

// New implements reassembly.StreamFactory.
func (c *capture) New(network, transport gopacket.Flow, _ *layers.TCP, _ reassembly.AssemblerContext) reassembly.Stream {
	c.open++
	x := &connection{capture: c, talk: conversation{budget: c.budget}}
	from := net.JoinHostPort(network.Src().String(), transport.Src().String())
	to := net.JoinHostPort(network.Dst().String(), transport.Dst().String())
	for i := range x.sides {
		x.sides[i] = side{connection: x, index: i, way: from + " -> " + to}
		x.sides[i].splitter = splitter{budget: c.budget, limits: limits, each: x.sides[i].frame}
		from, to = to, from
	}
	return x
}
