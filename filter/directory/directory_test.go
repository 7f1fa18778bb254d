// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// roomy are bounds that nothing here reaches.
var roomy = Bounds{Brokers: 1000, Topics: 1000}

// fakeSource is name servers that answer, fail, or have names that do not resolve.
type fakeSource struct {
	calls   atomic.Int32
	allDown atomic.Bool
	noDNS   atomic.Bool
	sent    sync.Map        // address -> frame
	down    map[string]bool // constant
	hangs   bool            // constant: nothing that is sent is answered
	// unresolvable is constant, beside "nowhere:1".
	unresolvable string
	brokers      func() []body.Address
}

func (f *fakeSource) Resolve(_ context.Context, address string) ([]string, error) {
	switch address {
	case "ns.example:9876":
		return []string{"10.0.0.9:9876"}, nil
	case "broker.example:10911":
		if f.noDNS.Load() {
			return nil, errors.New("no answer")
		}
		return []string{"10.0.0.1:10911"}, nil
	case "nowhere:1", f.unresolvable:
		return nil, errors.New("no such host")
	}
	return []string{address}, nil
}

func (f *fakeSource) Send(ctx context.Context, address string, frame []byte) error {
	if f.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if f.down[address] {
		return errors.New("down")
	}
	f.sent.Store(address, string(frame))
	return nil
}

func (f *fakeSource) Brokers(_ context.Context, address string) ([]body.Address, error) {
	f.calls.Add(1)
	if f.down[address] || f.allDown.Load() {
		return nil, errors.New("down")
	}
	return f.brokers(), nil
}

func twoBrokers() []body.Address {
	return []body.Address{
		{Cluster: "c", BrokerName: "broker-a", BrokerID: 1, Addr: "10.0.0.2:10911"},
		{Cluster: "c", BrokerName: "broker-a", BrokerID: 0, Addr: "broker.example:10911"},
		{Cluster: "c", BrokerName: "broker-s", BrokerID: 3, Addr: "10.0.0.3:10911"},
	}
}

func TestRefreshFindsMastersAndResolvesNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{brokers: twoBrokers}
		d := New([]string{"nowhere:1", "ns.example:9876"}, 30*time.Second, NameServersForget, roomy, source)
		if d.Asked() {
			t.Error("asked before the first refresh")
		}
		d.Start()
		defer d.Stop()
		synctest.Wait()
		if !d.Asked() || d.Stale() {
			t.Fatal("not asked")
		}
		s := d.Snapshot()
		for name, want := range map[string]string{"broker-a": "10.0.0.1:10911", "broker-s": "10.0.0.3:10911", "broker-z": ""} {
			if got, ok := s.Master(name); got != want || ok != (want != "") {
				t.Errorf("master of %s is %q, want %q", name, got, want)
			}
		}
		if got, _ := s.Address("broker-a", 1); got != "10.0.0.2:10911" {
			t.Errorf("slave is %q", got)
		}
		for _, b := range twoBrokers() {
			least := map[string]int64{"broker-a": 0, "broker-s": 3}[b.BrokerName]
			if got, leastID, ok := s.At(b.Addr); got != b || leastID != least || !ok {
				t.Errorf("at %s is %+v of %d, %v", b.Addr, got, leastID, ok)
			}
		}
		if got, _, ok := s.At("10.0.0.99:10911"); ok {
			t.Errorf("nobody is at that address, got %+v", got)
		}
		if got := fmt.Sprint(s.NameServers(), s.BrokerNames()); got != "[10.0.0.9:9876] [broker-a broker-s]" {
			t.Errorf("got %s", got)
		}
	})
}

func TestWhatWasKnownStaysWhileAllNameServersAreDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{brokers: twoBrokers}
		d := New([]string{"10.0.0.8:9876"}, 30*time.Second, NameServersForget, roomy, source)
		var outcomes []bool
		remove := d.Observe(func(err error) { outcomes = append(outcomes, err == nil) })
		d.Start()
		defer d.Stop()
		synctest.Wait()
		source.allDown.Store(true)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if _, ok := d.Snapshot().Master("broker-s"); !ok || !d.Stale() {
			t.Error("forgotten")
		}
		remove()
		seen := len(outcomes)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if len(outcomes) != seen {
			t.Error("observed after the end")
		}
		if len(outcomes) < 2 || !outcomes[0] || outcomes[1] {
			t.Errorf("observed %v", outcomes)
		}
	})
}

func TestABrokerThatIsNotNamedForAWhileIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var empty atomic.Bool
		source := &fakeSource{brokers: func() []body.Address {
			if empty.Load() { // as a name server that has just started
				return nil
			}
			return twoBrokers()
		}}
		d := New([]string{"10.0.0.8:9876"}, 30*time.Second, NameServersForget, roomy, source)
		d.Start()
		defer d.Stop()
		synctest.Wait()
		empty.Store(true)
		time.Sleep(100 * time.Second)
		if _, ok := d.Snapshot().Master("broker-a"); !ok {
			t.Error("forgotten at once")
		}
		time.Sleep(2 * NameServersForget)
		if _, ok := d.Snapshot().Master("broker-a"); ok {
			t.Error("remembered for ever")
		}
	})
}

func TestAHostNameThatDoesNotResolveNowKeepsItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{brokers: twoBrokers}
		d := New([]string{"10.0.0.8:9876"}, 30*time.Second, NameServersForget, roomy, source)
		d.Start()
		defer d.Stop()
		synctest.Wait()
		source.noDNS.Store(true)
		time.Sleep(40 * time.Second)
		if got, _ := d.Snapshot().Master("broker-a"); got != "10.0.0.1:10911" {
			t.Errorf("master is %q", got)
		}
		calls := source.calls.Load()
		for range 20 { // routes with names that are known do not ask for refreshes
			d.LearnRoute(RouteSource{}, "t", &body.TopicRouteData{Brokers: twoBrokers()})
			time.Sleep(time.Second)
		}
		if got := source.calls.Load() - calls; got > 1 {
			t.Errorf("%d refreshes in 20 s", got)
		}
	})
}

func TestStopDoesNotWaitForASilentNameServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	d := New([]string{listener.Addr().String()}, time.Hour, NameServersForget, roomy, RemotingNameServers{})
	d.Start()
	time.Sleep(50 * time.Millisecond)
	begin := time.Now()
	d.Stop()
	if took := time.Since(begin); took > nameServerTimeout/2 {
		t.Errorf("Stop took %v", took)
	}
}

func TestChangesReachEveryNameServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{brokers: twoBrokers, down: map[string]bool{"10.0.0.7:9876": true}}
		d := New([]string{"10.0.0.7:9876", "10.0.0.8:9876", "10.0.0.9:9876"}, 30*time.Second, NameServersForget, roomy, source)
		d.Start()
		defer d.Stop()
		synctest.Wait()
		var failures atomic.Int32
		d.Replicate([]byte("frame"), func(error) { failures.Add(1) })
		synctest.Wait()
		for _, address := range []string{"10.0.0.8:9876", "10.0.0.9:9876"} {
			if got, _ := source.sent.Load(address); got != "frame" {
				t.Errorf("%s got %v", address, got)
			}
		}
		if failures.Load() != 1 {
			t.Errorf("%d failures", failures.Load())
		}
	})
}

func TestTheNameServerThatAnswersComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{brokers: twoBrokers, down: map[string]bool{"10.0.0.7:9876": true}}
		d := New([]string{"10.0.0.7:9876", "10.0.0.8:9876"}, 30*time.Second, NameServersForget, roomy, source)
		d.Start()
		defer d.Stop()
		synctest.Wait()
		if got := fmt.Sprint(d.Snapshot().NameServers()); got != "[10.0.0.8:9876 10.0.0.7:9876]" {
			t.Errorf("got %s", got)
		}
	})
}

func TestDemandsBecomeOneRefreshASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{brokers: twoBrokers}
		d := New([]string{"10.0.0.8:9876"}, time.Hour, NameServersForget, roomy, source)
		d.Start()
		defer d.Stop()
		for range 100 {
			d.RefreshSoon()
			time.Sleep(100 * time.Millisecond)
		}
		if got := source.calls.Load(); got < 9 || got > 11 {
			t.Errorf("%d refreshes in 10 s", got)
		}
	})
}

func TestSessionsAreWokenByTheNextRefreshUnlessTheyForgot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New([]string{"10.0.0.8:9876"}, time.Hour, NameServersForget, roomy, &fakeSource{brokers: twoBrokers})
		var woken, forgotten int
		wake, forget := func() { woken++ }, func() { forgotten++ }
		d.Await(&wake)
		d.Await(&forget)
		d.Forget(&forget)
		d.Start()
		defer d.Stop()
		time.Sleep(2 * time.Second)
		d.RefreshSoon()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if woken != 1 || forgotten != 0 {
			t.Errorf("woken %d times, the forgotten one %d times", woken, forgotten)
		}
	})
}

func TestRoutesTeachBrokersAndTopics(t *testing.T) {
	d := New(nil, time.Hour, NameServersForget, roomy, &fakeSource{})
	d.LearnRoute(RouteSource{}, "t", &body.TopicRouteData{Brokers: []body.Address{
		{BrokerName: "b", Addr: "10.0.0.2:1"}, {BrokerName: "a", Addr: "10.0.0.1:1"}, {BrokerName: "a", BrokerID: 1, Addr: "10.0.0.1:2"},
	}})
	if got := fmt.Sprint(d.Topic("t"), d.Topic("u"), d.Snapshot().BrokerNames()); got != "[a b] [] [a b]" {
		t.Errorf("got %s", got)
	}
	before := d.Snapshot()
	d.LearnBrokers([]body.Address{{BrokerName: "b", Addr: "10.0.0.2:1"}})
	if d.Snapshot() != before {
		t.Error("nothing new made a new snapshot")
	}
	d.LearnRoute(RouteSource{}, "t", &body.TopicRouteData{Brokers: []body.Address{{BrokerName: "b", Addr: "10.0.0.3:1"}}})
	if got, _ := d.Snapshot().Master("b"); got != "10.0.0.3:1" {
		t.Errorf("a broker that moved is still at %q", got)
	}
	if got := fmt.Sprint(d.Topic("t")); got != "[b]" {
		t.Errorf("got %s", got)
	}
	if got, _ := before.Master("b"); got != "10.0.0.2:1" {
		t.Error("an old snapshot changed")
	}
}

func TestQueuesOfStaticTopicsAreWhereTheHighestEpochSays(t *testing.T) {
	d := New(nil, time.Hour, NameServersForget, roomy, &fakeSource{})
	d.LearnRoute(RouteSource{}, "t", &body.TopicRouteData{Mappings: []body.QueueMapping{
		{BrokerName: "old", Scope: "__global__", Epoch: 1, Queues: map[int32]int32{0: 0, 1: 1}},
		{BrokerName: "new", Scope: "__global__", Epoch: 2, Queues: map[int32]int32{1: 0}},
		{BrokerName: "other", Scope: "__other__", Epoch: 9, Queues: map[int32]int32{0: 0, 1: 0}},
	}})
	for queue, want := range map[int32]string{0: "old", 1: "new", 2: ""} {
		if got, ok := d.QueueBroker("t", "__syslo__global__", queue); got != want || ok != (want != "") {
			t.Errorf("queue %d is at %q, want %q", queue, got, want)
		}
	}
	if _, ok := d.QueueBroker("u", "__syslo__global__", 0); ok {
		t.Error("a queue of an unknown topic was found")
	}
}

func TestBrokersAreFoundByNumberAndByAddress(t *testing.T) {
	d := New(nil, time.Hour, NameServersForget, roomy, &fakeSource{})
	d.LearnBrokers([]body.Address{
		{BrokerName: "broker-1", Addr: "10.0.0.1:10911"}, {BrokerName: "broker-2", Addr: "10.0.0.2:10911"}, {BrokerName: "other-2", Addr: "10.0.0.3:10911"},
	})
	s := d.Snapshot()
	ending := func(suffix string) func(string) bool {
		return func(name string) bool { return strings.HasSuffix(name, suffix) }
	}
	if got, ok := s.Numbered(ending("-1"), 0); !ok || got != "10.0.0.1:10911" {
		t.Errorf("got %q, %v", got, ok)
	}
	for name, of := range map[string]func(string) bool{"two brokers": ending("-2"), "no broker": ending("-3")} {
		if got, ok := s.Numbered(of, 0); ok {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if _, ok := s.Numbered(ending("-1"), 1); ok {
		t.Error("a slave that is not there was found")
	}
	for address, want := range map[string]bool{"10.0.0.1:10911": true, "10.0.0.1:10909": true, "10.0.0.1:10910": false, "10.0.0.9:10911": false, "x": false} {
		if s.Known(address) != want {
			t.Errorf("%s is known: %v", address, !want)
		}
	}
}

func TestChangesUnderWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New([]string{"10.0.0.7:9876", "10.0.0.8:9876"}, time.Hour, NameServersForget, roomy, &fakeSource{brokers: twoBrokers, hangs: true})
		d.Start()
		defer d.Stop()
		synctest.Wait()
		var refused, late atomic.Int32
		failed := func(err error) {
			if errors.Is(err, errTooManyCopies) {
				refused.Add(1)
			} else {
				late.Add(1)
			}
		}
		d.Replicate(make([]byte, maxCopying+1), failed) // alone it may
		for range 10 {
			d.Replicate([]byte("frame"), failed)
		}
		time.Sleep(2 * nameServerTimeout)
		synctest.Wait()
		if refused.Load() != 2*10 || late.Load() != 2 || len(d.copies.byServer) != 0 {
			t.Errorf("%d were refused and %d not answered, %d name servers have some to come", refused.Load(), late.Load(), len(d.copies.byServer))
		}
		for range 1000 {
			d.Replicate([]byte("frame"), failed)
		}
		fit := int32(maxCopying / (copyCost + len("frame")))
		if want := 2 * (10 + 1000 - fit); refused.Load() != want {
			t.Errorf("%d were refused, want %d", refused.Load(), want)
		}
		time.Sleep(maxCopyWait)
		synctest.Wait()
		if want := 2 * (1 + fit); late.Load() != want || len(d.copies.byServer) != 0 {
			t.Errorf("%d were not answered, want %d; %d name servers have some to come", late.Load(), want, len(d.copies.byServer))
		}
	})
}

// TestNoChangeOvertakesAnother has two sessions set a state one after the other; the first change takes longer, at one
// name server.
func TestNoChangeOvertakesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slowSource{fakeSource: fakeSource{brokers: twoBrokers}, got: map[string][]string{}, slow: "10.0.0.8:9876"}
		d := New([]string{"10.0.0.7:9876", source.slow}, time.Hour, NameServersForget, roomy, source)
		d.Start()
		defer d.Stop()
		synctest.Wait()
		failed := func(err error) { t.Error(err) }
		for _, change := range []string{"first", "second", "third"} {
			d.Replicate([]byte(change), failed)
		}
		synctest.Wait() // nobody has waited: the other name server has all, the slow one has none
		if got := source.state(); got != "10.0.0.7:9876 [first second third]" {
			t.Errorf("at once: got %s", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := source.state(); got != "10.0.0.7:9876 [first second third] 10.0.0.8:9876 [first second third]" {
			t.Errorf("got %s", got)
		}
	})
}

// slowSource takes a second for the first change that one name server gets.
type slowSource struct {
	fakeSource
	slow string
	mu   sync.Mutex
	got  map[string][]string // in order, by name server
}

func (s *slowSource) Send(_ context.Context, address string, frame []byte) error {
	if address == s.slow && string(frame) == "first" {
		time.Sleep(time.Second)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[address] = append(s.got[address], string(frame))
	return nil
}

// state returns what each name server has got, in order.
func (s *slowSource) state() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, address := range slices.Sorted(maps.Keys(s.got)) {
		all = append(all, fmt.Sprint(address, " ", s.got[address]))
	}
	return strings.Join(all, " ")
}

func TestBrokersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var more atomic.Bool
		source := &fakeSource{brokers: func() []body.Address {
			brokers := twoBrokers()
			if more.Load() {
				brokers = append(brokers, body.Address{BrokerName: "x", Addr: "10.0.0.5:1"}, body.Address{BrokerName: "y", Addr: "10.0.0.6:1"})
			}
			return brokers
		}}
		d := New([]string{"10.0.0.8:9876"}, 30*time.Second, NameServersForget, Bounds{Brokers: 3}, source)
		d.Start()
		defer d.Stop()
		synctest.Wait()
		d.LearnBrokers([]body.Address{{BrokerName: "c", Addr: "10.0.0.3:1"}, {BrokerName: "d", Addr: "10.0.0.4:1"}})
		if got := d.Snapshot().BrokerNames(); len(got) != 3 || d.Beyond() != 1 {
			t.Errorf("%v are known, %d were not remembered", got, d.Beyond())
		}
		known := fmt.Sprint(d.Snapshot().BrokerNames())
		more.Store(true)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if got := d.Snapshot().BrokerNames(); fmt.Sprint(got) != known || d.Beyond() != 3 {
			t.Errorf("%v are known, %d were not remembered; want %s as before", got, d.Beyond(), known)
		}
	})
}

// TestNothingIsAskedOfTheProxyItself has a name server whose address is that of one of the filter's own listeners.
func TestNothingIsAskedOfTheProxyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{brokers: twoBrokers}
		own := reach.NewOwn(func() ([]reach.Socket, []netip.Addr) {
			return []reach.Socket{{Address: netip.MustParseAddrPort("10.0.0.8:9876")}}, nil
		})
		own.Refresh()
		own.Arrived(netip.MustParseAddrPort("10.0.0.8:9876"))
		d := New([]string{"10.0.0.8:9876", "10.0.0.9:9876"}, 30*time.Second, NameServersForget, roomy, source)
		d.Restrict(reach.Rules{Own: own})
		d.Start()
		defer d.Stop()
		synctest.Wait()
		if d.Stale() || source.calls.Load() != 1 || d.Snapshot().NameServers()[0] != "10.0.0.9:9876" {
			t.Errorf("stale: %v, asked %d times, name servers %v", d.Stale(), source.calls.Load(), d.Snapshot().NameServers())
		}
		var failures []error
		d.Replicate([]byte("change"), func(err error) { failures = append(failures, err) })
		synctest.Wait()
		if _, sent := source.sent.Load("10.0.0.8:9876"); sent || len(failures) != 1 || !errors.Is(failures[0], errSelf) {
			t.Errorf("sent: %v, failures: %v", sent, failures)
		}
		if _, sent := source.sent.Load("10.0.0.9:9876"); !sent {
			t.Error("the other name server got nothing")
		}
	})
}

// TestANameOfTheProxyIsNotResolved: nothing may be sent there, whatever it stands for; unless the operator says where
// brokers are.
func TestANameOfTheProxyIsNotResolved(t *testing.T) {
	for networks, want := range map[string]string{"": "broker.example:10911", "10.0.0.0/8": "10.0.0.1:10911"} {
		synctest.Test(t, func(t *testing.T) {
			own := reach.NewOwn(func() ([]reach.Socket, []netip.Addr) { return nil, nil })
			own.Advertise(func(address string) bool { return address == "broker.example:10911" })
			rules := reach.Rules{Own: own}
			if networks != "" {
				rules.Networks = []netip.Prefix{netip.MustParsePrefix(networks)}
			}
			d := New([]string{"ns.example:9876"}, 30*time.Second, NameServersForget, roomy, &fakeSource{brokers: twoBrokers})
			d.Restrict(rules)
			d.Start()
			defer d.Stop()
			synctest.Wait()
			for range 2 {
				if got, _ := d.Snapshot().Master("broker-a"); got != want {
					t.Errorf("networks %q: broker-a is at %q, want %q", networks, got, want)
				}
				d.LearnBrokers(twoBrokers())
			}
			if got := d.Reach().Broker(want) == reach.Allowed; got != (networks != "") {
				t.Errorf("networks %q: allowed: %v", networks, got)
			}
		})
	}
}

func TestBrokersAreKnownByTheAddressToDial(t *testing.T) {
	v6 := func() []body.Address {
		return []body.Address{{BrokerName: "broker-a", Addr: "::1:10911"}, {BrokerName: "broker-b", Addr: "nowhere:1"}, {BrokerName: "broker-c", Addr: "no address"}}
	}
	d := New([]string{"10.0.0.7:9876"}, time.Hour, NameServersForget, roomy, &fakeSource{brokers: v6, unresolvable: "no address"})
	if err := d.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := func(what string) {
		t.Helper()
		s := d.Snapshot()
		if got, ok := s.Master("broker-a"); !ok || got != "[::1]:10911" || !s.Known("[::1]:10911") || !s.Known("[::1]:10909") {
			t.Errorf("%s: broker-a is at %q", what, got)
		}
		if found, _, ok := s.At("::1:10911"); !ok || found.BrokerName != "broker-a" {
			t.Errorf("%s: broker-a is not found by what it registers", what)
		}
		if got := fmt.Sprint(s.Unusable()); got != "[{ broker-b 0 nowhere:1 false} { broker-c 0 no address false}]" {
			t.Errorf("%s: unusable are %s", what, got)
		}
	}
	want("cluster list")
	d.LearnBrokers(v6()[:1])
	want("route")
}
