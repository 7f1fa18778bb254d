// SPDX-License-Identifier: Apache-2.0

package body

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Subject is a topic and the groups that a request names together. What it does not name is
// empty. It borrows the request.
type Subject struct{ Topic, ProducerGroup, ConsumerGroup []byte }

// MaxSubjects bounds the subjects of one request: a client of some hundred groups and
// topics names far fewer.
const MaxSubjects = 4096

// SubjectReader appends what a body is about: each of its entries with what the body says of
// all entries, and the body itself where it has no entries. It fails for a body that two
// readers could understand differently, and beyond MaxSubjects. Errors are *Error.
type SubjectReader func(to []Subject, src []byte) ([]Subject, error)

// The readers, by Java class of a body.
var (
	HeartbeatSubjects = readerOf(objectOf("HeartbeatData",
		part{name: "producerDataSet", layout: listOf(objectOf("ProducerData", part{name: "groupName", layout: producerGroup}))},
		part{name: "consumerDataSet", layout: listOf(subscriberOf("ConsumerData"))}))
	// LockBatchSubjects is for UnlockBatchRequestBody too.
	LockBatchSubjects = readerOf(objectOf("LockBatchRequestBody",
		part{name: "consumerGroup", layout: consumerGroup},
		part{name: "mqSet", layout: listOf(objectOf("MessageQueue", part{name: "topic", layout: topic}))}))
	BatchAckSubjects = readerOf(objectOf("BatchAckMessageRequestBody",
		part{name: "acks", layout: listOf(objectOf("BatchAck", // each member has two names
			part{name: "t", layout: topic}, part{name: "topic", layout: topic}, part{name: "c", layout: consumerGroup}, part{name: "consumerGroup", layout: consumerGroup}))}))
	QueryAssignmentSubjects = readerOf(objectOf("QueryAssignmentRequestBody",
		part{name: "topic", layout: topic}, part{name: "consumerGroup", layout: consumerGroup}))
	MessageRequestModeSubjects = readerOf(objectOf("SetMessageRequestModeRequestBody",
		part{name: "topic", layout: topic}, part{name: "consumerGroup", layout: consumerGroup}))
	CheckClientSubjects = readerOf(objectOf("CheckClientRequestBody",
		part{name: "group", layout: consumerGroup},
		part{name: "subscriptionData", layout: objectOf("SubscriptionData", part{name: "topic", layout: topic})}))
	LiteSubscriptionSubjects = readerOf(objectOf("LiteSubscriptionCtlRequestBody",
		part{name: "subscriptionSet", layout: listOf(objectOf("LiteSubscriptionDTO", part{name: "topic", layout: topic}, part{name: "group", layout: consumerGroup}))}))
	TopicListSubjects = readerOf(objectOf("CreateTopicListRequestBody",
		part{name: "topicConfigList", layout: listOf(objectOf("TopicConfig", part{name: "topicName", layout: topic}))}))
	DeleteTopicListSubjects       = readerOf(objectOf("DeleteTopicListRequestBody", part{name: "topicList", layout: listOf(topic)}))
	SubscriptionGroupSubjects     = readerOf(subscriberOf("SubscriptionGroupConfig"))
	SubscriptionGroupListSubjects = readerOf(objectOf("SubscriptionGroupList",
		part{name: "groupConfigList", layout: listOf(subscriberOf("SubscriptionGroupConfig"))}))
	DeleteGroupListSubjects = readerOf(objectOf("DeleteSubscriptionGroupListRequestBody", part{name: "groupNameList", layout: listOf(consumerGroup)}))
	StaticTopicSubjects     = readerOf(objectOf("TopicQueueMappingDetail", part{name: "topic", layout: topic}))
)

// layout says where a JSON value has names: it is one (field), a list or an object.
type layout struct {
	what  string // for errors: a Java class, or what a string is
	field func(*Subject) *[]byte
	list  *layout
	parts []part // members of an object; a layout that stands there twice has two names
}

type part struct {
	name   string
	layout *layout
	hashes nameHashes // of name
}

var (
	topic         = &layout{what: "a topic", field: func(s *Subject) *[]byte { return &s.Topic }}
	producerGroup = &layout{what: "a producer group", field: func(s *Subject) *[]byte { return &s.ProducerGroup }}
	consumerGroup = &layout{what: "a consumer group", field: func(s *Subject) *[]byte { return &s.ConsumerGroup }}
)

func listOf(element *layout) *layout { return &layout{what: "a list", list: element} }

func objectOf(class string, parts ...part) *layout {
	for i := range parts {
		parts[i].hashes = hashesOf([]byte(parts[i].name))
	}
	return &layout{what: class, parts: parts}
}

// subscriberOf is the layout of classes that name a consumer group and the topics that it subscribes to.
func subscriberOf(class string) *layout {
	return objectOf(class, part{name: "groupName", layout: consumerGroup},
		part{name: "subscriptionDataSet", layout: listOf(objectOf("SubscriptionData", part{name: "topic", layout: topic}))})
}

func readerOf(root *layout) SubjectReader {
	return func(to []Subject, src []byte) ([]Subject, error) {
		if !utf8.Valid(src) { // fastjson 2 reads overlong forms of ASCII as ASCII
			return to, &Error{Body: root.what, Detail: "not UTF-8"}
		}
		s := subjects{cursor: cursor{b: src, body: root.what}, found: to, before: len(to)}
		s.object(root, s.root(), Subject{})
		return s.found, s.result()
	}
}

// subjects is one reading of a body.
type subjects struct {
	cursor
	found  []Subject
	before int // subjects that are not of this body
}

// add appends a subject, unless it is the last one again.
func (s *subjects) add(next Subject, at span) {
	if n := len(s.found); n > s.before && same(&s.found[n-1], &next) {
		return
	}
	if len(s.found) >= MaxSubjects {
		s.fail(at.from, "too many topics and groups")
		return
	}
	s.found = append(s.found, next)
}

func same(a, b *Subject) bool {
	return bytes.Equal(a.Topic, b.Topic) && bytes.Equal(a.ProducerGroup, b.ProducerGroup) && bytes.Equal(a.ConsumerGroup, b.ConsumerGroup)
}

// object reads an object: first the names that hold for all of it, then its entries, each of which has
// those names too. Without entries it is a subject itself.
func (s *subjects) object(l *layout, v span, outer Subject) {
	var seen []*layout
	s.each(v, l.what, func(m member) {
		p := s.partOf(l, m)
		if p == nil {
			return
		}
		if slices.Contains(seen, p) {
			s.fail(m.name.from, p.what+" stands twice")
			return
		}
		seen = append(seen, p)
		if p.field != nil {
			*p.field(&outer) = s.name(m.value, p.what)
		}
	})
	entries := false
	s.each(v, l.what, func(m member) {
		switch p := s.partOf(l, m); {
		case p == nil || p.field != nil || s.isNull(m.value):
		case p.list != nil:
			s.elements(m.value, p.what, func(e span) {
				entries = true
				s.element(p.list, e, outer)
			})
		default:
			entries = true
			s.object(p, m.value, outer)
		}
	})
	if s.err == nil && !entries {
		s.add(outer, v)
	}
}

// element reads an element of a list.
func (s *subjects) element(l *layout, v span, outer Subject) {
	if l.field == nil {
		s.object(l, v, outer)
		return
	}
	*l.field(&outer) = s.name(v, l.what)
	s.add(outer, v)
}

// name returns a string value.
func (s *subjects) name(v span, what string) []byte {
	if s.isNull(v) || s.err != nil {
		return nil
	}
	if k := s.kind(v); k != '"' && k != '\'' {
		s.fail(v.from, what+" is not a string")
		return nil
	}
	return s.text(v)
}

// partOf returns the layout of a member, nil for one that names nothing. A name that some release of
// fastjson takes for that of a part, or that makes it read another object or class here, is an error.
func (s *subjects) partOf(l *layout, m member) *layout {
	name := s.text(m.name)
	for i := range l.parts {
		if string(name) == l.parts[i].name {
			return l.parts[i].layout
		}
	}
	if len(name) > 0 && (name[0] == '$' || name[0] == '@') {
		s.fail(m.name.from, "a reference or a type in "+l.what)
	}
	if !isASCII(name) { // none of RocketMQ's is
		s.fail(m.name.from, "a member name that is not ASCII")
		return nil
	}
	hashes := hashesOf(name)
	for i := range l.parts {
		if hashes.meets(l.parts[i].hashes) {
			s.fail(m.name.from, "a name that fastjson may take for "+l.parts[i].name)
		}
	}
	return nil
}

func isASCII(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c >= utf8.RuneSelf })
}

// GroupSubjects reads a body that is the name of a consumer group and nothing else, as that of
// REMOVE_COLD_DATA_FLOW_CTR_CONFIG.
func GroupSubjects(to []Subject, src []byte) ([]Subject, error) {
	return append(to, Subject{ConsumerGroup: src}), nil
}

// GroupPropertiesSubjects reads a body of Java properties whose keys are consumer groups, as that of
// UPDATE_COLD_DATA_FLOW_CTR_CONFIG. Escapes, which no name needs, are an error.
func GroupPropertiesSubjects(to []Subject, src []byte) ([]Subject, error) {
	fail := func(detail string) ([]Subject, error) {
		return to, &Error{Body: "Properties", Detail: detail}
	}
	if bytes.IndexByte(src, '\\') >= 0 {
		return fail("an escape")
	}
	before := len(to)
	for line := range bytes.FieldsFuncSeq(src, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = bytes.TrimLeft(line, " \t\f")
		if len(line) == 0 || line[0] == '#' || line[0] == '!' {
			continue
		}
		if end := bytes.IndexAny(line, "=: \t\f"); end >= 0 {
			line = line[:end]
		}
		if len(to) >= MaxSubjects {
			return fail("too many groups")
		}
		to = append(to, Subject{ConsumerGroup: line})
	}
	if len(to) == before {
		to = append(to, Subject{})
	}
	return to, nil
}
