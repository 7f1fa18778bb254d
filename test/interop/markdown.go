// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// writeMarkdown writes docs/COMPATIBILITY.md.
func writeMarkdown(r *results, o options) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	var out strings.Builder
	page := &page{results: r, out: &out, numbers: map[string]int{}}
	page.write(o)
	return os.WriteFile(filepath.Join(root, "docs", "COMPATIBILITY.md"), []byte(out.String()), 0o644)
}

// untestedJava is what readers must know of releases that the run leaves out.
const untestedJava = `No Java between 5.0.0 and 5.3.3 is in this table. By their sources the push consumers of 5.0.0 to 5.3.0 send what a concurrent listener could not
consume to the address that is stored in the message, as the row “retry, then dead letter queue” shows for 5.0.0; those of 5.3.1 and later do not.`

// messageTracks is what readers must know of commands whose other output is as without the proxy.
const messageTracks = "With `per_broker`, the message tracks of `queryMsgById`, `queryMsgByUniqueKey` and `queryMsgByOffset` say NOT_CONSUME_YET of consumed messages\n" +
	"([why, and what to ask instead](TROUBLESHOOTING.md#a-consumed-message-is-reported-as-not_consume_yet)).\n"

// page is the document as it grows. Notes are numbered as they come up.
type page struct {
	results *results
	out     *strings.Builder
	notes   []string
	numbers map[string]int
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(p.out, format, args...) }

func (p *page) write(o options) {
	sum := p.results.sum()
	p.printf(`# Compatibility

<!-- Written by make interop (test/interop): change its tables there. -->

What real clients can do, without the proxy and through it. Run on %s: name server and two brokers of RocketMQ %s
(%s where ACL 1.0 is on), stock Envoy %s, two queues per broker. Every cell is a program that checks what came of it:
which messages, how often, in which order, or what was answered.

**%d works, %d refused as documented, %d FAIL**, %d impossible.

Each cell has three marks: **direct · per-broker · unified**, that is without a proxy,
[with an address per broker](../envoy-config/per-broker.yaml), and [with one address for all](../envoy-config/unified.yaml).
To these configs the run adds what VIP channels need (each listener also listens two ports below, and %s says so),
for the unified one %s, and, for the row “TLS”, a certificate.

| mark | meaning |
| --- | --- |
| ✓ | works |
| R*n* | the proxy refuses it, with the answer in note *n* |
| B*n* | the broker refuses it as it should, and the client is told what note *n* says, whichever way |
| –*n* | cannot be had, for the reason in note *n*; what the client does instead is checked |
| FAIL | came out otherwise than expected |

Most scenarios begin with a send, so a client that names no broker is refused there, whatever comes after. The rows
“nothing but …” show the other requests by themselves: Java 5.0.0 names its broker in all but sends, and a lock always
names it.

`, time.Now().UTC().Format("2006-01-02"), versions.RocketMQ[0], versions.RocketMQACL1, repo.EnvoyVersion(), sum.works, sum.refused, sum.fail, sum.impossible, "`vip_channel_port`", "`allow_cluster_wide_changes`")
	p.printf("## Clients\n\n")
	p.table(o, false)
	p.printf("\n%s\n", untestedJava)
	p.printf("\n## mqadmin\n\nOptions `-n` and `-b` are the proxy's addresses: of the name server, and of the broker that is meant.\n%s\n", messageTracks)
	p.table(o, true)
	p.printf("\n## Notes\n\n")
	for i, n := range p.notes {
		p.printf("%d. %s\n", i+1, n)
	}
	p.secondTries()
	p.printf("\n## Versions\n\n")
	for _, c := range o.clients {
		switch {
		case c.admin:
			p.printf("- %s: `org.apache.rocketmq:rocketmq-tools:%s`\n", c.title, c.java)
		case c.java != "":
			p.printf("- %s: `org.apache.rocketmq:rocketmq-client:%s`", c.title, c.java)
			for _, f := range c.flags {
				p.printf(" `%s`", f)
			}
			p.printf("\n")
		case c.python != "":
			p.printf("- %s: the package `rocketmq` of PyPI\n", c.title)
		default:
			p.printf("- %s: `github.com/apache/rocketmq-client-go/v2@%s`\n", c.title, c.version)
		}
	}
	p.printf("\nRun it with `make interop`, or a part of it with `go run ./test/interop -ways unified -clients java-%s -scenarios pop`.\n", newest)
}

func (p *page) table(o options, admin bool) {
	var columns []*client
	for _, c := range o.clients {
		if c.admin == admin {
			columns = append(columns, c)
		}
	}
	p.printf("| |")
	for _, c := range columns {
		p.printf(" %s |", c.title)
	}
	p.printf("\n| --- |%s\n", strings.Repeat(" --- |", len(columns)))
	for _, s := range allScenarios {
		if s.admin != admin && s.id != onProxy {
			continue
		}
		p.printf("| %s |", s.title)
		for _, c := range columns {
			var marks []string
			for _, wy := range o.ways {
				marks = append(marks, p.mark(cell{s.id, c.id, wy}))
			}
			star := ""
			if dialsStored(s, c) && strings.Contains(strings.Join(marks, ""), "✓") {
				star = " \\*"
			}
			p.printf(" %s%s |", strings.Join(marks, " · "), star)
		}
		p.printf("\n")
	}
	p.printf("\n\\* the client connects to the broker's own address, which is stored in the message, past any proxy: works where it can be reached ([why, and the way out](TROUBLESHOOTING.md#a-client-dials-a-broker-past-the-proxy)).\n")
}

func (p *page) mark(c cell) string {
	r, ok := p.results.all[c]
	switch {
	case !ok:
		return "?"
	case r.problem != "":
		return "FAIL"
	case r.expected.kind == works:
		return "✓"
	case r.expected.kind == refused:
		return fmt.Sprintf("R%d", p.note(fmt.Sprintf("Refused with code %d: “%s”", r.outcome.Code, withoutBroker(r.outcome.Remark))))
	case r.expected.kind == denied:
		return fmt.Sprintf("B%d", p.note(fmt.Sprintf("Refused by the broker with code %d and “%s” in its remark.", r.expected.code, r.expected.remark)))
	default:
		return fmt.Sprintf("–%d", p.note(upper(r.expected.reason)+"."))
	}
}

func (p *page) note(text string) int {
	if p.numbers[text] == 0 {
		p.notes = append(p.notes, text)
		p.numbers[text] = len(p.notes)
	}
	return p.numbers[text]
}

// withoutBroker cuts off the address that some clients add to a remark.
func withoutBroker(remark string) string {
	remark, _, _ = strings.Cut(remark, " BROKER: ")
	return strings.TrimSpace(remark)
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// secondTries lists what did not come out at once, in one line what failed for one reason.
func (p *page) secondTries() {
	type failure struct {
		way         way
		client, why string
	}
	var order []failure
	scenarios := map[failure][]string{}
	for _, c := range p.results.order {
		if r := p.results.all[c]; r.first != "" && r.problem == "" {
			f := failure{c.way, c.client, shorten(r.first, 200)}
			if scenarios[f] == nil {
				order = append(order, f)
			}
			scenarios[f] = append(scenarios[f], c.scenario)
		}
	}
	if len(order) == 0 {
		return
	}
	p.printf("\nAs expected only at the second try, on a busy machine:\n\n")
	for _, f := range order {
		p.printf("- %s, %s: %s; at first: %s\n", f.way, f.client, strings.Join(scenarios[f], ", "), f.why)
	}
}
