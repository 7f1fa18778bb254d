// SPDX-License-Identifier: Apache-2.0

package body

const clusterInfo = "ClusterInfo"

// ParseClusterInfo gives the addresses in the body of a GET_BROKER_CLUSTER_INFO answer
// (Java: ClusterInfo). It borrows src. Errors are *Error.
func ParseClusterInfo(src []byte) ([]Address, error) {
	c := &cursor{b: src, body: clusterInfo}
	brokers, _ := c.clusterMembers()
	var seen []Address
	c.each(brokers, "brokerAddrTable", func(m member) {
		if !c.isNull(m.value) {
			name := string(c.text(m.name))
			c.broker(m.value, &name, nil, &seen)
		}
	})
	if err := c.result(); err != nil {
		return nil, err
	}
	return seen, nil
}

// RewriteClusterInfo does for the body of a GET_BROKER_CLUSTER_INFO answer what
// RewriteTopicRouteData does for a route. A broker that had addresses and keeps none
// leaves brokerAddrTable and the lists of clusterAddrTable.
func RewriteClusterInfo(src []byte, f Advertise) (dst []byte, seen []Address, err error) {
	c := &cursor{b: src, body: clusterInfo}
	table, clusters := c.clusterMembers()

	var e edits
	var brokers []item
	gone := brokerSet{}
	c.each(table, "brokerAddrTable", func(m member) {
		if !c.room(len(brokers), m.name, "brokers") {
			return
		}
		name := string(c.text(m.name))
		var d brokerData
		if !c.isNull(m.value) {
			d = c.broker(m.value, &name, f, &seen)
		}
		d.name = name
		brokers = append(brokers, item{span{m.name.from, m.value.to}, d.gone()})
		gone.add(&d, &e)
	})
	if c.err == nil {
		e.remove(brokers)
	}
	c.each(clusters, "clusterAddrTable", func(m member) {
		var names []item
		c.elements(m.value, "clusterAddrTable entry", func(v span) {
			if c.room(len(names), v, "broker names") {
				names = append(names, item{v, gone.has(c.text(v))})
			}
		})
		e.remove(names)
	})
	if err := c.result(); err != nil {
		return nil, nil, err
	}
	return e.apply(src), seen, nil
}

// clusterMembers finds the two tables of ClusterInfo.
func (c *cursor) clusterMembers() (brokers, clusters span) {
	c.each(c.root(), clusterInfo, func(m member) {
		switch string(c.text(m.name)) {
		case "brokerAddrTable":
			c.once(&brokers, m, "brokerAddrTable")
		case "clusterAddrTable":
			c.once(&clusters, m, "clusterAddrTable")
		}
	})
	return brokers, clusters
}
