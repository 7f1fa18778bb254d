// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func TestEveryRequestCodeHasANoteOfWhereItGoes(t *testing.T) {
	for i := range requests.Table {
		row := &requests.Table[i]
		if whereNote(row) == "" {
			t.Errorf("%s: where does it go on a unified connection? classNotes or brokerNotes says so", row.Name)
		}
	}
}
