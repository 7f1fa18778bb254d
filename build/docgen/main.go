// SPDX-License-Identifier: Apache-2.0

// Command docgen writes the pages that follow from tables in the code: docs/STATS.md, docs/LIMITS.md and
// docs/REQUEST_CODES.md; and the releases of build/versions into pages and recipes that name them. `make generate` runs it from the repository's root.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func main() {
	for name, page := range map[string]string{
		"docs/STATS.md":         statsPage(),
		"docs/LIMITS.md":        limitsPage(),
		"docs/REQUEST_CODES.md": requestCodesPage(),
	} {
		if err := os.WriteFile(name, []byte(page), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "docgen:", err)
			os.Exit(1)
		}
	}
	if err := writeVersions(); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func statsPage() string {
	var b strings.Builder
	b.WriteString("# Stats\n\n<!-- Written by build/docgen from filter/stats/table.go: change it there. -->\n\n" +
		"Names follow `rocketmq.<stat_prefix>.`; Envoy's `/stats` has them about a second after the fact (in Envoy 1.38: once a connection of the same listener does something).\n" +
		"Something is wrong when a stat marked *trouble* moves or, if it is a gauge, is not 0; `rocketmq-proxyctl top` lists those.\n\n" +
		"| stat | kind | signal | what it counts |\n| --- | --- | --- | --- |\n")
	for _, def := range stats.Table {
		name := strings.TrimSuffix(def.Name, version.String())
		if name != def.Name {
			name += "<version>"
		}
		signal := ""
		if def.Signal == stats.Trouble {
			signal = "trouble"
		}
		fmt.Fprintf(&b, "| `%s` | %v | %s | %s |\n", name, def.Kind, signal, def.Meaning)
	}
	b.WriteString("\nWith a policy or a breakdown there are also `policy.rule.<name>`, `policy.rate_limit.<name>`, `topic.<topic>.…` and `group.<group>.…`: see [guides/metrics.md](guides/metrics.md).\n")
	return b.String()
}

// classNotes say where requests of a class go on a unified connection, but for those of one broker.
var classNotes = map[requests.Class]string{
	requests.Registration:     "to every broker the client has learned of, one answer",
	requests.BrokerChange:     "to the master of every broker if `allow_cluster_wide_changes` is set and all have one cluster name, or if there is one; an error of one is the answer; else refused (15)",
	requests.NameServer:       "to a name server",
	requests.NameServerChange: "to every name server, one answer",
	requests.FromBroker:       "from brokers to clients; a client that sends it is refused (3)",
	requests.Internal:         "refused (3)",
}

// brokerNotes say which broker requests of one broker go to on a unified connection.
var brokerNotes = map[requests.BrokerRule]string{
	requests.ByName:         "to the broker that it names, else to the only broker of its topic, else refused (15)",
	requests.ByReceipt:      "to the broker that it or its receipt names, else to the only broker of its topic, else refused (15)",
	requests.ByHalfMessage:  "to the broker that it names or that has its half message, else to the only broker of its topic, else refused (15)",
	requests.ByRecallHandle: "to the broker that it or its handle names, else to the only broker of its topic, else refused (15)",
	requests.ByQueues:       "to the broker of its queues, else refused (15)",
	requests.ByBody:         "to the broker that its body names, else refused (15)",
	requests.ByTopic:        "to one broker of its topic, the same for the whole group",
	requests.ByGroup:        "to one broker of a topic of its group, the same for the whole group",
	requests.InTurn:         "to one broker of its topic, copies to each in turn",
	requests.AnyUnlessNamed: "to the broker that it names, else to any",
	requests.ByAddress:      "refused (15) unless it names its broker",
	requests.ByMessageID:    "refused (15)",
}

func whereNote(t *requests.Type) string {
	if t.Broker != requests.NoBroker {
		return brokerNotes[t.Broker]
	}
	return classNotes[t.Class]
}

// answerNotes say how answers are changed, but for their addresses.
var answerNotes = map[requests.Answer]string{
	requests.ConsumerIDs: "a client that is listed twice is listed once (unified)",
}

func addressNote(a requests.Addresses) string {
	var parts []string
	for _, part := range []struct{ kind, names string }{{"rewritten", a.Rewritten}, {"data", a.Data}, {"stored", a.Stored}} {
		if part.names != "" {
			parts = append(parts, "*"+part.kind+"*: "+part.names)
		}
	}
	return strings.Join(parts, "; ")
}

func requestCodesPage() string {
	var b strings.Builder
	b.WriteString("# Request codes\n\n<!-- Written by build/docgen from codec/requests/table.go: change it there. -->\n\n" +
		"The codes of RocketMQ 4.2.0 to 5.5.1. With `per_broker` addressing every request passes to the broker or name server of\n" +
		"its port, except those of class *internal*, which are refused (3) everywhere. The table says what happens with `unified`\n" +
		"addressing. Codes that are not listed go to the broker that `bname` names, else they are refused (3).\n\n" +
		"The effect decides what `policy.read_only_admin` refuses (16): what *changes* something, and codes that are not listed.\n\n" +
		"Addresses in answers are *rewritten* where clients dial them: to the proxy's, or left out. Others are *data* that no client\n" +
		"dials, or *stored* in messages and made part of their ids, which some clients do dial: [TROUBLESHOOTING](TROUBLESHOOTING.md#a-client-dials-a-broker-past-the-proxy)\n" +
		"names them. The remark of an error may name a broker's IP. A test sends every request that reads, and all of clients, to real\n" +
		"servers and searches the answers for their addresses.\n\n" +
		"The purpose is what `match.requests` of a policy may have in the place of codes; codes that are not listed are ADMIN.\n\n" +
		"A deadline is the time after which the proxy answers SYSTEM_ERROR on a unified connection, in addition to what the\n" +
		"field named there lets the broker wait, or the option that has it; where there is none, `timeouts.request` holds.\n\n" +
		"| code | name | class | effect | purpose | unified | deadline | answer | addresses in the answer |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for i := range requests.Table {
		t := &requests.Table[i]
		deadline := ""
		switch {
		case t.Timeout.Fixed > 0:
			deadline = t.Timeout.Fixed.String()
		case t.Timeout.Option != requests.TimeoutsRequest:
			deadline = fmt.Sprintf("`%v`", t.Timeout.Option)
		}
		if t.LongPoll.Wait != "" {
			deadline += " + `" + t.LongPoll.Wait + "`"
		}
		fmt.Fprintf(&b, "| %d | %s | %v | %v | %v | %s | %s | %s | %s |\n",
			t.Code, t.Name, t.Class, t.Effect, t.Purpose, whereNote(t), deadline, answerNotes[t.Answer], addressNote(t.Addresses))
	}
	return b.String()
}
