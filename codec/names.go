// SPDX-License-Identifier: Apache-2.0

package codec

import "strings"

// The longest names that clients and servers of any version take, in bytes (Validators, TopicValidator).
const (
	// MaxGroupName is the longest name of a group, and of a topic that is no group's own.
	MaxGroupName = 255
	// MaxTopicName has room for %RETRY%, a group and a topic (KeyBuilder).
	MaxTopicName = 512
)

// Starts of the names of the topics that each consumer group has to itself (MixAll).
const (
	RetryTopicPrefix = "%RETRY%"
	DLQTopicPrefix   = "%DLQ%"
)

// CutGroupTopic returns what follows the prefix of a group's own topic: the group, and in retry topics of pop consumers
// then "_topic" or "+topic" (KeyBuilder).
func CutGroupTopic(topic string) (group string, ok bool) {
	if group, ok = strings.CutPrefix(topic, RetryTopicPrefix); ok {
		return group, true
	}
	return strings.CutPrefix(topic, DLQTopicPrefix)
}
