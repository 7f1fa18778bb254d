// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// bench is a policy with one client.
type bench struct {
	testing.TB
	*Client
	set *stats.Set
	now time.Duration
}

func newPolicy(t testing.TB, options string) (*Policy, *stats.Set) {
	t.Helper()
	text := `{"rocketmq_proxy":{"stat_prefix":"s"},"clusters":[{"name":"c","name_servers":["ns:9876"]}],"addressing":{"unified":{}},"policy":` + options + `}`
	packed, err := anypb.New(wrapperspb.String(text))
	if err != nil {
		t.Fatal(err)
	}
	message, err := apiv1.Parse(packed)
	if err != nil {
		t.Fatal(err)
	}
	config, err := apiv1.Resolve(message)
	if err != nil {
		t.Fatal(err)
	}
	set := stats.New()
	return New(config.Policy, set), set
}

func newBench(t testing.TB, options string) *bench {
	t.Helper()
	policy, set := newPolicy(t, options)
	return &bench{TB: t, Client: policy.Client("10.1.2.3:5000", set.Recorder()), set: set, now: time.Hour}
}

// command is a request of a Java client 5.3.3; fields are names and values in turn.
func command(code requests.Code, body string, fields ...string) codec.Command {
	c := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: 1, Body: []byte(body)}
	for i := 0; i < len(fields); i += 2 {
		c.Fields = append(c.Fields, codec.Field{Name: fields[i], Value: fields[i+1]})
	}
	return c
}

func sendTo(topic string) codec.Command {
	return command(requests.SendMessageV2, "hello", "a", "p", "b", topic)
}

func pullBy(group string) codec.Command {
	return command(requests.PullMessage, "", "consumerGroup", group, "topic", "t")
}

func requestOf(t testing.TB, c codec.Command) *Request {
	t.Helper()
	frame := c.Append(nil)
	prefix, err := codec.ParsePrefix(frame, codec.Limits{MaxFrame: 1 << 20, MaxHeader: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	header := &codec.Header{}
	if err := header.Parse(prefix.Type, frame[codec.PrefixSize:codec.PrefixSize+prefix.HeaderSize]); err != nil {
		t.Fatal(err)
	}
	code := requests.CodeOf(header)
	return &Request{Code: code, Type: requests.Of(code), Header: header, Body: frame[codec.PrefixSize+prefix.HeaderSize:], Size: len(frame)}
}

// ask gives the answer to a request as "CODE remark"; "" if it may pass.
func (b *bench) ask(c codec.Command) string {
	b.Helper()
	_, refusal := b.Judge(requestOf(b, c), b.now)
	if refusal == nil {
		return ""
	}
	return fmt.Sprintf("%v %s", refusal.Code, refusal.Remark)
}

// value returns a counter that the policy has defined.
func (b *bench) value(name string) int64 {
	b.Helper()
	id := slices.IndexFunc(b.set.Defs(), func(def stats.Def) bool { return def.Name == name })
	if id < 0 {
		b.Fatalf("no stat %s", name)
	}
	return b.set.Value(stats.ID(id))
}

func (b *bench) wantStats(want map[stats.ID]int64) {
	b.Helper()
	for _, id := range []stats.ID{stats.PolicyDenied, stats.PolicyLimited, stats.PolicyShadowDenied, stats.PolicyShadowLimited, stats.PolicyOnewayDropped, stats.PolicyKeysFull} {
		if got := b.set.Value(id); got != want[id] {
			b.Errorf("stat %s is %d, want %d", stats.Table[id].Name, got, want[id])
		}
	}
}

func denied(rule string) string {
	return fmt.Sprintf("NO_PERMISSION denied by the rule %q of this proxy's policy: ask its operator if this client shall be allowed", rule)
}

const (
	deniedByDefault = "NO_PERMISSION this proxy passes only what a rule of its policy allows, and none allows this request: ask its operator for one"
	overLimit       = `over the rate limit "limit" of this proxy's policy: come back later, or ask its operator for a greater one`
	busy            = "SYSTEM_BUSY " + overLimit
	slowDown        = "FLOW_CONTROL " + overLimit
)

func TestAConfigWithoutRulesHasNoPolicy(t *testing.T) {
	if p, _ := newPolicy(t, `{"read_only_admin":true,"shadow":true}`); p != nil || p.Client("10.1.2.3:5000", nil) != nil {
		t.Error("there is one")
	}
}

// Brokers of 5.4 and later read overlong UTF-8: C1 A1 is an "a" to them.
func TestTextsThatReadersUnderstandDifferentlyAreDenied(t *testing.T) {
	b := newBench(t, `{"rules":[{"name":"pay","action":"DENY","match":{"topics":[{"exact":"payroll"}]}}]}`)
	for name, r := range map[string]codec.Command{
		"a value":        sendTo("p\xc1\xa1yroll"),
		"a field's name": command(requests.PullMessage, "", "topic", "other", "top\xc1\xa9c", "payroll"),
		"a surrogate":    sendTo("\xed\xa0\x80"),
	} {
		got := requestOf(t, r)
		if !bytes.Contains(got.Header.Raw(), []byte{0xc1}) && !bytes.Contains(got.Header.Raw(), []byte{0xed, 0xa0}) {
			t.Fatalf("%s is not written as it is", name)
		}
		if answer := b.ask(r); !strings.Contains(answer, "NO_PERMISSION") {
			t.Errorf("%s: got %q", name, answer)
		}
	}
	if answer := b.ask(sendTo("größe")); answer != "" {
		t.Errorf("got %q", answer)
	}
}

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	b := newBench(t, `{"rules":[
		{"name":"own","match":{"topics":[{"exact":"secret-own"}]}},
		{"name":"secrets","action":"DENY","match":{"topics":[{"prefix":"secret-"},{"safe_regex":{"regex":"vault.+"}}]}},
		{"name":"team","action":"DENY","match":{"consumer_groups":[{"prefix":"team-"}],"requests":["CONSUME"]}},
		{"name":"producers","action":"DENY","match":{"producer_groups":[{"exact":"bad"}]}},
		{"name":"tools","action":"DENY","match":{"requests":["ADMIN"]}},
		{"name":"one","action":"DENY","match":{"requests":["QUERY_CONSUMER_OFFSET","31"]}}]}`)
	lock := func(group string) codec.Command {
		return command(requests.LockBatchMQ, `{"consumerGroup":"`+group+`","clientId":"c","mqSet":[{"topic":"t","brokerName":"b","queueId":0}]}`)
	}
	for _, each := range []struct {
		request codec.Command
		want    string
	}{
		{sendTo("t"), ""},
		{sendTo("secret-own"), ""},
		{sendTo("secret-x"), denied("secrets")},
		{sendTo("vault1"), denied("secrets")},
		{sendTo("a-vault1"), ""},
		{command(requests.SendMessage, "", "producerGroup", "bad", "topic", "t"), denied("producers")},
		{command(requests.SendMessage, "", "producerGroup", "good", "topic", "secret-x"), denied("secrets")},
		{command(requests.SendMessageV2, "", "a", "bad", "b", "t"), denied("producers")},
		{pullBy("team-a"), denied("team")},
		{pullBy("other"), ""},
		{command(requests.ConsumerSendMsgBack, "", "group", "team-a", "originTopic", "t"), denied("team")},
		{command(requests.GetRouteInfoByTopic, "", "topic", "secret-x"), denied("secrets")},
		{command(requests.UnregisterClient, "", "clientID", "c", "consumerGroup", "team-a"), ""},
		{lock("team-a"), denied("team")},
		{lock("other"), ""},
		{command(requests.BatchAckMessage, `{"brokerName":"b","acks":[{"c":"team-a"}]}`), denied("team")},
		{command(requests.QueryAssignment, `{"topic":"secret-x","consumerGroup":"g"}`), denied("secrets")},
		{command(requests.QueryAssignment, `{"topic":"t","consumerGroup":"team-a"}`), denied("team")},
		{command(requests.CheckClientConfig, `{"group":"team-a","subscriptionData":{"topic":"t"}}`), denied("team")},
		{command(requests.UpdateAndCreateTopic, "", "topic", "t"), denied("tools")},
		{command(4711, ""), denied("tools")},
		{command(requests.QueryConsumerOffset, ""), denied("one")},
		{command(requests.GetMinOffset, ""), denied("one")},
		{command(requests.GetMaxOffset, ""), ""},
	} {
		if got := b.ask(each.request); got != each.want {
			t.Errorf("%v %v %s: got %q, want %q", requests.Code(each.request.Code), each.request.Fields, each.request.Body, got, each.want)
		}
	}
	b.wantStats(map[stats.ID]int64{stats.PolicyDenied: 17})
}

func TestAHeartbeatIsDeniedForOneOfItsGroupsOrTopics(t *testing.T) {
	b := newBench(t, `{"rules":[
		{"name":"pair","action":"DENY","match":{"topics":[{"exact":"secret"}],"consumer_groups":[{"exact":"g2"}]}},
		{"name":"producers","action":"DENY","match":{"producer_groups":[{"exact":"bad"}]}}]}`)
	for heartbeat, want := range map[string]string{
		`{"clientID":"c","consumerDataSet":[{"groupName":"g1","subscriptionDataSet":[{"topic":"secret"}]},{"groupName":"g2","subscriptionDataSet":[{"topic":"t"}]}]}`:               "",
		`{"clientID":"c","consumerDataSet":[{"groupName":"g1","subscriptionDataSet":[{"topic":"t"}]},{"groupName":"g2","subscriptionDataSet":[{"topic":"t"},{"topic":"secret"}]}]}`: denied("pair"),
		`{"clientID":"c","producerDataSet":[{"groupName":"good"},{"groupName":"bad"}],"consumerDataSet":[{"groupName":"g2","subscriptionDataSet":[]}]}`:                             denied("producers"),
		`{"clientID":"c","producerDataSet":[{"groupName":"good"}],"consumerDataSet":[]}`:                                                                                            "",
		`{"clientID":"c"}`: "",
		`{"clientID":`:     "NO_PERMISSION this proxy's policy cannot tell what the request is about: HeartbeatData: malformed JSON at byte 0",
	} {
		if got := b.ask(command(requests.HeartBeat, heartbeat)); got != want {
			t.Errorf("%s: got %q, want %q", heartbeat, got, want)
		}
	}
}

func TestWhatNoRuleAllowsIsDeniedIfTheConfigSaysSo(t *testing.T) {
	b := newBench(t, `{"default_action":"DENY","rules":[
		{"name":"clients","match":{"requests":["CLIENT"]}},
		{"name":"orders","match":{"topics":[{"prefix":"orders-"}]}}]}`)
	for _, each := range []struct {
		request codec.Command
		want    string
	}{
		{sendTo("orders-1"), ""},
		{sendTo("other"), deniedByDefault},
		{command(requests.GetBrokerClusterInfo, ""), deniedByDefault},
		{command(requests.HeartBeat, `{"clientID":"c","producerDataSet":[{"groupName":"p"}]}`), ""},
	} {
		if got := b.ask(each.request); got != each.want {
			t.Errorf("%v: got %q, want %q", requests.Code(each.request.Code), got, each.want)
		}
	}
}

func TestRulesKnowLanguageVersionAndSource(t *testing.T) {
	b := newBench(t, `{"rules":[
		{"name":"old","action":"DENY","match":{"languages":["JAVA"],"max_version":"4.9.3"}},
		{"name":"new","action":"DENY","match":{"languages":["JAVA","GO"],"min_version":"5.1.0","max_version":"5.1.4"}},
		{"name":"near","action":"DENY","match":{"languages":["RUST"],"sources":["10.1.0.0/16"]}},
		{"name":"far","action":"DENY","match":{"languages":["PHP"],"sources":["10.2.0.0/16","::1"]}}]}`)
	for _, each := range []struct {
		language codec.LanguageCode
		version  int32
		want     string
	}{
		{codec.LanguageJava, 399, denied("old")},
		{codec.LanguageJava, 401, ""},
		{codec.LanguageJava, 432, ""},
		{codec.LanguageJava, 433, denied("new")},
		{codec.LanguageGo, 441, denied("new")},
		{codec.LanguageGo, 442, ""},
		{codec.LanguageCPP, 433, ""},
		{codec.LanguageRust, 433, denied("near")},
		{codec.LanguagePHP, 433, ""},
	} {
		request := sendTo("t")
		request.Language, request.Version = each.language, each.version
		if got := b.ask(request); got != each.want {
			t.Errorf("%v %d: got %q, want %q", each.language, each.version, got, each.want)
		}
	}
}

func TestShadowOnlyCounts(t *testing.T) {
	const rules = `"rules":[{"name":"a","action":"DENY","match":{"topics":[{"exact":"t"}]}%s}],
		"rate_limits":[{"name":"limit","messages":{"per_second":1}%s}]`
	for name, options := range map[string]string{
		"policy":         `{"shadow":true,` + fmt.Sprintf(rules, "", "") + `}`,
		"rule and limit": `{` + fmt.Sprintf(rules, `,"shadow":true`, `,"shadow":true`) + `}`,
	} {
		b := newBench(t, options)
		for range 3 {
			if got := b.ask(sendTo("t")); got != "" {
				t.Errorf("%s: got %q", name, got)
			}
		}
		b.wantStats(map[stats.ID]int64{stats.PolicyShadowDenied: 3, stats.PolicyShadowLimited: 2})
	}
	b := newBench(t, `{"shadow":true,"default_action":"DENY"}`)
	if got := b.ask(command(requests.HeartBeat, "?")); got != "" {
		t.Errorf("got %q", got)
	}
	b.wantStats(map[stats.ID]int64{stats.PolicyShadowDenied: 1})
}

func TestBehindARuleInShadowTheNextDecides(t *testing.T) {
	b := newBench(t, `{"rules":[{"name":"a","action":"DENY","shadow":true},{"name":"b","action":"DENY","match":{"topics":[{"exact":"t"}]}}]}`)
	if got, other := b.ask(sendTo("t")), b.ask(sendTo("other")); got != denied("b") || other != "" {
		t.Errorf("got %q and %q", got, other)
	}
	b.wantStats(map[stats.ID]int64{stats.PolicyDenied: 1, stats.PolicyShadowDenied: 2})
	if first, second := b.value("policy.rule.a"), b.value("policy.rule.b"); first != 2 || second != 1 {
		t.Errorf("the rules count %d and %d, want 2 and 1", first, second)
	}
}

func TestEachRuleAndEachLimitHasACounter(t *testing.T) {
	_, set := newPolicy(t, `{"rules":[{"name":"a"},{"name":"b"}],"rate_limits":[{"name":"a","messages":{"per_second":1}}]}`)
	var names []string
	for _, def := range set.Defs()[len(stats.Table):] {
		names = append(names, def.Name)
	}
	if want := "[policy.rule.a policy.rule.b policy.rate_limit.a]"; fmt.Sprint(names) != want {
		t.Errorf("got %v, want %s", names, want)
	}
}

func TestOnewayRequestsThatAreRefusedAreCounted(t *testing.T) {
	b := newBench(t, `{"rules":[{"name":"a","action":"DENY","match":{"topics":[{"exact":"t"}]}}],"rate_limits":[{"name":"limit","messages":{"per_second":1}}]}`)
	for _, topic := range []string{"t", "other", "other"} {
		request := sendTo(topic)
		request.Flag = codec.FlagOneway
		b.ask(request)
	}
	b.wantStats(map[stats.ID]int64{stats.PolicyDenied: 1, stats.PolicyLimited: 1, stats.PolicyOnewayDropped: 2})
}

func TestMessagesAreLimitedByTheSecond(t *testing.T) {
	b := newBench(t, `{"rate_limits":[{"name":"limit","messages":{"per_second":10,"burst":3}}]}`)
	var got []string
	for range 4 {
		got = append(got, b.ask(sendTo("t")))
	}
	b.now += 99 * time.Millisecond
	got = append(got, b.ask(sendTo("t")))
	b.now += time.Millisecond
	got = append(got, b.ask(sendTo("t")), b.ask(sendTo("t")), b.ask(pullBy("g")), b.ask(command(requests.EndTransaction, "")))
	b.now += time.Hour
	for range 4 {
		got = append(got, b.ask(sendTo("t")))
	}
	want := []string{"", "", "", busy, busy, "", busy, "", "", "", "", "", busy}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got  %q,\nwant %q", got, want)
	}
	b.wantStats(map[stats.ID]int64{stats.PolicyLimited: 4})
	if got := b.value("policy.rate_limit.limit"); got != 4 {
		t.Errorf("the limit counts %d, want 4", got)
	}
}

// batchOf is the body of a batch of messages without content.
func batchOf(n int) string {
	var b []byte
	for range n {
		b = append(binary.BigEndian.AppendUint32(b, 22), make([]byte, 18)...)
	}
	return string(b)
}

func TestMessagesOfABatchAreCountedOneByOne(t *testing.T) {
	b := newBench(t, `{"rate_limits":[{"name":"limit","key":"TOPIC","messages":{"per_second":10}}]}`)
	batch := func(code requests.Code, n int, topic string, fields ...string) string {
		return b.ask(command(code, batchOf(n), append(fields, "b", topic, "topic", topic)...))
	}
	if !b.NeedsBody(requests.Of(requests.SendBatchMessage), requestOf(t, sendTo("t")).Header) || b.NeedsBody(requests.Of(requests.SendMessageV2), requestOf(t, sendTo("t")).Header) {
		t.Error("the body is needed of batches only")
	}
	got := []string{
		batch(requests.SendBatchMessage, 9, "t"), batch(requests.SendBatchMessage, 2, "t"), batch(requests.SendBatchMessage, 1, "t"),
		batch(requests.SendMessageV2, 10, "u", "m", "true"), batch(requests.SendMessageV2, 1, "u"),
		batch(requests.SendMessage, 10, "v", "batch", "true"), batch(requests.SendMessage, 1, "v"),
		batch(requests.SendBatchMessage, 100, "w"), batch(requests.SendBatchMessage, 1, "w"), // more than can ever be there at once
	}
	want := []string{"", busy, "", "", busy, "", busy, "", busy}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got  %q,\nwant %q", got, want)
	}
	b.now += 9 * time.Second
	if early := batch(requests.SendBatchMessage, 1, "w"); early != busy {
		t.Errorf("the debt is forgotten: %q", early)
	}
	b.now += time.Second
	if due := batch(requests.SendBatchMessage, 10, "w"); due != "" {
		t.Errorf("got %q after 10 s", due)
	}
}

func TestARequestTakesFromAllLimitsOrFromNone(t *testing.T) {
	b := newBench(t, `{"rate_limits":[
		{"name":"wide","messages":{"per_second":2},"bytes":{"per_second":100000}},
		{"name":"limit","match":{"topics":[{"exact":"t"}]},"messages":{"per_second":1}}]}`)
	got := []string{b.ask(sendTo("t")), b.ask(sendTo("t")), b.ask(sendTo("other")), b.ask(sendTo("other"))}
	wide := `SYSTEM_BUSY over the rate limit "wide" of this proxy's policy: come back later, or ask its operator for a greater one`
	if want := []string{"", busy, "", wide}; fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBytesSentAreThoseOfTheFrame(t *testing.T) {
	size := requestOf(t, sendTo("t")).Size
	b := newBench(t, fmt.Sprintf(`{"rate_limits":[{"name":"limit","bytes":{"per_second":%d,"burst":%d}}]}`, size, 2*size))
	got := []string{b.ask(sendTo("t")), b.ask(sendTo("t")), b.ask(sendTo("t"))}
	if want := []string{"", "", busy}; fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBytesFetchedArePaidByTheNextRequests(t *testing.T) {
	b := newBench(t, `{"rate_limits":[{"name":"limit","key":"CONSUMER_GROUP","bytes":{"per_second":1000}}]}`)
	bill, refusal := b.Judge(requestOf(t, pullBy("g")), b.now)
	if refusal != nil || len(bill) != 1 {
		t.Fatalf("got %v, %v", bill, refusal)
	}
	bill.Pay(999, b.now)
	if got := b.ask(pullBy("g")); got != "" {
		t.Errorf("got %q with a byte left", got)
	}
	bill.Pay(2001, b.now)
	if got, other := b.ask(pullBy("g")), b.ask(pullBy("other")); got != slowDown || other != "" {
		t.Errorf("got %q and %q", got, other)
	}
	b.now += 2 * time.Second
	if got := b.ask(pullBy("g")); got != slowDown {
		t.Errorf("got %q, want it slowed down for another millisecond", got)
	}
	b.now += time.Millisecond
	if got := b.ask(pullBy("g")); got != "" {
		t.Errorf("got %q after the debt is paid", got)
	}
	bill.Pay(1<<30, b.now)
	b.now += maxDebt + time.Millisecond
	if got := b.ask(pullBy("g")); got != "" {
		t.Errorf("got %q, want debts to end after %v", got, maxDebt)
	}
	b.wantStats(map[stats.ID]int64{stats.PolicyLimited: 2})
}

func TestEachKeyHasItsOwnBucket(t *testing.T) {
	for key, other := range map[string]string{
		"CONNECTION": "10.1.2.3:5001",
		"SOURCE":     "[::ffff:10.1.2.4]:5000",
	} {
		b := newBench(t, `{"rate_limits":[{"name":"limit","key":"`+key+`","messages":{"per_second":1}}]}`)
		got := []string{b.ask(sendTo("t")), b.ask(sendTo("u"))}
		b.Client = b.policy.Client(other, b.set.Recorder())
		if got = append(got, b.ask(sendTo("t"))); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", []string{"", busy, ""}) {
			t.Errorf("%s: got %q", key, got)
		}
	}
	b := newBench(t, `{"rate_limits":[{"name":"limit","key":"PRODUCER_GROUP","messages":{"per_second":1}}]}`)
	other := command(requests.SendMessageV2, "", "a", "q", "b", "t")
	nameless := command(requests.SendMessageV2, "", "b", "t")
	got := []string{b.ask(sendTo("t")), b.ask(sendTo("t")), b.ask(other), b.ask(nameless), b.ask(nameless)}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", []string{"", busy, "", "", ""}) {
		t.Errorf("PRODUCER_GROUP: got %q", got)
	}
}

// TestSourcesOfUnusualAddresses has clients whose address is none of IP, or has a zone.
func TestSourcesOfUnusualAddresses(t *testing.T) {
	b := newBench(t, `{"rules":[{"name":"near","match":{"sources":["fe80::/10","10.0.0.0/8"]}}],"default_action":"DENY",
		"rate_limits":[{"name":"limit","key":"SOURCE","messages":{"per_second":1}}]}`)
	const denied = "NO_PERMISSION this proxy passes only what a rule of its policy allows, and none allows this request: ask its operator for one"
	for remote, want := range map[string]string{
		"[fe80::1%eth0]:5000":  "",
		"[::ffff:10.0.0.9]:80": "",
		"":                     denied,
		"/run/mq.sock":         denied,
		"@abstract":            denied,
	} {
		b.Client = b.policy.Client(remote, b.set.Recorder())
		if got := b.ask(sendTo("t")); got != want {
			t.Errorf("%q: got %q, want %q", remote, got, want)
		}
	}
	// All clients without an IP address share a bucket.
	b = newBench(t, `{"rate_limits":[{"name":"limit","key":"SOURCE","messages":{"per_second":1}}]}`)
	var got []string
	for _, remote := range []string{"", "/run/mq.sock", "10.1.1.1:5000"} {
		b.Client = b.policy.Client(remote, b.set.Recorder())
		got = append(got, b.ask(sendTo("t")))
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", []string{"", busy, ""}) {
		t.Errorf("got %q", got)
	}
}

func TestStrangeKeysCannotGrowATable(t *testing.T) {
	b := newBench(t, `{"rate_limits":[{"name":"limit","key":"TOPIC","max_keys":64,"messages":{"per_second":1}}]}`)
	table := b.policy.limits[0].byKey
	count := func() (n int) {
		for i := range table.shards {
			n += len(table.shards[i].byKey)
		}
		return n
	}
	refused := 0
	for i := range 10_000 {
		if b.ask(sendTo(fmt.Sprint("t", i))) == busy {
			refused++
		}
	}
	if n := count(); n != 64 || refused != 10_000-64-1 {
		t.Errorf("%d keys, %d refused; want 64 with a message each, and one for all others", n, refused)
	}
	b.wantStats(map[stats.ID]int64{stats.PolicyLimited: 9935, stats.PolicyKeysFull: 9936})
	b.now += 2 * time.Second
	if got, again := b.ask(sendTo("new")), b.ask(sendTo("new")); got != "" || again != busy {
		t.Errorf("got %q and %q; want full buckets to make room", got, again)
	}
	long := string(make([]byte, codec.MaxGroupName+1))
	if got, again := b.ask(sendTo(long)), b.ask(sendTo(long+"x")); got != "" || again != busy {
		t.Errorf("got %q and %q; want long keys to share a bucket", got, again)
	}
	if n := count(); n > 64 {
		t.Errorf("%d keys", n)
	}
}

func TestABucketGivesEachTokenOnce(t *testing.T) {
	r := newRate(apiv1.RateConfig{PerSecond: 1, Burst: 1000})
	var b bucket
	var taken atomic.Int64
	var threads sync.WaitGroup
	for range 4 {
		threads.Go(func() {
			for range 1000 {
				if b.take(r, 1, time.Hour) {
					taken.Add(1)
				}
			}
		})
	}
	threads.Wait()
	if taken.Load() != 1000 {
		t.Errorf("%d tokens were taken of 1000", taken.Load())
	}
}

func TestAClientThatRepeatsItselfCostsNoMemory(t *testing.T) {
	b := newBench(t, `{"rules":[{"name":"a","action":"DENY","match":{"topics":[{"prefix":"secret"},{"safe_regex":{"regex":"x.*y"}}],"requests":["SEND","31"]}}],
		"rate_limits":[{"name":"limit","key":"TOPIC","messages":{"per_second":1000000}},{"name":"all","bytes":{"per_second":1000000000}}]}`)
	request := requestOf(t, sendTo("orders"))
	if n := testing.AllocsPerRun(100, func() {
		if _, refusal := b.Judge(request, b.now); refusal != nil {
			t.Error(refusal)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	c := newBench(b, `{"rules":[{"name":"a","action":"DENY","match":{"topics":[{"prefix":"secret"}],"requests":["SEND"]}}],
		"rate_limits":[{"name":"limit","key":"TOPIC","messages":{"per_second":100000000}}]}`)
	request := requestOf(b, sendTo("orders"))
	b.ReportAllocs()
	for b.Loop() {
		c.Judge(request, c.now)
	}
}

func TestClientsOnManyThreadsShareALimit(t *testing.T) {
	p, set := newPolicy(t, `{"rate_limits":[{"name":"limit","key":"TOPIC","messages":{"per_second":1}}]}`)
	var requests []*Request
	for i := range 64 {
		requests = append(requests, requestOf(t, sendTo(fmt.Sprint("t", i))))
	}
	var passed atomic.Int64
	var threads sync.WaitGroup
	for range 4 {
		client := p.Client("10.1.2.3:5000", set.Recorder())
		threads.Go(func() {
			for range 10 {
				for _, r := range requests {
					if _, refusal := client.Judge(r, time.Hour); refusal == nil {
						passed.Add(1)
					}
				}
			}
		})
	}
	threads.Wait()
	if passed.Load() != 64 || set.Value(stats.PolicyLimited) != 4*10*64-64 {
		t.Errorf("%d passed, want one for each topic", passed.Load())
	}
}

// Names that no client has are not matched: expressions would take long for them, once for each topic of a heartbeat.
func TestLongNamesAndHugeListsAreRefused(t *testing.T) {
	topics := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"topic":"t%d"}`, i))
		}
		return strings.Join(all, ",")
	}
	long := strings.Repeat("n", codec.MaxTopicName)
	for name, c := range map[string]struct {
		group, topics string
		want          string
	}{
		"as long as can be": {long, `{"topic":"` + long + `"}`, ""},
		"a long group":      {long + "n", topics(1), "NO_PERMISSION this proxy's policy cannot tell what the request is about: a topic or group of more than 512 bytes"},
		"a long topic":      {"g", `{"topic":"` + long + `n"}`, "NO_PERMISSION this proxy's policy cannot tell what the request is about: a topic or group of more than 512 bytes"},
		"as many as can be": {"g", topics(body.MaxSubjects), ""},
		"many topics":       {"g", topics(body.MaxSubjects + 1), "NO_PERMISSION this proxy's policy cannot tell what the request is about: HeartbeatData: too many topics and groups at byte "},
	} {
		b := newBench(t, `{"rules":[{"name":"secrets","action":"DENY","match":{"topics":[{"exact":"secret"}]}}]}`)
		content := `{"clientID":"c","consumerDataSet":[{"groupName":"` + c.group + `","subscriptionDataSet":[` + c.topics + `]}],"producerDataSet":[]}`
		if got := b.ask(command(requests.HeartBeat, content)); strings.TrimRight(got, "0123456789") != strings.TrimRight(c.want, "0123456789") {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if cap(b.scratch) > maxSpareSubjects {
			t.Errorf("%s: room for %d subjects is kept", name, cap(b.scratch))
		}
	}
}

// entries has a body for each code that has names in its body; %s stands for what an entry in second place names.
var entries = map[requests.Code][]string{
	requests.HeartBeat: {
		`{"consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"topic":"t"},{"topic":"%s"}]}]}`,
		`{"consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"topic":"t"}]},{"groupName":"g","subscriptionDataSet":[{"topic":"%s"}]}]}`,
		`{"consumerDataSet":[{"groupName":"g"},{"groupName":"%s"}]}`,
		`{"producerDataSet":[{"groupName":"g"},{"groupName":"%s"}]}`,
	},
	requests.LockBatchMQ:                          {`{"consumerGroup":"g","mqSet":[{"topic":"t","brokerName":"b"},{"topic":"%s","brokerName":"b"}]}`, `{"mqSet":[{"topic":"t"}],"consumerGroup":"%s"}`},
	requests.UnlockBatchMQ:                        {`{"consumerGroup":"g","mqSet":[{"topic":"t","brokerName":"b"},{"topic":"%s","brokerName":"b"}]}`, `{"mqSet":[{"topic":"t"}],"consumerGroup":"%s"}`},
	requests.BatchAckMessage:                      {`{"acks":[{"c":"g","t":"t"},{"c":"g","t":"%s"}]}`, `{"acks":[{"c":"g","t":"t"},{"c":"%s","t":"t"}]}`, `{"acks":[{"c":"g","t":"t"},{"consumerGroup":"%s"}]}`},
	requests.CheckClientConfig:                    {`{"group":"g","subscriptionData":{"topic":"%s"}}`, `{"subscriptionData":{"topic":"t"},"group":"%s"}`},
	requests.QueryAssignment:                      {`{"topic":"%s","consumerGroup":"g"}`, `{"topic":"t","consumerGroup":"%s"}`},
	requests.SetMessageRequestMode:                {`{"topic":"%s","consumerGroup":"g"}`, `{"topic":"t","consumerGroup":"%s"}`},
	requests.LiteSubscriptionCtl:                  {`{"subscriptionSet":[{"topic":"t","group":"g"},{"topic":"%s","group":"g"}]}`, `{"subscriptionSet":[{"topic":"t","group":"g"},{"topic":"t","group":"%s"}]}`},
	requests.UpdateAndCreateTopicList:             {`{"topicConfigList":[{"topicName":"t"},{"topicName":"%s"}]}`},
	requests.DeleteTopicInBrokerList:              {`{"topicList":["t","%s"]}`},
	requests.UpdateAndCreateSubscriptionGroup:     {`{"groupName":"%s"}`, `{"groupName":"g","subscriptionDataSet":[{"topic":"t"},{"topic":"%s"}]}`},
	requests.UpdateAndCreateSubscriptionGroupList: {`{"groupConfigList":[{"groupName":"g"},{"groupName":"%s"}]}`},
	requests.DeleteSubscriptionGroupList:          {`{"groupNameList":["g","%s"]}`},
	requests.UpdateAndCreateStaticTopic:           {`{"topic":"%s"}`},
	requests.UpdateColdDataFlowCtrConfig:          {"g=1\n%s=2"},
	requests.RemoveColdDataFlowCtrConfig:          {"%s"},
}

const denySecrets = `{"rules":[{"name":"topics","action":"DENY","match":{"topics":[{"exact":"secret"}]}},
	{"name":"producers","action":"DENY","match":{"producer_groups":[{"exact":"secret"}]}},
	{"name":"consumers","action":"DENY","match":{"consumer_groups":[{"exact":"secret"}]}}]}`

// TestEveryEntryIsJudged goes through the whole table: where a body has several entries, the second one decides as
// well as the first.
func TestEveryEntryIsJudged(t *testing.T) {
	b := newBench(t, denySecrets)
	for i := range requests.Table {
		kind := &requests.Table[i]
		bodies := entries[kind.Code]
		if kind.NamesInBody() != (len(bodies) > 0) {
			t.Errorf("%v: names in its body %v, tested with %q", kind.Code, kind.NamesInBody(), bodies)
		}
		for _, format := range bodies {
			topic := codec.Field{Name: "topic", Value: "t"} // which the header allows
			for name, denied := range map[string]bool{"public": false, "secret": true} {
				c := command(kind.Code, fmt.Sprintf(format, name))
				c.Fields = append(c.Fields, topic)
				if got := b.ask(c); strings.HasPrefix(got, "NO_PERMISSION denied by the rule ") != denied || !denied && got != "" {
					t.Errorf("%v with %s: got %q", kind.Code, c.Body, got)
				}
			}
			whole := fmt.Sprintf(format, "public")
			if got := b.ask(command(kind.Code, whole[:len(whole)-1])); whole[0] == '{' && !strings.HasPrefix(got, "NO_PERMISSION this proxy's policy cannot tell") {
				t.Errorf("%v with half a body: got %q", kind.Code, got)
			}
		}
	}
}

// TestEveryNameOfAHeaderIsJudged has headers that name a topic or a group in more than one field, or several in one.
func TestEveryNameOfAHeaderIsJudged(t *testing.T) {
	b := newBench(t, denySecrets)
	for _, each := range []struct {
		code   requests.Code
		fields []string
	}{
		{requests.CloneGroupOffset, []string{"srcGroup", "g", "destGroup", "secret"}},
		{requests.GetConsumeStats, []string{"consumerGroup", "g", "topic", "t", "topicList", "t;secret"}},
		{requests.QueryCorrectionOffset, []string{"compareGroup", "g", "filterGroups", "g,secret"}},
		{requests.QueryConsumeTimeSpan, []string{"consumerGroup", "g", "group", "secret"}},
		{requests.DeleteSubscriptionGroup, []string{"consumerGroup", "g", "group", "g", "groupName", "secret"}},
		{requests.GetLiteTopicInfo, []string{"topic", "t", "parentTopic", "secret"}},
		{requests.GetProducerConnectionList, []string{"consumerGroup", "g", "producerGroup", "secret"}},
		{4711, []string{"topic", "t", "group", "secret"}},
	} {
		if got := b.ask(command(each.code, "", each.fields...)); !strings.HasPrefix(got, "NO_PERMISSION denied by the rule ") {
			t.Errorf("%v with %q: got %q", each.code, each.fields, got)
		}
		each.fields[len(each.fields)-1] = "public"
		if got := b.ask(command(each.code, "", each.fields...)); got != "" {
			t.Errorf("%v with %q: got %q", each.code, each.fields, got)
		}
	}
}

// TestATopicThatProvesNothingIsNotBelieved has clients ask for the message at an offset, which may be of any topic.
func TestATopicThatProvesNothingIsNotBelieved(t *testing.T) {
	for options, want := range map[string]string{
		`{"rules":[{"name":"r","action":"DENY","match":{"topics":[{"exact":"secret"}]}}]}`:                                             denied("r"),
		`{"rules":[{"name":"r","action":"DENY","match":{"topics":[{"exact":"secret"}],"requests":["ADMIN"]}}]}`:                        denied("r"),
		`{"rules":[{"name":"r","action":"DENY","match":{"topics":[{"exact":"secret"}],"requests":["SEND"]}}]}`:                         "",
		`{"rules":[{"name":"r","action":"DENY","match":{"topics":[{"exact":"secret"}],"sources":["10.9.0.0/16"]}}]}`:                   "",
		`{"rules":[{"name":"r","match":{"topics":[{"exact":"public"}]}}],"default_action":"DENY"}`:                                     deniedByDefault,
		`{"rules":[{"name":"r","match":{"requests":["VIEW_MESSAGE_BY_ID"]}}],"default_action":"DENY"}`:                                 "",
		`{"rules":[{"name":"r","action":"DENY","shadow":true,"match":{"topics":[{"exact":"secret"}]}}]}`:                               "",
		`{"rules":[{"name":"q","match":{"requests":["ADMIN"]}},{"name":"r","action":"DENY","match":{"topics":[{"exact":"secret"}]}}]}`: "",
	} {
		for _, topic := range []string{"", "public", "secret"} {
			b := newBench(t, options)
			if got := b.ask(command(requests.ViewMessageByID, "", "offset", "0", "topic", topic)); got != want {
				t.Errorf("%s: topic %q: got %q, want %q", options, topic, got, want)
			}
		}
	}
}

// TestARequestCountsOnce has several entries match the same rule.
func TestARequestCountsOnce(t *testing.T) {
	b := newBench(t, `{"rules":[{"name":"some","action":"DENY","shadow":true,"match":{"topics":[{"prefix":"t"}]}},{"name":"all","match":{}}]}`)
	lock := command(requests.LockBatchMQ, `{"consumerGroup":"g","mqSet":[{"topic":"t1"},{"topic":"u"},{"topic":"t2"}]}`)
	for range 2 {
		if got := b.ask(lock); got != "" {
			t.Errorf("got %q", got)
		}
	}
	b.wantStats(map[stats.ID]int64{stats.PolicyShadowDenied: 2})
	if some, all := b.value("policy.rule.some"), b.value("policy.rule.all"); some != 2 || all != 2 {
		t.Errorf("the rules count %d and %d, want 2 each", some, all)
	}
}
