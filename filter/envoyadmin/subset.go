// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"cmp"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
)

// Subsets is a cluster's lb_subset_config, or its load_balancing_policy of the type
// envoy.extensions.load_balancing_policies.subset.v3.Subset. Not heeded are metadata_fallback_policy,
// single_host_per_subset, and everything about localities.
type Subsets struct {
	Selectors []Selector
	// Fallback is NoFallback, AnyEndpoint or DefaultSubset.
	Fallback      Fallback
	DefaultSubset lbmetadata.Criteria
	// AllowRedundantKeys lets criteria have more keys than the selector. Longer selectors come first then.
	AllowRedundantKeys bool
	// ListAsAny lets a list in an endpoint's metadata match each of its elements.
	ListAsAny bool
	// PanicModeAny takes any endpoint when Fallback finds none.
	PanicModeAny bool
}

// Selector is keys that make subsets: an endpoint that has them all belongs to the subset of its values.
type Selector struct {
	Keys []string // sorted, each once, at least one
	// Fallback is what to do if no endpoint has the values.
	Fallback Fallback
	// FallbackKeys are what is left of the keys with KeysSubset; fewer than Keys.
	FallbackKeys []string
}

// Fallback is what is taken when no endpoint has the metadata that a route asks for.
type Fallback uint8

// The fallbacks. For a cluster NotDefined and KeysSubset do not occur.
const (
	NotDefined    Fallback = iota // of a selector: that of the cluster
	NoFallback                    // no endpoint
	AnyEndpoint                   // any
	DefaultSubset                 // those that Subsets.DefaultSubset describes
	KeysSubset                    // of a selector: begin anew with fewer criteria
)

// normalize brings selectors into the order in which they are tried.
func (s *Subsets) normalize() {
	for i := range s.Selectors {
		each := &s.Selectors[i]
		slices.Sort(each.Keys)
		each.Keys = slices.Compact(each.Keys)
		if n := len(each.FallbackKeys); each.Fallback == KeysSubset && (n == 0 || n >= len(each.Keys)) {
			each.Fallback = NotDefined // Envoy refuses this, and find would not end
		}
	}
	s.Selectors = slices.DeleteFunc(s.Selectors, func(each Selector) bool { return len(each.Keys) == 0 })
	if s.AllowRedundantKeys {
		slices.SortStableFunc(s.Selectors, func(a, b Selector) int { return cmp.Compare(len(b.Keys), len(a.Keys)) })
	}
}

// Hosts are the endpoints that Pick picks from, in the order of c.Endpoints.
func (c *Cluster) Hosts(criteria lbmetadata.Criteria) []*Endpoint {
	choice := c.choose(criteria)
	var hosts []*Endpoint
	for _, e := range c.Endpoints {
		if choice.has(e) {
			hosts = append(hosts, e)
		}
	}
	return hosts
}

// Pick is an endpoint for a route with these criteria; none: Envoy says "No host available". `random` is
// any number; each endpoint's share of all numbers is its weight's. It allocates nothing and costs
// a few passes over the endpoints.
//
// The subset is found as Envoy's subset load balancer does it (subset_lb.cc, v1.39.0). Within the subset
// only the healthy endpoints of the least priority that has any are taken, or else the degraded ones,
// in the same way. So this knows neither spill-over from a priority that is healthy in part, nor panic: where
// no endpoint is fit for use Envoy by default (healthy_panic_threshold) would try the unhealthy ones,
// and this tries none.
func (c *Cluster) Pick(criteria lbmetadata.Criteria, random uint64) (*Endpoint, bool) {
	choice := c.choose(criteria)
	var sum uint64
	for _, e := range c.Endpoints {
		if choice.has(e) {
			sum += uint64(e.Weight)
		}
	}
	if sum == 0 {
		return nil, false
	}
	left := random % sum
	for _, e := range c.Endpoints {
		if !choice.has(e) {
			continue
		}
		if left < uint64(e.Weight) {
			return e, true
		}
		left -= uint64(e.Weight)
	}
	return nil, false
}

// choice is a subset, and the rank in it that is used.
type choice struct {
	subset subset
	rank   uint64
	none   bool
}

func (c choice) has(e *Endpoint) bool {
	return !c.none && rank(e) == c.rank && c.subset.has(e)
}

// unusable is the rank of endpoints that nothing is sent to.
const unusable = ^uint64(0)

// rank orders endpoints: the least is used.
func rank(e *Endpoint) uint64 {
	if e.Health > Degraded {
		return unusable
	}
	return uint64(e.Health)<<32 | uint64(e.Priority)
}

func (c *Cluster) choose(criteria lbmetadata.Criteria) choice {
	if c.Subsets == nil {
		return c.best(subset{})
	}
	s, found, isFallback := c.find(criteria)
	if !found {
		return choice{none: true}
	}
	chosen := c.best(s)
	if chosen.none && isFallback && c.Subsets.PanicModeAny {
		return c.best(subset{})
	}
	return chosen
}

// best is the least rank in the subset.
func (c *Cluster) best(s subset) choice {
	least := unusable
	for _, e := range c.Endpoints {
		if r := rank(e); r < least && s.has(e) {
			least = r
		}
	}
	return choice{subset: s, rank: least, none: least == unusable}
}

// find is the subset for these criteria, perhaps with unhealthy endpoints only; isFallback tells that it is
// the cluster's fallback.
func (c *Cluster) find(criteria lbmetadata.Criteria) (s subset, found, isFallback bool) {
	var within []string // of KeysSubset: criteria with other keys do not count; nil: all count
	for {
		wanted := subset{criteria: criteria, within: within, listAsAny: c.Subsets.ListAsAny}
		if c.Subsets.AllowRedundantKeys {
			if keys := c.firstCovered(wanted); keys != nil {
				wanted.within = keys
			}
		}
		selector := c.selector(wanted)
		if selector == nil {
			break
		}
		if slices.ContainsFunc(c.Endpoints, wanted.has) {
			return wanted, true, false
		}
		if selector.Fallback == NotDefined {
			break
		}
		if selector.Fallback != KeysSubset {
			s, found = c.fallback(selector.Fallback)
			return s, found, false
		}
		within = selector.FallbackKeys // fewer each time, so this ends
	}
	s, found = c.fallback(c.Subsets.Fallback)
	return s, found, true
}

// firstCovered is the keys of the first selector for which there are criteria of every key.
func (c *Cluster) firstCovered(wanted subset) []string {
	for i := range c.Subsets.Selectors {
		if keys := c.Subsets.Selectors[i].Keys; wanted.covers(keys) {
			return keys
		}
	}
	return nil
}

// selector is the one that has exactly the keys of the criteria; nil when there is none.
func (c *Cluster) selector(wanted subset) *Selector {
	n := wanted.size()
	for i := range c.Subsets.Selectors {
		if s := &c.Subsets.Selectors[i]; len(s.Keys) == n && wanted.covers(s.Keys) {
			return s
		}
	}
	return nil
}

func (c *Cluster) fallback(f Fallback) (s subset, found bool) {
	switch f {
	case AnyEndpoint:
		return subset{}, true
	case DefaultSubset:
		return subset{criteria: c.Subsets.DefaultSubset, listAsAny: c.Subsets.ListAsAny}, true
	}
	return subset{}, false
}

// subset is the endpoints that meet criteria; without criteria all.
type subset struct {
	criteria  lbmetadata.Criteria
	within    []string // nil: all keys count
	listAsAny bool
}

func (s subset) counts(key string) bool {
	return s.within == nil || slices.Contains(s.within, key)
}

// size is the number of criteria that count.
func (s subset) size() (n int) {
	for _, c := range s.criteria {
		if s.counts(c.Key) {
			n++
		}
	}
	return n
}

// covers tells whether there are criteria that count for each of the keys.
func (s subset) covers(keys []string) bool {
	for _, key := range keys {
		if !s.counts(key) || !slices.ContainsFunc(s.criteria, func(c lbmetadata.Criterion) bool { return c.Key == key }) {
			return false
		}
	}
	return true
}

func (s subset) has(e *Endpoint) bool {
	for i := range s.criteria {
		if c := &s.criteria[i]; s.counts(c.Key) && !e.matches(c, s.listAsAny) {
			return false
		}
	}
	return true
}

func (e *Endpoint) matches(c *lbmetadata.Criterion, listAsAny bool) bool {
	for i := range e.lb {
		field := &e.lb[i]
		if field.Key != c.Key {
			continue
		}
		if listAsAny && field.isList {
			return slices.Contains(field.elements, c.Value)
		}
		return field.Value == c.Value
	}
	return false
}
