// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// shareOf makes a share of a total that one source may have all of.
func shareOf(of *Total, limit, own, chunk int64) Share {
	return Share{total: of, source: &atomic.Int64{}, limit: limit, percent: 100, own: own, chunk: chunk, recorder: stats.New().Recorder()}
}

func TestSharesTakeChunksUntilHalfOfATotalIsTaken(t *testing.T) {
	var of Total
	mine, others := shareOf(&of, 100, 60, 16), shareOf(&of, 100, 60, 16)
	for _, step := range []struct {
		what         string
		share        *Share
		grow, shrink int
		ok           bool
		taken, used  int64
		needed       int64
	}{
		{"the first takes a chunk", &mine, 1, 0, true, 16, 16, 1},
		{"the next have room in it", &mine, 15, 0, true, 16, 16, 16},
		{"more than a chunk is taken as it is", &mine, 20, 0, true, 36, 36, 36},
		{"another may not have a chunk any more", &others, 10, 0, true, 10, 46, 10},
		{"a few more are exact", &others, 30, 0, true, 40, 76, 40},
		{"more than its own limit is refused", &others, 21, 0, false, 40, 76, 40},
		{"more than the total is refused", &mine, 25, 0, false, 36, 76, 36},
		{"beyond the half all is given back", &mine, 0, 10, true, 26, 66, 26},
		{"and again", &mine, 0, 20, true, 6, 46, 6},
		{"below it a chunk is kept to spare", &others, 0, 39, true, 17, 23, 1},
	} {
		ok := true
		if step.grow > 0 {
			ok = step.share.Reserve(step.grow)
		}
		step.share.Release(step.shrink)
		if ok != step.ok || step.share.taken != step.taken || step.share.needed != step.needed || of.used.Load() != step.used {
			t.Errorf("%s: %v, %d taken of %d used, %d needed; want %v, %d, %d, %d", step.what, ok,
				step.share.taken, of.used.Load(), step.share.needed, step.ok, step.taken, step.used, step.needed)
		}
	}
	others.GiveBackSpare()
	if others.taken != 1 || of.used.Load() != 7 {
		t.Errorf("after trim %d are taken of %d", others.taken, of.used.Load())
	}
	mine.Close(4)
	if mine.taken != 4 || of.used.Load() != 5 {
		t.Errorf("after an end that keeps 4, %d are taken of %d", mine.taken, of.used.Load())
	}
	mine.Close(0)
	mine.Release(1)
	if mine.Reserve(1) || of.used.Load() != 1 {
		t.Errorf("after its end something is taken: %d", of.used.Load())
	}
}

func TestSharesOfManyThreadsKeepToTheTotal(t *testing.T) {
	const limit = 1000
	var of Total
	var threads sync.WaitGroup
	for thread := range 8 {
		threads.Go(func() {
			s := shareOf(&of, limit, 400, 16)
			random := rand.New(rand.NewPCG(uint64(thread), 1))
			for range 20_000 {
				if random.IntN(2) == 0 {
					s.Reserve(random.IntN(50))
				} else {
					s.Release(random.IntN(int(s.needed) + 1))
				}
				if used := of.used.Load(); used < s.taken || used > limit || s.needed > s.taken || s.taken > 416 {
					t.Errorf("%d used, %d taken, %d needed", used, s.taken, s.needed)
					return
				}
			}
			s.Close(0)
		})
	}
	threads.Wait()
	if used := of.used.Load(); used != 0 {
		t.Errorf("%d are still taken", used)
	}
}

func TestASourceHasItsPartOfWhatOthersLeave(t *testing.T) {
	var of Total
	recorder := stats.New().Recorder()
	all := make([]Share, 4)
	for i, want := range []int64{500, 250, 125, 63} { // rounded up
		all[i] = Share{total: &of, source: &atomic.Int64{}, limit: 1000, percent: 50, own: 1000, chunk: 16, recorder: recorder}
		for all[i].Reserve(1) {
		}
		if got := all[i].taken; got != want || all[i].needed != want || all[i].source.Load() != want {
			t.Errorf("source %d has %d, and needs %d; want %d", i, got, all[i].needed, want)
		}
	}
	all[0].Release(400)
	all[0].GiveBackSpare()
	if all[1].Reserve(107) || !all[1].Reserve(106) { // half of what the three others leave: 1000 - 100 - 125 - 63
		t.Errorf("of what another gives back a source does not have its part: %d", all[1].taken)
	}
	for i := range all {
		all[i].Close(0)
	}
	if used := of.used.Load(); used != 0 {
		t.Errorf("%d are still taken", used)
	}
}

func TestASourceAloneGivesBackWhatItsSessionsDoNotNeed(t *testing.T) {
	var of Total
	var source atomic.Int64
	one := func() Share {
		return Share{total: &of, source: &source, limit: 1000, percent: 50, own: 1000, chunk: 100, recorder: stats.New().Recorder()}
	}
	first, second := one(), one()
	first.Reserve(1)
	second.Reserve(1)
	if first.taken != 100 || second.taken != 100 {
		t.Fatalf("far from its part it takes %d and %d, want chunks", first.taken, second.taken)
	}
	if !first.Reserve(149) || first.taken != 150 {
		t.Fatalf("at half of its part it takes %d, want no more than it needs", first.taken)
	}
	if !first.Reserve(20) {
		t.Fatal("refused below its part")
	}
	if first.Release(10); first.taken != 160 {
		t.Errorf("at half of its part it keeps %d for 160", first.taken)
	}
	if first.Release(70); first.taken != 90 || first.needed != 90 {
		t.Errorf("it keeps %d for %d", first.taken, first.needed)
	}
}

func TestKeptBytesAreCountedByTheRoomTheyTake(t *testing.T) {
	var of Total
	s := shareOf(&of, 1<<20, 10_000, 1)
	var kept []byte
	for range 90 {
		var ok bool
		if kept, ok = s.Append(kept, make([]byte, 100)); !ok {
			break
		}
	}
	if s.needed != int64(cap(kept)) || s.needed > 10_000 || len(kept) < 5000 {
		t.Errorf("%d needed for %d bytes with room for %d", s.needed, len(kept), cap(kept))
	}
	before := string(kept)
	if longer, ok := s.Append(kept, make([]byte, 10_000)); ok || string(longer) != before {
		t.Errorf("%d bytes are kept beyond the limit", len(longer))
	}
	s.ReleaseBytes(kept)
	s.GiveBackSpare()
	if of.used.Load() != 0 {
		t.Errorf("%d are still taken", of.used.Load())
	}
}
