// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// routes are the answers of the name servers of several clusters to one GET_ROUTEINFO_BY_TOPIC.
type routes struct {
	found   map[*directory.Directory][]byte // bodies with the addresses that the client shall learn
	missing *router.Refusal                 // of a cluster that does not have the topic
	failed  *router.Refusal
	version int32
}

// toNameServers asks a name server of each cluster for the route of a topic.
func (s *Session) toNameServers(kind *requests.Type, f framing.Frame, clusters []*directory.Directory) framing.Verdict {
	var targets []*upstream
	for _, cluster := range clusters {
		u, refusal := s.nameServer(cluster)
		if refusal != nil {
			return s.refuse(f.Header, refusal)
		}
		targets = append(targets, u)
	}
	_, v := s.fanOut(kind, targets, f, true)
	return v
}

// add takes in the answer of one cluster.
func (r *routes) add(u *upstream, p pending, f framing.Frame) {
	h := f.Header
	r.version = h.Version
	switch h.ResponseCode() {
	case codec.ResponseSuccess:
		route, err := u.session.rewriteBody(u, p, f.Body())
		if err != nil {
			u.session.recorder.Inc(stats.RouteUnreadable)
			r.failed = unreadableAnswer(err)
			return
		}
		if !p.fanOut.keep(u.session, len(route)) {
			r.failed = overLimit
			return
		}
		if r.found == nil {
			r.found = make(map[*directory.Directory][]byte)
		}
		r.found[u.place.cluster] = bytes.Clone(route) // it may be the very bytes that came, which are borrowed
	case codec.ResponseTopicNotExist:
		r.missing = &router.Refusal{Code: h.ResponseCode(), Remark: h.Remark()}
	default:
		r.failed = &router.Refusal{Code: h.ResponseCode(), Remark: h.Remark()}
	}
}

// merge makes one route of all. While one cluster cannot tell, the client is better served by the route
// that it has than by half a new one.
func (r *routes) merge(s *Session, f *fanOut) *mergedAnswer {
	refusal := r.failed
	switch {
	case f.lost != nil:
		return &mergedAnswer{code: f.lost.Code, remark: f.lost.Remark, version: f.asker.version, own: true, expired: f.lost == deadlinePassed}
	case refusal == nil && len(r.found) == 0:
		refusal = r.missing
	case refusal == nil:
		merged, clashes, err := body.MergeTopicRouteData(r.inOrder(s))
		if err == nil {
			s.recorder.Add(stats.BrokerNameClash, int64(clashes))
			return &mergedAnswer{body: merged, version: r.version}
		}
		refusal = unreadableAnswer(err)
	}
	return &mergedAnswer{code: refusal.Code, remark: refusal.Remark, version: r.version}
}

// inOrder are the routes in the order of their clusters, so that of two brokers of one name the client is
// always told the same.
func (r *routes) inOrder(s *Session) (routes [][]byte) {
	for _, cluster := range s.environment.Clusters.All() {
		if route, ok := r.found[cluster]; ok {
			routes = append(routes, route)
		}
	}
	return routes
}

func unreadableAnswer(err error) *router.Refusal {
	return &router.Refusal{Code: codec.ResponseSystemError, Remark: "the server's answer cannot be read: " + err.Error()}
}
