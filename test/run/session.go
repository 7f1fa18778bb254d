// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const (
	drainLimit   = 30 * time.Second // for what was sent to be consumed
	restartAfter = 3 * time.Second  // of a server that has ended
)

// send lets the producer send until the duration (0: for ever) has passed or ctx ends, and prints a line a second.
func (s *session) send(ctx context.Context, duration time.Duration) error {
	if err := s.producer.Go(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var end <-chan time.Time
	if duration > 0 {
		end = time.After(duration)
	}
	servers := s.superviseServers(ctx)
	defer func() { <-servers }()
	defer cancel()
	var envoy <-chan struct{}
	if p := s.world.Envoy(); p != nil {
		envoy = p.Done()
	}
	begin, before := time.Now(), s.ledger.Sums()
	for {
		select {
		case e := <-s.ticks:
			now := s.ledger.Sums()
			s.printLine(time.Since(begin), e, now, before)
			before = now
		case <-end:
			return nil
		case <-ctx.Done():
			fmt.Println() // after the terminal's ^C
			return nil
		case <-envoy:
			s.problem("Envoy ended during the run: %v", s.world.Envoy().Err())
			return nil
		case <-s.producer.Done():
			s.problem("the producer ended during the run: %v", s.producer.Err())
			return nil
		case <-s.consumers[0].Done():
			s.problem("consumer-1 ended during the run: %v", s.consumers[0].Err())
			return nil
		case <-s.consumers[1].Done():
			s.problem("consumer-2 ended during the run: %v", s.consumers[1].Err())
			return nil
		}
	}
}

func (s *session) printLine(at time.Duration, tick world.Event, now, before world.Sums) {
	var line strings.Builder
	fmt.Fprintf(&line, "%5.0f s  sent %5d/s  consumed %5d/s ", at.Seconds(), tick.Sent, now.Consumed-before.Consumed)
	for _, b := range s.world.Brokers {
		fmt.Fprintf(&line, " %s %5d/s ", b.Name, now.PerBroker[b.Name]-before.PerBroker[b.Name])
	}
	fmt.Fprintf(&line, " p50 %6.2f ms  p99 %6.2f ms  behind %d", float64(tick.P50)/1000, float64(tick.P99)/1000, now.Lost())
	if tick.Failed > 0 {
		fmt.Fprintf(&line, "  failed %d (%s)", tick.Failed, tick.Error)
	}
	fmt.Println(line.String())
}

// superviseServers starts brokers and the name server again when they end, until ctx ends. The channel is closed
// when it no longer starts anything.
func (s *session) superviseServers(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
			if p := s.world.NameServerProcess(); !p.Running() {
				s.startAgain(ctx, "the name server", p, s.world.StartNameServer)
			}
			for _, b := range s.world.Brokers {
				if p := b.Process(); !p.Running() {
					s.startAgain(ctx, b.Name, p, b.Start)
				}
			}
		}
	}()
	return done
}

func (s *session) startAgain(ctx context.Context, name string, p *process.Process, start func(context.Context) error) {
	fmt.Printf("%s ended (%v); it is started again in %s\n", name, p.Err(), restartAfter)
	select {
	case <-ctx.Done():
		return
	case <-time.After(restartAfter):
	}
	begin := time.Now()
	if err := start(ctx); err != nil {
		if ctx.Err() == nil {
			fmt.Printf("%s does not start: %v\n", name, err)
		}
		return
	}
	fmt.Printf("%s is back after %.1f s\n", name, time.Since(begin).Seconds())
}

// finish stops sending, waits until everything is consumed, prints the summary and tells whether all holds.
func (s *session) finish() bool {
	// Not the context of the run: that may have ended by Ctrl-C, and the summary is still wanted.
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit+30*time.Second)
	defer cancel()
	watched := s.watch.Report()
	if end, err := s.producer.Finish(ctx); err != nil {
		s.problem("producer: %v", err)
	} else if end.Failed > 0 {
		fmt.Printf("%d sends failed after the client's own retries, the last with: %s\n", end.Failed, end.Error)
	}
	for limit := time.Now().Add(drainLimit); s.ledger.Sums().Lost() > 0 && time.Now().Before(limit); {
		time.Sleep(20 * time.Millisecond)
	}
	for _, c := range s.consumers {
		end, err := c.Finish(ctx)
		if err != nil {
			s.problem("%s: %v", c.Name, err)
		}
		if end.Corrupt > 0 {
			s.problem("%s: %d messages arrived with other bytes than were sent", c.Name, end.Corrupt)
		}
	}
	watched.Direct = s.watch.Stop().Direct
	s.check(watched)
	s.printSummary(watched)
	return len(s.problems) == 0
}

func (s *session) check(watched world.WatchReport) {
	sums := s.ledger.Sums()
	if sums.Sent == 0 {
		s.problem("nothing was sent")
	}
	if n := sums.Lost(); n > 0 {
		s.problem("%d acknowledged messages were not consumed within %s, the first with ids %v", n, drainLimit, s.ledger.Lost(10))
	}
	if sums.Duplicated > 0 {
		s.problem("%d deliveries were repetitions", sums.Duplicated)
	}
	if sums.Bad > 0 {
		s.problem("%d records of the clients could not be read", sums.Bad)
	}
	for _, b := range s.world.Brokers {
		if sums.Sent > 0 && sums.PerBroker[b.Name] == 0 {
			s.problem("%s had no messages", b.Name)
		}
	}
	if s.mode == world.NoProxy {
		return
	}
	if watched.Looks < 3 || watched.ViaProxy == 0 {
		s.problem("the clients' connections could not be checked: %d looks, at most %d connections to Envoy", watched.Looks, watched.ViaProxy)
	}
	for _, d := range watched.Direct {
		s.problem("direct connection: %s", d)
	}
	lines, err := s.world.EnvoyErrors()
	if err != nil {
		s.problem("Envoy's log: %v", err)
	}
	for i, line := range lines {
		if i == 10 {
			s.problem("Envoy's log: %d more such lines", len(lines)-i)
			break
		}
		s.problem("Envoy's log: %s", line)
	}
}

func (s *session) printSummary(watched world.WatchReport) {
	sums := s.ledger.Sums()
	if sums.Unacknowledged > 0 {
		fmt.Printf("%d more messages were consumed although their send was reported as failed\n", sums.Unacknowledged)
	}
	fmt.Printf("clients' connections looked at %d times\n", watched.Looks)
	for _, p := range s.problems {
		fmt.Println("not ok:", p)
	}
	brokers := ""
	for _, b := range s.world.Brokers {
		brokers += fmt.Sprintf(" %s %d", b.Name, sums.PerBroker[b.Name])
	}
	fmt.Printf("%v, per broker%s, direct broker connections by clients %d\n", sums, brokers, len(watched.Direct))
}

func (s *session) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}
