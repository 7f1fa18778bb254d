// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

var routeOfB = &body.TopicRouteData{Brokers: []body.Address{{BrokerName: "b", Addr: "10.0.0.2:1"}}}

// size is how many topics are remembered.
func (t *topics) size() int {
	names := map[any]bool{}
	for _, generation := range []*sync.Map{t.newer.Load(), t.older.Load()} {
		generation.Range(func(name, _ any) bool {
			names[name] = true
			return true
		})
	}
	return len(names)
}

func TestTopicsInUseStayWhateverElseIsLearned(t *testing.T) {
	d := New(nil, time.Hour, NameServersForget, Bounds{Brokers: 1, Topics: 100}, &fakeSource{})
	d.LearnRoute(RouteSource{}, "used", routeOfB)
	d.LearnRoute(RouteSource{}, "polled", routeOfB)
	d.LearnRoute(RouteSource{}, "unused", routeOfB)
	for i := range 10_000 {
		d.LearnRoute(RouteSource{}, fmt.Sprint(i), routeOfB)
		if i%40 == 0 {
			d.LearnRoute(RouteSource{}, "polled", routeOfB) // the same again
			if d.Topic("used") == nil {
				t.Fatalf("a topic in use is forgotten after %d others", i)
			}
		}
		if n := d.topics.size(); n > 100 {
			t.Fatalf("%d topics are remembered, the bound is 100", n)
		}
	}
	if d.Topic("polled") == nil || d.Topic("9999") == nil || d.Topic("9951") == nil {
		t.Error("a topic that was learned lately is forgotten")
	}
	if d.Topic("unused") != nil {
		t.Error("a topic that nobody uses stays")
	}
	if forgotten := d.Beyond(); forgotten != 10_003-int64(d.topics.size()) {
		t.Errorf("%d topics count as forgotten, %d are remembered of 10003", forgotten, d.topics.size())
	}
	d.LearnRoute(RouteSource{}, "unused", routeOfB)
	if d.Topic("unused") == nil {
		t.Error("a topic that was forgotten is not learned again")
	}
}

func TestTheLeastBoundOfTopicsIsKept(t *testing.T) {
	d := New(nil, time.Hour, NameServersForget, Bounds{Brokers: 1, Topics: 1}, &fakeSource{})
	for _, name := range []string{"t", "u", "u"} {
		d.LearnRoute(RouteSource{}, name, routeOfB)
	}
	if d.Topic("t") != nil || d.Topic("u") == nil || d.Topic("u") == nil || d.topics.size() != 1 || d.Beyond() != 1 {
		t.Errorf("%d are remembered, %d forgotten", d.topics.size(), d.Beyond())
	}
}

func TestARouteThatChangesIsNotUndoneByItsUse(t *testing.T) {
	topics := newTopics(8)
	var threads sync.WaitGroup
	for thread := range 4 {
		threads.Go(func() {
			for i := range 20_000 {
				topics.put(fmt.Sprint(thread, i%5), RouteSource{}, topicWord{}, time.Hour)
				topics.get("shared")
			}
		})
	}
	for i := range 2_000 {
		brokers := []string{fmt.Sprint(i)}
		topics.put("shared", RouteSource{}, topicWord{brokers: brokers}, time.Hour)
		if known := topics.get("shared"); known != nil && known.brokers[0] != brokers[0] {
			t.Errorf("got %v, want %v", known.brokers, brokers)
			break
		}
	}
	threads.Wait()
	if n := topics.size(); n > 8 {
		t.Errorf("%d topics are remembered, the bound is 8", n)
	}
}
