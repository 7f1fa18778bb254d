// SPDX-License-Identifier: Apache-2.0

package body

import (
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"
)

// QueueMapping is what one broker says about the queues of a static topic: Java's
// TopicQueueMappingInfo.
type QueueMapping struct {
	BrokerName  string          // physical broker (bname, or the key when that is missing)
	Scope       string          // see LogicalBroker
	TotalQueues int32           // queues of the whole topic
	Epoch       int64           // for one queue the mapping with the highest epoch counts
	Queues      map[int32]int32 // currIdMap: logical queue id to the broker's own
}

// LogicalBrokerPrefix starts the names of logical brokers (MixAll.LOGICAL_QUEUE_MOCK_BROKER_PREFIX).
const LogicalBrokerPrefix = "__syslo__"

// globalScope is the scope of every static topic that mqadmin makes (MixAll.METADATA_SCOPE_GLOBAL).
const globalScope = "__global__"

// LogicalBroker returns the broker name that clients use for the queues of this mapping: that of the global scope is
// "__syslo__global__", without the scope's first two characters (TopicQueueMappingUtils.getMockBrokerName).
func (q *QueueMapping) LogicalBroker() string {
	if q.Scope == globalScope {
		return LogicalBrokerPrefix + globalScope[2:]
	}
	return LogicalBrokerPrefix + q.Scope
}

// TopicRouteData is what a name server knows of a topic, as far as the proxy needs
// it. Java: TopicRouteData.
type TopicRouteData struct {
	Brokers  []Address
	Mappings []QueueMapping // static topics only
}

const topicRouteData = "TopicRouteData"

// ParseTopicRouteData reads the body of a GET_ROUTEINFO_BY_TOPIC answer. It borrows
// src. Errors are *Error.
func ParseTopicRouteData(src []byte) (*TopicRouteData, error) {
	c := &cursor{b: src, body: topicRouteData}
	r := &TopicRouteData{}
	m := c.routeMembers()
	c.elements(m.brokers, "brokerDatas", func(e span) { c.broker(e, nil, nil, &r.Brokers) })
	c.each(m.mappings, "topicQueueMappingByBroker", func(m member) {
		if c.room(len(r.Mappings), m.name, "mappings") && !c.isNull(m.value) {
			r.Mappings = append(r.Mappings, c.queueMapping(m))
		}
	})
	if err := c.result(); err != nil {
		return nil, err
	}
	return r, nil
}

// RewriteTopicRouteData gives the body of a GET_ROUTEINFO_BY_TOPIC answer with the
// addresses f decides on; f is asked once for each address, in their order. Only
// address strings inside brokerAddrs change. Addresses not kept are cut out. A broker
// that had addresses and keeps none is cut out of brokerDatas, and its name out of
// queueDatas, orderTopicConf and topicQueueMappingByBroker, so that no client is given
// a queue it cannot reach. A filterServerTable, whose keys are broker addresses, is
// emptied.
//
// It borrows src; dst is src itself when nothing changes. seen are all addresses of
// src. Errors are *Error, and then nothing of src may be passed on.
func RewriteTopicRouteData(src []byte, f Advertise) (dst []byte, seen []Address, err error) {
	c := &cursor{b: src, body: topicRouteData}
	m := c.routeMembers()

	var e edits
	var brokers []item
	gone := brokerSet{}
	c.elements(m.brokers, "brokerDatas", func(v span) {
		if !c.room(len(brokers), v, "brokerDatas") {
			return
		}
		d := c.broker(v, nil, f, &seen)
		brokers = append(brokers, item{v, d.gone()})
		gone.add(&d, &e)
	})
	if c.err == nil {
		e.remove(brokers)
	}
	c.cutQueues(m, gone, &e) // also when none has gone: what is an error must not depend on f
	if m.filters.to != 0 && !c.isNull(m.filters) {
		if c.kind(m.filters) != '{' {
			c.fail(m.filters.from, "filterServerTable is not an object")
		} else if c.b[jsonscan.Space(c.b, m.filters.from+1)] != '}' {
			e = append(e, edit{m.filters, []byte("{}")})
		}
	}
	if err := c.result(); err != nil {
		return nil, nil, err
	}
	return e.apply(src), seen, nil
}

// brokerSet counts, by name, brokers that stay and brokers that go.
type brokerSet struct{ gone, stay map[string]bool }

// add takes up a broker and, when it stays, the edits inside it.
func (s *brokerSet) add(d *brokerData, e *edits) {
	if s.gone == nil {
		s.gone, s.stay = map[string]bool{}, map[string]bool{}
	}
	if d.gone() {
		s.gone[d.name] = true
		return
	}
	s.stay[d.name] = true
	e.remove(d.list)
	*e = append(*e, d.edits...)
}

// has reports whether no broker of that name stays.
func (s *brokerSet) has(name []byte) bool { return s.gone[string(name)] && !s.stay[string(name)] }

// routeMembers finds the members of TopicRouteData that matter.
func (c *cursor) routeMembers() (m routeMembers) {
	c.each(c.root(), topicRouteData, func(x member) {
		switch string(c.text(x.name)) {
		case "brokerDatas":
			c.once(&m.brokers, x, "brokerDatas")
		case "queueDatas":
			c.once(&m.queues, x, "queueDatas")
		case "filterServerTable":
			c.once(&m.filters, x, "filterServerTable")
		case "orderTopicConf":
			c.once(&m.order, x, "orderTopicConf")
		case "topicQueueMappingByBroker":
			c.once(&m.mappings, x, "topicQueueMappingByBroker")
		}
	})
	return m
}

type routeMembers struct{ brokers, queues, filters, order, mappings span }

// cutQueues removes what names a broker that has gone.
func (c *cursor) cutQueues(m routeMembers, gone brokerSet, e *edits) {
	var list []item
	c.elements(m.queues, "queueDatas", func(v span) {
		if !c.room(len(list), v, "queueDatas") {
			return
		}
		var name span
		c.each(v, "QueueData", func(x member) {
			if string(c.text(x.name)) == "brokerName" {
				c.once(&name, x, "brokerName")
			}
		})
		list = append(list, item{v, name.to != 0 && gone.has([]byte(c.str(name, "brokerName")))})
	})
	e.remove(list)

	list = nil
	c.each(m.mappings, "topicQueueMappingByBroker", func(x member) {
		if c.room(len(list), x.name, "mappings") {
			list = append(list, item{span{x.name.from, x.value.to}, gone.has(c.text(x.name))})
		}
	})
	e.remove(list)

	// brokerA:4;brokerB:4. Producers of ordered topics take their queues from here.
	if m.order.to == 0 || c.isNull(m.order) {
		return
	}
	conf := c.str(m.order, "orderTopicConf")
	kept := make([]byte, 0, len(conf))
	cut := false
	for entry := range strings.SplitSeq(conf, ";") {
		name, _, _ := strings.Cut(entry, ":")
		if gone.has([]byte(name)) {
			cut = true
			continue
		}
		if len(kept) > 0 {
			kept = append(kept, ';')
		}
		kept = append(kept, entry...)
	}
	if cut {
		*e = append(*e, edit{m.order, jsonscan.AppendString(nil, string(kept))})
	}
}

func (c *cursor) queueMapping(of member) (q QueueMapping) {
	q.BrokerName = string(c.text(of.name))
	c.each(of.value, "TopicQueueMappingInfo", func(m member) {
		switch string(c.text(m.name)) {
		case "bname":
			if name := c.str(m.value, "bname"); name != "" {
				q.BrokerName = name
			}
		case "scope":
			q.Scope = c.str(m.value, "scope")
		case "totalQueues":
			q.TotalQueues = int32(c.integer(m.value, 32, "totalQueues"))
		case "epoch":
			q.Epoch = c.integer(m.value, 64, "epoch")
		case "currIdMap":
			q.Queues = map[int32]int32{}
			c.each(m.value, "currIdMap", func(m member) {
				if c.room(len(q.Queues), m.name, "queues") {
					q.Queues[int32(c.integer(m.name, 32, "queue id"))] = int32(c.integer(m.value, 32, "queue id"))
				}
			})
		}
	})
	return q
}
