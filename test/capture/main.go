// SPDX-License-Identifier: Apache-2.0

// Command capture stands between real RocketMQ clients and servers and writes one
// example of each frame it sees, per request code and direction, into an archive (test/golden).
// Route and cluster answers are edited on their way, so that clients stay on the
// recorder; the archive shows what the server wrote. It runs until it gets SIGTERM.
//
// It is a tool for record.sh, not a proxy to learn from: one goroutine per direction,
// no limits but the frame's.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

// keepUpTo is the longest frame worth keeping. Of several examples the longest wins: a
// heartbeat with groups beats an empty one.
const keepUpTo = 8 << 10

// listeners maps an address of the recorder to the server behind it.
type listeners map[string]string

func (l listeners) String() string { return fmt.Sprint(map[string]string(l)) }

func (l listeners) Set(s string) error {
	at, to, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("want LISTEN=SERVER, got %q", s)
	}
	l[at] = to
	return nil
}

// private are frames that say more about the recording machine than about RocketMQ.
var private = map[string]bool{
	"GET_BROKER_CONFIG.response":       true,
	"GET_BROKER_RUNTIME_INFO.response": true,
	"GET_NAMESRV_CONFIG.response":      true,
}

type recorder struct {
	listeners listeners

	mu     sync.Mutex
	frames map[string][]byte // by name
}

func main() {
	r := &recorder{listeners: listeners{}, frames: map[string][]byte{}}
	flag.Var(r.listeners, "map", "LISTEN=SERVER addresses; repeat for each server")
	comment := flag.String("comment", "", "of the archive: versions, serialization")
	out := flag.String("out", "", "the archive")
	flag.Func("add", "NAME=FILE: a frame to add, as it is", func(s string) error {
		name, file, _ := strings.Cut(s, "=")
		frame, err := os.ReadFile(file)
		r.frames[name] = frame
		return err
	})
	ask := flag.String("ask", "", "NAMESERVER/TOPIC to ask, at the end, for a route as an old client")
	flag.Parse()

	for at, to := range r.listeners {
		ln, err := net.Listen("tcp", at)
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				go r.serve(c, to)
			}
		}()
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	if server, topic, ok := strings.Cut(*ask, "/"); ok {
		if err := r.askOldRoute(server, topic); err != nil {
			log.Print(err)
		}
	}
	if err := r.write(*out, *comment); err != nil {
		log.Fatal(err)
	}
}

// session is one client connection: who asked what.
type session struct {
	*recorder
	mu      sync.Mutex
	pending [2]map[int32]string // by direction of the question, then opaque: its name
}

func (r *recorder) serve(down net.Conn, to string) {
	defer down.Close()
	up, err := net.Dial("tcp", to)
	if err != nil {
		log.Print(err)
		return
	}
	defer up.Close()
	s := &session{recorder: r}
	s.pending[0], s.pending[1] = map[int32]string{}, map[int32]string{}
	go func() {
		_ = s.pump(up, down, 0)
		up.Close()
	}()
	_ = s.pump(down, up, 1)
}

// pump carries frames of one direction: 0 from the client, 1 from the server.
func (s *session) pump(dst io.Writer, src io.Reader, direction int) error {
	for {
		frame := make([]byte, codec.PrefixSize)
		if _, err := io.ReadFull(src, frame); err != nil {
			return err
		}
		p, err := codec.ParsePrefix(frame, codec.Limits{})
		if err != nil {
			log.Print(err)
			return err
		}
		frame = append(frame, make([]byte, p.FrameSize()-codec.PrefixSize)...)
		if _, err := io.ReadFull(src, frame[codec.PrefixSize:]); err != nil {
			return err
		}
		var h codec.Header
		if err := h.Parse(p.Type, frame[codec.PrefixSize:codec.PrefixSize+p.HeaderSize]); err != nil {
			log.Printf("%v: %q", err, frame)
			return err
		}
		name := s.see(&h, direction)
		s.keep(name, frame)
		if _, err := dst.Write(s.edit(name, &h, frame, p)); err != nil {
			return err
		}
	}
}

// see names a frame.
func (s *session) see(h *codec.Header, direction int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !h.IsResponse() {
		name := requests.CodeOf(h).String()
		s.pending[direction][h.Opaque] = name
		return name + ".request"
	}
	asked := s.pending[1-direction]
	name, ok := asked[h.Opaque]
	if !ok {
		name = "UNASKED"
	}
	delete(asked, h.Opaque)
	name += ".response"
	if c := h.ResponseCode(); c != codec.ResponseSuccess {
		name += "." + c.String()
	}
	return name
}

func (r *recorder) keep(name string, frame []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.frames[name]; !private[name] && len(frame) <= keepUpTo && len(frame) > len(old) {
		r.frames[name] = frame
	}
}

// edit replaces server addresses by the recorder's own.
func (s *session) edit(name string, h *codec.Header, frame []byte, p codec.Prefix) []byte {
	rewrite := body.RewriteTopicRouteData
	switch name {
	case "GET_ROUTEINFO_BY_TOPIC.response":
	case "GET_BROKER_CLUSTER_INFO.response":
		rewrite = body.RewriteClusterInfo
	default:
		return frame
	}
	b, _, err := rewrite(frame[codec.PrefixSize+p.HeaderSize:], func(a body.Address) (string, bool) {
		for at, to := range s.listeners {
			if to == a.Addr {
				return at, true
			}
		}
		log.Printf("no listener for %v", a)
		return a.Addr, true
	})
	if err != nil {
		log.Print(err)
		return frame
	}
	return append(h.AppendWithBodySize(nil, len(b)), b...)
}

// askOldRoute asks for a route as a client older than 4.9.4 does, which makes the name
// server write fastjson's own dialect.
func (r *recorder) askOldRoute(server, topic string) error {
	c, err := net.DialTimeout("tcp", server, 3*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	q := codec.Command{
		Code: int32(requests.GetRouteInfoByTopic), Language: codec.LanguageGo, Version: 317, Opaque: 1,
		Fields: []codec.Field{{Name: "topic", Value: topic}},
	}
	if _, err := c.Write(q.Append(nil)); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	frame := make([]byte, codec.PrefixSize)
	if _, err := io.ReadFull(c, frame); err != nil {
		return err
	}
	p, err := codec.ParsePrefix(frame, codec.Limits{})
	if err != nil {
		return err
	}
	frame = append(frame, make([]byte, p.FrameSize()-codec.PrefixSize)...)
	if _, err := io.ReadFull(c, frame[codec.PrefixSize:]); err != nil {
		return err
	}
	r.keep("GET_ROUTEINFO_BY_TOPIC.response.version_317", frame)
	return nil
}

// write makes the archive.
func (r *recorder) write(out, comment string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var frames []golden.Frame
	for name, frame := range r.frames {
		p, err := codec.ParsePrefix(frame, codec.Limits{})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		header, body := frame[codec.PrefixSize:][:p.HeaderSize], frame[codec.PrefixSize+p.HeaderSize:]
		frames = append(frames, golden.Frame{Name: name, Header: header, Body: body})
	}
	return golden.WriteArchive(out, comment, frames)
}
