// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// routes are the answers of the name servers of several clusters to one GET_ROUTEINFO_BY_TOPIC.
type routes struct {
	found   map[*directory.Directory][]byte // bodies with the addresses that the client gets
	missing *codec.Reply                    // of a cluster that does not have the topic
	failed  *codec.Reply
	version int32
}

// toNameServers asks a name server of each cluster for the route of a topic.
func (s *shared) toNameServers(kind *requests.Type, f framing.Frame, clusters []*directory.Directory) framing.Verdict {
	var targets []*upstream
	for _, cluster := range clusters {
		u, refusal := s.nameServerUpstream(cluster)
		if refusal != nil {
			return s.refuse(f.Header, refusal)
		}
		targets = append(targets, u)
	}
	_, v := s.sendCopies(kind, targets, f, true)
	return v
}

// addRoute takes in the answer of one cluster.
func (b *broadcast) addRoute(u *upstream, p pending, f framing.Frame) {
	s, h, r := b.session, f.Header, b.routes
	r.version = h.Version
	switch h.ResponseCode() {
	case codec.ResponseSuccess:
		route, err := s.rewriteBody(u, &p, f.Body())
		if err != nil {
			s.recorder.Inc(stats.RouteUnreadable)
			r.failed = unreadableAnswer(err).reply
			return
		}
		if !b.keep(len(route)) {
			r.failed = overLimit.reply
			return
		}
		if r.found == nil {
			r.found = make(map[*directory.Directory][]byte)
		}
		r.found[u.target.cluster] = bytes.Clone(route) // it may be the very bytes that came, which are borrowed
	case codec.ResponseTopicNotExist:
		r.missing = &codec.Reply{Code: h.ResponseCode(), Remark: h.Remark()}
	default:
		r.failed = &codec.Reply{Code: h.ResponseCode(), Remark: h.Remark()}
	}
}

// mergeRoutes makes one route of all. If one cluster cannot answer, the client is better served by the route that it has
// than by half a new one.
func (b *broadcast) mergeRoutes() *merged {
	s, r := b.session, b.routes
	refusal := r.failed
	switch {
	case b.lost != nil:
		return &merged{outcome: failedWith(*b.lost)}
	case refusal == nil && len(r.found) == 0:
		refusal = r.missing
	case refusal == nil:
		route, clashes, err := body.MergeTopicRouteData(r.inOrder(s))
		if err == nil {
			s.recorder.Add(stats.BrokerNameClash, int64(clashes))
			return &merged{outcome: answeredWith(codec.ResponseSuccess), body: route, version: r.version}
		}
		refusal = unreadableAnswer(err).reply
	}
	return &merged{outcome: answeredWith(refusal.Code), remark: refusal.Remark, version: r.version}
}

// inOrder returns the routes in the order of their clusters, so that of two brokers of one name the client always gets the
// same.
func (r *routes) inOrder(s *shared) (routes [][]byte) {
	for _, cluster := range s.environment.Clusters.All() {
		if route, ok := r.found[cluster]; ok {
			routes = append(routes, route)
		}
	}
	return routes
}
