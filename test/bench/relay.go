// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// relay is a name server for clients whose brokers are behind a tcp_proxy, which cannot tell them so: it hands everything
// on to the real one, and puts other addresses in place of the brokers'. No message passes here.
type relay struct {
	listener net.Listener
	server   string            // the real name server
	brokers  map[string]string // name → address that clients are told

	mu    sync.Mutex // guards conns
	conns map[net.Conn]struct{}
}

func newRelay(addr, server string, brokers map[string]string) (*relay, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	r := &relay{listener: listener, server: server, brokers: brokers, conns: map[net.Conn]struct{}{}}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go r.serve(client)
		}
	}()
	return r, nil
}

func (r *relay) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		_ = c.Close()
	}
}

// serve handles one request after the other, until one side ends.
func (r *relay) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.server)
	if err != nil {
		return
	}
	defer server.Close()
	r.mu.Lock()
	r.conns[client] = struct{}{}
	r.mu.Unlock()
	for {
		request, err := readFrame(client)
		if err != nil {
			return
		}
		if _, err := server.Write(request); err != nil {
			return
		}
		answer, err := readFrame(server)
		if err != nil {
			return
		}
		if answer, err = r.rewrite(request, answer); err != nil {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

func (r *relay) rewrite(request, answer []byte) ([]byte, error) {
	asked, _, err := splitFrame(request)
	if err != nil || requests.Code(asked.Code) != requests.GetRouteInfoByTopic {
		return answer, err
	}
	header, content, err := splitFrame(answer)
	if err != nil || header.ResponseCode() != codec.ResponseSuccess {
		return answer, err
	}
	content, _, err = body.RewriteTopicRouteData(content, func(a body.Address) (string, bool) {
		addr, ok := r.brokers[a.BrokerName]
		return addr, ok
	})
	if err != nil {
		return nil, err
	}
	return append(header.AppendWithOpaque(nil, header.Opaque, len(content)), content...), nil
}

func readFrame(from io.Reader) ([]byte, error) {
	size := make([]byte, 4)
	if _, err := io.ReadFull(from, size); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size)
	if n > 16<<20 {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	frame := make([]byte, len(size)+int(n))
	copy(frame, size)
	_, err := io.ReadFull(from, frame[len(size):])
	return frame, err
}

// splitFrame is a frame's header and body.
func splitFrame(frame []byte) (header codec.Header, content []byte, err error) {
	prefix, err := codec.ParsePrefix(frame, codec.Limits{})
	if err != nil {
		return header, nil, err
	}
	head := frame[codec.PrefixSize:][:prefix.HeaderSize]
	return header, frame[codec.PrefixSize+prefix.HeaderSize:], header.Parse(prefix.Type, head)
}
