// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/fault"
)

// row is how the pairs of one way got over a fault.
type row struct {
	fault, way string
	failed     []string // sends, by load
	// The longest of the way's pairs.
	pause, sent, consumed time.Duration
}

// rowsOf puts the outcomes of each way together.
func rowsOf(f fault.Fault, outcomes []fault.Outcome) (rows []row) {
	at := map[string]int{}
	for _, o := range outcomes {
		way := o.Pair.Way.Name
		i, ok := at[way]
		if !ok {
			i = len(rows)
			at[way], rows = i, append(rows, row{fault: f.Name, way: way})
		}
		r := &rows[i]
		r.failed = append(r.failed, fmt.Sprintf("%d %s", o.Failed, o.Pair.Load))
		r.pause, r.sent, r.consumed = max(r.pause, o.Pause), max(r.sent, o.SentAgain), max(r.consumed, o.ConsumedAgain)
	}
	return rows
}

const tableHead = `| fault | way | sends failed | longest pause | sent again after | consumed again after |
| --- | --- | --- | --- | --- | --- |
`

func (r row) String() string {
	return fmt.Sprintf("| %s | %s | %s | %.1f s | %.1f s | %.1f s |", r.fault, r.way, strings.Join(r.failed, ", "),
		r.pause.Seconds(), r.sent.Seconds(), r.consumed.Seconds())
}

// writeTable writes chaos.md.
func (r *run) writeTable() error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("Seed %d.\n\n%s", r.seed, tableHead)
	for _, row := range r.outcomes {
		text += row.String() + "\n"
	}
	return os.WriteFile(filepath.Join(r.out, "chaos.md"), []byte(text), 0o644)
}
