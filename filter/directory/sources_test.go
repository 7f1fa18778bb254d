// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

const (
	first  = "10.0.0.7:9876"
	second = "10.0.0.8:9876"
)

// registry is name servers each of which knows brokers of its own.
type registry struct {
	mu     sync.Mutex
	lists  map[string][]body.Address // by name server; one that is missing does not answer
	silent map[string]bool           // takes connections and says nothing
	hosts  map[string][]string       // of names that resolve
	asked  []string
	sent   []string
	lookup time.Duration // how long a look-up takes
}

func (r *registry) Resolve(ctx context.Context, address string) ([]string, error) {
	r.mu.Lock()
	addresses, ok := r.hosts[address]
	r.mu.Unlock()
	if isIPPort(address) {
		return []string{address}, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(r.lookup):
	}
	if !ok {
		return nil, errors.New("no such host")
	}
	return slices.Clone(addresses), nil
}

func (r *registry) Send(_ context.Context, address string, _ []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, address)
	return nil
}

func (r *registry) Brokers(ctx context.Context, address string) ([]body.Address, error) {
	r.mu.Lock()
	r.asked = append(r.asked, address)
	brokers, ok := r.lists[address]
	silent := r.silent[address]
	r.mu.Unlock()
	if silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if !ok {
		return nil, errors.New("connection refused")
	}
	return brokers, nil
}

// set makes a name server know these brokers only.
func (r *registry) set(server string, brokers ...body.Address) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lists[server] = brokers
}

// stop ends a name server.
func (r *registry) stop(server string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lists, server)
}

func (r *registry) takeAsked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.asked)
	r.asked = nil
	return n
}

func at(name string, id int64, address string) body.Address {
	return body.Address{Cluster: "c", BrokerName: name, BrokerID: id, Addr: address}
}

// onlySlave is what a list has of a broker whose master is gone and whose slave acts for it.
func onlySlave(name string, id int64, address string) body.Address {
	a := at(name, id, address)
	a.ActingMaster = true
	return a
}

// registered runs a test with a directory that asks two name servers every 30 s.
func registered(t *testing.T, r *registry, servers []string, test func(d *Directory)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		d := New(servers, 30*time.Second, NameServersForget, roomy, r)
		d.Start()
		defer d.Stop()
		synctest.Wait()
		test(d)
	})
}

// wantAt demands that a broker is at an address; "" means that it is not known.
func wantAt(t *testing.T, d *Directory, when, name string, id int64, want string) {
	t.Helper()
	if got, ok := d.Snapshot().Address(name, id); got != want || ok != (want != "") {
		t.Errorf("%s: %s, id %d, is at %q, want %q", when, name, id, got, want)
	}
}

func route(brokers ...body.Address) *body.TopicRouteData {
	return &body.TopicRouteData{Brokers: brokers}
}

func TestTheFirstNameServerThatAnswersIsBelievedWhereTheyDisagree(t *testing.T) {
	r := &registry{lists: map[string][]body.Address{}}
	r.set(first, at("a", 0, "10.0.1.1:10911"))
	r.set(second, at("a", 0, "10.0.1.2:10911"), at("b", 0, "10.0.1.3:10911"))
	registered(t, r, []string{first, second}, func(d *Directory) {
		found := d.Moves()
		for range 20 { // routes of both pass meanwhile
			wantAt(t, d, "both answer", "a", 0, "10.0.1.1:10911")
			wantAt(t, d, "both answer", "b", 0, "10.0.1.3:10911")
			d.LearnRoute(RouteSource{NameServer: second}, "t", route(at("a", 0, "10.0.1.2:10911")))
			d.LearnRoute(RouteSource{NameServer: first}, "t", route(at("a", 0, "10.0.1.1:10911")))
			time.Sleep(20 * time.Second)
			synctest.Wait()
		}
		if moves := d.Moves() - found; moves != 0 {
			t.Errorf("brokers have moved %d times", moves)
		}
		r.stop(first)
		time.Sleep(31 * time.Second)
		wantAt(t, d, "the first is gone", "a", 0, "10.0.1.2:10911")
		r.set(first, at("a", 0, "10.0.1.1:10911"))
		time.Sleep(time.Minute)
		wantAt(t, d, "the first is back", "a", 0, "10.0.1.2:10911")
		if moves := d.Moves() - found; moves != 1 {
			t.Errorf("brokers have moved %d times, want once", moves)
		}
	})
}

func TestABrokerThatOneSourceAloneKnowsIsNotForgotten(t *testing.T) {
	r := &registry{lists: map[string][]body.Address{}}
	r.set(first, at("a", 0, "10.0.1.1:10911"))
	r.set(second, at("b", 0, "10.0.1.2:10911"))
	registered(t, r, []string{first, second}, func(d *Directory) {
		for range 40 {
			d.LearnRoute(RouteSource{}, "t", route(at("c", 0, "10.0.1.3:10911")))
			for name, address := range map[string]string{"a": "10.0.1.1:10911", "b": "10.0.1.2:10911", "c": "10.0.1.3:10911"} {
				wantAt(t, d, "all the time", name, 0, address)
			}
			time.Sleep(30 * time.Second)
			synctest.Wait()
		}
		time.Sleep(NameServersForget + time.Minute)
		wantAt(t, d, "no route names it any more", "c", 0, "")
	})
}

func TestASlaveThatActsForItsMasterIsKnownByBothIDs(t *testing.T) {
	master, slave := "10.0.1.1:10911", "10.0.1.2:10911"
	r := &registry{lists: map[string][]body.Address{}}
	r.set(first, at("a", 0, master), onlySlave("a", 1, slave))
	registered(t, r, []string{first}, func(d *Directory) {
		wantAt(t, d, "the master is there", "a", 0, master)
		there := d.Moves()
		r.set(first, onlySlave("a", 1, slave))
		d.LearnRoute(RouteSource{}, "t", route(at("a", 0, slave))) // differs: asks again
		time.Sleep(time.Second)
		synctest.Wait()
		r.takeAsked()
		for range 10 {
			wantAt(t, d, "the slave acts", "a", 0, slave)
			wantAt(t, d, "the slave acts", "a", 1, slave)
			d.LearnRoute(RouteSource{}, "t", route(at("a", 0, slave)))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if n := r.takeAsked(); n > 1 {
			t.Errorf("asked %d times in 10 s: the route says nothing new", n)
		}
		if found, leastID, ok := d.Snapshot().At(slave); !ok || found.BrokerID != 0 || leastID != 0 {
			t.Errorf("at %s is %+v of %d", slave, found, leastID)
		}
		r.set(first, at("a", 0, master), onlySlave("a", 1, slave))
		time.Sleep(31 * time.Second)
		wantAt(t, d, "the master is back", "a", 0, master)
		wantAt(t, d, "the master is back", "a", 1, slave)
		if moves := d.Moves() - there; moves != 2 {
			t.Errorf("the master has moved %d times, want 2", moves)
		}
		r.set(first, at("a", 1, slave))
		time.Sleep(31 * time.Second)
		wantAt(t, d, "it may not act", "a", 0, "")
		if address, _ := d.Snapshot().Master("a"); address != slave {
			t.Errorf("clients fall back to %q, want %s", address, slave)
		}
	})
}

// TestABrokerThatComesBackElsewhereHasMoved has a master that is not registered for a while, so that only its slave is known.
func TestABrokerThatComesBackElsewhereHasMoved(t *testing.T) {
	r := &registry{lists: map[string][]body.Address{}}
	r.set(first, at("a", 0, "10.0.1.1:10911"), at("a", 1, "10.0.1.2:10911"))
	registered(t, r, []string{first}, func(d *Directory) {
		there := d.Moves()
		r.set(first, at("a", 1, "10.0.1.2:10911"))
		time.Sleep(31 * time.Second)
		wantAt(t, d, "without a master", "a", 0, "")
		if d.Moves() != there {
			t.Error("a broker that is nowhere counts as moved")
		}
		r.set(first, at("a", 0, "10.0.1.2:10911"))
		time.Sleep(31 * time.Second)
		wantAt(t, d, "the slave is the master", "a", 0, "10.0.1.2:10911")
		if d.Moves() == there {
			t.Error("a broker that is elsewhere after a while does not count as moved")
		}
	})
}

func TestARouteThatSaysOtherwiseMakesTheListsDecideAtOnce(t *testing.T) {
	before, after := "10.0.1.1:10911", "10.0.1.2:10911"
	r := &registry{lists: map[string][]body.Address{}}
	r.set(first, at("a", 0, before))
	registered(t, r, []string{first}, func(d *Directory) {
		time.Sleep(5 * time.Second)
		there := d.Moves()
		r.set(first, at("a", 0, after))
		d.LearnRoute(RouteSource{NameServer: first}, "t", route(at("a", 0, after)))
		synctest.Wait()
		wantAt(t, d, "asked again", "a", 0, after)
		d.LearnRoute(RouteSource{NameServer: second}, "t", route(at("a", 0, before)))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantAt(t, d, "the list has the last word", "a", 0, after)
		if moves := d.Moves() - there; moves != 1 {
			t.Errorf("moved %d times, want once", moves)
		}
	})
}

func TestRoutesCountWhileNoNameServerAnswersTheDirectory(t *testing.T) {
	before, after := "10.0.1.1:10911", "10.0.1.2:10911"
	r := &registry{lists: map[string][]body.Address{}}
	r.set(first, at("a", 0, before))
	registered(t, r, []string{first}, func(d *Directory) {
		r.stop(first)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		wantAt(t, d, "nobody has said otherwise", "a", 0, before)
		d.LearnRoute(RouteSource{}, "t", route(at("a", 0, after)))
		wantAt(t, d, "a route passed", "a", 0, after)
		r.set(first, at("a", 0, before))
		time.Sleep(time.Minute)
		wantAt(t, d, "the name server is back", "a", 0, before)
	})
}

func TestASilentNameServerHoldsNobodyUp(t *testing.T) {
	r := &registry{lists: map[string][]body.Address{}, silent: map[string]bool{first: true}}
	r.set(second, at("a", 0, "10.0.1.1:10911"))
	registered(t, r, []string{first, second}, func(d *Directory) {
		time.Sleep(latecomers)
		synctest.Wait()
		if !d.Asked() || d.Stale() {
			t.Error("the other's answer has not been taken in")
		}
		if got := fmt.Sprint(d.Snapshot().NameServers()); got != fmt.Sprint([]string{second, first}) {
			t.Errorf("name servers are %s", got)
		}
	})
}

func TestAllAddressesOfAHostNameAreUsed(t *testing.T) {
	r := &registry{lists: map[string][]body.Address{}, lookup: time.Second, hosts: map[string][]string{
		"ns:9876":  {"10.0.0.1:9876", "10.0.0.2:9876", "[fd00::3]:9876"},
		"b:10911":  {"10.0.1.1:10911", "[fd00::1]:10911"},
		"b2:10911": {"10.0.1.2:10911"},
		"b3:10911": {"10.0.1.3:10911"},
		"b4:10911": {"10.0.1.4:10911"},
	}}
	r.set("10.0.0.2:9876", at("b", 0, "b:10911"), at("b", 2, "b2:10911"), at("b", 3, "b3:10911"), at("b", 4, "b4:10911"), at("b", 5, "b5:10911"))
	registered(t, r, []string{"ns:9876"}, func(d *Directory) {
		time.Sleep(2*r.lookup + latecomers) // five host names take no longer than one
		synctest.Wait()
		want := []string{"10.0.0.2:9876", "10.0.0.1:9876", "[fd00::3]:9876"}
		if got := d.Snapshot().NameServers(); !slices.Equal(got, want) {
			t.Errorf("name servers are %v, want %v", got, want)
		}
		wantAt(t, d, "at the start", "b", 0, "10.0.1.1:10911")
		wantAt(t, d, "at the start", "b", 4, "10.0.1.4:10911")
		wantAt(t, d, "no such host", "b", 5, "")
		for _, address := range []string{"10.0.1.1:10911", "[fd00::1]:10911", "[fd00::1]:10909", "[fd00::3]:9876"} {
			if !d.Snapshot().Known(address) {
				t.Errorf("%s is not known", address)
			}
		}
		d.Replicate([]byte("change"), func(err error) { t.Error(err) })
		synctest.Wait()
		if slices.Sort(r.sent); !slices.Equal(r.sent, []string{"10.0.0.1:9876", "10.0.0.2:9876", "[fd00::3]:9876"}) {
			t.Errorf("the change went to %v", r.sent)
		}

		d.Failed("10.0.1.1:10911")
		wantAt(t, d, "the first address cannot be reached", "b", 0, "[fd00::1]:10911")
		d.Failed("10.0.0.2:9876")
		if got := d.Snapshot().NameServers()[0]; got != "10.0.0.1:9876" {
			t.Errorf("the first name server is %s after one that failed", got)
		}
		d.Failed("10.0.9.9:1")
		time.Sleep(time.Minute)
		wantAt(t, d, "after a refresh", "b", 0, "[fd00::1]:10911")
		if got := d.Snapshot().NameServers()[0]; got != "10.0.0.2:9876" {
			t.Errorf("the first name server is %s, want the one that answers", got)
		}
	})
}

func TestTheOrderOfAddressesIsStable(t *testing.T) {
	var found []netip.Addr
	for _, each := range []string{"fd00::1", "10.0.0.2", "::ffff:10.0.0.1", "10.0.0.2"} {
		found = append(found, netip.MustParseAddr(each))
	}
	if got := fmt.Sprint(sorted(found, "1")); got != "[10.0.0.1:1 10.0.0.2:1 [fd00::1]:1]" {
		t.Errorf("got %s", got)
	}
	for i := range 2 * maxAddresses {
		found = append(found, netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}))
	}
	if n := len(sorted(found, "1")); n != maxAddresses {
		t.Errorf("%d addresses are kept, want %d", n, maxAddresses)
	}
}

func TestATopicIsWhereEverySourceSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(nil, time.Hour, NameServersForget, roomy, &registry{})
		a, b, c := at("a", 0, "10.0.1.1:1"), at("b", 0, "10.0.1.2:1"), at("c", 0, "10.0.1.3:1")
		want := func(when, names string) {
			t.Helper()
			if got := fmt.Sprint(d.Topic("t")); got != names {
				t.Errorf("%s: the topic is on %s, want %s", when, got, names)
			}
		}
		east, west := RouteSource{Zone: "east"}, RouteSource{Zone: "west"}
		d.LearnRoute(east, "t", route(a))
		d.LearnRoute(west, "t", route(b))
		want("two zones", "[a b]")
		d.LearnRoute(RouteSource{NameServer: first}, "t", route(a))
		d.LearnRoute(RouteSource{NameServer: second}, "t", route(c))
		want("two name servers", "[a b c]")
		for range 3 {
			time.Sleep(NameServersForget / 2)
			d.LearnRoute(east, "t", route(a))
		}
		want("the others have not said so for long", "[a]")
		for i := range 3 * maxRouteSources {
			time.Sleep(time.Millisecond)
			d.LearnRoute(RouteSource{Zone: fmt.Sprint(i)}, "t", route(at(fmt.Sprintf("b%02d", i), 0, "10.0.1.1:1")))
		}
		if n := len(d.Topic("t")); n != maxRouteSources {
			t.Errorf("%d sources are remembered, want %d", n, maxRouteSources)
		}
	})
}

func TestSourcesAreShownWithTheOneThatIsBelieved(t *testing.T) {
	r := &registry{lists: map[string][]body.Address{}}
	r.set(first, at("a", 0, "10.0.1.1:1"))
	r.set(second, at("a", 0, "10.0.1.2:1"))
	registered(t, r, []string{first, second}, func(d *Directory) {
		d.LearnRoute(RouteSource{}, "t", route(at("a", 0, "10.0.1.3:1")))
		want := []Said{{first, 0, "10.0.1.1:1", true}, {second, 0, "10.0.1.2:1", false}, {"", 0, "10.0.1.3:1", false}}
		if got := d.Snapshot().Sources("a"); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
