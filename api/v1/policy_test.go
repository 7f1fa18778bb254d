// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

const unifiedJSON = `{"rocketmq_proxy":{"stat_prefix":"s"},"clusters":[{"name":"c","name_servers":["a:1"]}],"addressing":{"unified":{}},"policy":`

func TestEveryBadFieldOfAPolicyIsNamed(t *testing.T) {
	_, err := resolveText(t, unifiedJSON+`{
		"rules":[
			{"name":"","match":{"topics":[{"prefix":""},{"exact":"t"},{}],"producer_groups":[{"safe_regex":{"regex":"["}}],"consumer_groups":[{"suffix":""}]}},
			{"name":"a","match":{"requests":["SEND","PULL_MESSAGE","310","PULL","-9999999999"],"languages":["JAVA","COBOL"],"sources":["10.0.0.0/8","::1","nowhere","10.0.0.0/33"]}},
			{"name":"a","match":{"min_version":"5.1.0","max_version":"4.9.4"}},
			{"name":"a b","match":{"min_version":"4.0.0","max_version":"V5_1_0"}}],
		"rate_limits":[
			{"name":"n"},
			{"name":"n","messages":{},"bytes":{"per_second":1,"burst":3601},"max_keys":65537},
			{"name":"g","key":"CONSUMER_GROUP","messages":{"per_second":1},"match":{"topics":[{"contains":""}]}}]}}`)
	want := `policy.rules[0].name is ""; want 1 to 64 of A-Z a-z 0-9 _ -
policy.rules[0].match.topics[0].prefix is empty; to match everything use safe_regex
policy.rules[0].match.topics[2] names no pattern; want exact, prefix, suffix, contains or safe_regex
policy.rules[0].match.producer_groups[0].safe_regex.regex is "["; want a regular expression of RE2: missing closing ]: ` + "`[`" + `
policy.rules[0].match.consumer_groups[0].suffix is empty; to match everything use safe_regex
policy.rules[1].match.requests[3] is "PULL"; want SEND, CONSUME, CLIENT, ADMIN, a name of RequestCode, as PULL_MESSAGE, or a number
policy.rules[1].match.requests[4] is "-9999999999"; want SEND, CONSUME, CLIENT, ADMIN, a name of RequestCode, as PULL_MESSAGE, or a number
policy.rules[1].match.languages[1] is "COBOL"; want a name of LanguageCode, as JAVA
policy.rules[1].match.sources[2] is "nowhere"; want an address or a range, as 10.0.0.0/8
policy.rules[1].match.sources[3] is "10.0.0.0/33"; want an address or a range, as 10.0.0.0/8
policy.rules[2].name is "a", which policy.rules[1] has already
policy.rules[2].match.max_version is "4.9.4", below min_version "5.1.0"
policy.rules[3].name is "a b"; want 1 to 64 of A-Z a-z 0-9 _ -
policy.rules[3].match.min_version is "4.0.0"; want a release from 4.1.0 on, as 5.1.0
policy.rules[3].match.max_version is "V5_1_0"; want a release from 4.1.0 on, as 5.1.0
policy.rate_limits[0] limits nothing; want messages or bytes
policy.rate_limits[1].name is "n", which policy.rate_limits[0] has already
policy.rate_limits[1].messages.per_second is 0; want 1 to 4294967295
policy.rate_limits[1].bytes.burst is 3601; want at most 3600, an hour's worth
policy.rate_limits[1].max_keys is 65537; want 1 to 65536
policy.rate_limits[2].match.topics[0].contains is empty; to match everything use safe_regex
policy.rate_limits[2].messages is set; with the key CONSUMER_GROUP nothing is sent, want bytes`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// TestNamesInAnotherCaseAreRefused holds that no name of a policy is taken for another, or for none, because of its case.
func TestNamesInAnotherCaseAreRefused(t *testing.T) {
	for _, policy := range []string{
		`{"default_action":"deny"}`,
		`{"rules":[{"name":"a","action":"Deny"}]}`,
		`{"rules":[{"name":"a","match":{"requests":["send"]}}]}`,
		`{"rules":[{"name":"a","match":{"requests":["pull_message"]}}]}`,
		`{"rules":[{"name":"a","match":{"languages":["java"]}}]}`,
		`{"rate_limits":[{"name":"a","key":"topic","messages":{"per_second":1}}]}`,
	} {
		if _, err := Read(pack(t, wrapperspb.String(unifiedJSON+policy+`}`))); err == nil {
			t.Errorf("accepted: %s", policy)
		}
	}
}

// TestEnumsOfAPolicyAreChecked has a config come as a message, which may hold any number.
func TestEnumsOfAPolicyAreChecked(t *testing.T) {
	var c checker
	c.policy(&Policy{
		DefaultAction: 9,
		Rules:         []*Rule{{Name: "a", Action: 7}},
		RateLimits:    []*RateLimit{{Name: "a", Key: 6, Bytes: &Rate{PerSecond: 1}}},
	})
	want := `policy.default_action is 9; want ALLOW or DENY
policy.rules[0].action is 7; want ALLOW or DENY
policy.rate_limits[0].key is 6; want one of LISTENER, TOPIC, PRODUCER_GROUP, CONSUMER_GROUP, CONNECTION, SOURCE`
	if c.errors.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", c.errors, want)
	}
}

func TestAPolicyOfTooManyEntriesIsRefused(t *testing.T) {
	many := func(n int) string { return strings.Repeat(`{"name":"a"},`, n) + `{"name":"a"}` }
	for options, want := range map[string]string{
		`{"rules":[` + many(1000) + `]}}`:      "policy.rules has 1001 entries; want at most 1000",
		`{"rate_limits":[` + many(100) + `]}}`: "policy.rate_limits has 101 entries; want at most 100",
	} {
		if _, err := resolveText(t, unifiedJSON+options); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestReleasesAreOrdinalsOfMQVersion(t *testing.T) {
	for release, want := range map[string]int32{"4.1.0": 233, "4.9.3": 399, "4.9.4": 401, "4.9.8": 409, "5.0.0": 413, "5.1.4": 441, "5.2.0": 453, "5.3.1": 475, "5.3.3": 479} {
		var c checker
		if got := c.release("", release); got != want || len(c.errors) > 0 {
			t.Errorf("%s is %d, want %d", release, got, want)
		}
	}
}

func TestRatesHaveDefaults(t *testing.T) {
	config, err := resolveText(t, unifiedJSON+`{"rate_limits":[{"name":"n","messages":{"per_second":5},"bytes":{"per_second":4294967295,"burst":1}}]}}`)
	if err != nil {
		t.Fatal(err)
	}
	got := config.Policy.RateLimits[0]
	if got.Messages != (RateConfig{5, 5}) || got.Bytes != (RateConfig{1<<32 - 1, 1}) || got.MaxKeys != 1024 || got.Key != RateLimit_LISTENER {
		t.Errorf("got %+v", got)
	}
}
