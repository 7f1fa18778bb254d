// SPDX-License-Identifier: Apache-2.0

package requests

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// Body is a class of request bodies that name topics or groups. Those of ACLs name resources by patterns, and those of
// configs nothing of that kind.
type Body struct{ subjects body.SubjectReader }

// The bodies. Exported are those that tools or the router read further.
var (
	HeartbeatBody             = &Body{body.HeartbeatSubjects}
	LockBatchBody             = &Body{body.LockBatchSubjects}
	BatchAckBody              = &Body{body.BatchAckSubjects}
	checkClientBody           = &Body{body.CheckClientSubjects}
	queryAssignmentBody       = &Body{body.QueryAssignmentSubjects}
	liteSubscriptionBody      = &Body{body.LiteSubscriptionSubjects}
	messageRequestModeBody    = &Body{body.MessageRequestModeSubjects}
	topicListBody             = &Body{body.TopicListSubjects}
	deleteTopicListBody       = &Body{body.DeleteTopicListSubjects}
	staticTopicBody           = &Body{body.StaticTopicSubjects}
	subscriptionGroupBody     = &Body{body.SubscriptionGroupSubjects}
	subscriptionGroupListBody = &Body{body.SubscriptionGroupListSubjects}
	deleteGroupListBody       = &Body{body.DeleteGroupListSubjects}
	groupBody                 = &Body{body.GroupSubjects}
	groupPropertiesBody       = &Body{body.GroupPropertiesSubjects}
)

// AppendSubjects appends what a body is about. The subjects borrow the body. The error is that of its reader.
func (b *Body) AppendSubjects(to []body.Subject, src []byte) ([]body.Subject, error) {
	return b.subjects(to, src)
}

// NamesInBody reports whether the body of such requests has topics or groups.
func (t *Type) NamesInBody() bool { return t.Body != nil }
