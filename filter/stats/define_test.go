// SPDX-License-Identifier: Apache-2.0

package stats

import "testing"

func TestDefinedCountersAreCountedAndFlushedUnderTheirNames(t *testing.T) {
	s := New()
	ids := map[string]ID{}
	for _, name := range []string{"policy.rule.a", "topic.t.requests", "policy.rule.b"} {
		ids[name] = s.Define(Def{Kind: Counter, Name: name})
	}
	for name, id := range ids {
		s.Recorder().Add(id, int64(len(name)))
	}
	s.Recorder().Inc(Request)
	sink := newFakeSink()
	s.Flush(sink)
	if len(sink.values) != len(ids)+1 || sink.values[Request] != 1 {
		t.Errorf("flushed %v", sink.values)
	}
	for id, value := range sink.values {
		if name := s.Defs()[id].Name; id != Request && value != int64(len(name)) {
			t.Errorf("%s is %d", name, value)
		}
	}
	if len(s.Defs()) != len(Table)+len(ids) || len(Table) != len(New().Defs()) {
		t.Errorf("%d stats, and %d in the table", len(s.Defs()), len(Table))
	}
}

func TestNothingIsDefinedOnceThereIsARecorder(t *testing.T) {
	s := New()
	s.Recorder()
	defer func() {
		if recover() == nil {
			t.Error("a recorder lacks a cell")
		}
	}()
	s.Define(Def{Name: "late"})
}
