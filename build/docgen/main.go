// SPDX-License-Identifier: Apache-2.0

// Command docgen writes the pages that follow from tables in the code: docs/STATS.md, docs/LIMITS.md and
// docs/REQUEST_CODES.md. `make generate` runs it from the repository's root.
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
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

// unifiedNotes say what a class means on a unified connection.
var unifiedNotes = map[router.Class]string{
	router.Named:          "to the broker it names; if it names none, to the only broker of its topic; else refused (15)",
	router.AddressOnly:    "refused (15)",
	router.AllBrokers:     "to every broker the client has learned of, one answer",
	router.EveryBroker:    "to the master of every broker of the cluster; an error of one is the answer",
	router.AnyBroker:      "to one broker of the topic: the same for a whole group; for copies of a query, each in turn",
	router.NameServer:     "to a name server",
	router.AllNameServers: "to every name server, one answer",
	router.FromBroker:     "from brokers to clients; a client that sends it is refused (3)",
	router.Internal:       "refused (3)",
}

// answerNotes say how answers are changed, but for their addresses.
var answerNotes = map[router.Rewriting]string{
	router.ConsumerIDs: "a client that is listed twice is listed once (unified)",
}

func addressNote(a router.Addresses) string {
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
	b.WriteString("# Request codes\n\n<!-- Written by build/docgen from filter/router/table.go: change it there. -->\n\n" +
		"The codes of RocketMQ 4.2.0 to 5.5.1. With `per_broker` addressing every request passes to the broker or name server of\n" +
		"its port, except those of class *internal*, which are refused (3) everywhere. The table says what happens with `unified`\n" +
		"addressing. Codes that are not listed go to the broker that `bname` names, else they are refused (3).\n\n" +
		"The effect decides what `policy.read_only_admin` refuses (16): what *changes* something, and codes that are not listed.\n\n" +
		"Addresses in answers are *rewritten* where clients dial them: to the proxy's, or left out. Others are *data* that no client\n" +
		"dials, or *stored* in messages and made part of their ids, which some clients do dial: [TROUBLESHOOTING](TROUBLESHOOTING.md#a-client-dials-a-broker-past-the-proxy)\n" +
		"names them. The remark of an error may name a broker's IP. A test sends every request that reads, and all of clients, to real\n" +
		"servers and searches the answers for their addresses.\n\n" +
		"A deadline is the time after which the proxy answers SYSTEM_ERROR on a unified connection, in addition to what the\n" +
		"request lets the broker wait; where there is none, `timeouts.request` holds.\n\n" +
		"| code | name | class | effect | unified | deadline | answer | addresses in the answer |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	rows := slices.Clone(router.Table)
	slices.SortFunc(rows, func(a, c router.Kind) int { return int(a.Code - c.Code) })
	for _, kind := range rows {
		deadline := ""
		if kind.Timeout > 0 && kind.Locate != nil || kind.Class == router.AllBrokers || kind.Class == router.NameServer && kind.Timeout > 0 {
			deadline = kind.Timeout.String()
			if kind.Wait != nil {
				deadline += " + its wait"
			}
		}
		fmt.Fprintf(&b, "| %d | %v | %v | %v | %s | %s | %s | %s |\n", int32(kind.Code), kind.Code, kind.Class, kind.Effect, unifiedNotes[kind.Class], deadline, answerNotes[kind.Rewrite], addressNote(kind.Addresses))
	}
	return b.String()
}
