// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// subject is one thing that a request is about; what it does not name is empty.
type subject struct{ topic, producerGroup, consumerGroup string }

// maxSpareSubjects is how many subjects of a request a connection keeps memory for.
const maxSpareSubjects = 16

var (
	// errLongName refuses longer names than there can be: rules may hold expressions, whose time grows with the name.
	errLongName = fmt.Errorf("a topic or group of more than %d bytes", codec.MaxTopicName)
	errNotUTF8  = errors.New("a header that is not UTF-8")
)

// subjects returns what a request is about: one subject for most. It fails for what cannot be read, and for names and
// lists that no client makes and that would take long to match.
func (c *Client) subjects(r *Request) ([]body.Subject, error) {
	if r.Header.Type == codec.JSON && !utf8.Valid(r.Header.Raw()) { // fastjson 2 reads overlong forms of ASCII as ASCII
		return nil, errNotUTF8
	}
	all, err := r.Type.AppendSubjects(c.scratch[:0], r.Header, r.Body)
	if c.scratch = all; cap(all) > maxSpareSubjects {
		c.scratch = nil
	}
	if err != nil {
		return nil, err
	}
	if r.Type.HidesTopic {
		for i := range all {
			all[i].Topic = nil
		}
	}
	for i := range all {
		if s := &all[i]; max(len(s.Topic), len(s.ProducerGroup), len(s.ConsumerGroup)) > codec.MaxTopicName {
			return nil, errLongName
		}
	}
	return all, nil
}

// textOf returns a subject as text, which mostly is that of the request before.
func (c *Client) textOf(s *body.Subject) subject {
	return subject{
		topic:         c.topic.of(s.Topic),
		producerGroup: c.producerGroup.of(s.ProducerGroup),
		consumerGroup: c.consumerGroup.of(s.ConsumerGroup),
	}
}

// remembered is the last text of its kind, so that the same text again needs no allocation.
type remembered string

func (r *remembered) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if string(b) != string(*r) {
		*r = remembered(b)
	}
	return string(*r)
}
