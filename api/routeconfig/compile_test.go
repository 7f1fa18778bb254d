// SPDX-License-Identifier: Apache-2.0

package routeconfig

import (
	"fmt"
	"strings"
	"testing"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"sigs.k8s.io/yaml"
)

// parse reads a RouteConfiguration as a user writes it.
func parse(t testing.TB, text string) *rocketmqproxy.RouteConfiguration {
	t.Helper()
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var m rocketmqproxy.RouteConfiguration
	if err := protojson.Unmarshal(json, &m); err != nil {
		t.Fatal(err)
	}
	return &m
}

func compile(t testing.TB, text string) *Table {
	t.Helper()
	table, errors := Compile(parse(t, text))
	if errors != nil {
		t.Fatalf("refused:\n%v", errors)
	}
	return table
}

func TestBadFieldsAreNamed(t *testing.T) {
	const good = "{match: {topic: {exact: t}}, route: {cluster: c}}"
	topic := func(matcher string) string {
		return fmt.Sprintf("{routes: [%s, {match: {topic: %s}, route: {cluster: c}}]}", good, matcher)
	}
	header := func(matcher string) string {
		return fmt.Sprintf("{routes: [{match: {topic: {exact: t}, headers: [{name: code}, %s]}, route: {cluster: c}}]}", matcher)
	}
	for text, want := range map[string]string{
		"{routes: [{}]}": "routes[0].match is missing\nroutes[0].route is missing",
		"{routes: [" + good + ", {match: {}, route: {}}]}": "routes[1].match.topic is missing\nroutes[1].route.cluster is empty",
		topic("{}"):                                                                     "routes[1].match.topic names no pattern; want exact, prefix, suffix, contains or safe_regex",
		topic("{ignore_case: true}"):                                                    "routes[1].match.topic names no pattern; want exact, prefix, suffix, contains or safe_regex",
		topic("{prefix: ''}"):                                                           "routes[1].match.topic.prefix is empty; to match everything use safe_regex",
		topic("{suffix: ''}"):                                                           "routes[1].match.topic.suffix is empty; to match everything use safe_regex",
		topic("{contains: ''}"):                                                         "routes[1].match.topic.contains is empty; to match everything use safe_regex",
		topic("{safe_regex: {}}"):                                                       "routes[1].match.topic.safe_regex.regex is empty",
		topic("{safe_regex: {regex: ''}}"):                                              "routes[1].match.topic.safe_regex.regex is empty",
		topic("{safe_regex: {regex: '('}}"):                                             `routes[1].match.topic.safe_regex.regex is "("; want a regular expression of RE2: missing closing ): ` + "`(`",
		topic("{safe_regex: {regex: 'a)b'}}"):                                           `routes[1].match.topic.safe_regex.regex is "a)b"; want a regular expression of RE2: unexpected ): ` + "`a)b`",
		topic("{safe_regex: {regex: 'a)|(b'}}"):                                         `routes[1].match.topic.safe_regex.regex is "a)|(b"; want a regular expression of RE2: unexpected ): ` + "`a)|(b`",
		topic("{safe_regex: {regex: '(?=a)'}}"):                                         `routes[1].match.topic.safe_regex.regex is "(?=a)"; want a regular expression of RE2: invalid or unsupported Perl syntax: ` + "`(?=`",
		topic("{safe_regex: {regex: 'a{1001}'}}"):                                       `routes[1].match.topic.safe_regex.regex is "a{1001}"; want a regular expression of RE2: invalid repeat count: ` + "`{1001}`",
		topic("{safe_regex: {regex: " + strings.Repeat("a", 4097) + "}}"):               "routes[1].match.topic.safe_regex.regex has 4097 bytes; want at most 4096",
		topic("{custom: {name: lua}}"):                                                  `routes[1].match.topic.custom is "lua"; extensions of Envoy cannot be used here, want exact, prefix, suffix, contains or safe_regex`,
		header("{exact_match: '10'}"):                                                   "routes[0].match.headers[1].name is empty; want code, broker_name or broker_id",
		header(`{name: "a\nb"}`):                                                        `routes[0].match.headers[1].name is "a\nb"; want code, broker_name or broker_id`,
		header("{name: x, prefix_match: ''}"):                                           "routes[0].match.headers[1].prefix_match is empty; to match everything use safe_regex",
		header("{name: x, suffix_match: ''}"):                                           "routes[0].match.headers[1].suffix_match is empty; to match everything use safe_regex",
		header("{name: x, contains_match: ''}"):                                         "routes[0].match.headers[1].contains_match is empty; to match everything use safe_regex",
		header("{name: x, safe_regex_match: {}}"):                                       "routes[0].match.headers[1].safe_regex_match.regex is empty",
		header("{name: x, string_match: {}}"):                                           "routes[0].match.headers[1].string_match names no pattern; want exact, prefix, suffix, contains or safe_regex",
		header("{name: x, safe_regex_match: {regex: '[a'}}"):                            `routes[0].match.headers[1].safe_regex_match.regex is "[a"; want a regular expression of RE2: missing closing ]: ` + "`[a`",
		header("{name: x, string_match: {safe_regex: {regex: '*'}}}"):                   `routes[0].match.headers[1].string_match.safe_regex.regex is "*"; want a regular expression of RE2: missing argument to repetition operator: ` + "`*`",
		header("{name: x, string_match: {custom: {}}}"):                                 `routes[0].match.headers[1].string_match.custom is ""; extensions of Envoy cannot be used here, want exact, prefix, suffix, contains or safe_regex`,
		header("{name: x, string_match: {prefix: ''}}, {string_match: {contains: ''}}"): "routes[0].match.headers[1].string_match.prefix is empty; to match everything use safe_regex\nroutes[0].match.headers[2].name is empty; want code, broker_name or broker_id\nroutes[0].match.headers[2].string_match.contains is empty; to match everything use safe_regex",
		"{routes: [{match: {topic: {exact: t}}, route: {metadata_match: {}}}]}":         "routes[0].route.cluster is empty",
		"{routes: [" + strings.Repeat(good+",", 10_001) + "]}":                          "routes has 10001 entries; want at most 10000",
		header(strings.TrimSuffix(strings.Repeat("{name: code},", 64), ",")):            "routes[0].match.headers has 65 entries; want at most 64",
		"{routes: [{match: {topic: {exact: t}}, route: {cluster: c, metadata_match: {filter_metadata: {envoy.lb: {" + manyKeys(65) + "}}}}}]}": `routes[0].route.metadata_match.filter_metadata["envoy.lb"] has 65 keys; want at most 64`,
	} {
		table, errors := Compile(parse(t, text))
		if table != nil || errors.Error() != want {
			t.Errorf("%.100s:\ngot  %v\nwant %s", text, errors, want)
		}
	}
}

func manyKeys(n int) string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("k%d: 1", i))
	}
	return strings.Join(keys, ", ")
}

func TestMessagesThatNoTextGivesAreRefusedToo(t *testing.T) {
	withTopic := func(m *matcherv3.StringMatcher) *rocketmqproxy.RouteConfiguration {
		return &rocketmqproxy.RouteConfiguration{Routes: []*rocketmqproxy.Route{{
			Match: &rocketmqproxy.RouteMatch{Topic: m},
			Route: &rocketmqproxy.RouteAction{Cluster: "c"},
		}}}
	}
	for name, m := range map[string]*rocketmqproxy.RouteConfiguration{
		"a nil route":          {Routes: []*rocketmqproxy.Route{nil}},
		"a typed nil":          withTopic(&matcherv3.StringMatcher{MatchPattern: (*matcherv3.StringMatcher_Exact)(nil)}),
		"a regex without body": withTopic(&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{}}),
		"an extension": withTopic(&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Custom{
			Custom: &xdscorev3.TypedExtensionConfig{Name: "x"},
		}}),
	} {
		if table, errors := Compile(m); table != nil || len(errors) == 0 {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestNoConfigurationHasNoRoutes(t *testing.T) {
	for _, m := range []*rocketmqproxy.RouteConfiguration{nil, {}, {Name: "name"}} {
		table, errors := Compile(m)
		if errors != nil {
			t.Fatal(errors)
		}
		if r, ok := table.Match(Request{Topic: "t", Code: 10}); ok || table.Len() != 0 {
			t.Errorf("got %v", r)
		}
	}
}

func TestMetadataMatchBecomesCriteria(t *testing.T) {
	table := compile(t, `
routes:
- match: {topic: {exact: t}}
  route:
    cluster: c
    metadata_match:
      filter_metadata:
        envoy.lb: {id: 0, broker_name: broker-a, text: "0", list: [a, 1], nothing: null}
        other: {ignored: true}
- match: {topic: {exact: u}}
  route: {cluster: d, metadata_match: {filter_metadata: {other: {ignored: true}}}}
`)
	if got := fmt.Sprint(table.Routes()[0].MetadataMatch); got != `[{broker_name "broker-a"} {id 0} {list ["a",1]} {nothing null} {text "0"}]` {
		t.Errorf("got %s", got)
	}
	if got := table.Routes()[1]; got.MetadataMatch != nil || got.Index != 1 || got.Cluster != "d" {
		t.Errorf("got %+v", got)
	}
}
