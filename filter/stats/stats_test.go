// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

type fakeSink struct {
	sync.Mutex
	values  map[ID]int64
	samples map[ID]map[uint64]uint64
}

func newFakeSink() *fakeSink {
	return &fakeSink{values: map[ID]int64{}, samples: map[ID]map[uint64]uint64{RequestTimeMs: {}, LongPollTimeMs: {}}}
}

func (s *fakeSink) Add(id ID, delta int64)            { s.values[id] += delta }
func (s *fakeSink) Record(id ID, value, count uint64) { s.samples[id][value] += count }

func TestNamesAreUniqueAndEveryStatHasAMeaning(t *testing.T) {
	seen := map[string]bool{}
	for id, def := range Table {
		if def.Name == "" || def.Meaning == "" || seen[def.Name] {
			t.Errorf("row %d is %+v", id, def)
		}
		seen[def.Name] = true
	}
}

func TestKnownCodesHaveStatsOfTheirOwn(t *testing.T) {
	if got := Table[RequestCodeID(requests.SendMessageV2)].Name; got != "request_code.send_message_v2" {
		t.Errorf("got %q", got)
	}
	for _, row := range requests.Table {
		if got := Table[RequestCodeID(row.Code)].Name; got != "request_code."+strings.ToLower(row.Name) {
			t.Errorf("%s counts as %s", row.Name, got)
		}
	}
	for _, code := range []requests.Code{-1, 0, 4711, 1 << 30} {
		if got := RequestCodeID(code); got != RequestUnknownCode {
			t.Errorf("%v counts as %s", code, Table[got].Name)
		}
	}
	for _, kind := range codec.FrameErrorKinds() {
		if got := Table[FrameErrorID(kind)].Name; got != "frame_error."+kind.String() {
			t.Errorf("got %q", got)
		}
	}
}

// TestEnvoysStatsAreThoseOfTheirRequests has the stats of Envoy's own filter that count requests with one code.
func TestEnvoysStatsAreThoseOfTheirRequests(t *testing.T) {
	gauges := 0
	for _, row := range requests.Table {
		id, ok := named(row.EnvoyStat)
		if ok != (row.EnvoyStat != "") {
			t.Errorf("%s counts as %q, which is no stat", row.Name, row.EnvoyStat)
		} else if ok && (Table[id].Kind != Counter || len(sums[id]) != 1 || sums[id][0] != RequestCodeID(row.Code)) {
			t.Errorf("%s: %s is the sum of %v", row.Name, row.EnvoyStat, sums[id])
		}
		if gauge := ActiveGauge(row.Code); gauge != RequestActive {
			gauges++
			if Table[gauge].Kind != Gauge || Table[gauge].Name != row.EnvoyStat+"_active" {
				t.Errorf("%s waits in %s", row.Name, Table[gauge].Name)
			}
		}
	}
	if want := int(GetTopicRouteActive - RequestActive); gauges != want {
		t.Errorf("%d codes have a gauge of those that wait, want %d", gauges, want)
	}
	if got := ActiveGauge(4711); got != RequestActive {
		t.Errorf("an unknown code waits in %s", Table[got].Name)
	}
}

func TestFlushGivesDifferencesAndLosesNothing(t *testing.T) {
	s, sink := New(), newFakeSink()
	var writers sync.WaitGroup
	for range 8 {
		r := s.Recorder()
		writers.Go(func() {
			for range 10_000 {
				r.Inc(RequestOneway)
				r.Add(RequestActive, 1)
				r.Add(RequestActive, -1)
			}
		})
	}
	for range 100 {
		s.Flush(sink)
	}
	writers.Wait()
	s.Flush(sink)
	if got := sink.values[RequestOneway]; got != 80_000 {
		t.Errorf("request_oneway is %d", got)
	}
	if got := sink.values[RequestActive]; got != 0 {
		t.Errorf("request_active is %d", got)
	}
}

func TestSumsFollowTheirParts(t *testing.T) {
	s, sink := New(), newFakeSink()
	r := s.Recorder()
	r.Add(RequestCodeID(requests.SendMessageV2), 5)
	r.Add(RequestCodeID(requests.PullMessage), 3)
	r.Inc(RequestUnknownCode)
	r.Inc(ClientResponse)
	r.Inc(RequestDecodingError)
	r.Add(ResponseDecodingSuccess, 7)
	r.Inc(ResponseDecodingError)
	s.Flush(sink)
	for id, want := range map[ID]int64{SendMessageV2: 5, SendMessageV1: 0, RequestDecodingSuccess: 10, Request: 11, Response: 8} {
		if sink.values[id] != want {
			t.Errorf("%s is %d, want %d", Table[id].Name, sink.values[id], want)
		}
	}
}

// Up to maxSamples each duration is given; of more, each has its share.
func TestManyTimesAreRepresented(t *testing.T) {
	s, sink := New(), newFakeSink()
	record := func(n int, d time.Duration) {
		for i := range n {
			s.shards[i%recorders].Time(d, false)
		}
	}
	record(maxSamples-1, 2*time.Millisecond)
	record(1, time.Second)
	s.Flush(sink)
	if got := sink.samples[RequestTimeMs]; got[2] != maxSamples-1 || got[1000-1000%32] != 1 || len(got) != 2 {
		t.Errorf("samples are %v", got)
	}
	sink = newFakeSink()
	record(8*maxSamples, 3*time.Millisecond)
	record(2*maxSamples, 7*time.Millisecond)
	s.Flush(sink)
	got := sink.samples[RequestTimeMs]
	if share := int(got[3]) - maxSamples*8/10; got[3]+got[7] != maxSamples || share < -1 || share > 1 {
		t.Errorf("samples are %v", got)
	}
}

func TestTimesKeepMillisecondsExactAndLongOnesClose(t *testing.T) {
	for _, ms := range []uint64{0, 1, 255, 256, 257, 1000, 15_000, 29_999, 600_000, 1 << 19} {
		got := valueOf(cellOf(ms))
		if ms < exact && got != ms || got > ms || got+got/16+1 < ms {
			t.Errorf("%d ms become %d", ms, got)
		}
	}
	if cellOf(1<<40) != cells-1 {
		t.Error("the last cell does not take the rest")
	}
	for cell := range cells - 1 {
		if cellOf(valueOf(cell)) != cell || valueOf(cell) >= valueOf(cell+1) {
			t.Fatalf("cell %d starts at %d, which is in cell %d", cell, valueOf(cell), cellOf(valueOf(cell)))
		}
	}
}

func TestNegativeTimesCountAsZero(t *testing.T) {
	s, sink := New(), newFakeSink()
	s.Recorder().Time(-time.Second, true)
	s.Flush(sink)
	if sink.samples[LongPollTimeMs][0] != 1 {
		t.Errorf("got %v", sink.samples)
	}
}
