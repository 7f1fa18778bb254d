// SPDX-License-Identifier: Apache-2.0

package body

// HeartbeatData is how a client registers its groups with a broker. Java:
// HeartbeatData.
type HeartbeatData struct {
	ClientID  string
	Producers []string // producer groups
	Consumers []ConsumerData
	// Fingerprint is other than 0 in a heartbeat of the second version (5.1.3 on).
	Fingerprint int32
	// WithoutSub means: subscriptions left out, the broker is believed to know them.
	WithoutSub bool
}

// ConsumerData is one consumer group of a client. Java: ConsumerData.
type ConsumerData struct {
	Group  string
	Topics []string // topics subscribed to, retry topics too
}

// ParseHeartbeatData reads the body of a HEART_BEAT request. It borrows src. Errors are
// *Error.
func ParseHeartbeatData(src []byte) (*HeartbeatData, error) {
	c := &cursor{b: src, body: "HeartbeatData"}
	h := &HeartbeatData{}
	entries := 0
	room := func(at span) bool {
		entries++
		return c.room(entries-1, at, "groups and topics")
	}
	c.each(c.root(), c.body, func(m member) {
		switch string(c.text(m.name)) {
		case "clientID":
			h.ClientID = c.str(m.value, "clientID")
		case "heartbeatFingerprint":
			h.Fingerprint = int32(c.integer(m.value, 32, "heartbeatFingerprint"))
		case "withoutSub":
			h.WithoutSub = c.boolean(m.value, "withoutSub")
		case "producerDataSet":
			c.elements(m.value, "producerDataSet", func(e span) {
				if room(e) {
					h.Producers = append(h.Producers, c.stringMember(e, "ProducerData", "groupName"))
				}
			})
		case "consumerDataSet":
			c.elements(m.value, "consumerDataSet", func(e span) {
				if room(e) {
					h.Consumers = append(h.Consumers, c.consumerData(e, room))
				}
			})
		}
	})
	if err := c.result(); err != nil {
		return nil, err
	}
	return h, nil
}

func (c *cursor) consumerData(v span, room func(span) bool) (d ConsumerData) {
	c.each(v, "ConsumerData", func(m member) {
		switch string(c.text(m.name)) {
		case "groupName":
			d.Group = c.str(m.value, "groupName")
		case "subscriptionDataSet":
			c.elements(m.value, "subscriptionDataSet", func(e span) {
				if room(e) {
					d.Topics = append(d.Topics, c.stringMember(e, "SubscriptionData", "topic"))
				}
			})
		}
	})
	return d
}

// stringMember is one string member of the object at v, "" when it is missing.
func (c *cursor) stringMember(v span, what, name string) (s string) {
	c.each(v, what, func(m member) {
		if string(c.text(m.name)) == name {
			s = c.str(m.value, name)
		}
	})
	return s
}

// HeartbeatOfGroups returns the body of a HEART_BEAT request with only those producer and consumer groups for which
// `keep` returns true; src itself when that is all of them. Errors are *Error.
func HeartbeatOfGroups(src []byte, keep func(isConsumer bool, group string) bool) (dst []byte, err error) {
	c := &cursor{b: src, body: "HeartbeatData"}
	var e edits
	entries := 0
	c.each(c.root(), c.body, func(m member) {
		name := string(c.text(m.name))
		isConsumer := name == "consumerDataSet"
		if !isConsumer && name != "producerDataSet" {
			return
		}
		var groups []item
		c.elements(m.value, name, func(v span) {
			entries++
			if c.room(entries-1, v, "groups") {
				groups = append(groups, item{v, !keep(isConsumer, c.stringMember(v, name, "groupName"))})
			}
		})
		e.remove(groups)
	})
	if err := c.result(); err != nil {
		return nil, err
	}
	return e.apply(src), nil
}
