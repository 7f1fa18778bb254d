// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
)

// stage is an Envoy with actors in the places of a name server and of the brokers broker-a and broker-b: for what no
// real broker does. Everything it started ends with the test.
type stage struct {
	*testing.T
	*envoy.Envoy
	proxy string            // the address that clients use
	ports map[string]string // Envoy's for each broker, where it has any
	admin string
}

// play is what an actor does with a connection. It returns when that has ended.
type play func(c net.Conn)

// newStage starts Envoy with a file of envoy-config, changed by `edit`, and a module folder. `wrapper` is a command that
// runs Envoy, such as prlimit; none: Envoy is run by itself.
func newStage(t *testing.T, config, moduleDir string, edit func(yaml string) string, brokers map[string]play, wrapper ...string) *stage {
	t.Helper()
	addresses := map[string]string{}
	for name, p := range brokers {
		addresses[name] = act(t, p)
	}
	return newStageAt(t, config, moduleDir, edit, addresses, wrapper...)
}

// newStageAt is newStage with brokers that are there already.
func newStageAt(t *testing.T, config, moduleDir string, edit func(yaml string) string, addresses map[string]string, wrapper ...string) *stage {
	t.Helper()
	nameServer := act(t, answering(func(h *codec.Header, _ []byte) []byte {
		if requests.CodeOf(h) != requests.GetBrokerClusterInfo {
			return answer(codec.ResponseTopicNotExist, h.Opaque, nil)
		}
		var table []string
		for name, address := range addresses {
			table = append(table, fmt.Sprintf(`%q:{"brokerAddrs":{"0":%q},"brokerName":%q,"cluster":"DefaultCluster"}`, name, address, name))
		}
		return answer(codec.ResponseSuccess, h.Opaque, []byte(`{"brokerAddrTable":{`+strings.Join(table, ",")+`},"clusterAddrTable":{}}`))
	}))
	s := &stage{T: t, ports: map[string]string{}, proxy: freePort(t), admin: freePort(t)}
	s.ports["broker-a"], s.ports["broker-b"] = freePort(t), freePort(t)
	text, err := os.ReadFile(filepath.Join(root(t), "envoy-config", config))
	if err != nil {
		t.Fatal(err)
	}
	port := func(address string) string { _, p, _ := net.SplitHostPort(address); return p }
	yaml := strings.NewReplacer(
		"19876", port(s.proxy), "20911", port(s.ports["broker-a"]), "20921", port(s.ports["broker-b"]), "9901", port(s.admin), "9876", port(nameServer),
	).Replace(string(text))
	s.Envoy = startEnvoy(t, envoy.Options{Config: edit(yaml), Admin: s.admin, Dir: t.TempDir(), ModuleDir: moduleDir, Wrapper: wrapper})
	return s
}

// act has somebody listen and play until the end of the test.
func act(t *testing.T, p play) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var actors sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	actors.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			actors.Go(func() {
				p(c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		actors.Wait()
	})
	return l.Addr().String()
}

// answering plays a server that answers each request; nil is no answer.
func answering(f func(h *codec.Header, body []byte) []byte) play {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			h, body, err := readFrame(in)
			if err != nil {
				return
			}
			if _, err := c.Write(f(h, body)); err != nil {
				return
			}
		}
	}
}

func answer(code codec.ResponseCode, opaque int32, body []byte) []byte {
	command := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: opaque, Flag: codec.FlagResponse, Body: body}
	return command.Append(nil)
}

// readFrame reads a frame of any size.
func readFrame(r io.Reader) (*codec.Header, []byte, error) {
	start := make([]byte, codec.PrefixSize)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, nil, err
	}
	prefix, err := codec.ParsePrefix(start, codec.Limits{MaxFrame: 1 << 30})
	if err != nil {
		return nil, nil, err
	}
	rest := make([]byte, prefix.HeaderSize+prefix.BodySize)
	if _, err := io.ReadFull(r, rest); err != nil {
		return nil, nil, err
	}
	h := &codec.Header{}
	return h, rest[prefix.HeaderSize:], h.Parse(prefix.Type, rest[:prefix.HeaderSize])
}

// dial connects a client that waits at most half a minute for anything.
func (s *stage) dial(address string) net.Conn {
	s.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// get reads a page of Envoy's admin interface.
func (s *stage) get(path string) (string, error) { return envoy.Get(s.Context(), s.admin, path) }

// awaitStat waits until a stat of the filter has at least a value.
func (s *stage) awaitStat(name string, least int64) {
	s.Helper()
	text := ""
	for range 100 {
		var err error
		if text, err = s.get("/stats?filter=demo." + name + "$"); err != nil {
			s.Fatal(err)
		}
		_, value, _ := strings.Cut(strings.TrimSpace(text), ": ")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= least {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Errorf("want %s of at least %d, got %q", name, least, text)
}

// resident is Envoy's memory in bytes: what it has now, or the most that it ever had.
func (s *stage) resident(field string) int64 {
	s.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid()))
	if err != nil {
		s.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), field+":")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		s.Fatalf("no %s in %s", field, text)
	}
	return kilobytes << 10
}
