// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// TestMalformedConfigsOfEnvoysFilterAreRefusedByField has each config be wrong in one place, which the error names.
func TestMalformedConfigsOfEnvoysFilterAreRefusedByField(t *testing.T) {
	route := func(match, action string) string {
		return `{"stat_prefix":"s","route_config":{"routes":[{"match":{"topic":{"exact":"fine"}},"route":{"cluster":"c"}},{"match":` + match + `,"route":` + action + `}]}}`
	}
	topic := func(matcher string) string { return route(`{"topic":`+matcher+`}`, `{"cluster":"c"}`) }
	header := func(matcher string) string {
		return route(`{"topic":{"exact":"t"},"headers":[`+matcher+`]}`, `{"cluster":"c"}`)
	}
	const at = "rocketmq_proxy.route_config.routes[1]."
	for text, want := range map[string]string{
		`{"stat_prefix":""}`:   "rocketmq_proxy.stat_prefix is invalid",
		`{}`:                   "rocketmq_proxy.stat_prefix is missing",
		`{"limits":{}}`:        "rocketmq_proxy.stat_prefix is missing",
		`{"route_config":{}}`:  "rocketmq_proxy.stat_prefix is invalid",
		`{"developMode":true}`: "rocketmq_proxy.stat_prefix is invalid",
		`{"transient_object_life_span":"1s","clusters":[]}`: "clusters is not a field",
		`{"stat_prefix":5}`:                                            "stat_prefix is 5; want a string",
		`{"stat_prefix":"s","stat_prefx":"s"}`:                         "stat_prefx is not a field",
		`{"stat_prefix":"s","develop_mode":"on"}`:                      `develop_mode is "on"; want true or false`,
		`{"stat_prefix":"s","transient_object_life_span":"-1s"}`:       "rocketmq_proxy.transient_object_life_span is -1s",
		`{"stat_prefix":"s","transient_object_life_span":"25h"}`:       "transient_object_life_span is",
		`{"stat_prefix":"s","transient_object_life_span":30}`:          "transient_object_life_span is 30; want a duration",
		`{"stat_prefix":"s","route_config":[]}`:                        "route_config is a list; want an object",
		`{"stat_prefix":"s","route_config":{"routes":{}}}`:             "route_config.routes is an object; want a list",
		`{"stat_prefix":"s","route_config":{"routes":[{}]}}`:           "rocketmq_proxy.route_config.routes[0].match is missing",
		`{"stat_prefix":"s","route_config":{"routes":[7]}}`:            "route_config.routes[0] is 7; want an object",
		`{"stat_prefix":"s","route_config":{"virtual_hosts":[]}}`:      "route_config.virtual_hosts is not a field",
		route(`{"topic":{"exact":"t"}}`, `{}`):                         at + "route.cluster is empty",
		route(`{"topic":{"exact":"t"}}`, `{"cluster":7}`):              "route_config.routes[1].route.cluster is 7; want a string",
		route(`{"topic":{"exact":"t"}}`, `{"weighted_clusters":{}}`):   "route_config.routes[1].route.weighted_clusters is not a field",
		route(`{"topic":{"exact":"t"}}`, `{"cluster":"c","x":1}`):      "route_config.routes[1].route.x is not a field",
		route(`{}`, `{"cluster":"c"}`):                                 at + "match.topic is missing",
		topic(`{}`):                                                    at + "match.topic names no pattern",
		topic(`{"prefix":""}`):                                         at + "match.topic.prefix is empty",
		topic(`{"suffix":""}`):                                         at + "match.topic.suffix is empty",
		topic(`{"contains":""}`):                                       at + "match.topic.contains is empty",
		topic(`{"exact":1}`):                                           "match.topic.exact is 1; want a string",
		topic(`{"safe_regex":{}}`):                                     at + "match.topic.safe_regex.regex is empty",
		topic(`{"safe_regex":{"regex":"["}}`):                          at + `match.topic.safe_regex.regex is "["`,
		topic(`{"safe_regex":{"regex":"a{2000}"}}`):                    at + "match.topic.safe_regex.regex is",
		topic(`{"safe_regex":{"regex":"(?=x)"}}`):                      at + "match.topic.safe_regex.regex is",
		topic(`{"ignore_case":true}`):                                  at + "match.topic names no pattern",
		topic(`{"regex":"x"}`):                                         "match.topic.regex is not a field",
		header(`{}`):                                                   at + "match.headers[0].name is empty",
		header(`{"name":"code","exact_match":310}`):                    "match.headers[0].exact_match is 310; want a string",
		header(`{"name":"code","safe_regex_match":{"regex":")"}}`):     at + "match.headers[0].safe_regex_match.regex is",
		header(`{"name":"code","prefix_match":""}`):                    at + "match.headers[0].prefix_match is empty",
		header(`{"name":"code","suffix_match":""}`):                    at + "match.headers[0].suffix_match is empty",
		header(`{"name":"code","contains_match":""}`):                  at + "match.headers[0].contains_match is empty",
		header(`{"name":"code","string_match":{}}`):                    at + "match.headers[0].string_match names no pattern",
		header(`{"name":"code","string_match":{"prefix":""}}`):         at + "match.headers[0].string_match.prefix is empty",
		header(`{"name":"code","range_match":{"start":"x"}}`):          "range_match.start",
		header(`{"name":"code","invert_match":1}`):                     "match.headers[0].invert_match is 1; want true or false",
		header(`{"name":"a\r\nb","present_match":true}`):               at + `match.headers[0].name is "a\r\nb"`,
		`{"rocketmq_proxy":{"stat_prefix":"s"},"clusters":[{}]}`:       "addressing names no mode",
		`{"rocketmq_proxy":{"stat_prefix":"s"},"addressing":{}}`:       "clusters has 0 entries",
		`{"rocketmq_proxy":{"stat_prefix":"s"},"egress":{}}`:           "egress.address is",
		`{"rocketmq_proxy":{"stat_prefix":"s"},"envoy_admin":{"x":1}}`: "envoy_admin.x is not a field",
	} {
		m, err := Parse(pack(t, wrapperspb.String(text)))
		if err == nil {
			_, err = Resolve(m)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %q", text, err, want)
		}
	}
}

func TestTwoFieldsOfAOneofAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"addressing":{"unified":{},"transparent":{}}}`:                                                  "addressing has unified and transparent; want one of per_broker, unified, transparent",
		`{"addressing":{"perBroker":{},"unified":{},"transparent":{}}}`:                                   "addressing has per_broker and unified and transparent; want one of per_broker, unified, transparent",
		`{"addressing":{"per_broker":null,"unified":{},"uncovered":"DROP"}}`:                              "",
		`{"rocketmq_proxy":{"route_config":{"routes":[{"match":{"topic":{"exact":"t","prefix":"t"}}}]}}}`: "rocketmq_proxy.route_config.routes[0].match.topic has exact and prefix; want one of exact, prefix, suffix, safe_regex, contains, custom",
	} {
		got := ""
		if _, err := Parse(pack(t, wrapperspb.String(text))); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
