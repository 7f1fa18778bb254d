// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// Only what is expected, exactly, is no problem.
func TestJudge(t *testing.T) {
	done := outcome{Outcome: "works"}
	refusal := outcome{Outcome: "failed", Code: 15, Remark: "names no broker: use another", Detail: "code 15"}
	other := outcome{Outcome: "failed", Code: -1, Detail: "connection reset"}
	nothing := outcome{Outcome: lacking}
	for _, c := range []struct {
		name string
		want expectation
		good outcome
		bad  []outcome
	}{
		{"works", expectation{kind: works}, done, []outcome{refusal, other, nothing}},
		{"refused", expectation{kind: refused, code: 15, remark: "names no broker"}, refusal, []outcome{done, other, nothing}},
		{"refused with another code", expectation{kind: refused, code: 3, remark: "names no broker"}, outcome{Outcome: "failed", Code: 3, Remark: "names no broker"}, []outcome{refusal}},
		{"denied", expectation{kind: denied, code: 15, remark: "names no broker"}, refusal, []outcome{done, other, nothing}},
		{"fails", failing("reset", "why"), other, []outcome{done, refusal, nothing}},
		{"lacks", isLacking("why"), nothing, []outcome{done, refusal, other}},
	} {
		if problem := judge(c.good, c.want); problem != "" {
			t.Errorf("%s: %s", c.name, problem)
		}
		for _, o := range c.bad {
			if judge(o, c.want) == "" {
				t.Errorf("%s: %+v passes", c.name, o)
			}
		}
	}
}

// The sample names what is there.
func TestSample(t *testing.T) {
	for _, id := range sampleClients {
		found := false
		for _, c := range allClients {
			found = found || c.id == id && len(c.scenarios(plain, sampleScenarios)) == len(sampleScenarios)
		}
		if !found {
			t.Errorf("client %s is not there or has not all scenarios", id)
		}
	}
}
