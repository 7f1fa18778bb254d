// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
)

// policy shows what a policy has to say of the topic: the rules that can match, up to the first that always does.
func (e *explanation) policy(config apiv1.PolicyConfig) {
	if len(config.Rules) == 0 && !config.DefaultDeny && len(config.RateLimits) == 0 {
		return
	}
	e.say("policy%s, by the first rule that matches:\n", inShadow(config.Shadow))
	decided := false
	for i, rule := range config.Rules {
		if !e.concerns(&rule.Match) {
			continue
		}
		conditions := conditionsOf(&rule.Match)
		e.say("  rules[%d] %s: %s%s%s\n", i, rule.Name, actionOf(rule.Deny), inShadow(rule.Shadow), conditions)
		if decided = conditions == "" && !rule.Shadow; decided {
			break
		}
	}
	if !decided {
		e.say("  default_action: %s\n", actionOf(config.DefaultDeny))
	}
	for i, limit := range config.RateLimits {
		if e.concerns(&limit.Match) {
			e.say("  rate_limits[%d] %s: %s%s%s\n", i, limit.Name, limit.Key, inShadow(limit.Shadow), conditionsOf(&limit.Match))
		}
	}
}

// concerns tells whether a match can take requests for the topic.
func (e *explanation) concerns(m *apiv1.MatchConfig) bool {
	return len(m.Topics) == 0 || m.Topics.Match(e.topic)
}

// conditionsOf are the fields of a match, beside topics, that a request must pass.
func conditionsOf(m *apiv1.MatchConfig) string {
	var fields []string
	for _, each := range []struct {
		name string
		set  bool
	}{
		{"requests", !m.Requests.IsAll()},
		{"producer_groups", len(m.ProducerGroups) > 0},
		{"consumer_groups", len(m.ConsumerGroups) > 0},
		{"languages", len(m.Languages) > 0},
		{"min_version", m.MinVersion != 0},
		{"max_version", m.MaxVersion != 0},
		{"sources", len(m.Sources) > 0},
	} {
		if each.set {
			fields = append(fields, each.name)
		}
	}
	if len(fields) == 0 {
		return ""
	}
	return ", if its " + strings.Join(fields, ", ") + " match"
}

func actionOf(deny bool) string {
	if deny {
		return "DENY"
	}
	return "ALLOW"
}

func inShadow(shadow bool) string {
	if shadow {
		return " (shadow: only counts)"
	}
	return ""
}
