// SPDX-License-Identifier: Apache-2.0

package body

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// keepAll tells clients what the cluster says.
func keepAll(a Address) (string, bool) { return a.Addr, true }

// dropping leaves out the addresses named.
func dropping(addrs ...string) Advertise {
	return func(a Address) (string, bool) { return a.Addr, !slices.Contains(addrs, a.Addr) }
}

// replaceAll gives every address a name of its own that no test data has.
func replaceAll(a Address) (string, bool) {
	if strings.HasPrefix(a.Addr, "proxy.example/") {
		return a.Addr, true
	}
	return "proxy.example/" + a.BrokerName, true
}

const (
	brokerA = `{"brokerAddrs":{0:"a0:1",1:"a1:1",2:"a2:1"},"brokerName":"a","cluster":"c","enableActingMaster":false}`
	brokerB = `{"brokerAddrs":{0:"b0:1"},"brokerName":"b","cluster":"c"}`
	brokerC = `{"cluster":"c2","zoneName":"z","brokerName":"c","brokerAddrs":{"0":"c0:1"}}`
	queueA  = `{"brokerName":"a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":8}`
	queueB  = `{"brokerName":"b","perm":4,"readQueueNums":1,"writeQueueNums":1}`
	queueC  = `{"perm":6,"brokerName":"c"}`
)

func route(brokers, queues string, more ...string) string {
	return `{"brokerDatas":[` + brokers + `],"filterServerTable":{},` + strings.Join(more, "") + `"queueDatas":[` + queues + `]}`
}

func TestRouteRewriteChangesAddressesOnly(t *testing.T) {
	all := route(brokerA+","+brokerB+","+brokerC, queueA+","+queueB+","+queueC)
	for _, tt := range []struct {
		name, src string
		f         Advertise
		want      string
	}{
		{"every address kept", all, keepAll, all},
		{
			"every address replaced", all,
			func(a Address) (string, bool) { return strings.ToUpper(a.Addr), true },
			strings.NewReplacer("a0", "A0", "a1", "A1", "a2", "A2", "b0", "B0", "c0", "C0").Replace(all),
		},
		{"the first address left out", all, dropping("a0:1"), strings.Replace(all, `0:"a0:1",`, "", 1)},
		{"the middle address left out", all, dropping("a1:1"), strings.Replace(all, `1:"a1:1",`, "", 1)},
		{"the last address left out", all, dropping("a2:1"), strings.Replace(all, `,2:"a2:1"`, "", 1)},
		{"the first two addresses left out", all, dropping("a0:1", "a1:1"), strings.Replace(all, `0:"a0:1",1:"a1:1",`, "", 1)},
		{"the last two addresses left out", all, dropping("a1:1", "a2:1"), strings.Replace(all, `,1:"a1:1",2:"a2:1"`, "", 1)},
		{"the outer addresses left out", all, dropping("a0:1", "a2:1"), strings.Replace(all, `0:"a0:1",1:"a1:1",2:"a2:1"`, `1:"a1:1"`, 1)},
		{"the first broker left out", all, dropping("a0:1", "a1:1", "a2:1"), route(brokerB+","+brokerC, queueB+","+queueC)},
		{"the middle broker left out", all, dropping("b0:1"), route(brokerA+","+brokerC, queueA+","+queueC)},
		{"the last broker left out", all, dropping("c0:1"), route(brokerA+","+brokerB, queueA+","+queueB)},
		{"two brokers left out", all, dropping("b0:1", "c0:1"), route(brokerA, queueA)},
		{"all brokers left out", all, func(Address) (string, bool) { return "", false }, route("", "")},
		{
			"a filterServerTable", strings.Replace(all, `"filterServerTable":{}`, `"filterServerTable":{"a0:1":["f:1"]}`, 1), keepAll, all,
		},
		{
			"an order configuration", route(brokerA+","+brokerB, queueA, `"orderTopicConf":"a:4;b:4",`), dropping("b0:1"),
			route(brokerA, queueA, `"orderTopicConf":"a:4",`),
		},
		{
			"static topics", route(brokerA+","+brokerB, queueA, `"topicQueueMappingByBroker":{"a":{"bname":"a"},"b":{"bname":"b"}},`), dropping("b0:1"),
			route(brokerA, queueA, `"topicQueueMappingByBroker":{"a":{"bname":"a"}},`),
		},
		{
			"blanks and unknown members", " { \"x\" : {{\"k\":0}:1, [1]:2, 5 : 'y'} , \"brokerDatas\" : [ " + brokerB + " , {\n} ] } ", replaceAll,
			" { \"x\" : {{\"k\":0}:1, [1]:2, 5 : 'y'} , \"brokerDatas\" : [ " + strings.Replace(brokerB, "b0:1", "proxy.example/b", 1) + " , {\n} ] } ",
		},
		{
			"escaped and single-quoted text", `{"brokerDatas":[{'brokerName':"\u0061","\u0062rokerAddrs":{0:'x:1',1:"\u0078:1"}}]}`,
			func(a Address) (string, bool) { return a.BrokerName + a.Addr + "\"\n", true },
			`{"brokerDatas":[{'brokerName':"\u0061","\u0062rokerAddrs":{0:"ax:1\"\n",1:"ax:1\"\n"}}]}`,
		},
		{"a broker without addresses", route(`{"brokerAddrs":{},"brokerName":"a"},{"brokerName":"b"}`, queueA), func(Address) (string, bool) { return "", false }, route(`{"brokerAddrs":{},"brokerName":"a"},{"brokerName":"b"}`, queueA)},
		{"a name that one of two brokers keeps", route(brokerB+`,{"brokerName":"b","brokerAddrs":{0:"b9:1"}}`, queueB), dropping("b9:1"), route(brokerB, queueB)},
		{"nulls", `{"brokerDatas":null,"queueDatas":null,"filterServerTable":null}`, replaceAll, `{"brokerDatas":null,"queueDatas":null,"filterServerTable":null}`},
		{"a null address", `{"brokerDatas":[{"brokerAddrs":{0:null,1:"x:1"},"brokerName":"a"}]}`, replaceAll, `{"brokerDatas":[{"brokerAddrs":{0:null,1:"proxy.example/a"},"brokerName":"a"}]}`},
	} {
		got, _, err := RewriteTopicRouteData([]byte(tt.src), tt.f)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", tt.name, got, err, tt.want)
		}
	}
}

func TestRouteRewriteReportsWhatItSaw(t *testing.T) {
	src := []byte(route(brokerA+","+brokerC, ""))
	at := func(cluster, name string, id int64, addr string) Address {
		return Address{Cluster: cluster, BrokerName: name, BrokerID: id, Addr: addr}
	}
	want := []Address{at("c", "a", 0, "a0:1"), at("c", "a", 1, "a1:1"), at("c", "a", 2, "a2:1"), at("c2", "c", 0, "c0:1")}
	var asked []Address
	dst, seen, err := RewriteTopicRouteData(src, func(a Address) (string, bool) {
		asked = append(asked, a)
		return a.Addr, true
	})
	if err != nil || !slices.Equal(seen, want) || !slices.Equal(asked, want) {
		t.Errorf("got %v, asked %v, %v; want %v", seen, asked, err, want)
	}
	if &dst[0] != &src[0] {
		t.Error("an unchanged body is copied")
	}
}

func TestRouteRewriteRefusesWhatItCannotJudge(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for name, src := range map[string]string{
		"nothing":                      "",
		"null":                         "null",
		"an array":                     "[]",
		"bytes behind":                 "{}x",
		"an open object":               `{"brokerDatas":[]`,
		"nesting beyond the bound":     `{"x":` + deep + `}`,
		"nesting without end":          strings.Repeat(`{"a":`, 1e6),
		"object names without end":     strings.Repeat(`{`, 1e6),
		"brokerDatas as object":        `{"brokerDatas":{}}`,
		"brokerDatas twice":            `{"brokerDatas":[],"brokerDatas":[]}`,
		"a broker that is a string":    `{"brokerDatas":["a"]}`,
		"brokerAddrs as array":         `{"brokerDatas":[{"brokerAddrs":["x:1"]}]}`,
		"brokerAddrs twice":            `{"brokerDatas":[{"brokerAddrs":{},"brokerAddrs":{0:"x"}}]}`,
		"brokerName as number":         `{"brokerDatas":[{"brokerAddrs":{},"brokerName":1}]}`,
		"an address that is an object": `{"brokerDatas":[{"brokerAddrs":{0:{}}}]}`,
		"an id that is no number":      `{"brokerDatas":[{"brokerAddrs":{"x":"a:1"}}]}`,
		"filterServerTable as array":   `{"filterServerTable":[]}`,
		"a queue that is a number":     `{"brokerDatas":[{"brokerName":"a","brokerAddrs":{0:"a:1"}}],"queueDatas":[1]}`,
		"more addresses than allowed":  `{"brokerDatas":[{"brokerAddrs":{` + strings.Repeat(`0:"",`, maxEntries) + `0:""}}]}`,
		"more brokers than allowed":    `{"brokerDatas":[` + strings.Repeat(`{},`, maxEntries) + `{}]}`,
		"a bad escape":                 `{"x":"\q"}`,
	} {
		dst, seen, err := RewriteTopicRouteData([]byte(src), func(Address) (string, bool) { return "", false })
		var be *Error
		if !errors.As(err, &be) || dst != nil || seen != nil || be.Error() == "" {
			t.Errorf("%s: got %s, %v, %v", name, dst, seen, err)
		}
	}
}

func TestParseTopicRouteDataReadsBrokersAndMappings(t *testing.T) {
	r, err := ParseTopicRouteData([]byte(route(brokerA, queueA+","+queueC,
		`"topicQueueMappingByBroker":{"a":{"bname":"a9","currIdMap":{0:3,"1":4},"dirty":false,"epoch":7,"scope":"__global__","topic":"T","totalQueues":8},"b":null,"c":{}},`)))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Brokers) != 3 || len(r.Mappings) != 2 {
		t.Fatalf("got %+v", r)
	}
	m := r.Mappings[0]
	if m.BrokerName != "a9" || m.Scope != "__global__" || m.TotalQueues != 8 || m.Epoch != 7 || len(m.Queues) != 2 || m.Queues[0] != 3 || m.Queues[1] != 4 {
		t.Errorf("got %+v", m)
	}
	if r.Mappings[1].BrokerName != "c" {
		t.Errorf("got %+v", r.Mappings[1])
	}
	for _, bad := range []string{``, `{"brokerDatas":{}}`, `{"topicQueueMappingByBroker":{"a":{"epoch":"x"}}}`} {
		if _, err := ParseTopicRouteData([]byte(bad)); err == nil {
			t.Errorf("%s is a route", bad)
		}
	}
}

func TestClusterRewriteTakesBrokersOutOfBothTables(t *testing.T) {
	src := `{"brokerAddrTable":{"a":` + brokerA + `,"b":` + brokerB + `,"c":` + brokerC + `},"clusterAddrTable":{"c":["a","b"],"c2":["c"]},"x":1}`
	for _, tt := range []struct {
		name string
		f    Advertise
		want string
	}{
		{"every address kept", keepAll, src},
		{"one address replaced", func(a Address) (string, bool) { return strings.Replace(a.Addr, "b0:1", "p:9", 1), true }, strings.Replace(src, "b0:1", "p:9", 1)},
		{"one address left out", dropping("a0:1"), strings.Replace(src, `0:"a0:1",`, "", 1)},
		{
			"the first broker left out", dropping("a0:1", "a1:1", "a2:1"),
			`{"brokerAddrTable":{"b":` + brokerB + `,"c":` + brokerC + `},"clusterAddrTable":{"c":["b"],"c2":["c"]},"x":1}`,
		},
		{
			"the middle broker left out", dropping("b0:1"),
			`{"brokerAddrTable":{"a":` + brokerA + `,"c":` + brokerC + `},"clusterAddrTable":{"c":["a"],"c2":["c"]},"x":1}`,
		},
		{
			"the last broker left out", dropping("c0:1"),
			`{"brokerAddrTable":{"a":` + brokerA + `,"b":` + brokerB + `},"clusterAddrTable":{"c":["a","b"],"c2":[]},"x":1}`,
		},
		{
			"all brokers left out", func(Address) (string, bool) { return "", false },
			`{"brokerAddrTable":{},"clusterAddrTable":{"c":[],"c2":[]},"x":1}`,
		},
	} {
		got, seen, err := RewriteClusterInfo([]byte(src), tt.f)
		if err != nil || string(got) != tt.want || len(seen) != 5 {
			t.Errorf("%s:\n got %s, %v\nwant %s", tt.name, got, err, tt.want)
		}
	}
	addrs, err := ParseClusterInfo([]byte(src))
	if err != nil || len(addrs) != 5 || addrs[4] != (Address{Cluster: "c2", BrokerName: "c", Addr: "c0:1"}) {
		t.Errorf("got %v, %v", addrs, err)
	}
	acting, err := ParseClusterInfo([]byte(strings.ReplaceAll(src, `"enableActingMaster":false`, `"enableActingMaster":true`)))
	if err != nil || !acting[0].ActingMaster || addrs[0].ActingMaster {
		t.Errorf("the slave of %v may act for its master, got %v, %v", addrs[0], acting, err)
	}
	for _, bad := range []string{``, `[]`, `{"brokerAddrTable":[]}`, `{"brokerAddrTable":{"a":1}}`, `{"brokerAddrTable":{},"brokerAddrTable":{}}`} {
		if dst, _, err := RewriteClusterInfo([]byte(bad), keepAll); err == nil || dst != nil {
			t.Errorf("%s is cluster data", bad)
		}
		if _, err := ParseClusterInfo([]byte(bad)); err == nil {
			t.Errorf("%s is cluster data", bad)
		}
	}
}

func TestGoldenRoutesAreRewrittenInPlace(t *testing.T) {
	for name, rewrite := range map[string]func([]byte, Advertise) ([]byte, []Address, error){
		"GET_ROUTEINFO_BY_TOPIC.response":  RewriteTopicRouteData,
		"GET_BROKER_CLUSTER_INFO.response": RewriteClusterInfo,
	} {
		for _, g := range golden.Named(t, name) {
			if len(g.Body) == 0 {
				continue // no such topic
			}
			dst, seen, err := rewrite(g.Body, keepAll)
			if err != nil || !bytes.Equal(dst, g.Body) || len(seen) != 1 {
				t.Fatalf("%s: got %s, %v, %v", g.Name, dst, seen, err)
			}
			if a := seen[0]; a.Cluster != "capture" || a.BrokerName != "broker-a" || a.BrokerID != 0 {
				t.Errorf("%s: got %+v", g.Name, a)
			}
			dst, _, err = rewrite(g.Body, func(Address) (string, bool) { return "proxy.example:1", true })
			if want := bytes.ReplaceAll(g.Body, []byte(seen[0].Addr), []byte("proxy.example:1")); err != nil || !bytes.Equal(dst, want) {
				t.Errorf("%s: got %s, %v; want %s", g.Name, dst, err, want)
			}
			for n := range g.Body {
				if _, _, err := rewrite(g.Body[:n], keepAll); err == nil {
					t.Errorf("%s: %d of %d bytes are a body", g.Name, n, len(g.Body))
				}
			}
		}
	}
}

// checkRewrite holds for any body a rewrite accepts.
func checkRewrite(t *testing.T, src []byte, rewrite func([]byte, Advertise) ([]byte, []Address, error), plain bool) {
	before := bytes.Clone(src)
	same, seen, err := rewrite(src, keepAll)
	if err != nil {
		var be *Error
		if !errors.As(err, &be) || same != nil || seen != nil {
			t.Fatalf("got %q, %v, %v", same, seen, err)
		}
		return
	}
	if plain && !bytes.Equal(same, src) {
		t.Fatalf("identity gives %q for %q", same, src)
	}
	once, _, err := rewrite(src, replaceAll)
	if err != nil {
		t.Fatalf("%v for %q", err, src)
	}
	twice, again, err := rewrite(once, replaceAll)
	if err != nil || !bytes.Equal(once, twice) || len(again) != len(seen) {
		t.Fatalf("first %q, then %q, %v", once, twice, err)
	}
	for i, a := range again {
		if want, _ := replaceAll(seen[i]); a.Addr != want {
			t.Fatalf("%q survives in %q", a.Addr, once)
		}
	}
	for _, drop := range []func(Address) bool{
		func(Address) bool { return true },
		func(a Address) bool { return a.BrokerID == 0 },
		func(a Address) bool { return len(a.Addr)%2 == 0 },
		func(a Address) bool { return len(a.BrokerName) > 1 },
	} {
		kept := 0
		less, _, err := rewrite(src, func(a Address) (string, bool) {
			if drop(a) {
				return "", false
			}
			kept++
			return replaceAll(a)
		})
		if err != nil {
			t.Fatalf("%v for %q", err, src)
		}
		_, left, err := rewrite(less, keepAll)
		if err != nil || len(left) != kept {
			t.Fatalf("%v: %d addresses in %q, want %d", err, len(left), less, kept)
		}
	}
	if !bytes.Equal(src, before) {
		t.Fatal("the input changed")
	}
}

func FuzzRewriteTopicRouteData(f *testing.F) {
	for _, g := range golden.Named(f, "GET_ROUTEINFO_BY_TOPIC.response") {
		f.Add(g.Body)
	}
	f.Add([]byte(route(brokerA+","+brokerB+","+brokerC, queueA+","+queueB+","+queueC, `"orderTopicConf":"a:4;b:4",`, `"topicQueueMappingByBroker":{"a":{"bname":"a","currIdMap":{0:1}}},`)))
	f.Add([]byte(`{{"k":0}:'v','brokerDatas':[{"brokerAddrs":{0:null}}]}`))
	storm.Fuzz(f, func(t *testing.T, src []byte) {
		checkRewrite(t, src, RewriteTopicRouteData, !bytes.Contains(src, []byte("filterS")) && !bytes.Contains(src, []byte(`\`)))
		if r, err := ParseTopicRouteData(src); err == nil {
			if _, seen, err := RewriteTopicRouteData(src, keepAll); err == nil && !slices.Equal(seen, r.Brokers) {
				t.Fatalf("got %v, %v; want %v", seen, err, r.Brokers)
			}
		}
	})
}

func FuzzRewriteClusterInfo(f *testing.F) {
	for _, g := range golden.Named(f, "GET_BROKER_CLUSTER_INFO.response") {
		f.Add(g.Body)
	}
	f.Add([]byte(`{"brokerAddrTable":{"a":` + brokerA + `,"b":` + brokerB + `},"clusterAddrTable":{"c":["a","b"]}}`))
	storm.Fuzz(f, func(t *testing.T, src []byte) {
		checkRewrite(t, src, RewriteClusterInfo, true)
		if addrs, err := ParseClusterInfo(src); err == nil {
			if _, seen, err := RewriteClusterInfo(src, keepAll); err == nil && !slices.Equal(seen, addrs) {
				t.Fatalf("got %v, %v; want %v", seen, err, addrs)
			}
		}
	})
}

func TestRewriteWorkIsLinear(t *testing.T) {
	n := maxEntries/8 - 1
	src := []byte(route(strings.Repeat(brokerB+",", n)+brokerB, strings.Repeat(queueB+",", n)+queueB, `"orderTopicConf":"`+strings.Repeat("b:4;", n)+`b:4",`))
	dst, seen, err := RewriteTopicRouteData(src, func(Address) (string, bool) { return "", false })
	if want := route("", "", `"orderTopicConf":"",`); err != nil || string(dst) != want || len(seen) != n+1 {
		t.Errorf("got %.300s, %v", dst, err)
	}
	dst, _, err = RewriteTopicRouteData(src, replaceAll)
	if err != nil || len(dst) != len(src)+(n+1)*(len("proxy.example/b")-len("b0:1")) {
		t.Errorf("got %d bytes, %v", len(dst), err)
	}
}
