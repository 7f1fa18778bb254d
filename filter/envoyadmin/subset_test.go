// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
)

// criteria are pairs of a key and a value in JSON, sorted by key; a pair with an empty value is left out.
func criteria(pairs ...string) (all lbmetadata.Criteria) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			all = append(all, lbmetadata.Criterion{Key: pairs[i], Value: lbmetadata.Value(pairs[i+1])})
		}
	}
	return all
}

// endpoint is one with this name for an address and the metadata in JSON.
func endpoint(t testing.TB, name, metadata string) *Endpoint {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(metadata), &fields); err != nil {
		t.Fatal(err)
	}
	lb, err := newLBMetadata(fields)
	if err != nil {
		t.Fatal(err)
	}
	return &Endpoint{Address: name, Weight: 1, lb: lb}
}

func names(endpoints []*Endpoint) string {
	var all []string
	for _, e := range endpoints {
		all = append(all, e.Address)
	}
	return strings.Join(all, " ")
}

func TestSubsets(t *testing.T) {
	endpoints := []*Endpoint{
		endpoint(t, "a0", `{"broker": "a", "id": 0}`),
		endpoint(t, "a1", `{"broker": "a", "id": 1}`),
		endpoint(t, "b0", `{"broker": "b", "id": 0, "zone": "z"}`),
		endpoint(t, "text", `{"broker": "c", "id": "0"}`),
		endpoint(t, "list", `{"broker": ["d", "e"], "id": 0}`),
		endpoint(t, "bare", `{}`),
	}
	const all = "a0 a1 b0 text list bare"
	key := func(keys ...string) Selector { return Selector{Keys: keys} }
	with := func(s Selector, f Fallback, keys ...string) Selector {
		s.Fallback, s.FallbackKeys = f, keys
		return s
	}
	for _, test := range []struct {
		name    string
		subsets *Subsets
		asked   lbmetadata.Criteria
		want    string
	}{
		{"without subsets criteria do not count", nil, criteria("broker", `"x"`), all},
		{"a subset", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback}, criteria("broker", `"a"`), "a0 a1"},
		{"two keys, in any order", &Subsets{Selectors: []Selector{key("id", "broker")}, Fallback: NoFallback}, criteria("broker", `"a"`, "id", "1"), "a1"},
		{"a number is not its text", &Subsets{Selectors: []Selector{key("id")}, Fallback: NoFallback}, criteria("id", `"0"`), "text"},
		{"no endpoint has the value", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback}, criteria("broker", `"x"`), ""},
		{"no selector has the keys", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback}, criteria("id", "0"), ""},
		{"a selector with fewer keys does not do", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback}, criteria("broker", `"a"`, "id", "0"), ""},
		{"nor one with more", &Subsets{Selectors: []Selector{key("broker", "id")}, Fallback: NoFallback}, criteria("broker", `"a"`), ""},
		{"no criteria: the fallback", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback}, nil, ""},
		{"no criteria: any", &Subsets{Selectors: []Selector{key("broker")}, Fallback: AnyEndpoint}, nil, all},
		{"any", &Subsets{Selectors: []Selector{key("broker")}, Fallback: AnyEndpoint}, criteria("broker", `"x"`), all},
		{"the default subset", &Subsets{Selectors: []Selector{key("broker")}, Fallback: DefaultSubset, DefaultSubset: criteria("broker", `"b"`, "id", "0")}, criteria("broker", `"x"`), "b0"},
		{"an empty default subset is all", &Subsets{Selectors: []Selector{key("broker")}, Fallback: DefaultSubset}, criteria("broker", `"x"`), all},
		{"a default subset of nobody", &Subsets{Selectors: []Selector{key("broker")}, Fallback: DefaultSubset, DefaultSubset: criteria("broker", `"x"`)}, nil, ""},
		{"panic_mode_any", &Subsets{Selectors: []Selector{key("broker")}, Fallback: DefaultSubset, DefaultSubset: criteria("broker", `"x"`), PanicModeAny: true}, nil, all},
		{"panic_mode_any needs a fallback", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback, PanicModeAny: true}, nil, ""},
		{"a selector's fallback comes first", &Subsets{Selectors: []Selector{with(key("broker"), NoFallback)}, Fallback: AnyEndpoint}, criteria("broker", `"x"`), ""},
		{"but only for its own keys", &Subsets{Selectors: []Selector{with(key("broker"), NoFallback)}, Fallback: AnyEndpoint}, criteria("id", "9"), all},
		{"a selector's any", &Subsets{Selectors: []Selector{with(key("broker"), AnyEndpoint)}, Fallback: NoFallback}, criteria("broker", `"x"`), all},
		{"a selector's default subset", &Subsets{Selectors: []Selector{with(key("broker"), DefaultSubset)}, Fallback: NoFallback, DefaultSubset: criteria("id", "1")}, criteria("broker", `"x"`), "a1"},
		{"fewer keys", &Subsets{Selectors: []Selector{with(key("broker", "id"), KeysSubset, "broker"), key("broker")}, Fallback: NoFallback}, criteria("broker", `"a"`, "id", "9"), "a0 a1"},
		{"fewer keys, twice", &Subsets{Selectors: []Selector{with(key("broker", "id", "zone"), KeysSubset, "broker", "id"), with(key("broker", "id"), KeysSubset, "broker"), key("broker")}, Fallback: NoFallback}, criteria("broker", `"b"`, "id", "9", "zone", `"y"`), "b0"},
		{"fewer keys that no selector has", &Subsets{Selectors: []Selector{with(key("broker", "id"), KeysSubset, "id")}, Fallback: AnyEndpoint}, criteria("broker", `"x"`, "id", "0"), all},
		{"keys_subset without keys is undefined", &Subsets{Selectors: []Selector{with(key("broker"), KeysSubset)}, Fallback: AnyEndpoint}, criteria("broker", `"x"`), all},
		{"keys_subset with all keys too", &Subsets{Selectors: []Selector{with(key("broker"), KeysSubset, "broker")}, Fallback: AnyEndpoint}, criteria("broker", `"x"`), all},
		{"redundant keys", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback, AllowRedundantKeys: true}, criteria("broker", `"a"`, "other", "1"), "a0 a1"},
		{"the longest selector first", &Subsets{Selectors: []Selector{key("broker"), key("broker", "id")}, Fallback: NoFallback, AllowRedundantKeys: true}, criteria("broker", `"a"`, "id", "1", "other", "1"), "a1"},
		{"which then has to have endpoints", &Subsets{Selectors: []Selector{key("broker"), key("broker", "id")}, Fallback: NoFallback, AllowRedundantKeys: true}, criteria("broker", `"a"`, "id", "9", "other", "1"), ""},
		{"redundant keys and fewer keys", &Subsets{Selectors: []Selector{key("broker"), with(key("broker", "id"), KeysSubset, "broker")}, Fallback: NoFallback, AllowRedundantKeys: true}, criteria("broker", `"a"`, "id", "9", "other", "1"), "a0 a1"},
		{"a list is one value", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback}, criteria("broker", `["d","e"]`), "list"},
		{"and not its elements", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback}, criteria("broker", `"e"`), ""},
		{"unless list_as_any", &Subsets{Selectors: []Selector{key("broker")}, Fallback: NoFallback, ListAsAny: true}, criteria("broker", `"e"`), "list"},
		{"list_as_any in the default subset", &Subsets{Selectors: []Selector{key("broker")}, Fallback: DefaultSubset, DefaultSubset: criteria("broker", `"d"`), ListAsAny: true}, nil, "list"},
		{"selectors without keys do not count", &Subsets{Selectors: []Selector{key(), key("broker", "broker")}, Fallback: NoFallback}, criteria("broker", `"b"`), "b0"},
	} {
		if test.subsets != nil {
			test.subsets.normalize()
		}
		c := &Cluster{Endpoints: endpoints, Subsets: test.subsets}
		if got := names(c.Hosts(test.asked)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if e, ok := c.Pick(test.asked, 1234567); ok != (test.want != "") || ok && !strings.Contains(test.want, e.Address) {
			t.Errorf("%s: picked %v", test.name, e)
		}
	}
}

func TestTheBestEndpointsAreUsed(t *testing.T) {
	type host struct {
		health   Health
		priority uint32
	}
	for _, test := range []struct {
		name  string
		hosts []host
		want  string
	}{
		{"none", nil, ""},
		{"healthy ones", []host{{Healthy, 0}, {Unhealthy, 0}, {Healthy, 0}, {Draining, 0}, {Degraded, 0}}, "0 2"},
		{"of the least priority", []host{{Healthy, 2}, {Healthy, 1}, {Healthy, 1}}, "1 2"},
		{"where there are any", []host{{Unhealthy, 0}, {Degraded, 0}, {Healthy, 1}}, "2"},
		{"degraded rather than none", []host{{Draining, 0}, {Degraded, 2}, {Degraded, 1}}, "2"},
		{"no panic", []host{{Unhealthy, 0}, {Draining, 1}}, ""},
	} {
		c := &Cluster{}
		for i, h := range test.hosts {
			c.Endpoints = append(c.Endpoints, &Endpoint{Address: fmt.Sprint(i), Health: h.health, Priority: h.priority, Weight: 1})
		}
		if got := names(c.Hosts(nil)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestASubsetWithUnhealthyEndpointsOnlyIsNotLeft(t *testing.T) {
	sick := endpoint(t, "sick", `{"broker": "a"}`)
	sick.Health = Unhealthy
	c := &Cluster{
		Endpoints: []*Endpoint{sick, endpoint(t, "well", `{"broker": "b"}`)},
		Subsets:   &Subsets{Selectors: []Selector{{Keys: []string{"broker"}, Fallback: AnyEndpoint}}, Fallback: AnyEndpoint, PanicModeAny: true},
	}
	if got := names(c.Hosts(criteria("broker", `"a"`))); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestSharesAreTheWeights(t *testing.T) {
	c := &Cluster{}
	for i, weight := range []uint32{3, 1, 1 << 31, 6} {
		c.Endpoints = append(c.Endpoints, &Endpoint{Address: fmt.Sprint(i), Weight: weight})
	}
	c.Endpoints[2].Health = Unhealthy
	got := map[string]int{}
	for random := range uint64(1000) {
		e, ok := c.Pick(nil, random)
		if again, _ := c.Pick(nil, random); !ok || e != again {
			t.Fatalf("%d picks %v and %v", random, e, again)
		}
		got[e.Address]++
	}
	if fmt.Sprint(got) != "map[0:300 1:100 3:600]" {
		t.Errorf("got %v", got)
	}
	c.Endpoints[2].Health = Healthy
	c.Endpoints = append(c.Endpoints, &Endpoint{Address: "4", Weight: 1<<32 - 1}) // a sum of more than 32 bits
	if e, ok := c.Pick(nil, 1<<32); !ok || e.Address != "4" {
		t.Errorf("got %v", e)
	}
}

// manyBrokers is a cluster of n brokers with a subset for each.
func manyBrokers(t testing.TB, n int) (*Cluster, lbmetadata.Criteria) {
	t.Helper()
	c := &Cluster{Subsets: &Subsets{
		Selectors:          []Selector{{Keys: []string{"broker", "id"}, Fallback: KeysSubset, FallbackKeys: []string{"broker"}}, {Keys: []string{"broker"}}},
		Fallback:           NoFallback,
		AllowRedundantKeys: true,
	}}
	c.Subsets.normalize()
	for i := range n {
		c.Endpoints = append(c.Endpoints, endpoint(t, fmt.Sprint(i), fmt.Sprintf(`{"broker": "broker-%d", "id": 0}`, i)))
	}
	return c, criteria("broker", fmt.Sprintf(`"broker-%d"`, n-1), "id", "1")
}

func TestPickAllocatesNothing(t *testing.T) {
	c, asked := manyBrokers(t, 10)
	if n := testing.AllocsPerRun(100, func() { c.Pick(asked, 7) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if e, ok := c.Pick(asked, 7); !ok || e.Address != "9" {
		t.Errorf("picked %v", e)
	}
}

func BenchmarkPick(b *testing.B) {
	for _, n := range []int{4, 64} {
		c, asked := manyBrokers(b, n)
		b.Run(fmt.Sprintf("endpoints=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := c.Pick(asked, 7); !ok {
					b.Fatal("none")
				}
			}
		})
	}
}
