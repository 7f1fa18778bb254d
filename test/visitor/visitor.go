// SPDX-License-Identifier: Apache-2.0

// Package visitor opens connections to a World's Envoy that come and go, as those of impatient, broken and short-lived
// clients do. They cost next to nothing, so that a test can have many.
//
// Each visit is one of: a question for a route, a heartbeat and a farewell, a pull that waits at the broker and is
// answered or left, a connection that says nothing, half a frame. It ends in good order or with a reset. A visitor that
// gets an answer checks that it is to its own question.
package visitor

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// Topic must exist and stay without messages, so that pulls wait.
const Topic = "Visitors"

const (
	// suspend is how long a pull waits at the broker, and patience how long a visitor waits for any answer.
	suspend  = 2 * time.Second
	patience = 25 * time.Second
	// mostFailures are kept.
	mostFailures = 20
)

// Visitors are what Start began.
type Visitors struct {
	stop  chan struct{}
	gone  sync.WaitGroup
	count atomic.Int64

	tolerant bool

	mu       sync.Mutex
	failures []string
}

// Start has visitors come to all ways through the World's Envoy, so many a second on average, until Stop. Tolerant
// ones do not mind when a connection is refused, reset or closed, as where something is broken on purpose. Nobody
// tolerates a wrong answer.
func Start(w *world.World, perSecond float64, seed uint64, tolerant bool) *Visitors {
	v := &Visitors{stop: make(chan struct{}), tolerant: tolerant}
	if perSecond > 0 {
		random := rand.New(rand.NewPCG(seed, 0))
		v.gone.Go(func() {
			for {
				pause := time.Duration(random.ExpFloat64() / perSecond * float64(time.Second))
				select {
				case <-v.stop:
					return
				case <-time.After(pause):
				}
				visit := newVisit(w, random)
				v.gone.Go(func() { v.receive(visit) })
			}
		})
	}
	return v
}

// Stop sends no more visitors and waits until the last has gone.
func (v *Visitors) Stop() {
	close(v.stop)
	v.gone.Wait()
}

// Count is how many visits have ended.
func (v *Visitors) Count() int64 { return v.count.Load() }

// Failures are what visitors complained of, the first 20.
func (v *Visitors) Failures() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.failures...)
}

func (v *Visitors) receive(visit visit) {
	err := visit.run()
	v.count.Add(1)
	if err == nil || v.tolerant && !errors.Is(err, errWrong) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.failures) < mostFailures {
		v.failures = append(v.failures, fmt.Sprintf("%s at %s: %v", visit.kind, visit.addr, err))
	}
}

// kind is what a visitor does.
type kind string

const (
	route     kind = "route"
	heartbeat kind = "heartbeat"
	pull      kind = "pull"
	leave     kind = "pull and leave"
	nothing   kind = "nothing"
	half      kind = "half a frame"
)

var kinds = []kind{route, heartbeat, pull, leave, nothing, half}

// visit is one connection.
type visit struct {
	kind
	addr   string
	broker string // name; of the queue that a pull is for
	opaque int32  // of its first request
	stay   time.Duration
	reset  bool // at its end
}

func newVisit(w *world.World, random *rand.Rand) visit {
	ways := w.ProxiedWays()
	way, broker := ways[random.IntN(len(ways))], w.Brokers[random.IntN(len(w.Brokers))]
	v := visit{
		kind: kinds[random.IntN(len(kinds))], broker: broker.Name, opaque: random.Int32N(1 << 30),
		stay: time.Duration(random.IntN(3000)) * time.Millisecond, reset: random.IntN(2) == 0,
	}
	switch v.kind {
	case route:
		v.addr = way.NameServer
	default:
		v.addr = way.Broker(broker)
	}
	return v
}

func (v visit) run() error {
	c, err := net.DialTimeout("tcp", v.addr, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	if v.reset {
		_ = c.(*net.TCPConn).SetLinger(0)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	switch v.kind {
	case route:
		err = v.ask(c, requests.GetRouteInfoByTopic, v.opaque, nil, codec.Field{Name: "topic", Value: Topic})
		time.Sleep(v.stay)
		return err
	case heartbeat:
		client := fmt.Sprintf("visitor-%d", v.opaque)
		body := fmt.Appendf(nil, `{"clientID":%q,"consumerDataSet":[],"producerDataSet":[{"groupName":"visitors"}]}`, client)
		if err := v.ask(c, requests.HeartBeat, v.opaque, body); err != nil {
			return err
		}
		time.Sleep(v.stay)
		return v.ask(c, requests.UnregisterClient, v.opaque+1, nil,
			codec.Field{Name: "clientID", Value: client}, codec.Field{Name: "producerGroup", Value: "visitors"}, codec.Field{Name: "bname", Value: v.broker})
	case pull:
		return v.ask(c, requests.PullMessage, v.opaque, nil, v.pullFields()...)
	case leave:
		_, err = c.Write(request(requests.PullMessage, v.opaque, nil, v.pullFields()...))
		time.Sleep(v.stay / 2)
		return err
	case half:
		whole := request(requests.GetRouteInfoByTopic, v.opaque, nil, codec.Field{Name: "topic", Value: Topic})
		_, err = c.Write(whole[:len(whole)/2])
		time.Sleep(v.stay)
		return err
	default:
		time.Sleep(v.stay)
		return nil
	}
}

// pullFields ask for the first message of a queue that has none, and to wait for it.
func (v visit) pullFields() []codec.Field {
	return []codec.Field{
		{Name: "consumerGroup", Value: "visitors"},
		{Name: "topic", Value: Topic},
		{Name: "queueId", Value: "0"},
		{Name: "queueOffset", Value: "0"},
		{Name: "maxMsgNums", Value: "1"},
		{Name: "commitOffset", Value: "0"},
		{Name: "sysFlag", Value: "6"}, // with a subscription, and wait
		{Name: "suspendTimeoutMillis", Value: fmt.Sprint(suspend.Milliseconds())},
		{Name: "subscription", Value: "*"},
		{Name: "subVersion", Value: "0"},
		{Name: "expressionType", Value: "TAG"},
		{Name: "bname", Value: v.broker},
	}
}

// errWrong is an answer to a question that nobody asked, or bytes that are none.
var errWrong = errors.New("wrong answer")

// ask sends a request and reads its answer.
func (v visit) ask(c net.Conn, code requests.Code, opaque int32, body []byte, fields ...codec.Field) error {
	if _, err := c.Write(request(code, opaque, body, fields...)); err != nil {
		return err
	}
	for {
		h, err := readHeader(c)
		if err != nil {
			return err
		}
		if !h.IsResponse() {
			continue // the broker asks something
		}
		if h.Opaque != opaque {
			return fmt.Errorf("%w: opaque %d to %v with opaque %d", errWrong, h.Opaque, code, opaque)
		}
		return nil
	}
}

func request(code requests.Code, opaque int32, body []byte, fields ...codec.Field) []byte {
	command := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: opaque, Fields: fields, Body: body}
	return command.Append(nil)
}

// readHeader reads one frame.
func readHeader(c io.Reader) (*codec.Header, error) {
	start := make([]byte, codec.PrefixSize)
	if _, err := io.ReadFull(c, start); err != nil {
		return nil, err
	}
	prefix, err := codec.ParsePrefix(start, codec.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errWrong, err)
	}
	rest := make([]byte, prefix.HeaderSize+prefix.BodySize)
	if _, err := io.ReadFull(c, rest); err != nil {
		return nil, err
	}
	h := &codec.Header{}
	if err := h.Parse(prefix.Type, rest[:prefix.HeaderSize]); err != nil {
		return nil, fmt.Errorf("%w: %w", errWrong, err)
	}
	return h, nil
}
