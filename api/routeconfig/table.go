// SPDX-License-Identifier: Apache-2.0

package routeconfig

import (
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
)

// Route is where a matching request goes. It is immutable and shared.
type Route struct {
	// Index is the place of the route in route_config.routes, from 0 on.
	Index int
	// Cluster is a name of a cluster of Envoy; nobody has checked that it exists.
	Cluster string
	// MetadataMatch is metadata_match.filter_metadata["envoy.lb"]; empty: hosts are not chosen by it.
	MetadataMatch lbmetadata.Criteria
}

// Request is what routes can ask about a request.
type Request struct {
	Topic string
	// Code is the header "code", in decimal.
	Code int32
	// HasBroker tells whether the headers "broker_name" and "broker_id" exist: only an acknowledgement
	// has them, from its ack directive.
	HasBroker  bool
	BrokerName string
	BrokerID   int64
}

// Table is a compiled RouteConfiguration. Lists of indexes are ascending.
type Table struct {
	routes []route
	// exact has the indexes of the routes that want one topic to the letter, by topic.
	exact map[string][]int32
	// prefixes has those that want a beginning to the letter, by its length, shortest first.
	prefixes []prefixRoutes
	// rest has the other routes, ascending.
	rest []topicRoute
}

// prefixRoutes has the indexes of the routes whose prefixes are of one length, by prefix.
type prefixRoutes struct {
	length int
	routes map[string][]int32
}

// route is one entry of the configuration without its topic.
type route struct {
	Route
	headers []headerMatcher
}

// topicRoute is the topic of one entry. Most entries fail by it, so these lie close together.
type topicRoute struct {
	topic stringMatcher
	index int32
}

// Len is the number of routes.
func (t *Table) Len() int { return len(t.routes) }

// Routes gives every route, in order.
func (t *Table) Routes() []*Route {
	all := make([]*Route, len(t.routes))
	for i := range t.routes {
		all[i] = &t.routes[i].Route
	}
	return all
}

// Match gives the first route that matches. It costs the routes of this very topic and of its beginnings, and those
// before them whose topic is neither exact nor a prefix, or ignores case. It allocates nothing, unless a number is to be
// matched by a regular expression or a topic by contains and ignore_case.
func (t *Table) Match(request Request) (*Route, bool) {
	first := t.firstOf(t.exact[request.Topic], len(t.routes), &request)
	for i := range t.prefixes {
		p := &t.prefixes[i]
		if p.length > len(request.Topic) {
			break
		}
		first = t.firstOf(p.routes[request.Topic[:p.length]], first, &request)
	}
	for i := range t.rest {
		other := &t.rest[i]
		if int(other.index) > first {
			break
		}
		if other.topic.match(request.Topic) && t.routes[other.index].headersMatch(&request) {
			first = int(other.index)
			break
		}
	}
	if first == len(t.routes) {
		return nil, false
	}
	return &t.routes[first].Route, true
}

// firstOf gives the first of these indexes whose headers match, or `before` if there is none less than that.
func (t *Table) firstOf(indexes []int32, before int, request *Request) int {
	for _, index := range indexes {
		if int(index) >= before {
			break
		}
		if t.routes[index].headersMatch(request) {
			return int(index)
		}
	}
	return before
}

// add puts a route at the end of the table.
func (t *Table) add(r route, topic stringMatcher) {
	index := int32(len(t.routes))
	r.Index = len(t.routes)
	t.routes = append(t.routes, r)
	switch {
	case topic.kind == exactKind && !topic.ignoreCase:
		t.exact[topic.text] = append(t.exact[topic.text], index)
	case topic.kind == prefixKind && !topic.ignoreCase:
		byPrefix := t.prefixesOf(len(topic.text))
		byPrefix[topic.text] = append(byPrefix[topic.text], index)
	default:
		t.rest = append(t.rest, topicRoute{topic, index})
	}
}

// prefixesOf gives the routes whose prefixes are of this length.
func (t *Table) prefixesOf(length int) map[string][]int32 {
	i, found := slices.BinarySearchFunc(t.prefixes, length, func(p prefixRoutes, length int) int { return p.length - length })
	if !found {
		t.prefixes = slices.Insert(t.prefixes, i, prefixRoutes{length, make(map[string][]int32)})
	}
	return t.prefixes[i].routes
}

func (r *route) headersMatch(request *Request) bool {
	for i := range r.headers {
		if !r.headers[i].match(request) {
			return false
		}
	}
	return true
}
