// SPDX-License-Identifier: Apache-2.0

package routeconfig

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"

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

// Table is a compiled RouteConfiguration.
type Table struct {
	routes []route
	// exact has the indexes of the routes that want one topic to the letter, by topic and ascending.
	exact map[string][]int32
	// rest has the other routes, ascending.
	rest []topicRoute
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

// Match gives the first route that matches. It costs the routes of this very topic, and the routes
// before them whose topic is not exact. It allocates nothing, unless a number is to be matched by a
// regular expression or a topic by contains and ignore_case.
func (t *Table) Match(request Request) (*Route, bool) {
	exact, rest := t.exact[request.Topic], t.rest
	for len(exact)+len(rest) > 0 {
		var next *route
		if len(rest) == 0 || len(exact) > 0 && exact[0] < rest[0].index {
			next, exact = &t.routes[exact[0]], exact[1:]
		} else {
			other := &rest[0]
			rest = rest[1:]
			if !other.topic.match(request.Topic) {
				continue
			}
			next = &t.routes[other.index]
		}
		if next.headersMatch(&request) {
			return &next.Route, true
		}
	}
	return nil, false
}

func (r *route) headersMatch(request *Request) bool {
	for i := range r.headers {
		if !r.headers[i].match(request) {
			return false
		}
	}
	return true
}
