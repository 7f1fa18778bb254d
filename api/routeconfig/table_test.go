// SPDX-License-Identifier: Apache-2.0

package routeconfig

import (
	"fmt"
	"strings"
	"testing"
)

func TestTopicMatchers(t *testing.T) {
	for _, test := range []struct{ matcher, matches, others string }{
		{"{exact: Ab}", "Ab", "ab,Abc,xAb,"},
		{"{exact: ''}", "", "a"},
		{"{exact: Ab, ignore_case: true}", "Ab,ab,AB", "abc,b,"},
		{"{exact: Straße, ignore_case: true}", "STRAße,straße", "STRASSE,STRAẞE"}, // ASCII only
		{"{prefix: Ab}", "Ab,Abc", "ab,abc,xAb,A,"},
		{"{prefix: Ab, ignore_case: true}", "Ab,abc,ABC", "xAb,a,"},
		{"{suffix: Ab}", "Ab,xAb", "ab,Abx,b,"},
		{"{suffix: Ab, ignore_case: true}", "Ab,xaB", "Abx,b,"},
		{"{contains: Ab}", "Ab,xAby", "ab,A b,"},
		{"{contains: Ab, ignore_case: true}", "Ab,xABy,aab", "a b,a,"},
		{"{contains: Kb, ignore_case: true}", "kb", "\u212ab"},                                                    // the Kelvin sign
		{"{safe_regex: {regex: 'a.c'}}", "abc", "xabc,abcx,ABC,a\nc,abc\n"},                                       // whole, . is no newline
		{"{safe_regex: {regex: 'a|b'}}", "a,b", "ab,ax,xb"},                                                       // the alternatives are whole
		{"{safe_regex: {regex: 'a.c'}, ignore_case: true}", "abc", "ABC"},                                         // has no effect
		{"{safe_regex: {regex: '(?i)a.c'}}", "abc,ABC", "ABCD"},                                                   // has its own
		{`{safe_regex: {regex: '\Qa.c'}}`, "a.c", "abc"},                                                          // an open quotation
		{`{safe_regex: {regex: '\Qa.c\E+'}}`, "a.c,a.ccc", "abc,a.c+"},                                            //
		{"{safe_regex: {regex: '^a$'}}", "a", "a\n"},                                                              // no lines
		{"{safe_regex: {regex: 'a{2,3}?'}}", "aa,aaa", "a,aaaa"},                                                  // lazy or not, it is whole
		{"{safe_regex: {regex: '.*'}}", ",a,%RETRY%group", "a\nb"},                                                //
		{`{safe_regex: {regex: '%RETRY%\w+'}}`, "%RETRY%group", "%RETRY%a-b,group"},                               //
		{`{safe_regex: {regex: '\p{Greek}+'}}`, "αβ", "ab"},                                                       //
		{"{safe_regex: {regex: '" + strings.Repeat("(ab|cd)", 100) + "'}}", strings.Repeat("cd", 100), "abab,ab"}, // more than 100 instructions
		{"{safe_regex: {regex: '(?P<n>a)(b)?'}}", "a,ab", "b"},                                                    //
		{"{exact: 'TopicTest'}", "TopicTest", "%RETRY%TopicTest,DefaultCluster_REPLY_TOPIC"},                      //
	} {
		table := compile(t, "{routes: [{match: {topic: "+test.matcher+"}, route: {cluster: c}}]}")
		for list, want := range map[string]bool{test.matches: true, test.others: false} {
			for topic := range strings.SplitSeq(list, ",") {
				if _, ok := table.Match(Request{Topic: topic, Code: 10}); ok != want {
					t.Errorf("%s matches %q: %v", test.matcher, topic, ok)
				}
			}
		}
	}
}

// requests are one without a broker and two acknowledgements.
var requests = map[string]Request{
	"send": {Topic: "t", Code: 310},
	"ack":  {Topic: "t", Code: 51, HasBroker: true, BrokerName: "Broker-a", BrokerID: 0},
	"ack7": {Topic: "t", Code: 51, HasBroker: true, BrokerName: "7", BrokerID: 7},
}

func TestHeaderMatchers(t *testing.T) {
	for _, test := range []struct{ matcher, matches string }{
		// Without a form: present.
		{"{name: code}", "ack ack7 send"},
		{"{name: broker_name}", "ack ack7"},
		{"{name: broker_name, invert_match: true}", "send"},
		{"{name: broker_name, treat_missing_header_as_empty: true}", "ack ack7 send"},
		{"{name: broker_name, treat_missing_header_as_empty: true, invert_match: true}", ""},
		{"{name: present_match, present_match: true}", ""},
		{"{name: broker_id, present_match: true}", "ack ack7"},
		{"{name: broker_id, present_match: false}", "send"},
		{"{name: broker_id, present_match: true, invert_match: true}", "send"},
		{"{name: broker_id, present_match: false, invert_match: true}", "ack ack7"},
		{"{name: broker_id, present_match: false, treat_missing_header_as_empty: true}", ""},
		{"{name: broker_id, present_match: false, treat_missing_header_as_empty: true, invert_match: true}", "ack ack7 send"},
		// Names: case does not matter, and there are only three.
		{"{name: CODE, exact_match: '310'}", "send"},
		{"{name: Broker_Name, exact_match: Broker-a}", "ack"},
		{"{name: topic}", ""},
		{"{name: topic, exact_match: t}", ""},
		{"{name: topic, exact_match: t, invert_match: true}", ""},
		{"{name: topic, invert_match: true}", "ack ack7 send"},
		{"{name: topic, exact_match: x, invert_match: true, treat_missing_header_as_empty: true}", "ack ack7 send"},
		// exact_match
		{"{name: code, exact_match: '310'}", "send"},
		{"{name: code, exact_match: '0310'}", ""},
		{"{name: code, exact_match: '+310'}", ""},
		{"{name: code, exact_match: '310', invert_match: true}", "ack ack7"},
		{"{name: broker_name, exact_match: Broker-a, invert_match: true}", "ack7"}, // a missing one matches neither way
		{"{name: broker_name, exact_match: broker-a}", ""},
		{"{name: broker_id, exact_match: '0'}", "ack"},
		{"{name: broker_id, exact_match: '-0'}", ""},
		{"{name: broker_name, exact_match: ''}", "ack ack7"}, // any value
		{"{name: code, exact_match: ''}", "ack ack7 send"},
		{"{name: broker_name, exact_match: '', treat_missing_header_as_empty: true}", "ack ack7 send"},
		{"{name: broker_name, exact_match: 'x', treat_missing_header_as_empty: true, invert_match: true}", "ack ack7 send"},
		// safe_regex_match
		{"{name: code, safe_regex_match: {regex: '5\\d'}}", "ack ack7"},
		{"{name: code, safe_regex_match: {regex: '\\d'}}", ""},
		{"{name: code, safe_regex_match: {regex: '5\\d'}, invert_match: true}", "send"},
		{"{name: broker_name, safe_regex_match: {regex: 'Broker-.*'}}", "ack"},
		{"{name: broker_name, safe_regex_match: {regex: '^$'}, treat_missing_header_as_empty: true}", "send"},
		// range_match: half open, over whole numbers
		{"{name: code, range_match: {start: 51, end: 310}}", "ack ack7"},
		{"{name: code, range_match: {start: 52, end: 311}}", "send"},
		{"{name: code, range_match: {start: 51, end: 51}}", ""},
		{"{name: code, range_match: {}}", ""},
		{"{name: broker_id, range_match: {start: -5, end: 1}}", "ack"},
		{"{name: broker_name, range_match: {start: 7, end: 8}}", "ack7"},
		{"{name: broker_name, range_match: {start: 7, end: 8}, invert_match: true}", "ack"},
		{"{name: broker_name, range_match: {end: 8}, treat_missing_header_as_empty: true}", "ack7"},
		{"{name: broker_name, range_match: {end: 8}, treat_missing_header_as_empty: true, invert_match: true}", "ack send"},
		// prefix_match, suffix_match, contains_match
		{"{name: code, prefix_match: '3'}", "send"},
		{"{name: code, suffix_match: '1'}", "ack ack7"},
		{"{name: code, contains_match: '1'}", "ack ack7 send"},
		{"{name: code, contains_match: '1', invert_match: true}", ""},
		{"{name: broker_name, prefix_match: Bro}", "ack"},
		{"{name: broker_name, suffix_match: -a}", "ack"},
		{"{name: broker_name, contains_match: ker}", "ack"},
		{"{name: broker_name, prefix_match: bro}", ""},
		// string_match
		{"{name: broker_name, string_match: {exact: broker-A, ignore_case: true}}", "ack"},
		{"{name: broker_name, string_match: {exact: ''}, treat_missing_header_as_empty: true}", "send"},
		{"{name: broker_name, string_match: {exact: ''}}", ""}, // unlike exact_match
		{"{name: broker_name, string_match: {prefix: BRO, ignore_case: true}}", "ack"},
		{"{name: code, string_match: {suffix: '0'}}", "send"},
		{"{name: code, string_match: {contains: '5'}}", "ack ack7"},
		{"{name: code, string_match: {exact: '310'}}", "send"},
		{"{name: broker_id, string_match: {safe_regex: {regex: '[1-9]'}}}", "ack7"},
		// All of them must agree.
		{"{name: code, exact_match: '51'}, {name: broker_id, exact_match: '7'}", "ack7"},
		{"{name: code, exact_match: '310'}, {name: broker_id, exact_match: '7'}", ""},
	} {
		table := compile(t, "{routes: [{match: {topic: {exact: t}, headers: ["+test.matcher+"]}, route: {cluster: c}}]}")
		var got []string
		for _, name := range []string{"ack", "ack7", "send"} {
			if _, ok := table.Match(requests[name]); ok {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != test.matches {
			t.Errorf("%s matches %v, want %s", test.matcher, got, test.matches)
		}
	}
}

func TestNumbersAtTheirLimits(t *testing.T) {
	table := compile(t, `
routes:
- {match: {topic: {exact: t}, headers: [{name: broker_id, exact_match: "-9223372036854775808"}]}, route: {cluster: least}}
- {match: {topic: {exact: t}, headers: [{name: broker_id, prefix_match: "9223372036854775807"}]}, route: {cluster: most}}
- {match: {topic: {exact: t}, headers: [{name: code, exact_match: "-2147483648"}]}, route: {cluster: code}}
- {match: {topic: {exact: t}, headers: [{name: broker_name, range_match: {start: -9223372036854775808, end: 9223372036854775807}}]}, route: {cluster: name}}
`)
	for want, request := range map[string]Request{
		"least": {Topic: "t", HasBroker: true, BrokerID: -1 << 63},
		"most":  {Topic: "t", HasBroker: true, BrokerID: 1<<63 - 1},
		"code":  {Topic: "t", Code: -1 << 31},
		"name":  {Topic: "t", HasBroker: true, BrokerName: " +12\t"},
	} {
		if r, ok := table.Match(request); !ok || r.Cluster != want {
			t.Errorf("got %v, want %s", r, want)
		}
	}
	if r, ok := table.Match(Request{Topic: "t", HasBroker: true, BrokerName: "9223372036854775808"}); ok {
		t.Errorf("a number that is too large matches %s", r.Cluster)
	}
}

func TestTheFirstRouteThatMatchesIsTaken(t *testing.T) {
	table := compile(t, `
routes:
- {match: {topic: {exact: a}, headers: [{name: code, exact_match: "51"}]}, route: {cluster: "0"}}
- {match: {topic: {prefix: a}, headers: [{name: code, exact_match: "50"}]}, route: {cluster: "1"}}
- {match: {topic: {exact: a}}, route: {cluster: "2"}}
- {match: {topic: {exact: a}}, route: {cluster: "never"}}
- {match: {topic: {exact: b}}, route: {cluster: "4"}}
- {match: {topic: {prefix: a}}, route: {cluster: "5"}}
- {match: {topic: {exact: ab}}, route: {cluster: "never"}}
- {match: {topic: {safe_regex: {regex: ".*"}}}, route: {cluster: "7"}}
- {match: {topic: {exact: a}}, route: {cluster: "never"}}
`)
	for _, test := range []struct {
		topic string
		code  int32
		want  string
	}{
		{"a", 51, "0"}, {"a", 50, "1"}, {"a", 10, "2"}, {"b", 10, "4"}, {"b", 50, "4"}, {"ab", 10, "5"}, {"ab", 50, "1"}, {"c", 51, "7"},
	} {
		r, ok := table.Match(Request{Topic: test.topic, Code: test.code})
		if !ok || r.Cluster != test.want || fmt.Sprint(r.Index) != test.want {
			t.Errorf("%s with %d: got %+v, want %s", test.topic, test.code, r, test.want)
		}
	}
	if r, ok := table.Match(Request{Topic: "c\n"}); ok {
		t.Errorf("got %v", r)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	table := manyRoutes(t, 100, "exact")
	request := Request{Topic: "99-topic", Code: 51, HasBroker: true, BrokerName: "broker-a", BrokerID: 1}
	for name, text := range map[string]string{
		"headers": `{routes: [{match: {topic: {prefix: "99"}, headers: [
			{name: code, exact_match: "51"}, {name: code, prefix_match: "5"}, {name: broker_id, range_match: {end: 2}},
			{name: broker_id, contains_match: "1"}, {name: broker_name, suffix_match: -a}, {name: broker_name, safe_regex_match: {regex: "broker-[a-z]"}}]},
			route: {cluster: c}}]}`,
		"folded": `{routes: [{match: {topic: {prefix: 99-TOP, ignore_case: true}}, route: {cluster: c}}]}`,
	} {
		other := compile(t, text)
		if n := testing.AllocsPerRun(100, func() { other.Match(request) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if _, ok := other.Match(request); !ok {
			t.Errorf("%s: no match", name)
		}
	}
	if n := testing.AllocsPerRun(100, func() { table.Match(request) }); n != 0 {
		t.Errorf("exact: %v allocations", n)
	}
}

// manyRoutes are n routes for 0-topic, 1-topic, …
func manyRoutes(t testing.TB, n int, form string) *Table {
	t.Helper()
	var text strings.Builder
	text.WriteString("routes:\n")
	for i := range n {
		fmt.Fprintf(&text, "- {match: {topic: {%s: %d-topic}, headers: [{name: code, range_match: {end: 100}}]}, route: {cluster: c}}\n", form, i)
	}
	return compile(t, text.String())
}

func BenchmarkMatch(b *testing.B) {
	for _, form := range []string{"exact", "prefix"} {
		for _, n := range []int{1, 1000} {
			table := manyRoutes(b, n, form)
			request := Request{Topic: fmt.Sprintf("%d-topic", n-1), Code: 10}
			b.Run(fmt.Sprintf("%s/routes=%d", form, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, ok := table.Match(request); !ok {
						b.Fatal("no match")
					}
				}
			})
		}
	}
}
